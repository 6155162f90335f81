/* Processes that are stopped and wake up believing that they hold. */
#include "live/lib/peer.h"

#define TTL_MS 1500

/* A cluster whose holder is a process that was stopped while another took the
 * lock. */
struct pause {
	struct cluster cluster;
	struct peer peers[LIVE_NODES_MAX];
	size_t holder, other;
	uint64_t stale, fresh; /* tokens */
};

static void pause_begin(struct pause *p)
{
	cluster_make(&p->cluster, LIVE_NODES_MAX);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_start(&p->peers[i], &p->cluster, i, TTL_MS);
	size_t leader = peers_leader(p->peers, LIVE_NODES_MAX);
	p->holder = (leader + 1) % 3;
	p->other = (leader + 2) % 3;
	p->stale = peer_do(&p->peers[p->holder], PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_stop(&p->peers[p->holder]);
	p->fresh = peer_do(&p->peers[p->other], PEER_LOCK, "a", LIVE_WAIT_MS);
}

static void pause_end(struct pause *p)
{
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_kill(&p->peers[i]);
	cluster_remove(&p->cluster);
}

START_TEST(a_holder_that_wakes_knows_that_nothing_is_safe)
{
	struct pause p;

	pause_begin(&p);
	/* Asked while it sleeps, so that it answers as it wakes. */
	peer_ask(&p.peers[p.holder], PEER_SAFE, "a", 0);
	peer_continue(&p.peers[p.holder]);
	struct peer_answer safe = peer_take(&p.peers[p.holder]);
	ck_assert_int_eq(safe.rc, 0);
	ck_assert_uint_eq(safe.value, 0);
	pause_end(&p);
}
END_TEST

START_TEST(the_token_of_a_holder_that_slept_is_refused)
{
	struct hf_guard guard = { 0 };
	struct pause p;

	pause_begin(&p);
	ck_assert_uint_gt(p.fresh, p.stale);
	ck_assert_int_eq(hf_guard_check(&guard, HF_EXCLUSIVE, p.fresh), 0);
	ck_assert_int_eq(hf_guard_check(&guard, HF_EXCLUSIVE, p.stale),
			 HF_EFENCED);
	pause_end(&p);
}
END_TEST

static bool lost_is_told(void *arg)
{
	struct pause *p = arg;

	return peer_do(&p->peers[p->holder], PEER_LOST, "", 0) == p->stale;
}

START_TEST(a_holder_that_slept_is_told_of_its_loss_and_can_begin_anew)
{
	struct pause p;

	pause_begin(&p);
	struct peer *holder = &p.peers[p.holder];
	peer_continue(holder);
	ck_assert(live_wait(lost_is_told, &p));
	peer_ask(holder, PEER_VALIDATE, "a", LIVE_WAIT_MS);
	ck_assert_int_lt(peer_take(holder).rc, 0);
	peer_ask(holder, PEER_UNLOCK, "a", LIVE_WAIT_MS);
	int rc = peer_take(holder).rc;
	ck_assert_msg(rc == HF_ESESSION || rc == HF_ENOTHELD, "%s",
		      hf_strerror(rc));
	/* The loss was the former hold's, not the other's. */
	peer_do(&p.peers[p.other], PEER_VALIDATE, "a", LIVE_WAIT_MS);
	peer_do(&p.peers[p.other], PEER_UNLOCK, "a", LIVE_WAIT_MS);
	ck_assert_uint_gt(peer_do(holder, PEER_LOCK, "a", LIVE_WAIT_MS),
			  p.fresh);
	pause_end(&p);
}
END_TEST

START_TEST(a_stopped_leader_is_replaced_and_grants_nothing_on_waking)
{
	struct cluster c;
	struct peer peers[LIVE_NODES_MAX];

	cluster_make(&c, LIVE_NODES_MAX);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_start(&peers[i], &c, i, TTL_MS);
	size_t leader = peers_leader(peers, LIVE_NODES_MAX);
	size_t other = (leader + 1) % 3;
	peer_stop(&peers[leader]);
	uint64_t token = peer_do(&peers[other], PEER_LOCK, "a", LIVE_WAIT_MS);
	/* The one that slept tries at once: it must learn of the other's hold.
	 */
	peer_ask(&peers[leader], PEER_LOCK, "a", 0);
	peer_continue(&peers[leader]);
	struct peer_answer a = peer_take(&peers[leader]);
	ck_assert_msg(a.rc != 0, "token %llu beside %llu",
		      (unsigned long long)a.value, (unsigned long long)token);
	peer_do(&peers[other], PEER_VALIDATE, "a", LIVE_WAIT_MS);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_kill(&peers[i]);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_holder_that_wakes_knows_that_nothing_is_safe,
	   the_token_of_a_holder_that_slept_is_refused,
	   a_holder_that_slept_is_told_of_its_loss_and_can_begin_anew,
	   a_stopped_leader_is_replaced_and_grants_nothing_on_waking)
