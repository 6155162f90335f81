/* Conversions: up, down, refused, given up. */
#include "live/lib/peer.h"
#include "live/lib/waiter.h"

#include <time.h>

#define SHORT_MS 100

static const struct hf_lock_options shared = { .size = sizeof(shared),
					       .mode = HF_SHARED };

static void take(struct hf_node *node, struct hf_lock *lock, const char *name,
		 const struct hf_lock_options *options)
{
	int rc = hf_lock(node, lock, name, options, LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

static void give(struct hf_lock *lock)
{
	int rc = hf_unlock(lock, LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
}

START_TEST(down_keeps_the_token_and_lets_others_in)
{
	struct cluster c;
	struct hf_lock a, b;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", NULL);
	uint64_t token = hf_lock_token(&a);
	expect_error(HF_EHELD, hf_trylock, c.nodes[1], &b, "a", &shared);
	ck_assert_int_eq(hf_lock_convert(&a, HF_SHARED, 0, LIVE_WAIT_MS), 0);
	ck_assert_uint_eq(hf_lock_token(&a), token);
	take(c.nodes[1], &b, "a", &shared);
	ck_assert_int_eq(hf_lock_validate(&a, LIVE_WAIT_MS), 0);
	give(&a);
	give(&b);
	cluster_remove(&c);
}
END_TEST

START_TEST(up_waits_for_the_others_and_brings_a_higher_token)
{
	struct cluster c;
	struct waiter a;
	struct hf_lock b, other;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[1], &b, "a", &shared);
	waiter_ask(&a, c.nodes[0], "a", &shared, LIVE_WAIT_MS);
	ck_assert_int_eq(waiter_result(&a, 0), 0);
	uint64_t token = hf_lock_token(&a.lock);
	ck_assert_int_eq(hf_lock_convert_start(&a.lock, HF_EXCLUSIVE, 0,
					       HF_FOREVER, waiter_told),
			 0);
	waiter_stands(&a);
	/* It still holds what it held. */
	ck_assert_int_eq(hf_lock_validate(&a.lock, LIVE_WAIT_MS), 0);
	ck_assert_uint_eq(hf_lock_token(&a.lock), token);
	expect_error(HF_EHELD, hf_trylock, c.nodes[2], &other, "a", &shared);
	give(&b);
	ck_assert_int_eq(waiter_result(&a, 1), 0);
	ck_assert_uint_gt(hf_lock_token(&a.lock), token);
	ck_assert_int_eq(hf_lock_validate(&a.lock, LIVE_WAIT_MS), 0);
	ck_assert_uint_gt(hf_lock_safe_ms(&a.lock), 0);
	expect_error(HF_EHELD, hf_trylock, c.nodes[2], &other, "a", &shared);
	give(&a.lock);
	take(c.nodes[2], &other, "a", NULL);
	cluster_remove(&c);
}
END_TEST

START_TEST(the_second_of_two_who_go_up_is_refused)
{
	struct cluster c;
	struct waiter a;
	struct hf_lock b;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[1], &b, "a", &shared);
	waiter_ask(&a, c.nodes[0], "a", &shared, LIVE_WAIT_MS);
	ck_assert_int_eq(waiter_result(&a, 0), 0);
	ck_assert_int_eq(hf_lock_convert_start(&a.lock, HF_EXCLUSIVE, 0,
					       HF_FOREVER, waiter_told),
			 0);
	waiter_stands(&a);
	expect_error(HF_EDEADLK, hf_lock_convert, &b, HF_EXCLUSIVE, 0,
		     LIVE_WAIT_MS);
	/* Its hold is as it was, and the first gets in when it goes. */
	ck_assert_int_eq(hf_lock_validate(&b, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(a.len, 1);
	give(&b);
	ck_assert_int_eq(waiter_result(&a, 1), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_conversion_that_comes_too_late_leaves_the_hold_as_it_was)
{
	struct cluster c;
	struct hf_lock a, b;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", &shared);
	take(c.nodes[1], &b, "a", &shared);
	uint64_t token = hf_lock_token(&a);
	expect_error(HF_ETIMEDOUT, hf_lock_convert, &a, HF_EXCLUSIVE, 0,
		     SHORT_MS);
	expect_error(HF_EHELD, hf_lock_convert, &a, HF_EXCLUSIVE, 0, 0);
	ck_assert_uint_eq(hf_lock_token(&a), token);
	ck_assert_int_eq(hf_lock_validate(&a, LIVE_WAIT_MS), 0);
	/* Nothing of it is left in the line. */
	ck_assert_int_eq(hf_lock_convert(&b, HF_SHARED, 0, LIVE_WAIT_MS), 0);
	give(&a);
	ck_assert_int_eq(hf_lock_convert(&b, HF_EXCLUSIVE, 0, LIVE_WAIT_MS), 0);
	give(&b);
	cluster_remove(&c);
}
END_TEST

/* Whichever comes first, hold, token and cluster agree. */
START_TEST(a_conversion_that_races_its_cancel_has_one_outcome)
{
	struct cluster c;
	struct hf_lock b, other;
	struct waiter a;
	int converted = 0, late = 0;

	cluster_make(&c, 3);
	cluster_open(&c);
	for (uint32_t i = 0; i < 40; i++) {
		waiter_ask(&a, c.nodes[0], "a", &shared, LIVE_WAIT_MS);
		take(c.nodes[1], &b, "a", &shared);
		ck_assert_int_eq(waiter_result(&a, 0), 0);
		uint64_t token = hf_lock_token(&a.lock);
		ck_assert_int_eq(hf_lock_convert_start(&a.lock, HF_EXCLUSIVE, 0,
						       20 + i % 4, waiter_told),
				 0);
		struct timespec nap = { .tv_nsec = (12 + i % 12) * 1000000 };
		nanosleep(&nap, NULL);
		give(&b);
		int rc = waiter_result(&a, 1);
		converted += rc == 0;
		late += rc == HF_ETIMEDOUT;
		ck_assert_msg(rc == 0 || rc == HF_ETIMEDOUT, "%s",
			      hf_strerror(rc));
		ck_assert((hf_lock_token(&a.lock) > token) == (rc == 0));
		ck_assert_int_eq(hf_lock_validate(&a.lock, LIVE_WAIT_MS), 0);
		rc = hf_trylock(c.nodes[2], &other, "a", &shared);
		if (rc == 0)
			give(&other);
		ck_assert_int_eq(rc, a.rc[1] == 0 ? HF_EHELD : 0);
		give(&a.lock);
	}
	ck_assert_int_eq(converted + late, 40);
	cluster_remove(&c);
}
END_TEST

START_TEST(an_unlock_ends_a_conversion_first_and_then_the_hold)
{
	struct cluster c;
	struct hf_lock b, other;
	struct waiter a;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[1], &b, "a", &shared);
	waiter_ask(&a, c.nodes[0], "a", &shared, LIVE_WAIT_MS);
	ck_assert_int_eq(waiter_result(&a, 0), 0);
	ck_assert_int_eq(hf_lock_convert_start(&a.lock, HF_EXCLUSIVE, 0,
					       HF_FOREVER, waiter_told),
			 0);
	waiter_stands(&a);
	ck_assert_int_eq(hf_unlock_start(&a.lock, LIVE_WAIT_MS, waiter_told),
			 0);
	ck_assert_int_eq(waiter_result(&a, 1), HF_ECANCELED);
	ck_assert_int_eq(waiter_result(&a, 2), 0);
	give(&b);
	take(c.nodes[2], &other, "a", NULL);
	cluster_remove(&c);
}
END_TEST

START_TEST(what_cannot_be_converted_is_refused)
{
	struct hf_lock_options permits = { .size = sizeof(permits),
					   .mode = HF_PERMITS,
					   .permits = 2,
					   .limit = 3 };
	struct cluster c;
	struct hf_lock a, b;
	struct waiter w;

	cluster_make(&c, 1);
	cluster_open(&c);
	take(c.nodes[0], &a, "s", &permits);
	expect_error(HF_EINVAL, hf_lock_convert, &a, HF_EXCLUSIVE, 0,
		     LIVE_WAIT_MS);
	expect_error(HF_EPERMITS, hf_lock_convert, &a, HF_PERMITS, 4,
		     LIVE_WAIT_MS);
	ck_assert_int_eq(hf_lock_convert(&a, HF_PERMITS, 3, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_lock_convert(&a, HF_PERMITS, 1, LIVE_WAIT_MS), 0);
	permits.owner = 7;
	take(c.nodes[0], &b, "s", &permits);
	give(&a);
	expect_error(HF_ENOTHELD, hf_lock_convert, &a, HF_PERMITS, 1,
		     LIVE_WAIT_MS);
	give(&b);
	/* A second conversion while one waits. */
	take(c.nodes[0], &b, "a", &shared);
	waiter_ask(&w, c.nodes[0], "a", &shared, LIVE_WAIT_MS);
	ck_assert_int_eq(waiter_result(&w, 0), 0);
	ck_assert_int_eq(hf_lock_convert_start(&w.lock, HF_EXCLUSIVE, 0,
					       HF_FOREVER, waiter_told),
			 0);
	expect_error(HF_EINVAL, hf_lock_convert, &w.lock, HF_SHARED, 0,
		     LIVE_WAIT_MS);
	give(&b);
	ck_assert_int_eq(waiter_result(&w, 1), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(without_a_leader_a_conversion_is_unknown_and_settles_itself)
{
	struct cluster c;
	struct peer peers[LIVE_NODES_MAX];
	struct hf_lock a;

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	for (size_t i = 1; i < 3; i++)
		peer_start(&peers[i], &c, i, 120000);
	take(c.nodes[0], &a, "a", &shared);
	uint64_t token = hf_lock_token(&a);
	peer_stop(&peers[1]);
	peer_stop(&peers[2]);
	expect_error(HF_EUNKNOWN, hf_lock_convert, &a, HF_EXCLUSIVE, 0,
		     SHORT_MS);
	peer_continue(&peers[1]);
	peer_continue(&peers[2]);
	/* Whatever it was, it is known in the end, and the hold stands. */
	ck_assert_int_eq(hf_lock_validate(&a, LIVE_WAIT_MS), 0);
	ck_assert_uint_ge(hf_lock_token(&a), token);
	give(&a);
	peer_do(&peers[1], PEER_LOCK, "a", LIVE_WAIT_MS);
	for (size_t i = 1; i < 3; i++)
		peer_kill(&peers[i]);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(down_keeps_the_token_and_lets_others_in,
	   up_waits_for_the_others_and_brings_a_higher_token,
	   the_second_of_two_who_go_up_is_refused,
	   a_conversion_that_comes_too_late_leaves_the_hold_as_it_was,
	   a_conversion_that_races_its_cancel_has_one_outcome,
	   an_unlock_ends_a_conversion_first_and_then_the_hold,
	   what_cannot_be_converted_is_refused,
	   without_a_leader_a_conversion_is_unknown_and_settles_itself)
