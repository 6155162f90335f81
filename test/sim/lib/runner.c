/* See runner.h. */
#include "sim/lib/runner.h"
#include "sim/lib/world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED_SECONDS 120 /* a run that takes longer is stuck */
#define LINE_MAX_BYTES 1024
#define CHECKER_TEXT 16

struct result { /* in memory shared with the seed's process */
	struct counters counters;
	uint64_t hash;
	bool done;
	char checker[CHECKER_TEXT]; /* empty: no violation */
	char violation[VIOLATION_TEXT];
};

struct job {
	pid_t pid; /* 0: free */
	struct options options;
	struct result *result;
};

struct jobs {
	const struct command *command;
	struct job jobs[RUNNER_JOBS_MAX];
	unsigned len, running;
	bool stop;
	struct runner_sum *sum;
	struct result *results;
};

static void run_seed(const struct options *options, unsigned limit_s,
		     struct result *result)
{
	struct world *w = malloc(sizeof(*w));

	if (!w)
		abort();
	alarm(limit_s ? limit_s : SEED_SECONDS);
	world_init(w, options);
	world_run(w);
	result->counters = w->counters;
	result->hash = w->agenda.hash;
	memcpy(result->violation, w->violation, sizeof(result->violation));
	if (w->violation[0])
		snprintf(result->checker, CHECKER_TEXT, "%s", w->checker);
	result->done = true;
	fflush(stdout);
	_exit(0);
}

static void start(struct jobs *all, struct job *job, uint64_t seed)
{
	memset(job->result, 0, sizeof(*job->result));
	job->options = all->command->options;
	job->options.seed = seed;
	fflush(stdout);
	job->pid = fork();
	if (job->pid < 0)
		abort();
	if (job->pid == 0)
		run_seed(&job->options, all->command->limit_s, job->result);
	all->running++;
}

/* The one who runs another program of this folder repeats it with `sim`. */
static void print_again(const struct options *options)
{
	const char *own = program_invocation_name;
	const char *end = strrchr(own, '/');

	printf("  again: %.*ssim --verbose ", end ? (int)(end + 1 - own) : 0,
	       own);
	command_print(stdout, options);
	printf("\n");
}

static void report(const struct job *job, int status)
{
	const struct result *r = job->result;
	unsigned long long seed = job->options.seed;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("violation %llu stuck: it doesn't end\n", seed);
	else if (WIFSIGNALED(status))
		printf("violation %llu crash: ended by signal %d\n", seed,
		       WTERMSIG(status));
	else if (!r->done)
		printf("violation %llu crash: ended with status %d\n", seed,
		       WEXITSTATUS(status));
	else
		printf("violation %llu %s: %s\n", seed, r->checker,
		       r->violation);
	print_again(&job->options);
}

static void finish(struct jobs *all)
{
	struct runner_sum *sum = all->sum;
	int status;
	pid_t pid = wait(&status);
	struct job *job = all->jobs;

	while (job < all->jobs + all->len && job->pid != pid)
		job++;
	if (job == all->jobs + all->len)
		return;
	job->pid = 0;
	all->running--;
	if (all->stop)
		return; /* it was ended, or came too late */
	sum->seeds++;
	counters_add(&sum->counters, &job->result->counters);
	sum->hash ^= job->result->hash + job->options.seed;
	if (status == 0 && job->result->done && !job->result->checker[0])
		return;
	sum->violations++;
	report(job, status);
	all->stop = all->command->stop_at_first;
	for (unsigned i = 0; all->stop && i < all->len; i++)
		if (all->jobs[i].pid)
			kill(all->jobs[i].pid, SIGKILL);
}

static unsigned jobs_at_once(const struct command *command)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = command->jobs ? command->jobs
		     : cores > 0   ? (unsigned)cores
				   : 1;

	return n < RUNNER_JOBS_MAX ? n : RUNNER_JOBS_MAX;
}

void runner_run(const struct command *command, struct runner_sum *sum)
{
	struct jobs all = { .command = command,
			    .len = jobs_at_once(command),
			    .sum = sum };
	struct result *results =
		mmap(NULL, sizeof(*results) * RUNNER_JOBS_MAX,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*sum = (struct runner_sum){ 0 };
	if (results == MAP_FAILED)
		abort();
	for (unsigned i = 0; i < all.len; i++)
		all.jobs[i].result = &results[i];
	for (uint64_t seed = command->from;
	     (seed <= command->to && !all.stop) || all.running;) {
		struct job *job = all.jobs;
		while (job < all.jobs + all.len && job->pid)
			job++;
		if (job < all.jobs + all.len && seed <= command->to &&
		    !all.stop)
			start(&all, job, seed++);
		else
			finish(&all);
	}
	munmap(results, sizeof(*results) * RUNNER_JOBS_MAX);
}

static void run_line(const char *file, char *line,
		     const struct command *command, struct runner_sum *sum)
{
	struct command own = { .jobs = 1, .limit_s = command->limit_s };
	struct runner_sum one;

	line[strcspn(line, "#\n")] = 0;
	if (!line[strspn(line, " \t")])
		return;
	if (!command_parse_line(&own, line)) {
		printf("%s: not understood: %s\n", file, line);
		sum->violations++;
		return;
	}
	own.options.verbose = false;
	runner_run(&own, &one);
	counters_add(&sum->counters, &one.counters);
	sum->seeds += one.seeds;
	sum->violations += one.violations;
	sum->hash ^= one.hash;
}

void runner_run_kept(const char *file, const struct command *command,
		     struct runner_sum *sum)
{
	FILE *from = fopen(file, "re");
	char line[LINE_MAX_BYTES];

	*sum = (struct runner_sum){ 0 };
	if (!from) {
		printf("%s: %s\n", file, strerror(errno));
		sum->violations++;
		return;
	}
	while (fgets(line, sizeof(line), from))
		run_line(file, line, command, sum);
	fclose(from);
}
