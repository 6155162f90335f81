/* How fast three members are: pairs of lock and unlock, a single acquisition on
 * the leader, and hand-overs of one lock.
 *
 *	cluster DIR SECS [NAME CONCURRENCY]
 *
 * A name and a number measure this alone, to look at with a profiler.
 *
 * Requests are asynchronous: each of the `concurrency` requesters sends its
 *next one from the callback of the one before. All members start together, warm
 *up, and count what ends within the same SECS. Only acquire_leader is a thread
 *that blocks in hf_lock, since that is what a single caller does. */
#include "lib/team.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECS_MAX 60
#define WARM_UP_MS 500
#define REQUEST_MS 20000
#define REQUESTERS_MAX 1024

enum { ORDER_PAIR = ORDER_OWN, ORDER_HAND_OVER, ORDER_ACQUIRE };

/* What one member measured: in memory shared with the conductor. */
struct result {
	uint64_t ops;
	struct hist hist;
};

/* One run of one member's requesters. Only the node's thread touches the result
 * until all requesters have ended. */
struct load {
	struct hf_node *node;
	const struct order *order;
	struct result *result;
	_Atomic(unsigned) running;
	_Atomic(int) rc;       /* the first error */
	struct hf_guard guard; /* of what is handed over */
	sem_t ended;
};

/* One requester. */
struct slot {
	struct hf_lock lock;
	struct hf_lock_options options;
	struct load *load;
	struct hf_guard guard; /* of its own lock */
	uint64_t asked_ns;
	char name[64];
};

static void on_locked(struct hf_lock *lock, int rc);
static void on_unlocked(struct hf_lock *lock, int rc);

static bool in_window(const struct order *order, uint64_t ns)
{
	return ns >= order->begin_ns && ns < order->end_ns;
}

static void count(struct load *load, uint64_t from, uint64_t to)
{
	if (!in_window(load->order, to))
		return;
	load->result->ops++;
	if (in_window(load->order, from))
		hist_add(&load->result->hist, to - from);
}

static void slot_end(struct slot *slot, int rc)
{
	struct load *load = slot->load;
	int none = 0;

	if (rc)
		atomic_compare_exchange_strong(&load->rc, &none, rc);
	if (atomic_fetch_sub(&load->running, 1) == 1)
		sem_post(&load->ended);
}

static void slot_ask(struct slot *slot)
{
	int rc;

	slot->asked_ns = now_ns();
	rc = hf_lock_start(slot->load->node, &slot->lock, slot->name,
			   strlen(slot->name), &slot->options, REQUEST_MS,
			   on_locked);
	if (rc)
		slot_end(slot, rc);
}

static void on_locked(struct hf_lock *lock, int rc)
{
	struct slot *slot = (struct slot *)lock;
	const bool shared = slot->load->order->what == ORDER_HAND_OVER;
	struct hf_guard *guard = shared ? &slot->load->guard : &slot->guard;

	/* A grant whose token doesn't rise is none. */
	if (!rc)
		rc = hf_guard_check(guard, HF_EXCLUSIVE, hf_lock_token(lock));
	if (!rc && shared)
		count(slot->load, slot->asked_ns, now_ns());
	if (!rc)
		rc = hf_unlock_start(lock, REQUEST_MS, on_unlocked);
	if (rc)
		slot_end(slot, rc);
}

static void on_unlocked(struct hf_lock *lock, int rc)
{
	struct slot *slot = (struct slot *)lock;
	const uint64_t now = now_ns();

	if (rc || now >= slot->load->order->end_ns) {
		slot_end(slot, rc);
		return;
	}
	if (slot->load->order->what == ORDER_PAIR)
		count(slot->load, slot->asked_ns, now);
	slot_ask(slot);
}

static void slot_init(struct slot *slot, struct load *load, unsigned member,
		      unsigned i)
{
	*slot = (struct slot){ .load = load };
	slot->options.size = sizeof(slot->options);
	slot->options.owner = i + 1;
	if (load->order->what == ORDER_HAND_OVER)
		snprintf(slot->name, sizeof(slot->name), "handed over");
	else
		snprintf(slot->name, sizeof(slot->name), "pair-%u-%u",
			 member + 1, i);
}

static int load_run(struct load *load, unsigned member)
{
	const unsigned len = load->order->count;
	struct slot *slots;

	if (len == 0)
		return 0;
	slots = calloc(len, sizeof(*slots));
	if (!slots)
		return HF_ENOMEM;
	sem_init(&load->ended, 0, 0);
	load->running = len;
	for (unsigned i = 0; i < len; i++) {
		slot_init(&slots[i], load, member, i);
		slot_ask(&slots[i]);
	}
	while (sem_wait(&load->ended))
		;
	sem_destroy(&load->ended);
	free(slots);
	return load->rc;
}

/* A thread of the application that locks, unlocks and locks again. */
static int acquire_run(struct load *load)
{
	struct hf_lock lock = { 0 };
	uint64_t asked, held = 0;
	int rc;

	while (held < load->order->end_ns) {
		asked = now_ns();
		rc = hf_lock(load->node, &lock, "single", NULL, REQUEST_MS);
		if (rc)
			return rc;
		held = now_ns();
		count(load, asked, held);
		rc = hf_unlock(&lock, REQUEST_MS);
		if (rc)
			return rc;
	}
	return 0;
}

static void work(struct member *member, const struct order *order,
		 struct answer *answer)
{
	struct result *results = member->shared;
	struct load load = { .node = member->node,
			     .order = order,
			     .result = &results[member->index] };

	if (order->what == ORDER_ACQUIRE)
		answer->rc = acquire_run(&load);
	else
		answer->rc = load_run(&load, member->index);
}

/* How many of so many requesters are the i-th member's. The leader's turn comes
 * last, so that a single one is somewhere else, where most callers are. */
static unsigned part(const struct team *team, unsigned requesters, unsigned i)
{
	const unsigned turn = (i + TEAM_LEN - team->leader - 1) % TEAM_LEN;

	return requesters / TEAM_LEN + (turn < requesters % TEAM_LEN);
}

/* Let all members run; the sum of their results is in the first one. */
static void perform(struct team *team, const struct order *model,
		    unsigned requesters)
{
	struct result *results = team->shared;
	struct answer answer;

	memset(results, 0, sizeof(*results) * TEAM_LEN);
	for (unsigned i = 0; i < TEAM_LEN; i++) {
		struct order order = *model;

		order.count = part(team, requesters, i);
		if (order.what != ORDER_ACQUIRE || i == team->leader)
			team_order(team, i, &order);
	}
	for (unsigned i = 0; i < TEAM_LEN; i++) {
		if (model->what == ORDER_ACQUIRE && i != team->leader)
			continue;
		team_answer(team, i, &answer);
		if (answer.rc)
			die("member %u: %s", i + 1, hf_strerror(answer.rc));
	}
	for (unsigned i = 1; i < TEAM_LEN; i++) {
		results[0].ops += results[i].ops;
		hist_merge(&results[0].hist, &results[i].hist);
	}
}

static const struct point {
	const char *name;
	unsigned what, requesters;
} points[] = {
	{ "pair", ORDER_PAIR, 1 },
	{ "pair", ORDER_PAIR, 16 },
	{ "pair", ORDER_PAIR, 64 },
	{ "pair", ORDER_PAIR, 256 },
	{ "pair", ORDER_PAIR, REQUESTERS_MAX },
	{ "acquire_leader", ORDER_ACQUIRE, 1 },
	{ "handover", ORDER_HAND_OVER, 16 },
};

#define POINTS (sizeof(points) / sizeof(*points))

static void measure(struct team *team, const struct point *point, double secs)
{
	const struct result *result = team->shared;
	struct order order = { .what = point->what };
	uint64_t term;

	team_ready(team);
	term = team->term;
	order.begin_ns = now_ns() + (uint64_t)WARM_UP_MS * 1000000;
	order.end_ns = order.begin_ns + (uint64_t)(secs * 1e9);
	perform(team, &order, point->requesters);
	print_row(point->name, point->requesters, (double)result->ops / secs,
		  &result->hist);
	team_ready(team);
	if (team->term != term)
		fprintf(stderr, "bench: the leader changed during %s %u\n",
			point->name, point->requesters);
}

struct parameters {
	double secs;
	struct point points[POINTS];
	size_t points_len;
};

static void conduct(const char *dir, void *arg)
{
	const struct parameters *parameters = arg;
	struct team team = { .dir = dir, .work = work };

	team.shared = share(sizeof(struct result) * TEAM_LEN);
	team_gather(&team);
	if (parameters->points_len < POINTS)
		fprintf(stderr, "bench: the leader is process %d\n",
			(int)team.child[team.leader].pid);
	for (size_t i = 0; i < parameters->points_len; i++)
		measure(&team, &parameters->points[i], parameters->secs);
	team_dismiss(&team);
}

/* The first of the points with this name, with another number of requesters. */
static void choose(struct parameters *parameters, const char *name,
		   const char *requesters)
{
	for (size_t i = 0; i < POINTS; i++)
		if (strcmp(points[i].name, name) == 0)
			parameters->points[parameters->points_len++] =
				points[i];
	if (parameters->points_len == 0)
		die("there is no \"%s\"", name);
	parameters->points_len = 1;
	parameters->points[0].requesters = (unsigned)number_argument(
		"CONCURRENCY", requesters, REQUESTERS_MAX);
}

int main(int argc, char **argv)
{
	struct parameters parameters = { 0 };

	if (argc != 3 && argc != 5)
		die("usage: cluster DIR SECS [NAME CONCURRENCY]");
	parameters.secs = number_argument("SECS", argv[2], SECS_MAX);
	if (argc == 5) {
		choose(&parameters, argv[3], argv[4]);
	} else {
		memcpy(parameters.points, points, sizeof(points));
		parameters.points_len = POINTS;
	}
	return supervise(argv[1], (uint32_t)(120 + 8 * parameters.secs),
			 conduct, &parameters);
}
