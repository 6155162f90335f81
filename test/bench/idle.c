/* What a cluster costs that has nothing to do.
 *
 *	idle DIR SECS LOCKS
 *
 * Three members with default options hold LOCKS locks between them and do
 * nothing else for SECS. Printed for each: its process's time on a processor,
 *in percent of a core, and how often it woke up and wrote to disk in a second.
 */
#include "lib/team.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SECS_MAX 3600
#define LOCKS_MAX 1000000
#define REQUEST_MS 20000
#define SETTLE_MS 3000

enum { ORDER_HOLD = ORDER_OWN, ORDER_USAGE };

/* Of one member, in memory shared with the conductor. */
struct usage {
	double cpu_secs, switches, writes;
};

static void read_usage(struct usage *usage)
{
	struct rusage r;
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	getrusage(RUSAGE_SELF, &r);
	usage->cpu_secs = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	usage->switches = (double)r.ru_nvcsw;
	usage->writes = (double)r.ru_oublock * 512;
}

/* Take locks that are held until the node is closed. */
static int hold(struct member *member, unsigned count)
{
	struct hf_lock *locks = calloc(count, sizeof(*locks));
	char name[64];
	int rc = locks ? 0 : HF_ENOMEM;

	for (unsigned i = 0; i < count && !rc; i++) {
		snprintf(name, sizeof(name), "idle-%u-%u", member->index, i);
		rc = hf_lock(member->node, &locks[i], name, NULL, REQUEST_MS);
	}
	return rc;
}

static void work(struct member *member, const struct order *order,
		 struct answer *answer)
{
	struct usage *usages = member->shared;

	if (order->what == ORDER_HOLD)
		answer->rc = hold(member, order->count);
	else
		read_usage(&usages[member->index]);
}

static void everybody(struct team *team, unsigned what, unsigned count)
{
	const struct order order = { .what = what, .count = count };
	struct answer answer;

	for (unsigned i = 0; i < TEAM_LEN; i++)
		team_order(team, i, &order);
	for (unsigned i = 0; i < TEAM_LEN; i++) {
		team_answer(team, i, &answer);
		if (answer.rc)
			die("member %u: %s", i + 1, hf_strerror(answer.rc));
	}
}

struct parameters {
	double secs;
	unsigned locks;
};

static void conduct(const char *dir, void *arg)
{
	const struct parameters *parameters = arg;
	struct team team = { .dir = dir, .work = work };
	struct usage *now = share(sizeof(*now) * TEAM_LEN), before[TEAM_LEN];

	team.shared = now;
	team_gather(&team);
	everybody(&team, ORDER_HOLD, parameters->locks / TEAM_LEN);
	sleep_ms(SETTLE_MS);
	everybody(&team, ORDER_USAGE, 0);
	memcpy(before, now, sizeof(before));
	sleep_ms((uint32_t)(parameters->secs * 1000));
	everybody(&team, ORDER_USAGE, 0);
	team_ready(&team);
	for (unsigned i = 0; i < TEAM_LEN; i++)
		printf("idle: %-8s %.2f %% of a core, %.0f wake-ups/s, "
		       "%.1f KiB/s written\n",
		       i == team.leader ? "leader" : "follower",
		       (now[i].cpu_secs - before[i].cpu_secs) /
			       parameters->secs * 100,
		       (now[i].switches - before[i].switches) /
			       parameters->secs,
		       (now[i].writes - before[i].writes) / parameters->secs /
			       1024);
	fflush(stdout);
	team_dismiss(&team);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: idle DIR SECS LOCKS");
	struct parameters parameters = {
		.secs = number_argument("SECS", argv[2], SECS_MAX),
		.locks = (unsigned)number_argument("LOCKS", argv[3], LOCKS_MAX)
	};

	return supervise(argv[1], (uint32_t)(300 + parameters.secs), conduct,
			 &parameters);
}
