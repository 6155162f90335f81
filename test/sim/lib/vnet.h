/* The network: connections between machines, as TCP makes them.
 *
 * A connection is two ordered streams of bytes, with a delay each. What TCP
 * loses it sends again, so that loss is a delay that holds up all that follows.
 * Where a link is cut, bytes wait at the sender; if that lasts, the connection
 * breaks, at each end in its own time. A process that dies takes its
 * connections along, which the others may learn at once or late.
 *
 * Beyond what TCP does, whole messages may come twice, out of order, or on a
 * later connection of the same two machines: nothing above relies on their
 * order. */
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
	bool cut, clogged;
	uint64_t delay_min, delay_max; /* us */
};

struct vnet_counts {
	uint64_t connects, parcels, bytes, resets, losses, corrupted, broken;
	uint64_t twice, overtaken, late, old_opens, stale;
};

/* What becomes of whole messages, in millionths of them. */
struct vnet_mess {
	uint64_t twice_ppm;     /* come once more, later */
	uint64_t overtaken_ppm; /* come later than those sent after them */
	uint64_t late_us;       /* later by this, at most */
	uint64_t open_ppm;  /* opens of sessions that come again after the next
			     * boot of their sender */
	uint64_t stale_ppm; /* snapshots, and entries from the first on, that
			     * come again later and in later terms */
};

struct vnet {
	struct agenda *agenda;
	struct random *random;
	struct vnet_host *hosts[MACHINES_MAX]; /* that listen; or NULL */
	struct vnet_link links[MACHINES_MAX][MACHINES_MAX]; /* from, to */
	uint64_t loss_ppm, corrupt_ppm;                     /* of parcels */
	uint64_t split_ppm; /* of parcels, to arrive in two parts */
	struct vnet_mess mess;
	struct random *for_messages;
	/* By bit of the machine: requests for votes, and for pre-votes, that
	 * are lost. */
	unsigned mute_votes, mute_questions;
	struct list held;           /* messages that come later */
	uint64_t led[MACHINES_MAX]; /* by machine: the last term in which it
				     * has led, as its messages say */
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
/* Bytes wait at the sender, and no connection breaks for it. */
void vnet_clog(struct vnet *net, unsigned from, unsigned to, bool clogged);
/* Let all messages come that are held back, and hold no more. */
void vnet_flush(struct vnet *net);
/* Break all connections between the two; what is on the way is lost. */
void vnet_reset(struct vnet *net, unsigned a, unsigned b);

#endif
