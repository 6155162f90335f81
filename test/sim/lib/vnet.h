/* The network: connections between machines, as TCP makes them.
 *
 * A connection is two ordered streams of bytes, with a delay each. What TCP
 * loses it sends again, so that loss is a delay that holds up all that follows.
 * Where a link is cut, bytes wait at the sender; if that lasts, the connection
 * breaks, at each end in its own time. A process that dies takes its
 * connections along, which the others may learn at once or late. */
#ifndef HF_SIM_VNET_H
#define HF_SIM_VNET_H

#include "base/list.h"
#include "sim/lib/agenda.h"
#include "sim/lib/dice.h"

#define MACHINES_MAX 7

struct conn;

/* What is reported to a process; see lib/node/node.h. */
struct vnet_calls {
	void (*incoming)(void *ctx, struct conn *conn);
	void (*connected)(void *ctx, void *owner);
	void (*data)(void *ctx, void *owner, const uint8_t *bytes, size_t len);
	void (*closed)(void *ctx, void *owner);
};

struct vnet_host { /* a process on the network */
	struct vnet *net;
	unsigned machine;
	const struct gate *gate;
	const struct vnet_calls *calls;
	void *ctx;
	struct list conns;
};

struct vnet_link { /* one direction */
	bool cut;
	uint64_t delay_min, delay_max; /* us */
};

struct vnet_counts {
	uint64_t connects, parcels, bytes, resets, losses, corrupted, broken;
};

struct vnet {
	struct agenda *agenda;
	struct random *random;
	struct vnet_host *hosts[MACHINES_MAX]; /* that listen; or NULL */
	struct vnet_link links[MACHINES_MAX][MACHINES_MAX]; /* from, to */
	uint64_t loss_ppm, corrupt_ppm;                     /* of parcels */
	uint64_t split_ppm; /* of parcels, to arrive in two parts */
	struct vnet_counts counts;
};

/* The process can be reached from now on; it has filled in its host. */
void vnet_up(struct vnet_host *host);
/* It has died. `silent`: its machine with it, so that nobody is told soon. */
void vnet_down(struct vnet_host *host, bool silent);

struct conn *vnet_connect(struct vnet_host *host, unsigned machine,
			  void *owner);
void vnet_own(struct conn *conn, void *owner);
void vnet_write(struct conn *conn, const uint8_t *bytes, size_t len);
size_t vnet_queued(const struct conn *conn);
void vnet_close(struct conn *conn);

void vnet_cut(struct vnet *net, unsigned from, unsigned to);
void vnet_mend(struct vnet *net, unsigned from, unsigned to);
/* Break all connections between the two; what is on the way is lost. */
void vnet_reset(struct vnet *net, unsigned a, unsigned b);

#endif
