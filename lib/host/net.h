/* Connections: ordered streams of bytes to and from other nodes, over TCP.
 *
 * What is written is collected and given to the kernel once a turn, by
 * net_flush: one system call for a turn's frames. Nothing is reported from
 * inside a call but by net_flush and the loop's own callbacks. The loop's
 * thread only. */
#ifndef HF_HOST_NET_H
#define HF_HOST_NET_H

#include "base/env.h"
#include "base/list.h"

#include <stdbool.h>
#include <uv.h>

struct net_calls { /* see the functions node_conn_* of node/node.h */
	void (*incoming)(void *arg, struct conn *conn);
	void (*connected)(void *arg, void *owner);
	void (*data)(void *arg, void *owner, const uint8_t *bytes, size_t len);
	void (*closed)(void *arg, void *owner);
};

struct net {
	uv_loop_t *loop;
	const struct net_calls *calls;
	void *arg;
	bool loopback_only;
	bool stirred; /* something was reported; the loop resets it */
	uint8_t *input;
	struct list conns, dirty;
};

/* calls must outlive it. HF_ENOMEM or 0. */
int net_init(struct net *net, uv_loop_t *loop, const struct net_calls *calls,
	     void *arg, bool loopback_only);
void net_flush(struct net *net);
/* Give up every connection, without reports. */
void net_close(struct net *net);
/* Once the loop is closed: all_zero is fine. */
void net_free(struct net *net);

/* As in struct env. */
struct conn *net_connect(struct net *net, const char *address, void *owner);
void conn_own(struct conn *conn, void *owner);
void conn_write(struct conn *conn, const uint8_t *bytes, size_t len);
size_t conn_queued(const struct conn *conn);
void conn_close(struct conn *conn);

/* Where other nodes' connections come in. */
struct listener {
	struct net *net;
	uv_tcp_t tcp, refusal;
	bool open, refusing;
	uint16_t port; /* that was bound */
};

/* `listener` starts as all zero, and stays where it is until the loop has
 * closed its handles. Resolves names, blocking. Errors: HF_EINVAL, HF_EADDRESS.
 */
int listener_open(struct listener *listener, struct net *net,
		  const char *address, char *error);
void listener_close(struct listener *listener);

#endif
