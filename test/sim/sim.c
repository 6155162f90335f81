/* The simulator's command line: sim [options] [seed | from-to] */
#include "sim/lib/runner.h"

/* From so many seeds on, those that once failed run first, and the run must
 * have seen enough of everything. */
#define MANY_SEEDS 100

/* Nothing but the seed decides what is run. */
static bool plain(const struct command *c)
{
	const struct options *o = &c->options;

	return !o->members && !o->chaos_us && !o->calm && !o->guards_off;
}

static void print_sum(const struct runner_sum *sum)
{
	unsigned kinds;
	uint64_t faults = counters_faults(&sum->counters, &kinds);

	printf("sim: %llu seeds, %llu operations, %llu faults of %u kinds, "
	       "%llu violations\n",
	       (unsigned long long)sum->seeds,
	       (unsigned long long)sum->counters.operations,
	       (unsigned long long)faults, kinds,
	       (unsigned long long)sum->violations);
}

int main(int argc, char **argv)
{
	struct command c = { .from = 1, .to = 8 };
	struct runner_sum kept = { 0 }, sum;
	bool failed = false;

	if (!command_parse(&c, argc, argv)) {
		command_usage();
		return 2;
	}
	bool many = c.to - c.from + 1 >= MANY_SEEDS && !c.stop_at_first;
	if (many)
		runner_run_kept(RUNNER_KEPT, &c, &kept);
	runner_run(&c, &sum);
	if (c.counters || c.options.verbose) {
		counters_print(&sum.counters);
		printf("hash %016llx\n", (unsigned long long)sum.hash);
	}
	if (many && plain(&c)) {
		failed = counters_short(&sum.counters, sum.seeds);
		failed |= counters_short_of_faults(&sum.counters, sum.seeds);
	}
	sum.violations += kept.violations;
	print_sum(&sum);
	return sum.violations > 0 || failed;
}
