/* What a user does next, and when: drawn so that what it does meets the moments
 * that matter: the end of a lease, a grant on its way, its own deadline. */
#ifndef HF_SIM_HABIT_H
#define HF_SIM_HABIT_H

#include "sim/lib/world.h"

#define WISH_PARTS 3 /* locks at once, at most */

struct wish_part {
	unsigned name;
	enum hf_mode mode;
	uint32_t permits, limit;
};

struct wish { /* for a lock, or several */
	unsigned name;
	enum hf_mode mode;
	uint32_t permits, limit;
	uint64_t timeout_us, delay_us;
	struct wish_part more[WISH_PARTS - 1];
	size_t more_len;
	int32_t priority;
	uint32_t line_max;
	uint64_t hold_us, lease_us;
	bool shows;
};

void habit_wish(struct world *w, struct wish *wish);
/* How long an acquisition may take. */
uint64_t habit_patience(struct world *w);
/* The pause before the next thing of somebody who holds, for whom the hold is
 * certain for `left_us`. */
uint64_t habit_think(struct world *w, uint64_t left_us);

/* When to give up what was just asked for. */
enum cancel_habit {
	CANCEL_NEVER,
	CANCEL_SOON,    /* after a while, at once perhaps */
	CANCEL_RELEASE, /* about when its holder gives the lock back */
	CANCEL_GRANT    /* when it is granted, before that is known here */
};
enum cancel_habit habit_cancel(struct world *w);
/* How long from what it waited for to the cancel. */
uint64_t habit_cancel_us(struct world *w, enum cancel_habit habit);

/* How long a hold is left to its holder that is revoked. */
uint64_t habit_grace(struct world *w);

#endif
