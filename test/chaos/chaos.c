/* Real processes in real trouble: members of a cluster in network namespaces
 * of their own, on disks of their own, under mixes of faults, with users who
 * write down all that they are told. See test/chaos/README.
 *
 * chaos [--operations N] [--seed N] [--verbose] [MIX...]: N operations in the
 * whole, a million by default, shared out among the mixes; all mixes, or those
 * named. It ends with "chaos: 8 mixes, N operations, 0 violations", and fails
 * on a violation, too few operations, a fault that never happened, and where it
 * can't have what it needs. */
#include "lib/disks.h"
#include "lib/member.h"
#include "lib/mixes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPERATIONS 1000000
#define FAULTS_MS 34000    /* of a mix with its full share */
#define FAULTS_MS_MIN 5000 /* in a run that is smaller */
#define ERROR_LEN 256

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

struct choice {
	bool verbose;
	uint64_t operations, seed;
	bool wanted[MIXES];
	unsigned wanted_len;
};

static int find_mix(const char *name)
{
	for (int i = 0; i < MIXES; i++)
		if (strcmp(mixes[i].name, name) == 0)
			return i;
	return -1;
}

static bool choose_mix(struct choice *c, const char *name)
{
	int i = find_mix(name);

	if (i < 0) {
		fprintf(stderr, "chaos: no mix is called %s; there are:", name);
		for (int k = 0; k < MIXES; k++)
			fprintf(stderr, " %s", mixes[k].name);
		fprintf(stderr, "\n");
		return false;
	}
	c->wanted_len += !c->wanted[i];
	c->wanted[i] = true;
	return true;
}

static bool choose(struct choice *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;
		if (strcmp(argv[i], "--operations") == 0 && has_value)
			c->operations = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && has_value)
			c->seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--verbose") == 0)
			c->verbose = true;
		else if (!choose_mix(c, argv[i]))
			return false;
	}
	for (int i = 0; c->wanted_len == 0 && i < MIXES; i++)
		c->wanted[i] = true;
	if (c->wanted_len == 0)
		c->wanted_len = MIXES;
	return true;
}

static bool run_mixes(const struct choice *c, struct wire *wire)
{
	struct run run = { .wire = wire,
			   .interrupted = &interrupted,
			   .verbose = c->verbose };
	char error[ERROR_LEN] = "";

	/* A mix has the same share, whether others are run or not. */
	run.operations = c->operations / MIXES;
	run.faults_ms = c->operations * FAULTS_MS / OPERATIONS;
	if (run.faults_ms > FAULTS_MS)
		run.faults_ms = FAULTS_MS;
	if (run.faults_ms < FAULTS_MS_MIN)
		run.faults_ms = FAULTS_MS_MIN;
	for (unsigned i = 0; i < MIXES; i++) {
		run.seed = c->seed + i;
		if (c->wanted[i] &&
		    !mix_run(&mixes[i], &run, error, sizeof(error))) {
			fprintf(stderr, "chaos: %s\n",
				interrupted ? "interrupted" : error);
			return false;
		}
	}
	printf("chaos: %u mixes, %" PRIu64 " operations, %" PRIu64
	       " violations\n",
	       c->wanted_len, run.done, run.violations);
	return run.violations == 0;
}

int main(int argc, char **argv)
{
	static struct wire wire;
	struct sigaction action = { .sa_handler = interrupt };
	struct choice choice = { .operations = OPERATIONS };
	char error[ERROR_LEN];

	if (argc > 1 && strcmp(argv[1], "member") == 0)
		return member_main(argc - 1, argv + 1);
	choice.seed = now_us();
	if (!choose(&choice, argc, argv))
		return 2;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (disks_enter(error, sizeof(error)) < 0 ||
	    wire_start(&wire, choice.seed, error, sizeof(error)) < 0) {
		fprintf(stderr,
			"chaos: FAILED, what it needs can't be had: "
			"%s\n",
			error);
		return 1;
	}
	printf("seed %" PRIu64 "\n", choice.seed);
	bool passed = run_mixes(&choice, &wire);
	wire_stop(&wire);
	return passed ? 0 : 1;
}
