/* How long something is certain, by our own clocks, readable by any thread
 * without a lock.
 *
 * The two clocks are CLOCK_BOOTTIME and CLOCK_MONOTONIC_RAW: the larger elapsed
 * time counts, so what is bounded is certain while both are before their ends.
 * One writer (the node's thread), any number of readers. */
#ifndef HF_NODE_LEASE_H
#define HF_NODE_LEASE_H

#include "base/env.h"

#include <stdatomic.h>
#include <stdbool.h>

struct bound {                  /* all zero: certain of nothing */
	uint64_t boottime, raw; /* before these, us */
};

#define BOUND_NONE ((struct bound){ UINT64_MAX, UINT64_MAX })

/* How far our clocks and the cluster's may run wrong, and what is taken off for
 * what no clock shows. */
struct caution {
	uint32_t drift_ppm;
	uint64_t margin_us;
};

/* The acknowledgement of an operation sent at `sent` says that it was applied
 * first under `stamp`: cluster time doesn't reach `deadline` before this. */
struct bound bound_of(const struct clocks *sent, uint64_t stamp,
		      uint64_t deadline, struct caution caution);
/* Both are sound: what is certain before either. Only where it makes both ends
 * later, since each is sound only with its own. */
void bound_raise(struct bound *b, struct bound other);
/* Certain only before both. */
void bound_lower(struct bound *b, struct bound other);
uint64_t bound_left(const struct bound *b, const struct clocks *now);

/* A bound in memory that other threads read, word by word. A reader may see one
 * word of the old and one of the new. Both are sound then: each bound that is
 * raised has both words above the one before, and one that is lowered has been
 * sound until now. */
void bound_store(uint64_t to[2], struct bound b);
struct bound bound_load(const uint64_t from[2]);

/* Acknowledged operations of late, from which any deadline can be turned into
 * our own time: cluster time is one, whatever an operation was about. */
#define ANCHORS 4
struct anchors { /* all zero: none */
	struct {
		struct clocks sent;
		uint64_t stamp;
	} ring[ANCHORS];
	size_t len; /* all that there were */
};
void anchors_add(struct anchors *a, const struct clocks *sent, uint64_t stamp);
/* The best that follows from them; nothing certain if there are none. */
struct bound anchors_bound(const struct anchors *a, uint64_t deadline,
			   struct caution caution);

/* The session's. */
struct lease {
	atomic_uint_fast64_t version;       /* odd: being written */
	atomic_uint_fast64_t session;       /* 0: none */
	atomic_uint_fast64_t boottime, raw; /* certain before these, us */
};

/* The node's thread only. A session id other than the one before starts anew.
 */
void lease_begin(struct lease *l, uint64_t session);
/* As bound_of. Takes effect only where it makes the lease longer. */
void lease_extend(struct lease *l, const struct clocks *sent, uint64_t stamp,
		  uint64_t deadline, struct caution caution);
void lease_end(struct lease *l);

/* Microseconds for which `session` is still certain; 0: it is not. */
uint64_t lease_left(const struct lease *l, uint64_t session,
		    const struct clocks *now);

#endif
