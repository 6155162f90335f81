/* Runs seeds, each in a process of its own.
 *
 * A crashed member's memory is given up, so that nothing is there to free it,
 * and a fault may end the process: both stay with the seed's own process. */
#ifndef HF_SIM_RUNNER_H
#define HF_SIM_RUNNER_H

#include "sim/lib/command.h"

#define RUNNER_JOBS_MAX 64

struct runner_sum {
	struct counters counters;
	uint64_t seeds, violations;
	uint64_t hash; /* of all runs */
};

/* Run the command's seeds. Each violation is printed as a line "violation SEED
 * CHECKER: text" and the command that repeats it. */
void runner_run(const struct command *command, struct runner_sum *sum);

/* Run the seeds that once failed: the lines of a file, each with its options
 * and, behind a #, what it found. A file that can't be read or understood is a
 * violation too. */
#define RUNNER_KEPT "test/sim/seeds" /* from the top folder */
void runner_run_kept(const char *file, const struct command *command,
		     struct runner_sum *sum);

#endif
