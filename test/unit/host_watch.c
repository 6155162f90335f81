/* A member that was away so long that it gets a snapshot tells its watches so.
 */
#include "lib/hosting.h"
#include "lib/suite.h"

#include "node/ask.h"
#include "node/watch.h"

#define WRITES 400
#define AWAY 1 /* the member that is away */

struct world {
	struct hosting hosting;
	/* On the hosts' threads, under the mutex: */
	size_t written, failed;
	uint64_t first; /* index of the first change told, before */
	uint64_t gap;   /* told by a gap; 0: none */
	size_t gaps;
	uint64_t last; /* index and number of the newest change after it */
	int64_t number;
	bool ordered;
};

static void on_written(void *arg, int rc, uint64_t token)
{
	struct world *w = arg;

	(void)token;
	pthread_mutex_lock(&w->hosting.mutex);
	w->written++;
	w->failed += rc != 0;
	pthread_cond_broadcast(&w->hosting.changed);
	pthread_mutex_unlock(&w->hosting.mutex);
}

static void write_one(struct host *host, void *arg)
{
	struct op op = { .kind = OP_ADD,
			 .value = { .name = (const uint8_t *)"n",
				    .name_len = 1,
				    .expect = EXPECT_ANY,
				    .delta = 1 } };

	ck_assert_int_eq(
		node_ask(host_node(host), &op, UINT64_MAX, on_written, arg), 0);
}

/* One after the other, so that each is an entry. */
static void write_many(struct world *w, size_t host, size_t n)
{
	while (n-- > 0) {
		size_t wanted = w->written + 1;

		hosting_run(&w->hosting, host, write_one, w);
		pthread_mutex_lock(&w->hosting.mutex);
		while (w->written < wanted)
			pthread_cond_wait(&w->hosting.changed,
					  &w->hosting.mutex);
		pthread_mutex_unlock(&w->hosting.mutex);
	}
}

static bool on_change(void *arg, const struct hf_change *c)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->hosting.mutex);
	w->ordered = w->ordered && c->index >= w->last;
	w->last = c->index;
	if (w->first == 0)
		w->first = c->index;
	if (c->type == HF_CHANGE_GAP) {
		w->gap = c->index;
		w->gaps++;
	} else {
		w->ordered = w->ordered &&
			     (w->gaps > 0 || c->number == w->number + 1);
		w->number = c->number;
	}
	pthread_cond_broadcast(&w->hosting.changed);
	pthread_mutex_unlock(&w->hosting.mutex);
	return true;
}

static void watch(struct host *host, void *arg)
{
	struct world *w = arg;
	struct watcher *watcher;
	struct watch_options options = { .name = "n",
					 .name_len = 1,
					 .after = w->last };

	ck_assert_int_eq(
		node_watch(host_node(host), &options, on_change, w, &watcher),
		0);
}

static void await_number(struct world *w, int64_t number)
{
	pthread_mutex_lock(&w->hosting.mutex);
	while (w->number < number)
		pthread_cond_wait(&w->hosting.changed, &w->hosting.mutex);
	pthread_mutex_unlock(&w->hosting.mutex);
}

START_TEST(a_snapshot_that_is_installed_is_told_as_a_gap)
{
	static struct world w;

	hosting_begin(&w.hosting, 3);
	w.ordered = true;
	for (size_t i = 0; i < 3; i++) {
		struct repl_config *c = &w.hosting.hosted[i].config.node.repl;

		c->snapshot_threshold = 64;
		c->snapshot_trailing = 16;
		ck_assert_int_eq(hosting_open(&w.hosting, i), 0);
	}
	for (size_t i = 0; i < 3; i++)
		hosting_wait_safe(&w.hosting, i);
	hosting_run(&w.hosting, AWAY, watch, &w);
	write_many(&w, 0, 10);
	await_number(&w, 10);
	ck_assert_uint_eq(w.gaps, 0);
	hosting_close(&w.hosting, AWAY);
	write_many(&w, 0, WRITES);
	ck_assert_int_eq(hosting_open(&w.hosting, AWAY), 0);
	/* It goes on from what it was told last. */
	hosting_run(&w.hosting, AWAY, watch, &w);
	write_many(&w, 0, 5);
	await_number(&w, WRITES + 15);
	ck_assert_uint_eq(w.gaps, 1);
	ck_assert_uint_gt(w.gap, w.first);
	ck_assert(w.ordered);
	ck_assert_uint_eq(w.failed, 0);
	for (size_t i = 0; i < 3; i++)
		hosting_close(&w.hosting, i);
	hosting_end(&w.hosting);
}
END_TEST

SUITE(a_snapshot_that_is_installed_is_told_as_a_gap)
