/* Processes that die. */
#include "live/lib/peer.h"

#define SHORT_TTL_MS 2000
#define LONG_TTL_MS 120000
/* The promise is the TTL, an election and a second; the rest is for slow
 * machines. */
#define PASS_ON_MS (SHORT_TTL_MS + 300 + 1000 + 8000)

static void start_all(struct peer *peers, struct cluster *c, uint32_t ttl_ms)
{
	cluster_make(c, LIVE_NODES_MAX);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_start(&peers[i], c, i, ttl_ms);
}

static void end_all(struct peer *peers, struct cluster *c)
{
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_kill(&peers[i]);
	cluster_remove(c);
}

START_TEST(the_lock_of_a_killed_process_passes_on_when_its_lease_ends)
{
	struct peer peers[LIVE_NODES_MAX];
	struct cluster c;

	start_all(peers, &c, SHORT_TTL_MS);
	size_t leader = peers_leader(peers, LIVE_NODES_MAX);
	size_t holder = (leader + 1) % 3, waiter = (leader + 2) % 3;
	uint64_t token = peer_do(&peers[holder], PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_ask(&peers[waiter], PEER_LOCK, "a", LIVE_WAIT_MS);
	uint64_t begin = live_now_ms();
	peer_kill(&peers[holder]);
	struct peer_answer a = peer_take(&peers[waiter]);
	ck_assert_int_eq(a.rc, 0);
	ck_assert_uint_gt(a.value, token);
	ck_assert_uint_le(live_now_ms() - begin, PASS_ON_MS);
	end_all(peers, &c);
}
END_TEST

START_TEST(the_former_session_of_a_restarted_member_ends_at_once)
{
	struct peer peers[LIVE_NODES_MAX];
	struct cluster c;

	start_all(peers, &c, LONG_TTL_MS);
	size_t leader = peers_leader(peers, LIVE_NODES_MAX);
	size_t holder = (leader + 1) % 3, waiter = (leader + 2) % 3;
	uint64_t token = peer_do(&peers[holder], PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_ask(&peers[waiter], PEER_LOCK, "a", LONG_TTL_MS);
	uint64_t begin = live_now_ms();
	peer_kill(&peers[holder]);
	peer_start(&peers[holder], &c, holder, LONG_TTL_MS);
	struct peer_answer a = peer_take(&peers[waiter]);
	ck_assert_int_eq(a.rc, 0);
	ck_assert_uint_gt(a.value, token);
	ck_assert_uint_lt(live_now_ms() - begin, LONG_TTL_MS / 4);
	end_all(peers, &c);
}
END_TEST

START_TEST(the_leader_killed_another_grants_and_holds_stay)
{
	struct peer peers[LIVE_NODES_MAX];
	struct cluster c;

	start_all(peers, &c, LIVE_TTL_MS);
	size_t leader = peers_leader(peers, LIVE_NODES_MAX);
	size_t holder = (leader + 1) % 3, other = (leader + 2) % 3;
	uint64_t kept =
		peer_do(&peers[holder], PEER_LOCK, "kept", LIVE_WAIT_MS);
	peer_kill(&peers[leader]);
	uint64_t token = peer_do(&peers[other], PEER_LOCK, "a", LIVE_WAIT_MS);
	ck_assert_uint_ne(token, kept);
	peer_do(&peers[holder], PEER_VALIDATE, "kept", LIVE_WAIT_MS);
	ck_assert_uint_eq(peer_do(&peers[holder], PEER_TOKEN, "kept", 0), kept);
	peer_do(&peers[holder], PEER_UNLOCK, "kept", LIVE_WAIT_MS);
	end_all(peers, &c);
}
END_TEST

START_TEST(holds_outlive_three_changes_of_the_leader)
{
	struct peer peers[LIVE_NODES_MAX];
	struct cluster c;

	start_all(peers, &c, LONG_TTL_MS);
	size_t first = peers_leader(peers, LIVE_NODES_MAX);
	size_t holder = (first + 1) % 3;
	peer_do(&peers[holder], PEER_LOCK, "kept", LIVE_WAIT_MS);
	for (int i = 0; i < 3; i++) {
		size_t leader = peers_leader(peers, LIVE_NODES_MAX);

		if (leader ==
		    holder) /* another's turn: let it lead and go on */
			leader = (holder + 1) % 3;
		peer_kill(&peers[leader]);
		peer_do(&peers[holder], PEER_VALIDATE, "kept", LIVE_WAIT_MS);
		peer_start(&peers[leader], &c, leader, LONG_TTL_MS);
	}
	peer_do(&peers[holder], PEER_VALIDATE, "kept", LIVE_WAIT_MS);
	end_all(peers, &c);
}
END_TEST

START_TEST(all_killed_and_restarted_tokens_go_on_rising)
{
	struct peer peers[LIVE_NODES_MAX];
	struct cluster c;

	start_all(peers, &c, LONG_TTL_MS);
	uint64_t token = peer_do(&peers[0], PEER_LOCK, "a", LIVE_WAIT_MS);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_kill(&peers[i]);
	for (size_t i = 0; i < LIVE_NODES_MAX; i++)
		peer_start(&peers[i], &c, i, LONG_TTL_MS);
	ck_assert_uint_gt(peer_do(&peers[2], PEER_LOCK, "a", LIVE_WAIT_MS),
			  token);
	end_all(peers, &c);
}
END_TEST

START_TEST(a_waiter_that_dies_does_not_hold_up_the_line)
{
	struct peer peers[LIVE_NODES_MAX];
	struct cluster c;

	start_all(peers, &c, SHORT_TTL_MS);
	size_t leader = peers_leader(peers, LIVE_NODES_MAX);
	size_t dies = (leader + 1) % 3, lives = (leader + 2) % 3;
	peer_do(&peers[leader], PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_ask(&peers[dies], PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_ask(&peers[lives], PEER_LOCK, "a", LIVE_WAIT_MS);
	peer_kill(&peers[dies]);
	peer_do(&peers[leader], PEER_UNLOCK, "a", LIVE_WAIT_MS);
	ck_assert_int_eq(peer_take(&peers[lives]).rc, 0);
	end_all(peers, &c);
}
END_TEST

LIVE_SUITE(the_lock_of_a_killed_process_passes_on_when_its_lease_ends,
	   the_former_session_of_a_restarted_member_ends_at_once,
	   the_leader_killed_another_grants_and_holds_stay,
	   holds_outlive_three_changes_of_the_leader,
	   all_killed_and_restarted_tokens_go_on_rising,
	   a_waiter_that_dies_does_not_hold_up_the_line)
