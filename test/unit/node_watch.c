/* Watches in the node's turn: bounded, fair, and safe against what callbacks
 * do. */
#include "lib/single.h"
#include "lib/suite.h"

#include <stdlib.h>

#define WATCHERS 40

struct seen {
	struct node *node;
	struct watcher *watcher;
	uint64_t last; /* index of the newest change */
	size_t told, gaps;
	size_t room; /* takes so many more */
	bool ordered;
	bool ended;
	/* What it does when it is told for the first time. */
	struct seen *end, *begin;
};

static bool take(void *arg, const struct hf_change *c);

static void watch(struct node *n, struct seen *s, const char *name,
		  unsigned flags, uint64_t after)
{
	const struct watch_options options = { .name = name,
					       .name_len = strlen(name),
					       .flags = flags,
					       .after = after };

	s->node = n;
	s->ordered = true;
	if (s->room == 0)
		s->room = SIZE_MAX;
	ck_assert_int_eq(node_watch(n, &options, take, s, &s->watcher), 0);
}

static void unwatch(struct seen *s)
{
	node_unwatch(s->node, s->watcher);
	s->ended = true;
}

static bool take(void *arg, const struct hf_change *c)
{
	struct seen *s = arg;
	struct seen *end = s->end, *begin = s->begin;

	if (s->ended)
		abort();
	if (s->room == 0)
		return false;
	s->room--;
	s->ordered = s->ordered && c->index >= s->last;
	s->last = c->index;
	s->told++;
	s->gaps += c->type == HF_CHANGE_GAP;
	s->end = s->begin = NULL;
	if (begin)
		watch(s->node, begin, "n", 0, 0);
	if (end)
		unwatch(end);
	return true;
}

/* As if an entry had been applied. */
static void change(struct node *n, uint64_t index, const char *name)
{
	const struct output o = { .kind = OUTPUT_CHANGED,
				  .change = CHANGE_PUT,
				  .index = index,
				  .token = index,
				  .name = (const uint8_t *)name,
				  .name_len = strlen(name) };

	ring_put(&n->ring, &o);
}

static uint64_t index_of(const struct single *s)
{
	return core_index(node_core(s->node));
}

START_TEST(a_turn_looks_at_a_bounded_number_of_changes)
{
	static struct single s;
	static struct seen seen[WATCHERS];

	memset(seen, 0, sizeof(seen));
	single_open(&s);
	for (size_t i = 0; i < WATCHERS; i++)
		watch(s.node, &seen[i], "n", 0, 0);
	for (uint64_t i = 1; i <= 4000; i++)
		change(s.node, 1000 + i, i % 2 ? "n" : "m");
	single_turn(&s);
	size_t told = 0, least = SIZE_MAX;
	for (size_t i = 0; i < WATCHERS; i++)
		told += seen[i].told;
	ck_assert_uint_gt(told, 0);
	ck_assert_uint_le(told, ROUNDS_MAX * WATCH_TURN_MAX);
	for (int i = 0; i < 4; i++)
		single_turn(&s);
	for (size_t i = 0; i < WATCHERS; i++)
		least = seen[i].told < least ? seen[i].told : least;
	/* All have their turn. */
	ck_assert_uint_gt(least, 0);
	single_run(&s, 100000);
	for (size_t i = 0; i < WATCHERS; i++) {
		ck_assert_uint_eq(seen[i].told, 2000);
		ck_assert(seen[i].ordered);
		unwatch(&seen[i]);
	}
	single_close(&s);
}
END_TEST

START_TEST(what_is_refused_is_offered_again_or_is_a_gap)
{
	static struct single s;
	struct seen slow = { .room = 2 }, late = { .room = 1 };

	single_open(&s);
	watch(s.node, &slow, "n", 0, 0);
	watch(s.node, &late, "n", 0, 0);
	for (uint64_t i = 1; i <= 5; i++)
		change(s.node, 1000 + i, "n");
	single_run(&s, 10000);
	ck_assert_uint_eq(slow.told, 2);
	uint64_t turns = s.turns;
	single_run(&s, 10000);
	ck_assert_uint_lt(s.turns - turns, 20); /* it doesn't spin */
	slow.room = SIZE_MAX;
	node_watch_more(s.node, slow.watcher);
	single_run(&s, 10000);
	ck_assert_uint_eq(slow.told, 5);
	ck_assert_uint_eq(slow.gaps, 0);
	for (uint64_t i = 1; i <= 20000; i++)
		change(s.node, 2000 + i, "m");
	late.room = SIZE_MAX;
	node_watch_more(s.node, late.watcher);
	single_run(&s, 10000);
	ck_assert_uint_eq(late.gaps, 1);
	ck_assert_uint_eq(late.told, 2);
	ck_assert_uint_eq(slow.gaps, 1);
	unwatch(&slow);
	unwatch(&late);
	single_close(&s);
}
END_TEST

START_TEST(a_callback_may_end_and_begin_watches)
{
	static struct single s;
	struct seen a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, e = { 0 };

	single_open(&s);
	a.end = &a; /* itself */
	b.end = &c; /* one behind it */
	d.end = &b; /* one before it */
	d.begin = &e;
	watch(s.node, &a, "n", 0, 0);
	watch(s.node, &b, "n", 0, 0);
	watch(s.node, &c, "n", 0, 0);
	watch(s.node, &d, "n", 0, 0);
	uint64_t index = index_of(&s);
	change(s.node, index + 1, "n");
	change(s.node, index + 2, "n");
	single_turn(&s);
	ck_assert_uint_eq(a.told, 1);
	ck_assert_uint_eq(b.told, 2);
	ck_assert_uint_eq(c.told, 0);
	ck_assert_uint_eq(d.told, 2);
	ck_assert(a.ended && b.ended && c.ended);
	change(s.node, index + 3, "n");
	single_turn(&s);
	ck_assert_uint_eq(d.told, 3);
	ck_assert_uint_eq(e.told, 1);
	single_close(&s);
}
END_TEST

START_TEST(an_installed_snapshot_is_a_gap_for_everybody)
{
	static struct single s;
	struct seen a = { 0 }, b = { 0 }, c = { 0 };
	uint64_t index;

	single_open(&s);
	index = index_of(&s);
	watch(s.node, &a, "n", 0, 0);
	watch(s.node, &b, "n", 0, index + 5000);
	change(s.node, index + 1, "n");
	single_turn(&s);
	ck_assert_uint_eq(a.told, 1);
	change(s.node, index + 2, "n"); /* not told yet */
	ring_restart(&s.node->ring, index + 100);
	single_turn(&s);
	ck_assert_uint_eq(a.told, 2);
	ck_assert_uint_eq(a.gaps, 1);
	ck_assert_uint_eq(a.last, index + 100);
	/* What it asked for is still to come. */
	ck_assert_uint_eq(b.told, 0);
	watch(s.node, &c, "n", 0, 1);
	change(s.node, index + 101, "n");
	change(s.node, index + 5001, "n");
	single_turn(&s);
	ck_assert_uint_eq(a.told, 4);
	ck_assert_uint_eq(b.told, 1);
	ck_assert_uint_eq(c.gaps, 1);
	ck_assert_uint_eq(c.told, 3);
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
	single_close(&s);
}
END_TEST

static void on_held(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	ck_assert_int_eq(rc, 0);
	++*(size_t *)arg;
}

START_TEST(what_is_now_is_told_before_what_comes)
{
	static struct single s;
	struct acquire_options shared = { .name = "n",
					  .name_len = 1,
					  .mode = HF_SHARED,
					  .timeout_us = UINT64_MAX };
	struct seen now = { .room = 100 }, nobody = { 0 }, none = { 0 };
	struct claim *claim;
	size_t held = 0;

	single_open(&s);
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(
			node_acquire(s.node, &shared, on_held, &held, &claim),
			0);
	single_run(&s, 1000000);
	ck_assert_uint_eq(held, 300);
	watch(s.node, &now, "n", HF_WATCH_NOW, 0);
	watch(s.node, &nobody, "x", HF_WATCH_NOW, 0);
	watch(s.node, &none, "x", HF_WATCH_NOW | HF_WATCH_PREFIX, 0);
	uint64_t index = index_of(&s);
	change(s.node, index + 1, "n");
	single_turn(&s);
	ck_assert_uint_eq(now.told, 100);
	ck_assert_uint_eq(now.last, index);
	now.room = SIZE_MAX;
	node_watch_more(s.node, now.watcher);
	single_run(&s, 1000);
	ck_assert_uint_eq(now.told, 301);
	ck_assert_uint_eq(now.last, index + 1);
	ck_assert(now.ordered);
	ck_assert_uint_eq(nobody.told, 1);
	ck_assert_uint_eq(none.told, 1);
	single_close(&s);
}
END_TEST

START_TEST(without_memory_for_what_is_now_there_is_a_gap)
{
	static struct single s;
	struct seen now = { 0 };

	single_open(&s);
	for (unsigned i = 0; i < 20; i++)
		ck_assert_uint_gt(node_claim_token(single_hold(&s, i)), 0);
	s.starved = 1000; /* less than the copies take, more than a watch */
	struct watch_options options = {
		.name = "", .flags = HF_WATCH_NOW | HF_WATCH_PREFIX
	};
	now.node = s.node;
	now.room = SIZE_MAX;
	ck_assert_int_eq(node_watch(s.node, &options, take, &now, &now.watcher),
			 0);
	s.starved = 0;
	single_run(&s, 1000);
	ck_assert_uint_eq(now.gaps, 1);
	ck_assert_uint_eq(now.told, 1);
	ck_assert_uint_eq(now.last, index_of(&s));
	single_close(&s);
}
END_TEST

static void on_ended(void *arg)
{
	++*(size_t *)arg;
}

static bool never(void *arg, const struct hf_change *c)
{
	(void)arg;
	(void)c;
	return false;
}

START_TEST(the_end_of_the_node_ends_its_watches)
{
	static struct single s;
	struct watch_options options = { .name = "n",
					 .name_len = 1,
					 .ended = on_ended };
	struct watcher *first, *second;
	size_t ended = 0;

	single_open(&s);
	ck_assert_int_eq(node_watch(s.node, &options, never, &ended, &first),
			 0);
	ck_assert_int_eq(node_watch(s.node, &options, never, &ended, &second),
			 0);
	node_unwatch(s.node, first);
	ck_assert_uint_eq(ended, 0);
	single_close(&s);
	ck_assert_uint_eq(ended, 1);
}
END_TEST

SUITE(a_turn_looks_at_a_bounded_number_of_changes,
      what_is_refused_is_offered_again_or_is_a_gap,
      a_callback_may_end_and_begin_watches,
      an_installed_snapshot_is_a_gap_for_everybody,
      what_is_now_is_told_before_what_comes,
      without_memory_for_what_is_now_there_is_a_gap,
      the_end_of_the_node_ends_its_watches)
