/* Rules that other lock services learnt the hard way, on real processes:
 * unlocks that nobody confirmed, leaders cut off from their majority, grants to
 * sessions of the past, losses told too often. doc/lessons.md lists them all; a
 * test's number is its rule's. */
#include "live/lib/peer.h"

#define SHORT_TTL_MS 1500
#define LONG_TTL_MS 120000 /* no lease ends within a test */
#define UNKNOWN_MS 200

struct hard {
	struct cluster cluster;
	struct peer peers[LIVE_NODES_MAX];
	struct peer *leader, *second, *third;
};

static void hard_begin(struct hard *h, uint32_t ttl_ms)
{
	cluster_make(&h->cluster, LIVE_NODES_MAX);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_start(&h->peers[i], &h->cluster, i, ttl_ms);
	size_t leader = peers_leader(h->peers, LIVE_NODES_MAX);
	h->leader = &h->peers[leader];
	h->second = &h->peers[(leader + 1) % LIVE_NODES_MAX];
	h->third = &h->peers[(leader + 2) % LIVE_NODES_MAX];
}

static void hard_end(struct hard *h)
{
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_kill(&h->peers[i]);
	cluster_remove(&h->cluster);
}

static int result(struct peer *p, enum peer_verb verb, const char *name,
		  uint32_t ms)
{
	peer_ask(p, verb, name, ms);
	return peer_take(p).rc;
}

/* Is there a waiter behind the holder of "a"? */
static bool line_has_two(void *arg)
{
	struct hard *h = arg;

	return peer_do(h->leader, PEER_LINE, "a", 0) == 2;
}

/* The leader is killed with the release unread: somebody must ask again. */
START_TEST(lesson_13_an_unknown_unlock_is_confirmed_when_it_can_be)
{
	struct hard h;

	hard_begin(&h, LONG_TTL_MS);
	uint64_t token = peer_do(h.second, PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_stop(h.leader);
	peer_stop(h.third);
	ck_assert_int_eq(result(h.second, PEER_UNLOCK, "a", UNKNOWN_MS),
			 HF_EUNKNOWN);
	peer_kill(h.leader);
	peer_continue(h.third);
	/* Long before the lease would have ended. */
	ck_assert_uint_gt(peer_do(h.third, PEER_LOCK, "a", LIVE_WAIT_MS),
			  token);
	hard_end(&h);
}
END_TEST

START_TEST(lesson_09_a_leader_without_a_majority_confirms_nothing)
{
	struct hard h;

	hard_begin(&h, LONG_TTL_MS);
	uint64_t token = peer_do(h.leader, PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_stop(h.second);
	peer_stop(h.third);
	int rc = result(h.leader, PEER_VALIDATE, "a", 1000);
	ck_assert_msg(rc == HF_ETIMEDOUT || rc == HF_ENOLEADER, "%s",
		      hf_strerror(rc));
	rc = result(h.leader, PEER_LOCK, "b", 1000);
	ck_assert_msg(rc == HF_ETIMEDOUT || rc == HF_ENOLEADER, "%s",
		      hf_strerror(rc));
	peer_continue(h.second);
	peer_continue(h.third);
	peer_do(h.leader, PEER_VALIDATE, "a", LIVE_WAIT_MS);
	ck_assert_uint_eq(peer_do(h.leader, PEER_TOKEN, "a", 0), token);
	hard_end(&h);
}
END_TEST

/* One call is over and certain, the other may yet have happened; each must be
 * as it was said. */
START_TEST(lesson_11_not_done_and_unknown_are_told_apart)
{
	struct hard h;

	hard_begin(&h, LONG_TTL_MS);
	uint64_t token = peer_do(h.second, PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_stop(h.leader);
	peer_stop(h.third);
	int rc = result(h.second, PEER_LOCK, "b", 1000);
	ck_assert_int_eq(hf_outcome(rc), HF_OUTCOME_NOTHING);
	rc = result(h.second, PEER_UNLOCK, "a", UNKNOWN_MS);
	ck_assert_int_eq(hf_outcome(rc), HF_OUTCOME_UNKNOWN);
	peer_continue(h.leader);
	peer_continue(h.third);
	/* Neither lease has ended: "b" isn't held, and "a" not any more. */
	peer_do(h.third, PEER_LOCK, "b", LIVE_WAIT_MS);
	ck_assert_uint_gt(peer_do(h.third, PEER_LOCK, "a", LIVE_WAIT_MS),
			  token);
	ck_assert_int_eq(hf_outcome(result(h.second, PEER_LOCK, "b", 0)),
			 HF_OUTCOME_REFUSED);
	hard_end(&h);
}
END_TEST

/* A waiter is stopped, is given the lock in its sleep, and its session ends. */
static uint64_t sleep_through_a_grant(struct hard *h)
{
	peer_do(h->leader, PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_ask(h->second, PEER_LOCK, "a", LIVE_WAIT_MS);
	ck_assert(live_wait(line_has_two, h));
	peer_stop(h->second);
	peer_do(h->leader, PEER_UNLOCK, "a", LIVE_WAIT_MS);
	return peer_do(h->third, PEER_LOCK, "a", LIVE_WAIT_MS);
}

START_TEST(lesson_15_a_grant_of_the_former_session_is_none)
{
	struct hard h;

	hard_begin(&h, SHORT_TTL_MS);
	uint64_t token = sleep_through_a_grant(&h);
	peer_continue(h.second);
	struct peer_answer a = peer_take(h.second);
	if (a.rc == 0) { /* it had been sent, and comes now */
		ck_assert_uint_lt(a.value, token);
		ck_assert_uint_eq(peer_do(h.second, PEER_SAFE, "a", 0), 0);
		ck_assert_int_ne(
			result(h.second, PEER_VALIDATE, "a", LIVE_WAIT_MS), 0);
	} else {
		ck_assert_int_eq(a.rc, HF_ESESSION);
	}
	peer_do(h.third, PEER_VALIDATE, "a", LIVE_WAIT_MS);
	hard_end(&h);
}
END_TEST

static bool has_lost(void *arg)
{
	struct hard *h = arg;

	return peer_do(h->second, PEER_LOSSES, "", 0) > 0;
}

START_TEST(lesson_17_a_loss_is_told_once_and_only_of_what_was_held)
{
	struct hard h;

	hard_begin(&h, SHORT_TTL_MS);
	/* It holds one, and waits for another that it never gets. */
	uint64_t token = peer_do(h.second, PEER_LOCK, "held", LIVE_WAIT_MS);
	peer_do(h.leader, PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_ask(h.second, PEER_LOCK, "a", LIVE_WAIT_MS);
	ck_assert(live_wait(line_has_two, &h));
	peer_stop(h.second);
	peer_do(h.third, PEER_LOCK, "held", LIVE_WAIT_MS);
	peer_continue(h.second);
	ck_assert_int_eq(peer_take(h.second).rc, HF_ESESSION);
	ck_assert(live_wait(has_lost, &h));
	ck_assert_uint_eq(peer_do(h.second, PEER_LOST, "", 0), token);
	ck_assert_int_eq(result(h.second, PEER_UNLOCK, "held", LIVE_WAIT_MS),
			 HF_ESESSION);
	/* Neither the next session nor its end tells of it again. */
	peer_do(h.second, PEER_LOCK, "other", LIVE_WAIT_MS);
	peer_do(h.second, PEER_UNLOCK, "other", LIVE_WAIT_MS);
	ck_assert_uint_eq(peer_do(h.second, PEER_LOSSES, "", 0), 1);
	hard_end(&h);
}
END_TEST

/* Stopped for longer than the TTL of what it had granted, while others took
 * over: on waking it is deposed, whatever its own clock says is due. */
START_TEST(lesson_08_a_leader_that_wakes_ends_no_session_that_lives)
{
	struct hard h;

	hard_begin(&h, SHORT_TTL_MS);
	uint64_t token = peer_do(h.second, PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_do(h.leader, PEER_LOCK, "b", LIVE_WAIT_MS);
	peer_stop(h.leader);
	/* A TTL passes until this is granted. */
	peer_do(h.third, PEER_LOCK, "b", LIVE_WAIT_MS);
	peer_continue(h.leader);
	for (int i = 0; i < 20; i++) {
		peer_do(h.leader, PEER_LEADER, "", 0);
		peer_do(h.second, PEER_VALIDATE, "a", LIVE_WAIT_MS);
		peer_do(h.third, PEER_VALIDATE, "b", LIVE_WAIT_MS);
	}
	ck_assert_uint_eq(peer_do(h.second, PEER_TOKEN, "a", 0), token);
	ck_assert_uint_eq(peer_do(h.second, PEER_LOSSES, "", 0), 0);
	hard_end(&h);
}
END_TEST

LIVE_SUITE(lesson_11_not_done_and_unknown_are_told_apart,
	   lesson_13_an_unknown_unlock_is_confirmed_when_it_can_be,
	   lesson_09_a_leader_without_a_majority_confirms_nothing,
	   lesson_15_a_grant_of_the_former_session_is_none,
	   lesson_17_a_loss_is_told_once_and_only_of_what_was_held,
	   lesson_08_a_leader_that_wakes_ends_no_session_that_lives)
