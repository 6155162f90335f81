/* The leader's reading of cluster time.
 *
 * It starts at the last stamp that was applied when the leader has applied an
 * entry of its own term, and runs no faster than real time: by the smaller
 * elapsed time of two clocks, and by no more than one election timeout in one
 * turn of the loop. So cluster time never goes back, stands still without a
 * leader, and a leader that was paused doesn't expire what it hasn't yet read.
 *
 * Setting the clock back is always safe, as long as stamps don't go back: time
 * then only runs slower, and every promise is a lower bound. */
#ifndef HF_REPL_CLOCK_H
#define HF_REPL_CLOCK_H

#include "base/env.h"

struct cluster_clock { /* all zero: not running */
	uint64_t now;  /* cluster time */
	uint64_t left; /* of what this turn may advance it by */
	struct clocks last;
};

void clock_start(struct cluster_clock *c, uint64_t now,
		 const struct clocks *real);
/* A turn begins, which may advance the clock by `most`. */
void clock_turn(struct cluster_clock *c, uint64_t most);
/* Read it. */
uint64_t clock_read(struct cluster_clock *c, const struct clocks *real);
/* To `now`, if that is earlier. */
void clock_set_back(struct cluster_clock *c, uint64_t now);

/* The smaller elapsed time; 0 if a clock went back. */
uint64_t clock_elapsed(const struct clocks *from, const struct clocks *to);

#endif
