/* How long the session is certain, readable by any thread without a lock.
 *
 * One writer (the node's thread), any number of readers. The two clocks are
 * CLOCK_BOOTTIME and CLOCK_MONOTONIC_RAW: the larger elapsed time counts, so
 * the lease is safe while both are before their ends. */
#ifndef HF_NODE_LEASE_H
#define HF_NODE_LEASE_H

#include "base/env.h"

#include <stdatomic.h>
#include <stdbool.h>

struct lease {
	atomic_uint_fast64_t version;       /* odd: being written */
	atomic_uint_fast64_t session;       /* 0: none */
	atomic_uint_fast64_t boottime, raw; /* certain before these, us */
};

/* The node's thread only. A session id other than the one before starts anew.
 */
void lease_begin(struct lease *l, uint64_t session);
/* The acknowledgement of an operation sent at `sent` says: applied first under
 * `stamp`, the session lives until `deadline` of cluster time. Takes effect
 * only where it makes the lease longer. */
void lease_extend(struct lease *l, const struct clocks *sent, uint64_t stamp,
		  uint64_t deadline, uint32_t drift_ppm, uint64_t margin_us);
void lease_end(struct lease *l);

/* Microseconds for which `session` is still certain; 0: it is not. */
uint64_t lease_left(const struct lease *l, uint64_t session,
		    const struct clocks *now);

#endif
