/* The simulator's command line: sim [options] [seed | from-to] */
#include "sim/lib/runner.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct option long_options[] = {
	{ "members", required_argument, NULL, 'm' },
	{ "seconds", required_argument, NULL, 's' },
	{ "jobs", required_argument, NULL, 'j' },
	{ "guards-off", required_argument, NULL, 'g' },
	{ "calm", no_argument, NULL, 'c' },
	{ "counters", no_argument, NULL, 'n' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void usage(void)
{
	printf("sim [options] [seed | from-to]   (default 1-8)\n"
	       "  --members N       members of the cluster; else the seed's\n"
	       "  --seconds N       of virtual time with faults (20)\n"
	       "  --calm            no faults\n"
	       "  --guards-off HEX  switch off guards of lib/repl, by bit\n"
	       "  --jobs N          seeds at once; else one a core\n"
	       "  --counters        print what was seen\n"
	       "  --verbose         say what happens\n");
}

struct command {
	struct options options;
	unsigned jobs;
	bool counters;
	uint64_t from, to;
};

static bool set_option(struct command *c, int letter, const char *value)
{
	switch (letter) {
	case 'm':
		c->options.members = (unsigned)strtoul(value, NULL, 10);
		return c->options.members <= MACHINES_MAX;
	case 's':
		c->options.chaos_us = strtoull(value, NULL, 10) * 1000000;
		return true;
	case 'j':
		c->jobs = (unsigned)strtoul(value, NULL, 10);
		return c->jobs > 0;
	case 'g':
		c->options.guards_off = (uint32_t)strtoul(value, NULL, 16);
		return true;
	case 'c':
		return c->options.calm = true;
	case 'n':
		return c->counters = true;
	case 'v':
		return c->options.verbose = true;
	default:
		return false;
	}
}

static bool parse(struct command *c, int argc, char **argv)
{
	int letter;

	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!set_option(c, letter, optarg))
			return false;
	if (optind < argc) {
		char *end;
		c->from = c->to = strtoull(argv[optind], &end, 10);
		if (*end == '-')
			c->to = strtoull(end + 1, &end, 10);
		if (*end)
			return false;
	}
	return c->from <= c->to;
}

int main(int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct command c = { .jobs = cores > 0 ? (unsigned)cores : 1,
			     .from = 1,
			     .to = 8 };
	struct runner_sum sum;
	unsigned kinds;

	if (!parse(&c, argc, argv)) {
		usage();
		return 2;
	}
	runner_run(&c.options, c.from, c.to, c.jobs, &sum);
	uint64_t faults = counters_faults(&sum.counters, &kinds);
	if (c.counters || c.options.verbose) {
		counters_print(&sum.counters);
		printf("hash %016llx\n", (unsigned long long)sum.hash);
	}
	printf("sim: %llu seeds, %llu operations, %llu faults of %u kinds, "
	       "%llu violations\n",
	       (unsigned long long)sum.seeds,
	       (unsigned long long)sum.counters.operations,
	       (unsigned long long)faults, kinds,
	       (unsigned long long)sum.violations);
	return sum.violations > 0;
}
