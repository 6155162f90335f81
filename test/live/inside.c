/* Inside callbacks: all may be given back there, and nothing may block. */
#include "live/lib/peer.h"
#include "live/lib/waiter.h"

#include <string.h>

#define CALLBACKS 6

/* A lock that is given back in the callback of what is asked for it. */
struct inside {
	struct hf_lock lock; /* first: it is the lock's data */
	int asked_rc, unlock_rc, result;
	atomic_bool over;
};

static void on_over(struct hf_lock *lock, int rc)
{
	struct inside *in = (struct inside *)(void *)lock;

	in->result = rc;
	in->over = true;
}

static void on_asked(struct hf_lock *lock, int rc)
{
	struct inside *in = (struct inside *)(void *)lock;

	in->asked_rc = rc;
	in->unlock_rc = hf_unlock_start(lock, LIVE_WAIT_MS, on_over);
}

static bool is_over(void *arg)
{
	return ((struct inside *)arg)->over;
}

typedef int (*ask)(struct hf_lock *lock);

static int ask_validate(struct hf_lock *lock)
{
	return hf_lock_validate_start(lock, LIVE_WAIT_MS, on_asked);
}

static int ask_convert(struct hf_lock *lock)
{
	return hf_lock_convert_start(lock, HF_SHARED, 0, LIVE_WAIT_MS,
				     on_asked);
}

static int ask_renew(struct hf_lock *lock)
{
	return hf_lock_renew_start(lock, LIVE_WAIT_MS, on_asked);
}

static int ask_show(struct hf_lock *lock)
{
	return hf_lock_show_start(lock, "x", 1, LIVE_WAIT_MS, on_asked);
}

static int ask_handover(struct hf_lock *lock)
{
	return hf_handover_start(lock, 1, LIVE_WAIT_MS, on_asked);
}

static int ask_leave(struct hf_lock *lock)
{
	return hf_barrier_leave_start(lock, LIVE_WAIT_MS, on_asked);
}

START_TEST(a_hold_may_be_given_back_in_the_callback_of_what_is_asked_for_it)
{
	static const ask asks[CALLBACKS] = { ask_validate, ask_convert,
					     ask_renew,    ask_show,
					     ask_handover, ask_leave };
	static const int expected[CALLBACKS] = {
		0, 0, 0, 0, HF_ENOCANDIDATE, HF_EINVAL
	};
	struct hf_lock_options leased = { .size = sizeof(leased),
					  .lease_ms = LIVE_WAIT_MS };
	struct cluster c;
	struct inside in;

	cluster_make(&c, 1);
	cluster_open(&c);
	for (size_t i = 0; i < CALLBACKS; i++) {
		in.over = false;
		ck_assert_int_eq(hf_lock(c.nodes[0], &in.lock, "a", &leased,
					 LIVE_WAIT_MS),
				 0);
		ck_assert_int_eq(asks[i](&in.lock), 0);
		ck_assert(live_wait(is_over, &in));
		ck_assert_int_eq(in.asked_rc, expected[i]);
		ck_assert_int_eq(in.unlock_rc, 0);
		ck_assert_int_eq(in.result, 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(what_is_asked_for_a_hold_ends_before_its_release)
{
	struct cluster c;
	struct waiter w;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_lock_options leased = { .size = sizeof(leased),
					  .lease_ms = LIVE_WAIT_MS };
	waiter_ask(&w, c.nodes[cluster_follower(&c)], "a", &leased,
		   LIVE_WAIT_MS);
	ck_assert_int_eq(waiter_result(&w, 0), 0);
	ck_assert_int_eq(
		hf_lock_renew_start(&w.lock, LIVE_WAIT_MS, waiter_told), 0);
	ck_assert_int_eq(
		hf_lock_show_start(&w.lock, "x", 1, LIVE_WAIT_MS, waiter_told),
		0);
	ck_assert_int_eq(hf_unlock_start(&w.lock, LIVE_WAIT_MS, waiter_told),
			 0);
	ck_assert_int_eq(waiter_result(&w, 3), 0);
	for (int i = 1; i < 3; i++)
		ck_assert(w.rc[i] == 0 || w.rc[i] == HF_ENOTHELD);
	cluster_remove(&c);
}
END_TEST

/* What each blocking call answers there. */
struct blocking {
	struct hf_lock lock; /* first */
	bool all;
	atomic_bool called;
};

static void on_blocking(struct hf_lock *lock, int rc)
{
	struct blocking *b = (struct blocking *)(void *)lock;
	const struct hf_part part = { .name = "b", .name_len = 1 };
	struct hf_node *node = lock->node;
	struct hf_lock other;

	b->all = rc == 0 &&
		 hf_lock_many(node, &other, &part, 1, NULL, 1) ==
			 HF_EINCALLBACK &&
		 hf_campaign(node, &other, "b", NULL, 0, 0, 1) ==
			 HF_EINCALLBACK &&
		 hf_join(node, &other, "b", NULL, 0, 1) == HF_EINCALLBACK &&
		 hf_barrier_enter(node, &other, "b", 2, 1) == HF_EINCALLBACK &&
		 hf_lock_convert(lock, HF_SHARED, 0, 1) == HF_EINCALLBACK &&
		 hf_lock_renew(lock, 1) == HF_EINCALLBACK &&
		 hf_lock_show(lock, "x", 1, 1) == HF_EINCALLBACK &&
		 hf_handover(lock, 1, 1) == HF_EINCALLBACK &&
		 hf_barrier_leave(lock, 1) == HF_EINCALLBACK;
	b->called = true;
}

static bool is_called(void *arg)
{
	return ((struct blocking *)arg)->called;
}

START_TEST(no_call_that_waits_is_answered_inside_a_callback)
{
	struct blocking b = { .all = false };
	struct cluster c;

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(hf_lock_start(c.nodes[0], &b.lock, "a", 1, NULL,
				       LIVE_WAIT_MS, on_blocking),
			 0);
	ck_assert(live_wait(is_called, &b));
	ck_assert(b.all);
	ck_assert_int_eq(hf_lock_validate(&b.lock, LIVE_WAIT_MS), 0);
	cluster_remove(&c);
}
END_TEST

/* The event of a revocation gives the lock back. */

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct inside *in = arg;

	(void)node;
	if (event->type == HF_EVENT_REVOKED)
		on_asked(&in->lock, 0);
}

START_TEST(a_revoked_hold_may_be_given_back_in_its_event)
{
	struct inside in = { .asked_rc = 1 };
	struct cluster c;
	struct hf_lock next;

	cluster_make(&c, 1);
	struct hf_options o = cluster_options(&c, 0);
	o.on_event = on_event;
	o.arg = &in;
	ck_assert_int_eq(hf_open(&c.nodes[0], &o, NULL), 0);
	ck_assert_int_eq(hf_lock(c.nodes[0], &in.lock, "a", NULL, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(hf_revoke(c.nodes[0], hf_lock_token(&in.lock), 60000,
				   NULL, LIVE_WAIT_MS),
			 0);
	ck_assert(live_wait(is_over, &in));
	ck_assert_int_eq(in.result, 0);
	ck_assert_int_eq(hf_lock(c.nodes[0], &next, "a", NULL, LIVE_WAIT_MS),
			 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(close_ends_all_that_is_asked_for_a_hold_with_one_callback_each)
{
	struct cluster c;
	struct hf_lock other;
	struct waiter w;
	struct hf_lock_options shared = { .size = sizeof(shared),
					  .mode = HF_SHARED,
					  .lease_ms = LIVE_WAIT_MS };

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t i = cluster_follower(&c);
	ck_assert_int_eq(hf_lock(c.nodes[cluster_leader(&c)], &other, "a",
				 &shared, LIVE_WAIT_MS),
			 0);
	waiter_ask(&w, c.nodes[i], "a", &shared, LIVE_WAIT_MS);
	ck_assert_int_eq(waiter_result(&w, 0), 0);
	ck_assert_int_eq(hf_lock_convert_start(&w.lock, HF_EXCLUSIVE, 0,
					       HF_FOREVER, waiter_told),
			 0);
	waiter_stands(&w);
	ck_assert_int_eq(
		hf_lock_renew_start(&w.lock, LIVE_WAIT_MS, waiter_told), 0);
	ck_assert_int_eq(
		hf_lock_show_start(&w.lock, "x", 1, LIVE_WAIT_MS, waiter_told),
		0);
	cluster_close_node(&c, i);
	ck_assert_int_eq(w.len, 4);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_hold_may_be_given_back_in_the_callback_of_what_is_asked_for_it,
	   what_is_asked_for_a_hold_ends_before_its_release,
	   no_call_that_waits_is_answered_inside_a_callback,
	   a_revoked_hold_may_be_given_back_in_its_event,
	   close_ends_all_that_is_asked_for_a_hold_with_one_callback_each)
