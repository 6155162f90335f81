/* Elections, groups, barriers: who hands over, who comes, who leaves. */
#include "live/lib/peer.h"
#include "live/lib/waiter.h"

#include <string.h>

#define SHORT_MS 200
#define TTL_MS 1500

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

START_TEST(a_lock_is_handed_over_to_whom_its_holder_names)
{
	struct cluster c;
	struct hf_lock a;
	struct waiter second, third;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", NULL);
	uint64_t token = hf_lock_token(&a);
	expect_error(HF_ENOCANDIDATE, hf_handover, &a, 3, LIVE_WAIT_MS);
	/* The hold is as it was. */
	ck_assert_uint_eq(hf_lock_token(&a), token);
	ck_assert_uint_gt(hf_lock_safe_ms(&a), 0);
	ck_assert_int_eq(hf_lock_validate(&a, LIVE_WAIT_MS), 0);
	waiter_ask(&second, c.nodes[1], "a", NULL, HF_FOREVER);
	waiter_stands(&second);
	waiter_ask(&third, c.nodes[2], "a", NULL, HF_FOREVER);
	waiter_stands(&third);
	ck_assert_int_eq(hf_handover(&a, 3, LIVE_WAIT_MS), 0);
	ck_assert_uint_eq(hf_lock_token(&a), 0);
	ck_assert_int_eq(waiter_result(&third, 0), 0);
	ck_assert_uint_gt(hf_lock_token(&third.lock), token);
	ck_assert_int_eq(second.len, 0);
	expect_error(HF_ENOTHELD, hf_handover, &a, 2, LIVE_WAIT_MS);
	ck_assert_int_eq(
		hf_handover_start(&third.lock, 2, LIVE_WAIT_MS, waiter_told),
		0);
	ck_assert_int_eq(waiter_result(&third, 1), 0);
	ck_assert_int_eq(waiter_result(&second, 0), 0);
	give(&second.lock);
	cluster_remove(&c);
}
END_TEST

START_TEST(what_cannot_be_handed_over_stays)
{
	struct hf_lock_options shared = { .size = sizeof(shared),
					  .mode = HF_SHARED };
	struct cluster c;
	struct hf_lock a;

	cluster_make(&c, 1);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", &shared);
	expect_error(HF_EINVAL, hf_handover, &a, 1, LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_barrier_leave, &a, LIVE_WAIT_MS);
	ck_assert_int_eq(hf_lock_validate(&a, LIVE_WAIT_MS), 0);
	give(&a);
	expect_error(HF_ENOTHELD, hf_barrier_leave, &a, LIVE_WAIT_MS);
	cluster_remove(&c);
}
END_TEST

static bool count(void *arg, const struct hf_claim *claim)
{
	++*(size_t *)arg;
	return claim->token > 0;
}

START_TEST(members_of_a_group_are_seen_until_they_leave)
{
	struct cluster c;
	struct hf_lock locks[3];
	size_t len = 0;

	cluster_make(&c, 3);
	cluster_open(&c);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(hf_join(c.nodes[i], &locks[i], "g", "x", 1,
					 LIVE_WAIT_MS),
				 0);
	ck_assert_int_eq(
		hf_claims(c.nodes[cluster_leader(&c)], "g", 1, count, &len), 0);
	ck_assert_uint_eq(len, 3);
	for (size_t i = 0; i < 3; i++)
		give(&locks[i]);
	len = 0;
	ck_assert_int_eq(
		hf_claims(c.nodes[cluster_leader(&c)], "g", 1, count, &len), 0);
	ck_assert_uint_eq(len, 0);
	cluster_remove(&c);
}
END_TEST

static const struct hf_lock_options three = { .size = sizeof(three),
					      .mode = HF_BARRIER,
					      .limit = 3 };

static void enter(struct cluster *c, struct waiter *w)
{
	for (size_t i = 0; i < 3; i++)
		waiter_ask(&w[i], c->nodes[i], "b", &three, HF_FOREVER);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(waiter_result(&w[i], 0), 0);
}

START_TEST(a_barrier_lets_all_in_together_and_out_together)
{
	struct cluster c;
	struct waiter w[3];

	cluster_make(&c, 3);
	cluster_open(&c);
	for (int round = 0; round < 2; round++) {
		waiter_ask(&w[0], c.nodes[0], "b", &three, HF_FOREVER);
		waiter_stands(&w[0]);
		waiter_ask(&w[1], c.nodes[1], "b", &three, HF_FOREVER);
		waiter_stands(&w[1]);
		ck_assert_int_eq(w[0].len + w[1].len, 0);
		waiter_ask(&w[2], c.nodes[2], "b", &three, HF_FOREVER);
		for (size_t i = 0; i < 3; i++)
			ck_assert_int_eq(waiter_result(&w[i], 0), 0);
		for (size_t i = 0; i < 2; i++)
			ck_assert_int_eq(hf_barrier_leave_start(&w[i].lock,
								HF_FOREVER,
								waiter_told),
					 0);
		ck_assert_uint_eq(hf_lock_safe_ms(&w[0].lock), 0);
		ck_assert_int_eq(w[0].len, 1);
		ck_assert_int_eq(hf_barrier_leave(&w[2].lock, LIVE_WAIT_MS), 0);
		for (size_t i = 0; i < 2; i++)
			ck_assert_int_eq(waiter_result(&w[i], 1), 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(who_leaves_and_waits_in_vain_is_out_all_the_same)
{
	struct cluster c;
	struct hf_lock other;
	struct waiter w[3];

	cluster_make(&c, 3);
	cluster_open(&c);
	enter(&c, w);
	expect_error(HF_ETIMEDOUT, hf_barrier_leave, &w[0].lock, SHORT_MS);
	expect_error(HF_ENOTHELD, hf_unlock, &w[0].lock, LIVE_WAIT_MS);
	/* Who comes back waits until all have left. */
	expect_error(HF_ETIMEDOUT, hf_barrier_enter, c.nodes[0], &other, "b", 3,
		     SHORT_MS);
	expect_error(HF_EPERMITS, hf_barrier_enter, c.nodes[0], &other, "b", 4,
		     LIVE_WAIT_MS);
	expect_error(HF_EKIND, hf_lock, c.nodes[0], &other, "b", NULL,
		     LIVE_WAIT_MS);
	give(&w[1].lock);
	ck_assert_int_eq(hf_barrier_leave(&w[2].lock, LIVE_WAIT_MS), 0);
	enter(&c, w);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_party_that_dies_is_as_one_that_left)
{
	struct cluster c;
	struct peer dies;
	struct waiter w[2];

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	cluster_open_node(&c, 1);
	peer_start(&dies, &c, 2, TTL_MS);
	for (size_t i = 0; i < 2; i++)
		waiter_ask(&w[i], c.nodes[i], "b", &three, HF_FOREVER);
	peer_do(&dies, PEER_ENTER, "b", LIVE_WAIT_MS);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(waiter_result(&w[i], 0), 0);
		ck_assert_int_eq(hf_barrier_leave_start(&w[i].lock, HF_FOREVER,
							waiter_told),
				 0);
	}
	ck_assert_int_eq(w[0].len, 1);
	peer_kill(&dies);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(waiter_result(&w[i], 1), 0);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_lock_is_handed_over_to_whom_its_holder_names,
	   what_cannot_be_handed_over_stays,
	   members_of_a_group_are_seen_until_they_leave,
	   a_barrier_lets_all_in_together_and_out_together,
	   who_leaves_and_waits_in_vain_is_out_all_the_same,
	   a_party_that_dies_is_as_one_that_left)
