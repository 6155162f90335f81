/* The ends of connections, for vnet.c and vnet_fault.c. */
#ifndef HF_SIM_VNET_CONN_H
#define HF_SIM_VNET_CONN_H

#include "sim/lib/vnet.h"

enum parcel_kind {
	PARCEL_OPENED,
	PARCEL_CONNECTED,
	PARCEL_DATA,
	PARCEL_CLOSED
};

struct parcel {
	struct list link;
	enum parcel_kind kind;
	size_t len;
	uint8_t bytes[];
};

struct conn {             /* one end */
	struct list link; /* of its host's */
	struct pair *pair;
	struct conn *peer;
	struct vnet_host *host; /* NULL: nobody has accepted yet */
	unsigned machine;
	void *owner;
	struct list inbox;   /* parcels on the way to this end */
	struct list stalled; /* parcels that can't leave this end */
	size_t stalled_bytes;
	uint64_t stalls;
	uint64_t last_at; /* when the last parcel on the way arrives */
	bool closed;      /* nothing is reported here any more */
	bool deaf;        /* data on the way here is lost */
	bool known;       /* its process has heard of it */
	bool talking;     /* past the handshake, as its process sees it */
	unsigned lanes;   /* bit by lane: a message is being sent in parts */
};

struct pair {
	struct vnet *net;
	struct conn ends[2];
	uint64_t serial;
	size_t events; /* on the agenda */
};

struct parcel *conn_parcel(enum parcel_kind kind, const uint8_t *bytes,
			   size_t len);
void conn_send(struct conn *c, struct parcel *p);
/* Take the messages out of a parcel that are to come later, and keep copies of
 * those that are to come twice. */
void conn_mess_up(struct conn *c, struct parcel *p);

/* Put a parcel on its way to `c`, to arrive not before those before it. */
void conn_post(struct conn *c, struct parcel *p, uint64_t delay);
/* How long a parcel from `c` takes. */
uint64_t conn_delay(const struct conn *c);
struct vnet_link *conn_link(const struct conn *c); /* that it sends on */
/* One end finds out later that the connection is over. What is on the way to it
 * until then may still arrive. */
void conn_break(struct conn *c, uint64_t delay);
/* Nothing is reported to this end any more. */
void conn_shut(struct conn *c);
/* Keep a parcel that can't leave now. */
void conn_stall(struct conn *c, struct parcel *p);
/* Run something about `c` later; ends with conn_done. */
void conn_plan(struct conn *c, uint64_t at, event_run run, uint64_t arg);
void conn_done(struct conn *c);
/* Free the pair if nobody is interested in it any more. */
void conn_release(struct conn *c);
void conn_free_parcels(struct list *parcels);

#endif
