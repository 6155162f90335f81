/* Runs seeds, each in a process of its own.
 *
 * A crashed member's memory is given up, so that nothing is there to free it,
 * and a fault may end the process: both stay with the seed's own process. */
#ifndef HF_SIM_RUNNER_H
#define HF_SIM_RUNNER_H

#include "sim/lib/plan.h"

#define RUNNER_JOBS_MAX 64

struct runner_sum {
	struct counters counters;
	uint64_t seeds, violations;
	uint64_t hash; /* of all runs */
};

/* Run the seeds from..to, `jobs` at once. Each violation is printed, with the
 * command that repeats it. */
void runner_run(const struct options *options, uint64_t from, uint64_t to,
		unsigned jobs, struct runner_sum *sum);

#endif
