/* See runner.h. */
#include "sim/lib/runner.h"
#include "sim/lib/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED_SECONDS 300 /* a run that takes longer is stuck */

struct result { /* in memory shared with the seed's process */
	struct counters counters;
	uint64_t hash;
	bool done;
	char violation[VIOLATION_TEXT];
};

struct job {
	pid_t pid; /* 0: free */
	uint64_t seed;
	struct result *result;
};

static void run_seed(const struct options *options, struct result *result)
{
	struct world *w = malloc(sizeof(*w));

	if (!w)
		abort();
	alarm(SEED_SECONDS);
	world_init(w, options);
	world_run(w);
	result->counters = w->counters;
	result->hash = w->agenda.hash;
	memcpy(result->violation, w->violation, sizeof(result->violation));
	result->done = true;
	fflush(stdout);
	_exit(0);
}

static void start(struct job *job, const struct options *options, uint64_t seed)
{
	struct options own = *options;

	own.seed = seed;
	memset(job->result, 0, sizeof(*job->result));
	job->seed = seed;
	fflush(stdout);
	job->pid = fork();
	if (job->pid < 0)
		abort();
	if (job->pid == 0)
		run_seed(&own, job->result);
}

static void report(const struct job *job, const struct options *options,
		   int status)
{
	unsigned long long seed = job->seed;

	if (WIFSIGNALED(status))
		printf("seed %llu: ended by signal %d\n", seed,
		       WTERMSIG(status));
	else if (!job->result->done)
		printf("seed %llu: ended with status %d\n", seed,
		       WEXITSTATUS(status));
	else
		printf("seed %llu: %s\n", seed, job->result->violation);
	printf("  again: sim --verbose");
	if (options->members)
		printf(" --members %u", options->members);
	if (options->chaos_us)
		printf(" --seconds %llu",
		       (unsigned long long)(options->chaos_us / 1000000));
	if (options->calm)
		printf(" --calm");
	if (options->guards_off)
		printf(" --guards-off %x", options->guards_off);
	printf(" %llu\n", seed);
}

static void finish(struct job *jobs, unsigned n, const struct options *options,
		   struct runner_sum *sum)
{
	int status;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < n; i++) {
		struct job *job = &jobs[i];
		if (job->pid != pid)
			continue;
		job->pid = 0;
		sum->seeds++;
		counters_add(&sum->counters, &job->result->counters);
		sum->hash ^= job->result->hash + job->seed;
		if (status == 0 && job->result->done &&
		    !job->result->violation[0])
			continue;
		sum->violations++;
		report(job, options, status);
	}
}

static bool any(const struct job *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (jobs[i].pid)
			return true;
	return false;
}

void runner_run(const struct options *options, uint64_t from, uint64_t to,
		unsigned n, struct runner_sum *sum)
{
	struct job jobs[RUNNER_JOBS_MAX] = { 0 };
	struct result *results =
		mmap(NULL, sizeof(*results) * RUNNER_JOBS_MAX,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*sum = (struct runner_sum){ 0 };
	if (results == MAP_FAILED)
		abort();
	n = n < RUNNER_JOBS_MAX ? n : RUNNER_JOBS_MAX;
	for (unsigned i = 0; i < n; i++)
		jobs[i].result = &results[i];
	for (uint64_t seed = from; seed <= to || any(jobs, n);) {
		unsigned i = 0;
		while (i < n && jobs[i].pid)
			i++;
		if (i < n && seed <= to)
			start(&jobs[i], options, seed++);
		else
			finish(jobs, n, options, sum);
	}
	munmap(results, sizeof(*results) * RUNNER_JOBS_MAX);
}
