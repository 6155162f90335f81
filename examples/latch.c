/* A gate and a countdown latch: workers begin when the gate opens, and the one
 * who needs their results waits until all have come.
 *
 * The gate is a value that goes; the latch is a counter that falls to 0. A
 * repetition of a lost answer doesn't count twice: an addition takes effect
 * exactly once. It also does so only if the worker still has its share
 * (`guard`), so that the latch doesn't open for work that another may do over.
 */
#include "alone.h"

#include <pthread.h>

#define WORKERS 4

struct scene {
	struct hf_node *node;
	atomic_uint waiting, done, early;
	atomic_uint open;
};

struct worker {
	struct scene *scene;
	pthread_t thread;
	unsigned number;
	int rc;
};

static int work(struct worker *w)
{
	struct scene *s = w->scene;
	struct hf_put_options guarded = { .size = sizeof(guarded) };
	struct hf_lock share;
	char name[16];
	int64_t left;

	snprintf(name, sizeof(name), "share/%u", w->number);
	int rc = hf_lock(s->node, &share, name, NULL, WAIT_MS);
	if (rc != 0)
		return rc;
	s->waiting++;
	rc = hf_await(s->node, "gate", HF_ABSENT, 0, WAIT_MS);
	if (rc == 0) {
		s->early += s->open == 0;
		s->done++;
		guarded.guard = &share;
		rc = hf_add(s->node, "latch", -1, &guarded, &left, WAIT_MS);
	}
	if (rc == 0)
		printf("worker %u is ready under token %" PRIu64 "; %" PRId64
		       " to come\n",
		       w->number, hf_lock_token(&share), left);
	hf_unlock(&share, WAIT_MS);
	return rc;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;

	w->rc = work(w);
	return NULL;
}

/* All wait; then the gate opens, and then there is a result. */
static bool open_and_wait(struct scene *s)
{
	if (!wait_for(&s->waiting, WORKERS))
		return false;
	bool well = expect(hf_await(s->node, "latch", HF_AT_MOST, 0, 50),
			   HF_ETIMEDOUT, "the latch, before the gate is open");
	s->open = 1;
	return expect(hf_delete(s->node, "gate", NULL, WAIT_MS), 0,
		      "open the gate") &&
	       expect(hf_await(s->node, "latch", HF_AT_MOST, 0, WAIT_MS), 0,
		      "the latch, then") &&
	       say(s->done == WORKERS && s->early == 0,
		   "all %u have come, none too early", s->done) &&
	       well;
}

static bool act(struct scene *s)
{
	struct worker workers[WORKERS] = { 0 };

	if (hf_put(s->node, "gate", "", 0, NULL, NULL, WAIT_MS) != 0 ||
	    hf_add(s->node, "latch", WORKERS, NULL, NULL, WAIT_MS) != 0)
		return false;
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i].scene = s;
		workers[i].number = i + 1;
		if (pthread_create(&workers[i].thread, NULL, worker_run,
				   &workers[i]) != 0)
			return false;
	}
	bool well = open_and_wait(s);
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		well = well && workers[i].rc == 0;
	}
	return well;
}

int main(void)
{
	struct scene s = { 0 };
	char dir[DIR_LEN];

	s.node = alone_open(dir);
	bool well = s.node && act(&s);
	alone_close(s.node, dir);
	say(well, "latch: opened by the last of %d", WORKERS);
	return well ? 0 : 1;
}
