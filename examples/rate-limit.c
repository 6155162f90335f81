/* A rate limit for the whole cluster: at most so many callers are inside a
 * fragile service at once, and an operator changes how many, while it is in
 * use. (For so many calls a second, keep each permit for the rest of one.)
 *
 * The limit is the cluster's: callers name none (limit 0), so that no two can
 * disagree. Raising it lets waiters in; lowering takes nothing away, but nobody
 * gets in until so many have left. Who then takes all permits that there are is
 * alone: that is how the operator waits for the last of the old limit.
 *
 * Tokens of semaphores don't fence, but name the hold: a caller is counted by
 * an addition that takes effect once, and only if the hold is still there.
 *
 * ./rate-limit runs three processes of three callers; process 1 has the
 * operator, too. */
#include "cluster.h"

#include <pthread.h>

#define NAME "upstream"
#define CALLERS 3 /* in each process */
#define CALL_MS 4
#define CALLS 30 /* under each limit, at least */

struct board {
	atomic_uint open; /* the limit is set */
	atomic_uint over;
	atomic_uint allowed; /* the most that may be inside */
	atomic_uint inside, most, calls, too_many;
};

struct caller {
	struct hf_node *node;
	struct board *board;
	pthread_t thread;
	int rc;
};

/* The service, which counts who is inside. */
static void service(struct board *b)
{
	unsigned inside = ++b->inside;

	b->too_many += inside > b->allowed;
	if (inside > b->most)
		b->most = inside;
	nap_ms(CALL_MS);
	b->inside--;
}

static int call(struct caller *c)
{
	struct hf_lock_options options = { .size = sizeof(options) };
	struct hf_put_options counted = { .size = sizeof(counted) };
	struct hf_lock lock;

	options.mode = HF_PERMITS;
	int rc = hf_lock(c->node, &lock, NAME, &options, WAIT_MS);
	if (rc != 0)
		return rc;
	service(c->board);
	counted.guard = &lock;
	rc = hf_add(c->node, "upstream/calls", 1, &counted, NULL, WAIT_MS);
	c->board->calls += rc == 0;
	hf_unlock(&lock, WAIT_MS);
	return rc;
}

static void *caller_run(void *arg)
{
	struct caller *c = arg;

	if (!wait_for(&c->board->open, 1))
		c->rc = HF_ETIMEDOUT;
	while (c->rc == 0 && c->board->over == 0)
		c->rc = call(c);
	return NULL;
}

/* --- the operator */

/* More may go in from somewhere within the call on. */
static bool raise_limit(struct hf_node *node, struct board *b, unsigned limit)
{
	b->allowed = limit;
	b->most = 0;
	return expect(hf_set_limit(node, NAME, limit, WAIT_MS), 0, "raised");
}

/* Until it has drained, as many as before may be inside. */
static bool lower_limit(struct hf_node *node, struct board *b, unsigned limit)
{
	struct hf_lock_options all = { .size = sizeof(all) };
	struct hf_lock lock;

	if (!expect(hf_set_limit(node, NAME, limit, WAIT_MS), 0, "lowered"))
		return false;
	all.mode = HF_PERMITS;
	all.permits = limit;
	if (hf_lock(node, &lock, NAME, &all, WAIT_MS) != 0)
		return false;
	bool drained = say(b->inside == 0, "drained: nobody is inside");
	b->allowed = limit;
	b->most = 0;
	return hf_unlock(&lock, WAIT_MS) == 0 && drained;
}

static bool go_on(struct board *b)
{
	bool well = wait_for(&b->calls, b->calls + CALLS);

	printf("limit %u: at most %u were inside\n", b->allowed, b->most);
	return well && b->most <= b->allowed;
}

static bool operate(struct hf_node *node, struct board *b)
{
	if (!raise_limit(node, b, 2))
		return false;
	b->open = 1;
	bool well = go_on(b) && raise_limit(node, b, 5) && go_on(b) &&
		    wait_for(&b->most, 3) && lower_limit(node, b, 1) &&
		    go_on(b);
	struct hf_value value = { 0 };
	b->over = 1;
	for (unsigned i = 0; i < WAIT_MS && b->inside > 0; i += STEP_MS)
		nap_ms(STEP_MS);
	well = well && hf_get(node, "upstream/calls", NULL, 0, &value,
			      HF_LATEST, WAIT_MS) == 0;
	return well && say(value.number >= 3 * CALLS,
			   "counted: %" PRId64 " calls", value.number);
}

static int run(struct hf_node *node, unsigned id, void *board)
{
	struct caller callers[CALLERS] = { 0 };
	struct board *b = board;
	int rc = 0;

	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i].node = node;
		callers[i].board = b;
		if (pthread_create(&callers[i].thread, NULL, caller_run,
				   &callers[i]) != 0)
			return 1;
	}
	bool well = id != 1 || operate(node, b);
	for (unsigned i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		rc = rc != 0 ? rc : callers[i].rc;
	}
	if (rc != 0)
		printf("process %u: %s\n", id, hf_strerror(rc));
	return well && rc == 0 ? 0 : 1;
}

int main(void)
{
	struct cluster c;

	if (!cluster_begin(&c, sizeof(struct board)))
		return 1;
	struct board *b = c.board;
	c.ttl_ms = 10000; /* nobody dies here */
	bool well = cluster_start(&c, run);
	well = cluster_end(&c, well) && b->too_many == 0;
	say(well, "rate-limit: never more inside than the limit allows");
	return well ? 0 : 1;
}
