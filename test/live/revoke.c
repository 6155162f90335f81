/* Revocations as their holders meet them. */
#include "live/lib/peer.h"
#include "live/lib/waiter.h"

#include <string.h>
#include <time.h>

#define TTL_MS 3000
#define GRACE_MS 500

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

/* Node 0 is told of what happens to its holds. */
static void open_told(struct cluster *c, struct told *told)
{
	cluster_make(c, 3);
	memset(told, 0, sizeof(*told));
	for (size_t i = 0; i < 3; i++) {
		struct hf_options o = cluster_options(c, i);

		o.on_event = i == 0 ? told_event : NULL;
		o.arg = told;
		o.margin_ms = 50;
		ck_assert_int_eq(hf_open(&c->nodes[i], &o, NULL), 0);
	}
}

START_TEST(a_revoked_holder_is_told_who_and_why_and_loses_it_after_the_grace)
{
	struct cluster c;
	struct hf_lock a;
	struct waiter next;
	struct told told;

	open_told(&c, &told);
	take(c.nodes[0], &a, "a", NULL);
	uint64_t token = hf_lock_token(&a);
	waiter_ask(&next, c.nodes[1], "a", NULL, HF_FOREVER);
	waiter_stands(&next);
	uint64_t before = live_now_ms();
	ck_assert_int_eq(
		hf_revoke(c.nodes[1], token, GRACE_MS, "go away", LIVE_WAIT_MS),
		0);
	ck_assert(live_wait(told_revoked, &told));
	ck_assert_uint_eq(told.revoked_token, token);
	ck_assert_uint_eq(told.by, 2);
	ck_assert_str_eq(told.text, "go away");
	ck_assert_uint_le(told.left_ms, GRACE_MS);
	ck_assert_uint_le(hf_lock_safe_ms(&a), GRACE_MS);
	while (next.len == 0)
		ck_assert(hf_lock_safe_ms(&a) == 0 || next.len == 0);
	ck_assert_int_eq(waiter_result(&next, 0), 0);
	/* Long before its session's end, since it has confirmed. */
	ck_assert_uint_ge(live_now_ms() - before, GRACE_MS);
	ck_assert_uint_lt(live_now_ms() - before, LIVE_TTL_MS / 2);
	ck_assert(live_wait(told_lost, &told));
	ck_assert_int_eq(told.lost_rc, HF_EREVOKED);
	ck_assert_int_eq(told.revoked, 1);
	expect_error(HF_EREVOKED, hf_unlock, &a, LIVE_WAIT_MS);
	give(&next.lock);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_release_before_the_grace_is_over_is_a_clean_one)
{
	struct hf_lock_options delayed = { .size = sizeof(delayed),
					   .delay_ms = 60000 };
	struct cluster c;
	struct hf_lock a, b;
	struct told told;

	open_told(&c, &told);
	take(c.nodes[0], &a, "a", &delayed);
	ck_assert_int_eq(hf_revoke(c.nodes[2], hf_lock_token(&a), 10000, NULL,
				   LIVE_WAIT_MS),
			 0);
	ck_assert(live_wait(told_revoked, &told));
	ck_assert_str_eq(told.text, "");
	give(&a);
	take(c.nodes[1], &b, "a", NULL);
	give(&b);
	ck_assert_int_eq(told.lost, 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_second_revocation_counts_if_it_is_earlier)
{
	struct cluster c;
	struct hf_lock a;
	struct told told;

	open_told(&c, &told);
	take(c.nodes[0], &a, "a", NULL);
	uint64_t token = hf_lock_token(&a);
	ck_assert_int_eq(
		hf_revoke(c.nodes[1], token, 60000, "one", LIVE_WAIT_MS), 0);
	ck_assert(live_wait(told_revoked, &told));
	ck_assert_uint_gt(hf_lock_safe_ms(&a), 10 * GRACE_MS);
	ck_assert_int_eq(
		hf_revoke(c.nodes[1], token, 60000, "two", LIVE_WAIT_MS), 0);
	ck_assert_int_eq(
		hf_revoke(c.nodes[1], token, GRACE_MS, "three", LIVE_WAIT_MS),
		0);
	ck_assert(live_wait(told_lost, &told));
	ck_assert_int_eq(told.revoked, 2);
	ck_assert_str_eq(told.text, "three");
	cluster_remove(&c);
}
END_TEST

START_TEST(a_conversion_keeps_the_revocation)
{
	struct hf_lock_options shared = { .size = sizeof(shared),
					  .mode = HF_SHARED };
	struct cluster c;
	struct hf_lock a;
	struct told told;

	open_told(&c, &told);
	take(c.nodes[0], &a, "a", &shared);
	ck_assert_int_eq(hf_revoke(c.nodes[1], hf_lock_token(&a), 2 * GRACE_MS,
				   "go", LIVE_WAIT_MS),
			 0);
	ck_assert(live_wait(told_revoked, &told));
	ck_assert_int_eq(hf_lock_convert(&a, HF_EXCLUSIVE, 0, LIVE_WAIT_MS), 0);
	ck_assert_uint_le(hf_lock_safe_ms(&a), 2 * GRACE_MS);
	uint64_t token = hf_lock_token(&a);
	ck_assert(live_wait(told_lost, &told));
	ck_assert_uint_eq(told.lost_token, token);
	ck_assert_int_eq(told.lost_rc, HF_EREVOKED);
	ck_assert_int_eq(told.revoked, 1);
	cluster_remove(&c);
}
END_TEST

/* A holder that is stopped confirms nothing: until its session could have ended
 * by itself nobody else gets the lock, and on waking it isn't safe. */
START_TEST(a_holder_that_sleeps_loses_nothing_before_its_session_could_end)
{
	struct cluster c;
	struct peer holder;
	struct waiter next;

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	cluster_open_node(&c, 1);
	peer_start(&holder, &c, 2, TTL_MS);
	uint64_t token = peer_do(&holder, PEER_LOCK, "a", LIVE_WAIT_MS);
	waiter_ask(&next, c.nodes[0], "a", NULL, HF_FOREVER);
	waiter_stands(&next);
	peer_stop(&holder);
	uint64_t before = live_now_ms();
	ck_assert_int_eq(hf_revoke(c.nodes[0], token, 0, "now", LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(waiter_result(&next, 0), 0);
	/* Its newest renewal may be a renewal's interval old. */
	ck_assert_uint_gt(live_now_ms() - before, TTL_MS / 2);
	peer_ask(&holder, PEER_SAFE, "a", 0);
	peer_continue(&holder);
	ck_assert_uint_eq(peer_take(&holder).value, 0);
	give(&next.lock);
	peer_kill(&holder);
	cluster_remove(&c);
}
END_TEST

struct sleeper {
	struct peer *peer;
	uint64_t token;
};

static bool has_lost(void *arg)
{
	const struct sleeper *s = arg;

	return peer_do(s->peer, PEER_LOST, "", 0) == s->token;
}

/* It wakes in time to renew its session: with the answer comes the notice. */
START_TEST(a_holder_that_wakes_in_time_is_told_with_its_renewal)
{
	struct cluster c;
	struct peer holder;
	struct waiter next;

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	cluster_open_node(&c, 1);
	peer_start(&holder, &c, 2, 4 * TTL_MS);
	uint64_t token = peer_do(&holder, PEER_LOCK, "a", LIVE_WAIT_MS);
	waiter_ask(&next, c.nodes[0], "a", NULL, HF_FOREVER);
	waiter_stands(&next);
	peer_stop(&holder);
	ck_assert_int_eq(hf_revoke(c.nodes[0], token, 0, "now", LIVE_WAIT_MS),
			 0);
	uint64_t before = live_now_ms();
	struct timespec nap = { .tv_nsec = 500000000 };
	nanosleep(&nap, NULL);
	ck_assert_int_eq(next.len, 0);
	peer_continue(&holder);
	ck_assert_int_eq(waiter_result(&next, 0), 0);
	ck_assert_uint_lt(live_now_ms() - before, 3 * TTL_MS);
	ck_assert_uint_eq(peer_do(&holder, PEER_SAFE, "a", 0), 0);
	struct sleeper sleeper = { &holder, token };
	ck_assert(live_wait(has_lost, &sleeper));
	/* Its session goes on. */
	peer_do(&holder, PEER_LOCK, "b", LIVE_WAIT_MS);
	peer_kill(&holder);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_revoked_holder_is_told_who_and_why_and_loses_it_after_the_grace,
	   a_release_before_the_grace_is_over_is_a_clean_one,
	   a_second_revocation_counts_if_it_is_earlier,
	   a_conversion_keeps_the_revocation,
	   a_holder_that_sleeps_loses_nothing_before_its_session_could_end,
	   a_holder_that_wakes_in_time_is_told_with_its_renewal)
