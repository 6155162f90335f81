/* Values, counters and waits for them: what each call does and answers. */
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_MS 50
#define COUNTED 40

static uint64_t put(struct hf_node *node, const char *name, const char *value)
{
	uint64_t version = 0;
	int rc = hf_put(node, name, value, strlen(value), NULL, &version,
			LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
	ck_assert_uint_gt(version, 0);
	return version;
}

/* What the leader says of it. */
static void reads(struct hf_node *node, const char *name, const char *wanted)
{
	char bytes[64] = "";
	struct hf_value v = { 0 };
	int rc = hf_get(node, name, bytes, sizeof(bytes) - 1, &v, HF_LATEST,
			LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
	ck_assert_str_eq(bytes, wanted);
	ck_assert_uint_eq(v.len, strlen(wanted));
	ck_assert(!v.counter);
}

START_TEST(what_one_node_writes_every_node_reads_at_once)
{
	struct cluster c;
	char value[32];

	cluster_make(&c, 3);
	cluster_open(&c);
	for (int i = 0; i < 12; i++) {
		snprintf(value, sizeof(value), "value %d", i);
		put(c.nodes[i % 3], "a", value);
		reads(c.nodes[(i + 1) % 3], "a", value);
		reads(c.nodes[(i + 2) % 3], "a", value);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(a_version_rises_with_each_write_and_over_deletion)
{
	struct cluster c;
	struct hf_value v = { 0 };
	char bytes[4];

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	uint64_t first = put(node, "a", "one"), second = put(node, "a", "two2");
	ck_assert_uint_gt(second, first);
	ck_assert_int_eq(hf_get(node, "a", bytes, sizeof(bytes), &v, HF_LATEST,
				LIVE_WAIT_MS),
			 0);
	ck_assert_mem_eq(bytes, "two2", 4);
	ck_assert_uint_eq(v.version, second);
	ck_assert_uint_eq(v.session, 0);
	ck_assert_uint_ge(status_of(node).applied, v.index);
	ck_assert_int_eq(hf_delete(node, "a", NULL, LIVE_WAIT_MS), 0);
	expect_error(HF_ENOVALUE, hf_delete, node, "a", NULL, LIVE_WAIT_MS);
	expect_error(HF_ENOVALUE, hf_get, node, "a", NULL, 0, &v, HF_LATEST,
		     LIVE_WAIT_MS);
	expect_error(HF_ENOVALUE, hf_get, node, "a", NULL, 0, NULL, HF_LOCAL,
		     0);
	ck_assert_uint_gt(put(node, "a", ""), second);
	reads(node, "a", "");
	cluster_remove(&c);
}
END_TEST

START_TEST(a_write_with_another_version_is_refused_and_told_which_there_is)
{
	struct hf_put_options o = { .size = sizeof(o), .if_version = true };
	struct cluster c;
	uint64_t version = 0;

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	ck_assert_int_eq(
		hf_put(node, "a", "1", 1, &o, &o.version, LIVE_WAIT_MS), 0);
	uint64_t first = o.version;
	ck_assert_int_eq(
		hf_put(node, "a", "2", 1, &o, &o.version, LIVE_WAIT_MS), 0);
	uint64_t second = o.version;
	o.version = first;
	expect_error(HF_EVERSION, hf_put, node, "a", "3", 1, &o, &version,
		     LIVE_WAIT_MS);
	ck_assert_uint_eq(version, second);
	expect_error(HF_EVERSION, hf_delete, node, "a", &o, LIVE_WAIT_MS);
	o.version = 0;
	expect_error(HF_EVERSION, hf_put, node, "a", "3", 1, &o, NULL,
		     LIVE_WAIT_MS);
	reads(node, "a", "2");
	o.version = HF_ANY;
	ck_assert_int_eq(hf_put(node, "a", "4", 1, &o, NULL, LIVE_WAIT_MS), 0);
	cluster_remove(&c);
}
END_TEST

struct adder {
	struct hf_node *node;
	pthread_t thread;
	int rc;
};

static void *add_many(void *arg)
{
	struct adder *a = arg;

	for (int i = 0; i < COUNTED && !a->rc; i++)
		a->rc = hf_add(a->node, "n", 1, NULL, NULL, LIVE_WAIT_MS);
	return NULL;
}

START_TEST(a_counter_counts_each_addition_once)
{
	struct adder adders[6] = { 0 };
	struct cluster c;
	int64_t number = 0;

	cluster_make(&c, 3);
	cluster_open(&c);
	for (size_t i = 0; i < 6; i++) {
		adders[i].node = c.nodes[i % 3];
		pthread_create(&adders[i].thread, NULL, add_many, &adders[i]);
	}
	for (size_t i = 0; i < 6; i++) {
		pthread_join(adders[i].thread, NULL);
		ck_assert_int_eq(adders[i].rc, 0);
	}
	ck_assert_int_eq(
		hf_add(c.nodes[0], "n", -5, NULL, &number, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(number, 6 * COUNTED - 5);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_counter_stays_in_its_range_and_is_no_value)
{
	struct hf_put_options o = { .size = sizeof(o), .if_version = true };
	const int64_t most = INT64_C(1) << 61;
	struct cluster c;
	struct hf_value v = { 0 };
	int64_t number = 7;

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	ck_assert_int_eq(hf_add(node, "n", most, NULL, &number, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(number, most);
	expect_error(HF_ERANGE, hf_add, node, "n", 1, NULL, NULL, LIVE_WAIT_MS);
	expect_error(HF_ERANGE, hf_add, node, "n", most + 1, NULL, NULL,
		     LIVE_WAIT_MS);
	ck_assert_int_eq(hf_add(node, "n", -most, NULL, &number, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(number, 0);
	ck_assert_int_eq(hf_add(node, "n", -most, NULL, &number, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(number, -most);
	ck_assert_int_eq(
		hf_get(node, "n", NULL, 0, &v, HF_LATEST, LIVE_WAIT_MS), 0);
	o.version = v.version;
	ck_assert_int_eq(hf_add(node, "n", 0, &o, NULL, LIVE_WAIT_MS), 0);
	expect_error(HF_EVERSION, hf_add, node, "n", 1, &o, NULL, LIVE_WAIT_MS);
	ck_assert(v.counter);
	ck_assert_int_eq(v.number, -most);
	ck_assert_uint_eq(v.len, 0);
	expect_error(HF_EKIND, hf_put, node, "n", "x", 1, NULL, NULL,
		     LIVE_WAIT_MS);
	put(node, "a", "x");
	expect_error(HF_EKIND, hf_add, node, "a", 1, NULL, NULL, LIVE_WAIT_MS);
	ck_assert_int_eq(hf_delete(node, "n", NULL, LIVE_WAIT_MS), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(an_ephemeral_value_goes_with_its_session)
{
	struct hf_put_options o = { .size = sizeof(o), .ephemeral = true };
	struct cluster c;
	struct hf_value v = { 0 };

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t writer = cluster_follower(&c), leader = cluster_leader(&c);
	ck_assert_int_eq(
		hf_put(c.nodes[writer], "a", "here", 4, &o, NULL, LIVE_WAIT_MS),
		0);
	ck_assert_int_eq(hf_get(c.nodes[leader], "a", NULL, 0, &v, HF_LATEST,
				LIVE_WAIT_MS),
			 0);
	ck_assert_uint_eq(v.session, status_of(c.nodes[writer]).session);
	cluster_close_node(&c, writer);
	ck_assert_int_eq(
		hf_await(c.nodes[leader], "a", HF_ABSENT, 0, LIVE_WAIT_MS), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_value_that_is_too_large_is_refused)
{
	char *large = calloc(1, HF_VALUE_MAX + 1);
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	ck_assert_int_eq(
		hf_put(node, "a", large, 65536, NULL, NULL, LIVE_WAIT_MS), 0);
	expect_error(HF_ELIMIT, hf_put, node, "a", large, 65537, NULL, NULL,
		     LIVE_WAIT_MS);
	expect_error(HF_ELIMIT, hf_put, node, "a", large, HF_VALUE_MAX, NULL,
		     NULL, LIVE_WAIT_MS);
	expect_error(HF_ELIMIT, hf_put, node, "a", large, HF_VALUE_MAX + 1,
		     NULL, NULL, LIVE_WAIT_MS);
	ck_assert_int_eq(hf_get(node, "a", large, HF_VALUE_MAX, NULL, HF_LATEST,
				LIVE_WAIT_MS),
			 0);
	free(large);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_guarded_write_takes_a_hold)
{
	struct hf_put_options o = { .size = sizeof(o) };
	struct cluster c;
	struct hf_lock lock, other;
	int64_t number;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	ck_assert_int_eq(hf_lock(node, &lock, "l", NULL, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_lock(c.nodes[1], &other, "m", NULL, LIVE_WAIT_MS),
			 0);
	o.guard = &lock;
	ck_assert_int_eq(hf_put(node, "a", "1", 1, &o, NULL, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_add(node, "n", 1, &o, &number, LIVE_WAIT_MS), 0);
	o.guard = &other;
	expect_error(HF_EINVAL, hf_put, node, "a", "2", 1, &o, NULL,
		     LIVE_WAIT_MS);
	o.guard = &lock;
	ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
	expect_error(HF_ENOTHELD, hf_put, node, "a", "2", 1, &o, NULL,
		     LIVE_WAIT_MS);
	expect_error(HF_ENOTHELD, hf_add, node, "n", 1, &o, NULL, LIVE_WAIT_MS);
	expect_error(HF_ENOTHELD, hf_delete, node, "a", &o, LIVE_WAIT_MS);
	reads(node, "a", "1");
	cluster_remove(&c);
}
END_TEST

static bool is_lost(void *arg)
{
	return ((struct seen_failure *)arg)->told;
}

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	(void)node;
	if (event->type == HF_EVENT_LOST)
		((struct seen_failure *)arg)->told = true;
}

/* The holder still has the handle and its token when the write goes out; it is
 * the state machine that knows better. */
START_TEST(a_write_guarded_by_a_lost_hold_is_refused)
{
	struct hf_put_options o = { .size = sizeof(o) };
	struct seen_failure lost = { 0 };
	struct cluster c;
	struct hf_lock lock;

	cluster_make(&c, 1);
	struct hf_options options = cluster_options(&c, 0);
	options.ttl_ms = 1000;
	options.on_event = on_event;
	options.arg = &lost;
	ck_assert_int_eq(hf_open(&c.nodes[0], &options, NULL), 0);
	struct hf_node *node = c.nodes[0];
	ck_assert_int_eq(hf_lock(node, &lock, "l", NULL, LIVE_WAIT_MS), 0);
	o.guard = &lock;
	ck_assert_int_eq(hf_put(node, "a", "1", 1, &o, NULL, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_revoke(node, hf_lock_token(&lock), 0, "a test",
				   LIVE_WAIT_MS),
			 0);
	ck_assert(live_wait(is_lost, &lost));
	expect_error(HF_ENOTHELD, hf_put, node, "a", "2", 1, &o, NULL,
		     LIVE_WAIT_MS);
	reads(node, "a", "1");
	cluster_remove(&c);
}
END_TEST

START_TEST(nobody_holds_what_cannot_be_revoked)
{
	char reason[HF_REASON_MAX + 2];
	struct cluster c;

	memset(reason, 'r', sizeof(reason));
	reason[HF_REASON_MAX + 1] = 0;
	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	expect_error(HF_ENOTHELD, hf_revoke, node, 12345678, 0, NULL,
		     LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_revoke, node, 0, 0, NULL, LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_revoke, node, UINT64_MAX, 0, NULL,
		     LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_revoke, node, 1, 0, reason, LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_revoke, node, 1, HF_FOREVER, NULL,
		     LIVE_WAIT_MS);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_limit_that_was_set_stays_and_counts)
{
	struct hf_lock_options permits = { .size = sizeof(permits),
					   .mode = HF_PERMITS,
					   .permits = 3 };
	struct cluster c;
	struct hf_lock lock;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0], *other = c.nodes[1];
	ck_assert_int_eq(hf_set_limit(node, "s", 3, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_lock(other, &lock, "s", &permits, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_unlock(&lock, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_set_limit(node, "s", 2, LIVE_WAIT_MS), 0);
	expect_error(HF_EPERMITS, hf_lock, other, &lock, "s", &permits,
		     LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_set_limit, node, "", 2, LIVE_WAIT_MS);
	cluster_remove(&c);
}
END_TEST

/* A wait in a thread of its own. */
struct waiter {
	struct hf_node *node;
	enum hf_condition condition;
	int64_t number;
	pthread_t thread;
	int rc;
};

static void *wait_for_value(void *arg)
{
	struct waiter *w = arg;

	w->rc = hf_await(w->node, "a", w->condition, w->number, LIVE_WAIT_MS);
	return NULL;
}

static void wait_begin(struct waiter *w, struct hf_node *node,
		       enum hf_condition condition, int64_t number)
{
	*w = (struct waiter){ node, condition, number, 0, 1 };
	pthread_create(&w->thread, NULL, wait_for_value, w);
	/* Mostly it comes before what it waits for. */
	if (number % 2)
		expect_error(HF_ETIMEDOUT, hf_await, node, "never", HF_PRESENT,
			     0, SHORT_MS);
}

static void wait_end(struct waiter *w)
{
	pthread_join(w->thread, NULL);
	ck_assert_msg(w->rc == 0, "%d: %s", w->condition, hf_strerror(w->rc));
}

START_TEST(a_wait_ends_when_its_condition_comes_true)
{
	struct cluster c;
	struct waiter w;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	struct hf_node *other = c.nodes[cluster_leader(&c)];
	wait_begin(&w, node, HF_PRESENT, 1);
	uint64_t version = put(other, "a", "x");
	wait_end(&w);
	wait_begin(&w, node, HF_NEWER, (int64_t)version);
	put(other, "a", "y");
	wait_end(&w);
	wait_begin(&w, node, HF_ABSENT, 1);
	ck_assert_int_eq(hf_delete(other, "a", NULL, LIVE_WAIT_MS), 0);
	wait_end(&w);
	wait_begin(&w, node, HF_AT_LEAST, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			hf_add(other, "a", 1, NULL, NULL, LIVE_WAIT_MS), 0);
	wait_end(&w);
	wait_begin(&w, node, HF_AT_MOST, 1);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			hf_add(other, "a", -1, NULL, NULL, LIVE_WAIT_MS), 0);
	wait_end(&w);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_wait_outlives_its_leader)
{
	struct cluster c;
	struct waiter w;

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t leader = cluster_leader(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	wait_begin(&w, node, HF_AT_LEAST, 3);
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			cluster_close_node(&c, leader);
		ck_assert_int_eq(hf_add(node, "a", 1, NULL, NULL, LIVE_WAIT_MS),
				 0);
	}
	wait_end(&w);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_wait_of_no_time_only_looks)
{
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	expect_error(HF_ETIMEDOUT, hf_await, node, "a", HF_PRESENT, 0, 0);
	ck_assert_int_eq(hf_await(node, "a", HF_ABSENT, 0, 0), 0);
	ck_assert_int_eq(hf_await(node, "a", HF_AT_MOST, 0, 0), 0);
	put(node, "a", "x");
	ck_assert_int_eq(hf_await(node, "a", HF_PRESENT, 0, 0), 0);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(what_one_node_writes_every_node_reads_at_once,
	   a_version_rises_with_each_write_and_over_deletion,
	   a_write_with_another_version_is_refused_and_told_which_there_is,
	   a_counter_counts_each_addition_once,
	   a_counter_stays_in_its_range_and_is_no_value,
	   an_ephemeral_value_goes_with_its_session,
	   a_value_that_is_too_large_is_refused, a_guarded_write_takes_a_hold,
	   a_write_guarded_by_a_lost_hold_is_refused,
	   nobody_holds_what_cannot_be_revoked,
	   a_limit_that_was_set_stays_and_counts,
	   a_wait_ends_when_its_condition_comes_true,
	   a_wait_outlives_its_leader, a_wait_of_no_time_only_looks)
