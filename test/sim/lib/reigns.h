/* How leaders follow each other.
 *
 * A run of three leaders: three times in a row another member takes over, each
 * less than a TTL after the one before, and no session has expired from the
 * first to the third. Holders and clocks then live through all three. */
#ifndef HF_SIM_REIGNS_H
#define HF_SIM_REIGNS_H

#include "sim/lib/counters.h"

#define REIGNS 3

struct reigns { /* all zero: none yet */
	uint64_t term;
	unsigned leader;  /* from 1 */
	uint64_t since;   /* true time */
	unsigned quick;   /* take-overs in a row */
	uint64_t expired; /* sessions, before these */
};

/* This member serves in a term; `expired`: sessions, up to now. */
void reigns_next(struct reigns *r, struct counters *counters, unsigned leader,
		 uint64_t term, uint64_t now, uint64_t expired,
		 uint64_t ttl_us);

#endif
