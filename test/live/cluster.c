/* Clusters in one process, doing what they are for. */
#include "live/lib/peer.h"

#include <pthread.h>
#include <string.h>

static void take(struct hf_node *node, struct hf_lock *lock, const char *name)
{
	int rc = hf_lock(node, lock, name, NULL, LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s: %s", name, hf_strerror(rc));
	ck_assert_uint_gt(hf_lock_token(lock), 0);
	ck_assert_uint_gt(hf_lock_safe_ms(lock), 0);
}

static void give(struct hf_lock *lock)
{
	int rc = hf_unlock(lock, LIVE_WAIT_MS);

	ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
	ck_assert_uint_eq(hf_lock_safe_ms(lock), 0);
}

START_TEST(a_directory_is_enough_for_a_cluster_of_one)
{
	struct cluster c;
	struct hf_lock lock;

	cluster_make(&c, 1);
	cluster_open(&c);
	take(c.nodes[0], &lock, "a");
	uint64_t token = hf_lock_token(&lock);
	ck_assert_int_eq(hf_lock_validate(&lock, LIVE_WAIT_MS), 0);
	give(&lock);
	take(c.nodes[0], &lock, "a");
	ck_assert_uint_gt(hf_lock_token(&lock), token);
	give(&lock);
	cluster_remove(&c);
}
END_TEST

START_TEST(tokens_rise_over_a_restart_of_the_only_node)
{
	struct cluster c;
	struct hf_lock lock;
	uint64_t token = 0;

	cluster_make(&c, 1);
	for (int i = 0; i < 3; i++) {
		cluster_open(&c);
		take(c.nodes[0], &lock, "a");
		ck_assert_uint_gt(hf_lock_token(&lock), token);
		token = hf_lock_token(&lock);
		cluster_close_node(&c, 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(a_closed_node_leaves_its_locks_to_others_at_once)
{
	struct cluster c;
	struct hf_lock first, second;
	uint64_t begin;

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t i = cluster_follower(&c), leader = cluster_leader(&c);
	take(c.nodes[i], &first, "a");
	uint64_t token = hf_lock_token(&first);
	begin = live_now_ms();
	cluster_close_node(&c, i);
	take(c.nodes[leader], &second, "a");
	ck_assert_uint_lt(live_now_ms() - begin, LIVE_TTL_MS);
	ck_assert_uint_gt(hf_lock_token(&second), token);
	cluster_remove(&c);
}
END_TEST

START_TEST(three_nodes_hand_one_lock_over_with_rising_tokens)
{
	struct cluster c;
	struct hf_lock lock;
	uint64_t token = 0;

	cluster_make(&c, 3);
	cluster_open(&c);
	for (size_t i = 0; i < 12; i++) {
		take(c.nodes[i % 3], &lock, "a");
		ck_assert_uint_gt(hf_lock_token(&lock), token);
		token = hf_lock_token(&lock);
		give(&lock);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(what_one_node_holds_no_other_gets)
{
	struct cluster c;
	struct hf_lock mine, theirs;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[0], &mine, "a");
	for (size_t i = 0; i < 3; i++) {
		/* Of this node the same thread would wait for itself. */
		struct hf_lock_options other = { .size = sizeof(other),
						 .owner = 7 };

		ck_assert_int_eq(hf_trylock(c.nodes[i], &theirs, "a", NULL),
				 HF_EHELD);
		ck_assert_int_eq(hf_lock(c.nodes[i], &theirs, "a", &other, 50),
				 HF_ETIMEDOUT);
		ck_assert_uint_eq(hf_lock_token(&theirs), 0);
	}
	ck_assert_int_eq(hf_lock_validate(&mine, LIVE_WAIT_MS), 0);
	give(&mine);
	ck_assert_int_eq(hf_unlock(&mine, LIVE_WAIT_MS), HF_ENOTHELD);
	cluster_remove(&c);
}
END_TEST

START_TEST(readers_share_and_permits_are_counted)
{
	struct hf_lock_options shared = { .size = sizeof(shared),
					  .mode = HF_SHARED };
	struct hf_lock_options permits = { .size = sizeof(permits),
					   .mode = HF_PERMITS,
					   .permits = 2,
					   .limit = 3 };
	struct cluster c;
	struct hf_lock a, b, none;

	cluster_make(&c, 3);
	cluster_open(&c);
	ck_assert_int_eq(hf_lock(c.nodes[0], &a, "r", &shared, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(hf_lock(c.nodes[1], &b, "r", &shared, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(hf_trylock(c.nodes[2], &none, "r", NULL), HF_EHELD);
	give(&a);
	give(&b);
	ck_assert_int_eq(hf_lock(c.nodes[0], &a, "s", &permits, LIVE_WAIT_MS),
			 0);
	ck_assert_int_eq(hf_trylock(c.nodes[1], &none, "s", &permits),
			 HF_EHELD);
	permits.permits = 1;
	ck_assert_int_eq(hf_lock(c.nodes[1], &b, "s", &permits, LIVE_WAIT_MS),
			 0);
	permits.limit = 4;
	ck_assert_int_eq(hf_trylock(c.nodes[2], &none, "s", &permits),
			 HF_EPERMITS);
	give(&a);
	give(&b);
	cluster_remove(&c);
}
END_TEST

struct waiter {
	struct hf_node *node;
	struct hf_lock lock;
	struct hf_lock_options options;
	pthread_t thread;
	int rc;
};

static void *wait_for_lock(void *arg)
{
	struct waiter *w = arg;

	w->rc = hf_lock(w->node, &w->lock, "a", &w->options, LIVE_WAIT_MS);
	return NULL;
}

struct line {
	struct hf_node *node;
	struct hf_claim claims[4];
	size_t total, wanted;
};

static bool line_is_long_enough(void *arg)
{
	struct line *l = arg;

	ck_assert_int_eq(
		hf_lock_status(l->node, "a", 1, l->claims, 4, &l->total), 0);
	return l->total >= l->wanted;
}

START_TEST(the_line_of_a_lock_is_seen_and_served_in_its_order)
{
	struct cluster c;
	struct hf_lock lock;
	struct waiter waiters[2] = { 0 };
	struct line line = { .wanted = 1 };

	cluster_make(&c, 3);
	cluster_open(&c);
	line.node = c.nodes[0];
	take(c.nodes[0], &lock, "a");
	for (size_t i = 0; i < 2; i++) {
		waiters[i].node = c.nodes[i + 1];
		waiters[i].options = (struct hf_lock_options){
			.size = sizeof(struct hf_lock_options), .owner = 70 + i
		};
		pthread_create(&waiters[i].thread, NULL, wait_for_lock,
			       &waiters[i]);
		line.wanted++;
		ck_assert(live_wait(line_is_long_enough, &line));
	}
	ck_assert_uint_eq(line.claims[0].token, hf_lock_token(&lock));
	ck_assert_uint_eq(line.claims[0].node, 1);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(line.claims[i + 1].token, 0);
		ck_assert_uint_eq(line.claims[i + 1].node, i + 2);
		ck_assert_uint_eq(line.claims[i + 1].owner, 70 + i);
	}
	give(&lock);
	for (size_t i = 0; i < 2; i++) {
		pthread_join(waiters[i].thread, NULL);
		ck_assert_int_eq(waiters[i].rc, 0);
		give(&waiters[i].lock);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(the_leader_closed_another_grants)
{
	struct cluster c;
	struct hf_lock lock, kept;

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t follower = cluster_follower(&c);
	take(c.nodes[follower], &kept, "kept");
	cluster_close_node(&c, cluster_leader(&c));
	take(c.nodes[follower], &lock, "a");
	ck_assert_int_eq(hf_lock_validate(&kept, LIVE_WAIT_MS), 0);
	give(&lock);
	give(&kept);
	cluster_remove(&c);
}
END_TEST

START_TEST(two_clusters_in_one_process_know_nothing_of_each_other)
{
	struct cluster a, b;
	struct hf_lock in_a, in_b;

	cluster_make(&a, 3);
	cluster_make(&b, 1);
	cluster_open(&a);
	cluster_open(&b);
	take(a.nodes[0], &in_a, "a");
	take(b.nodes[0], &in_b, "a");
	give(&in_a);
	ck_assert_int_eq(hf_lock_validate(&in_b, LIVE_WAIT_MS), 0);
	cluster_remove(&a);
	ck_assert_int_eq(hf_lock_validate(&in_b, LIVE_WAIT_MS), 0);
	give(&in_b);
	cluster_remove(&b);
}
END_TEST

static bool all_linked(void *arg)
{
	struct cluster *c = arg;
	struct hf_status leader = status_of(c->nodes[cluster_leader(c)]);

	for (size_t i = 0; i < leader.members_len; i++)
		if (!leader.members[i].linked)
			return false;
	return leader.sessions == c->len;
}

START_TEST(status_shows_the_members_and_the_sessions)
{
	struct hf_session_info sessions[4];
	struct cluster c;
	size_t total;

	cluster_make(&c, 3);
	cluster_open(&c);
	ck_assert(live_wait(all_linked, &c));
	size_t leader = cluster_leader(&c);
	struct hf_status s = status_of(c.nodes[leader]);
	ck_assert_uint_eq(s.id, leader + 1);
	ck_assert_uint_eq(s.members_len, 3);
	ck_assert(!s.failed);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(s.members[i].address, c.addresses[i]);
	ck_assert_int_eq(hf_sessions(c.nodes[leader], sessions, 4, &total), 0);
	ck_assert_uint_eq(total, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(sessions[i].ttl_ms, LIVE_TTL_MS);
		ck_assert_int_gt(sessions[i].left_ms, 0);
		ck_assert_uint_eq(sessions[i].holds, 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(without_a_majority_nothing_is_granted_and_nothing_hangs)
{
	struct cluster c;
	struct hf_lock lock;

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	int rc = hf_lock(c.nodes[0], &lock, "a", NULL, 300);
	ck_assert_msg(rc == HF_ENOLEADER || rc == HF_ETIMEDOUT, "%s",
		      hf_strerror(rc));
	ck_assert_int_eq(status_of(c.nodes[0]).session_state, HF_SESSION_NONE);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_directory_is_enough_for_a_cluster_of_one,
	   tokens_rise_over_a_restart_of_the_only_node,
	   a_closed_node_leaves_its_locks_to_others_at_once,
	   three_nodes_hand_one_lock_over_with_rising_tokens,
	   what_one_node_holds_no_other_gets,
	   readers_share_and_permits_are_counted,
	   the_line_of_a_lock_is_seen_and_served_in_its_order,
	   the_leader_closed_another_grants,
	   two_clusters_in_one_process_know_nothing_of_each_other,
	   status_shows_the_members_and_the_sessions,
	   without_a_majority_nothing_is_granted_and_nothing_hangs)
