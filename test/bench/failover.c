/* How long a cluster grants nothing after its leader was killed.
 *
 *	failover DIR KILLS
 *
 * Three members with default options. The leader's process is killed with
 * SIGKILL, and at that moment each survivor asks for a lock that nobody holds.
 * What counts is the time from the kill to the later of the two grants. Then
 *the killed member is started again, and the next kill waits until all is well.
 */
#include "lib/team.h"

#include <stdio.h>
#include <stdlib.h>

#define KILLS_MAX 1000
#define REQUEST_MS 20000
#define REST_MS 500

enum { ORDER_GRANT = ORDER_OWN };

static void work(struct member *member, const struct order *order,
		 struct answer *answer)
{
	struct hf_lock lock;
	char name[64];

	snprintf(name, sizeof(name), "failover-%u-%u", member->index,
		 order->count);
	answer->rc = hf_lock(member->node, &lock, name, NULL, REQUEST_MS);
	answer->ns = now_ns();
	if (!answer->rc)
		answer->rc = hf_unlock(&lock, REQUEST_MS);
}

/* The time until both survivors have got a lock, in nanoseconds. */
static uint64_t kill_leader(struct team *team, unsigned number)
{
	const struct order order = { .what = ORDER_GRANT, .count = number };
	const uint64_t from = now_ns();
	uint64_t until = from;

	team_kill(team, team->leader);
	for (unsigned i = 0; i < TEAM_LEN; i++)
		if (i != team->leader)
			team_order(team, i, &order);
	for (unsigned i = 0; i < TEAM_LEN; i++) {
		struct answer answer;

		if (i == team->leader)
			continue;
		team_answer(team, i, &answer);
		if (answer.rc)
			die("member %u: %s", i + 1, hf_strerror(answer.rc));
		if (answer.ns > until)
			until = answer.ns;
	}
	return until - from;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Few samples: the exact ones, the p-th the smallest that p % don't exceed. */
static void print(uint64_t *times, unsigned len)
{
	qsort(times, len, sizeof(*times), compare);
	printf("failover: %u kills, next grant p50 %.0f ms, p99 %.0f ms, max "
	       "%.0f ms\n",
	       len, (double)times[(len * 50 + 99) / 100 - 1] / 1e6,
	       (double)times[(len * 99 + 99) / 100 - 1] / 1e6,
	       (double)times[len - 1] / 1e6);
	fflush(stdout);
}

static void conduct(const char *dir, void *arg)
{
	const unsigned kills = *(const unsigned *)arg;
	struct team team = { .dir = dir, .work = work };
	uint64_t times[KILLS_MAX] = { 0 };

	team_gather(&team);
	for (unsigned i = 0; i < kills; i++) {
		/* Not in step with heartbeats and renewals. */
		sleep_ms(REST_MS + i * 37 % 100);
		team_ready(&team);
		times[i] = kill_leader(&team, i);
		team_start(&team, team.leader);
	}
	team_ready(&team);
	team_dismiss(&team);
	print(times, kills);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: failover DIR KILLS");
	unsigned kills = (unsigned)number_argument("KILLS", argv[2], KILLS_MAX);

	return supervise(argv[1], 60 + 30 * kills, conduct, &kills);
}
