/* One connection, shared by conn.c (an open one) and dial.c (on its way).
 *
 * The place for TLS: bytes leave the node through conn_write and enter it
 * through conn_received; what lies between these two and the socket sees only
 * bytes, and may be put through another layer there. */
#ifndef HF_HOST_CONN_H
#define HF_HOST_CONN_H

#include "base/buf.h"
#include "host/net.h"

struct conn {
	struct list link;  /* net->conns */
	struct list dirty; /* net->dirty: it has something to flush */
	struct net *net;
	void *owner;
	uv_tcp_t tcp;
	uv_getaddrinfo_t lookup;
	uv_connect_t connect;
	uv_write_t write;
	struct addrinfo *found, *next; /* addresses that are left to try */
	struct buf out;                /* not yet given to libuv */
	struct buf sent;               /* libuv has it while `writing` */
	bool has_handle;               /* tcp is libuv's */
	bool looking_up, writing;
	bool open;
	bool failed;  /* to be reported by net_flush */
	bool closing; /* nothing more is reported */
};

struct conn *conn_new(struct net *net, void *owner);
/* Make its socket handle; 0 or libuv's error. */
int conn_handle(struct conn *c);
/* The socket is connected. */
void conn_opened(struct conn *c);
void conn_received(struct conn *c, const uint8_t *bytes, size_t len);
/* Report its end and close it. Not from inside a call of the node's. */
void conn_fail(struct conn *c);
/* Its handle has been closed. */
void conn_handle_closed(uv_handle_t *handle);
/* Free it once libuv holds no part of it any more. */
void conn_release(struct conn *c);

/* dial.c: try the next address; conn_fail when there is none. */
void dial_next(struct conn *c);

#endif
