/* Randomness of the simulator, forked by purpose: drawing more for one purpose
 * doesn't shift what another one draws, so that a failing seed stays close to
 * itself when the workload or a fault is changed. */
#ifndef HF_SIM_DICE_H
#define HF_SIM_DICE_H

#include "lib/random.h"

#include <stdbool.h>

enum purpose {
	FOR_PLAN = 1,
	FOR_CLOCKS,
	FOR_DISK,
	FOR_NET,
	FOR_FAULTS,
	FOR_USERS,
	FOR_MESSAGES,
	FOR_PLAN_CLUSTER,
	FOR_TROUBLE,
	FOR_LIMITS,
	FOR_PLAN_CLOCKS,
	FOR_PLAN_WORK,
	FOR_CLERKS,
	FOR_PROCESS /* and up: one for each process */
};

static inline struct random dice_fork(uint64_t seed, uint64_t purpose)
{
	struct random r = { seed };

	r.state = random_next(&r) ^ purpose * UINT64_C(0xd6e8feb86659fd93);
	random_next(&r);
	return r;
}

/* Both ends included. */
static inline uint64_t dice_between(struct random *r, uint64_t lo, uint64_t hi)
{
	return lo + random_below(r, hi - lo + 1);
}

static inline bool dice_chance(struct random *r, uint64_t ppm)
{
	return ppm && random_below(r, 1000000) < ppm;
}

/* One of an array's elements. */
#define DICE_PICK(r, array) \
	((array)[random_below((r), sizeof(array) / sizeof(*(array)))])

#endif
