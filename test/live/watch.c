/* Watches: what they tell, in which order, and what they can't. */
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_MAX 4096
#define TEXT_MAX 32

/* What a watch has told, without its names' and bytes' rest. */
struct told {
	struct hf_change change;
	char name[TEXT_MAX], bytes[TEXT_MAX];
};

struct record {
	struct hf_watch watch;
	pthread_mutex_t mutex;
	struct told told[CHANGES_MAX];
	size_t len, wanted;
	bool over; /* the watch has ended: nothing may come any more */
	bool late;
};

static void text(char *to, const void *bytes, size_t len)
{
	snprintf(to, TEXT_MAX, "%.*s", (int)len, (const char *)bytes);
}

static void on_change(struct hf_watch *watch, const struct hf_change *change)
{
	struct record *r = watch->data;

	pthread_mutex_lock(&r->mutex);
	r->late = r->late || r->over;
	if (r->len < CHANGES_MAX) {
		struct told *t = &r->told[r->len++];

		t->change = *change;
		text(t->name, change->name, change->name_len);
		text(t->bytes, change->bytes, change->bytes_len);
	}
	pthread_mutex_unlock(&r->mutex);
}

static struct record *record_new(void)
{
	struct record *r = calloc(1, sizeof(*r));

	ck_assert_ptr_nonnull(r);
	pthread_mutex_init(&r->mutex, NULL);
	r->watch.data = r;
	return r;
}

static void begin(struct record *r, struct hf_node *node, const char *name,
		  unsigned flags, uint64_t after)
{
	int rc = hf_watch(node, &r->watch, name, strlen(name), flags, after,
			  on_change);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

static void end(struct record *r)
{
	ck_assert_int_eq(hf_unwatch(&r->watch), 0);
	pthread_mutex_lock(&r->mutex);
	r->over = true;
	pthread_mutex_unlock(&r->mutex);
}

static void record_free(struct record *r)
{
	ck_assert(!r->late);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

static size_t len_of(struct record *r)
{
	pthread_mutex_lock(&r->mutex);
	size_t len = r->len;
	pthread_mutex_unlock(&r->mutex);
	return len;
}

static bool has_enough(void *arg)
{
	struct record *r = arg;

	return len_of(r) >= r->wanted;
}

static void await_changes(struct record *r, size_t len)
{
	r->wanted = len;
	ck_assert_msg(live_wait(has_enough, r), "%zu changes of %zu", r->len,
		      len);
}

static void put(struct hf_node *node, const char *name, const char *value)
{
	int rc = hf_put(node, name, value, strlen(value), NULL, NULL,
			LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

static int64_t count(struct hf_node *node, const char *name)
{
	int64_t number = 0;
	int rc = hf_add(node, name, 1, NULL, &number, LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
	return number;
}

static void is(const struct told *t, enum hf_change_type type, const char *name,
	       const char *bytes)
{
	ck_assert_int_eq(t->change.type, type);
	ck_assert_str_eq(t->name, name);
	ck_assert_str_eq(t->bytes, bytes);
}

START_TEST(a_watch_tells_each_change_of_its_name_in_order)
{
	struct cluster c;
	struct hf_lock lock;
	struct record *r = record_new();

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	begin(r, node, "a", 0, 0);
	put(node, "a", "one");
	put(node, "ab", "another name");
	put(node, "a", "two");
	ck_assert_int_eq(hf_delete(node, "a", NULL, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_lock(node, &lock, "a", NULL, LIVE_WAIT_MS), 0);
	uint64_t token = hf_lock_token(&lock);
	ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
	await_changes(r, 5);
	end(r);
	ck_assert_uint_eq(r->len, 5);
	is(&r->told[0], HF_CHANGE_PUT, "a", "one");
	is(&r->told[1], HF_CHANGE_PUT, "a", "two");
	is(&r->told[2], HF_CHANGE_DELETED, "a", "");
	is(&r->told[3], HF_CHANGE_HELD, "a", "");
	is(&r->told[4], HF_CHANGE_FREED, "a", "");
	ck_assert_uint_gt(r->told[1].change.version, r->told[0].change.version);
	ck_assert_uint_eq(r->told[2].change.version, r->told[1].change.version);
	ck_assert_uint_eq(r->told[3].change.token, token);
	ck_assert_uint_eq(r->told[4].change.token, token);
	ck_assert_int_eq(r->told[4].change.rc, 0);
	for (size_t i = 0; i < 5; i++) {
		const struct hf_change *change = &r->told[i].change;

		ck_assert_uint_eq(change->owner.node, status_of(node).id);
		/* Of a value that stays nobody is the owner. */
		ck_assert_uint_eq(change->owner.session,
				  i < 3 ? 0 : status_of(node).session);
		ck_assert(i == 0 || change->index > change[-1].index ||
			  change->index > r->told[i - 1].change.index);
	}
	record_free(r);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_watch_with_now_tells_what_is_and_then_what_comes)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .mode = HF_SHARED };
	struct cluster c;
	struct hf_lock locks[2];
	struct record *nobody = record_new(), *r = record_new();

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	begin(nobody, node, "a", HF_WATCH_NOW, 0);
	await_changes(nobody, 1);
	is(&nobody->told[0], HF_CHANGE_NOBODY, "a", "");
	put(node, "a", "value");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			hf_lock(node, &locks[i], "a", &options, LIVE_WAIT_MS),
			0);
	begin(r, node, "a", HF_WATCH_NOW, 0);
	await_changes(r, 3);
	put(node, "a", "later");
	await_changes(r, 4);
	end(r);
	for (int i = 0; i < 2; i++) {
		is(&r->told[i], HF_CHANGE_HELD, "a", "");
		ck_assert_uint_eq(r->told[i].change.token,
				  hf_lock_token(&locks[i]));
		ck_assert_int_eq(r->told[i].change.mode, HF_SHARED);
		ck_assert_uint_eq(r->told[i].change.owner.node, 1);
	}
	is(&r->told[2], HF_CHANGE_PUT, "a", "value");
	is(&r->told[3], HF_CHANGE_PUT, "a", "later");
	ck_assert_uint_eq(r->told[0].change.index, r->told[2].change.index);
	ck_assert_uint_gt(r->told[3].change.index, r->told[2].change.index);
	await_changes(nobody, 5);
	end(nobody);
	ck_assert_uint_eq(nobody->len, 5);
	record_free(r);
	record_free(nobody);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_prefix_tells_of_all_names_that_begin_with_it)
{
	struct cluster c;
	struct hf_lock lock;
	struct record *some = record_new(), *all = record_new();

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	put(node, "app/x", "1");
	put(node, "other", "2");
	ck_assert_int_eq(hf_lock(node, &lock, "app/l", NULL, LIVE_WAIT_MS), 0);
	begin(some, node, "app/", HF_WATCH_PREFIX | HF_WATCH_NOW, 0);
	begin(all, node, "", HF_WATCH_PREFIX, 0);
	await_changes(some, 2);
	put(node, "app/y", "3");
	put(node, "app", "4");
	await_changes(some, 3);
	await_changes(all, 2);
	end(some);
	end(all);
	ck_assert_uint_eq(some->len, 3);
	ck_assert_uint_eq(all->len, 2);
	is(&some->told[0], HF_CHANGE_HELD, "app/l", "");
	is(&some->told[1], HF_CHANGE_PUT, "app/x", "1");
	is(&some->told[2], HF_CHANGE_PUT, "app/y", "3");
	is(&all->told[0], HF_CHANGE_PUT, "app/y", "3");
	is(&all->told[1], HF_CHANGE_PUT, "app", "4");
	record_free(some);
	record_free(all);
	cluster_remove(&c);
}
END_TEST

/* Each number once, from the first on. */
static void counts_up(const struct record *r, int64_t first, size_t from)
{
	for (size_t i = from; i < r->len; i++) {
		const struct hf_change *change = &r->told[i].change;

		ck_assert_int_eq(change->type, HF_CHANGE_PUT);
		ck_assert(change->counter);
		ck_assert_int_eq(change->number, first++);
		ck_assert(i == from ||
			  change->index >= r->told[i - 1].change.index);
	}
}

START_TEST(a_leader_change_makes_no_gap_and_no_duplicate)
{
	struct cluster c;
	struct record *records[LIVE_NODES_MAX] = { 0 };

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t leader = cluster_leader(&c), writer = cluster_follower(&c);
	for (size_t i = 0; i < 3; i++) {
		records[i] = record_new();
		begin(records[i], c.nodes[i], "n", 0, 0);
	}
	for (int64_t i = 1; i <= 30; i++)
		ck_assert_int_eq(count(c.nodes[writer], "n"), i);
	await_changes(records[leader], 30);
	end(records[leader]);
	cluster_close_node(&c, leader);
	for (int64_t i = 31; i <= 60; i++)
		ck_assert_int_eq(count(c.nodes[writer], "n"), i);
	for (size_t i = 0; i < 3; i++) {
		if (i != leader) {
			await_changes(records[i], 60);
			end(records[i]);
			ck_assert_uint_eq(records[i]->len, 60);
		}
		counts_up(records[i], 1, 0);
		record_free(records[i]);
	}
	cluster_remove(&c);
}
END_TEST

/* Until node `peer`, in a process of its own, leads. */
static void let_lead(struct cluster *c, size_t peer)
{
	while (status_of(c->nodes[0]).leader != peer + 1)
		for (size_t i = 0; i < 2; i++)
			if (status_of(c->nodes[i]).leader == i + 1) {
				cluster_close_node(c, i);
				cluster_open_node(c, i);
			}
}

START_TEST(a_killed_leader_makes_no_gap_and_no_duplicate)
{
	struct cluster c;
	struct peer leader;
	struct record *r = record_new();

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	cluster_open_node(&c, 1);
	peer_start(&leader, &c, 2, 0);
	let_lead(&c, 2);
	begin(r, c.nodes[0], "n", 0, 0);
	for (int64_t i = 1; i <= 40; i++) {
		ck_assert_int_eq(count(c.nodes[i % 2], "n"), i);
		if (i == 20)
			peer_kill(&leader);
	}
	await_changes(r, 40);
	end(r);
	ck_assert_uint_eq(r->len, 40);
	counts_up(r, 1, 0);
	record_free(r);
	cluster_remove(&c);
}
END_TEST

START_TEST(what_a_hold_shows_and_why_it_ends_is_told)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .shown = "first",
					   .shown_len = 5 };
	struct cluster c;
	struct hf_lock lock;
	struct record *r = record_new(), *now = record_new();

	cluster_make(&c, 1);
	struct hf_options o = cluster_options(&c, 0);
	o.ttl_ms = 2000;
	ck_assert_int_eq(hf_open(&c.nodes[0], &o, NULL), 0);
	struct hf_node *node = c.nodes[0];
	begin(r, node, "l", 0, 0);
	ck_assert_int_eq(hf_lock(node, &lock, "l", &options, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_lock_show(&lock, "second", 6, LIVE_WAIT_MS), 0);
	begin(now, node, "l", HF_WATCH_NOW, 0);
	ck_assert_int_eq(
		hf_revoke(node, hf_lock_token(&lock), 0, NULL, LIVE_WAIT_MS),
		0);
	await_changes(r, 3);
	await_changes(now, 2);
	end(r);
	end(now);
	is(&r->told[0], HF_CHANGE_HELD, "l", "first");
	is(&r->told[1], HF_CHANGE_SHOWN, "l", "second");
	is(&now->told[0], HF_CHANGE_HELD, "l", "second");
	ck_assert_int_eq(r->told[2].change.type, HF_CHANGE_FREED);
	ck_assert_int_eq(r->told[2].change.rc, HF_EREVOKED);
	ck_assert_int_eq(now->told[1].change.rc, HF_EREVOKED);
	hf_unlock(&lock, LIVE_WAIT_MS);
	record_free(r);
	record_free(now);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_watch_resumes_by_index_after_a_restart)
{
	struct cluster c;
	struct record *before = record_new(), *after = record_new();

	cluster_make(&c, 1);
	cluster_open(&c);
	begin(before, c.nodes[0], "n", 0, 0);
	for (int i = 0; i < 10; i++)
		count(c.nodes[0], "n");
	await_changes(before, 10);
	end(before);
	cluster_close_node(&c, 0);
	cluster_open(&c);
	begin(after, c.nodes[0], "n", 0, before->told[3].change.index);
	count(c.nodes[0], "n");
	await_changes(after, 7);
	end(after);
	ck_assert_uint_eq(after->len, 7);
	counts_up(after, 5, 0);
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(after->told[i].change.index,
				  before->told[i + 4].change.index);
	record_free(before);
	record_free(after);
	cluster_remove(&c);
}
END_TEST

START_TEST(what_is_gone_from_the_ring_is_a_gap)
{
	struct cluster c;
	struct record *r = record_new();
	char *large = malloc(65536);

	memset(large, 'x', 65536);
	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	count(node, "n");
	uint64_t first = status_of(node).applied;
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(hf_put(node, "l", large, 65536, NULL, NULL,
					LIVE_WAIT_MS),
				 0);
	begin(r, node, "n", 0, first);
	await_changes(r, 1);
	expect_gap(HF_EGAP, &r->told[0].change);
	ck_assert_uint_gt(r->told[0].change.index, first);
	count(node, "n");
	await_changes(r, 2);
	end(r);
	counts_up(r, 2, 1);
	free(large);
	record_free(r);
	cluster_remove(&c);
}
END_TEST

static struct hf_node *open_dispatched(struct cluster *c)
{
	struct hf_options options = cluster_options(c, 0);
	char error[HF_ERROR_TEXT] = "";

	options.dispatch = true;
	ck_assert_msg(hf_open(&c->nodes[0], &options, error) == 0, "%s", error);
	return c->nodes[0];
}

/* Dispatch until the record has so many. */
static void dispatch_until(struct hf_node *node, struct record *r, size_t len)
{
	struct pollfd p = { .fd = hf_fd(node), .events = POLLIN };

	while (len_of(r) < len) {
		ck_assert_int_eq(poll(&p, 1, LIVE_WAIT_MS), 1);
		ck_assert_int_ge(hf_dispatch(node), 0);
	}
}

START_TEST(a_watcher_that_blocks_meets_a_gap_and_holds_up_nobody)
{
	struct cluster c;
	struct record *r = record_new();
	char *large = malloc(65536);
	size_t i = 0, gaps = 0;
	uint64_t index = 0;

	memset(large, 'x', 65536);
	cluster_make(&c, 1);
	struct hf_node *node = open_dispatched(&c);
	begin(r, node, "", HF_WATCH_PREFIX, 0);
	for (int n = 0; n < 40; n++) {
		ck_assert_int_eq(hf_put(node, "l", large, 65536, NULL, NULL,
					LIVE_WAIT_MS),
				 0);
		count(node, "n");
	}
	/* Nobody has dispatched. */
	ck_assert_uint_eq(r->len, 0);
	dispatch_until(node, r, 4);
	put(node, "last", "");
	while (strcmp(r->told[r->len - 1].name, "last") != 0)
		dispatch_until(node, r, r->len + 1);
	end(r);
	for (i = 0; i < r->len; i++) {
		ck_assert_uint_gt(r->told[i].change.index, index);
		index = r->told[i].change.index;
		gaps += r->told[i].change.type == HF_CHANGE_GAP;
	}
	ck_assert_uint_eq(gaps, 1);
	ck_assert_uint_lt(r->len, 80);
	free(large);
	record_free(r);
	cluster_remove(&c);
}
END_TEST

START_TEST(an_ended_watch_is_not_dispatched)
{
	struct cluster c;
	struct record *r = record_new(), *other = record_new();

	cluster_make(&c, 1);
	struct hf_node *node = open_dispatched(&c);
	begin(r, node, "n", 0, 0);
	begin(other, node, "n", 0, 0);
	for (int i = 0; i < 10; i++)
		count(node, "n");
	end(r);
	dispatch_until(node, other, 10);
	ck_assert_uint_eq(r->len, 0);
	end(other);
	record_free(r);
	record_free(other);
	cluster_remove(&c);
}
END_TEST

/* Ends itself and another one with its first change. */
struct pair {
	struct record *self, *other;
	int self_rc, other_rc;
};

static void on_pair(struct hf_watch *watch, const struct hf_change *change)
{
	struct pair *p = watch->data;

	(void)change;
	pthread_mutex_lock(&p->self->mutex);
	p->self->late = p->self->late || p->self->over;
	p->self->over = true;
	p->self->len++;
	pthread_mutex_unlock(&p->self->mutex);
	p->other_rc = hf_unwatch(&p->other->watch);
	pthread_mutex_lock(&p->other->mutex);
	p->other->over = true;
	pthread_mutex_unlock(&p->other->mutex);
	p->self_rc = hf_unwatch(watch);
}

static void end_a_pair(struct hf_node *node, bool dispatched)
{
	struct pair p = { record_new(), record_new(), 1, 1 };
	struct record *rest = record_new();

	p.self->watch.data = &p;
	ck_assert_int_eq(hf_watch(node, &p.self->watch, "n", 1, 0, 0, on_pair),
			 0);
	begin(p.other, node, "n", 0, 0);
	begin(rest, node, "n", 0, 0);
	for (int i = 0; i < 5; i++)
		count(node, "n");
	if (dispatched)
		dispatch_until(node, rest, 5);
	else
		await_changes(rest, 5);
	ck_assert_int_eq(p.self_rc, 0);
	ck_assert_int_eq(p.other_rc, 0);
	ck_assert_uint_eq(p.self->len, 1);
	expect_error(HF_EINVAL, hf_unwatch, &p.other->watch);
	end(rest);
	record_free(p.self);
	record_free(p.other);
	record_free(rest);
}

START_TEST(a_callback_may_end_any_watch)
{
	struct cluster c;

	cluster_make(&c, 1);
	cluster_open(&c);
	end_a_pair(c.nodes[0], false);
	cluster_remove(&c);
	cluster_make(&c, 1);
	end_a_pair(open_dispatched(&c), true);
	cluster_remove(&c);
}
END_TEST

struct busy {
	struct hf_node *node;
	atomic_bool stop;
};

static void *write_on(void *arg)
{
	struct busy *b = arg;

	while (!b->stop)
		hf_add(b->node, "n", 1, NULL, NULL, LIVE_WAIT_MS);
	return NULL;
}

START_TEST(nothing_is_told_once_unwatch_has_returned)
{
	struct busy busy = { 0 };
	struct cluster c;
	pthread_t thread;

	cluster_make(&c, 1);
	cluster_open(&c);
	busy.node = c.nodes[0];
	pthread_create(&thread, NULL, write_on, &busy);
	for (int i = 0; i < 200; i++) {
		struct record *r = record_new();

		begin(r, c.nodes[0], "", HF_WATCH_PREFIX | HF_WATCH_NOW, 0);
		usleep((useconds_t)i * 20);
		end(r);
		usleep(200);
		pthread_mutex_lock(&r->mutex);
		size_t from =
			r->len && r->told[0].change.type == HF_CHANGE_NOBODY;
		counts_up(r, r->told[from].change.number, from);
		pthread_mutex_unlock(&r->mutex);
		record_free(r);
	}
	busy.stop = true;
	pthread_join(thread, NULL);
	cluster_remove(&c);
}
END_TEST

START_TEST(close_ends_watches)
{
	struct cluster c;
	struct record *r = record_new();

	cluster_make(&c, 1);
	cluster_open(&c);
	begin(r, c.nodes[0], "n", 0, 0);
	count(c.nodes[0], "n");
	cluster_close_node(&c, 0);
	pthread_mutex_lock(&r->mutex);
	r->over = true;
	pthread_mutex_unlock(&r->mutex);
	ck_assert_uint_le(r->len, 1);
	record_free(r);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_watch_that_cannot_be_is_refused)
{
	struct cluster c;
	struct hf_watch w = { 0 };
	char name[HF_NAME_MAX + 1] = "";

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	expect_error(HF_EINVAL, hf_watch, NULL, &w, "a", 1, 0, 0, on_change);
	expect_error(HF_EINVAL, hf_watch, node, NULL, "a", 1, 0, 0, on_change);
	expect_error(HF_EINVAL, hf_watch, node, &w, "a", 1, 0, 0, NULL);
	expect_error(HF_EINVAL, hf_watch, node, &w, NULL, 1, 0, 0, on_change);
	expect_error(HF_EINVAL, hf_watch, node, &w, "", 0, 0, 0, on_change);
	expect_error(HF_EINVAL, hf_watch, node, &w, name, sizeof(name), 0, 0,
		     on_change);
	expect_error(HF_EINVAL, hf_watch, node, &w, "a", 1, 4, 0, on_change);
	expect_error(HF_EINVAL, hf_unwatch, NULL);
	expect_error(HF_EINVAL, hf_unwatch, &w);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_watch_tells_each_change_of_its_name_in_order,
	   a_watch_with_now_tells_what_is_and_then_what_comes,
	   a_prefix_tells_of_all_names_that_begin_with_it,
	   a_leader_change_makes_no_gap_and_no_duplicate,
	   a_killed_leader_makes_no_gap_and_no_duplicate,
	   what_a_hold_shows_and_why_it_ends_is_told,
	   a_watch_resumes_by_index_after_a_restart,
	   what_is_gone_from_the_ring_is_a_gap,
	   a_watcher_that_blocks_meets_a_gap_and_holds_up_nobody,
	   an_ended_watch_is_not_dispatched, a_callback_may_end_any_watch,
	   nothing_is_told_once_unwatch_has_returned, close_ends_watches,
	   a_watch_that_cannot_be_is_refused)
