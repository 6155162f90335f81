/* What a hold may have besides: a limit, a lease of its own, a rank, several
 * locks, something that it shows; and how it stands in the line. */
#include "live/lib/peer.h"
#include "live/lib/waiter.h"

#include <string.h>
#include <time.h>

#define HOLD_MS 2000 /* a busy machine may stall for some of it */

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

/* It must say 0 before anybody else can get the lock. */
START_TEST(a_hold_with_a_limit_is_not_safe_when_it_ends)
{
	struct hf_lock_options limited = { .size = sizeof(limited),
					   .hold_ms = HOLD_MS };
	struct cluster c;
	struct hf_lock a;
	struct waiter next;
	struct told told;

	open_told(&c, &told);
	take(c.nodes[0], &a, "a", &limited);
	uint64_t token = hf_lock_token(&a);
	ck_assert_uint_gt(hf_lock_safe_ms(&a), 0);
	ck_assert_uint_le(hf_lock_safe_ms(&a), HOLD_MS);
	waiter_ask(&next, c.nodes[1], "a", NULL, LIVE_WAIT_MS);
	while (next.len == 0)
		ck_assert(hf_lock_safe_ms(&a) == 0 || next.len == 0);
	ck_assert_uint_eq(hf_lock_safe_ms(&a), 0);
	ck_assert_int_eq(waiter_result(&next, 0), 0);
	ck_assert(live_wait(told_lost, &told));
	ck_assert_int_eq(told.lost_rc, HF_EEXPIRED);
	ck_assert_uint_eq(told.lost_token, token);
	expect_error(HF_EEXPIRED, hf_lock_validate, &a, LIVE_WAIT_MS);
	expect_error(HF_EEXPIRED, hf_unlock, &a, LIVE_WAIT_MS);
	give(&next.lock);
	cluster_remove(&c);
}
END_TEST

/* A grant after waiting is counted from another operation than its own. */
START_TEST(a_limit_counts_from_the_grant_also_after_waiting)
{
	struct hf_lock_options limited = { .size = sizeof(limited),
					   .hold_ms = LIVE_TTL_MS };
	struct cluster c;
	struct hf_lock a;
	struct waiter b;

	cluster_make(&c, 3);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", NULL);
	waiter_ask(&b, c.nodes[1], "a", &limited, LIVE_WAIT_MS);
	waiter_stands(&b);
	struct timespec nap = { .tv_nsec = 500000000 };
	nanosleep(&nap, NULL);
	give(&a);
	ck_assert_int_eq(waiter_result(&b, 0), 0);
	ck_assert_uint_gt(hf_lock_safe_ms(&b.lock), LIVE_TTL_MS / 2);
	ck_assert_uint_le(hf_lock_safe_ms(&b.lock), LIVE_TTL_MS);
	give(&b.lock);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_lease_of_its_own_ends_unless_it_is_renewed)
{
	struct hf_lock_options leased = { .size = sizeof(leased),
					  .lease_ms = 2 * HOLD_MS };
	struct timespec nap = { .tv_nsec = 900000000 };
	struct cluster c;
	struct hf_lock a;
	struct told told;

	open_told(&c, &told);
	take(c.nodes[0], &a, "a", &leased);
	for (int i = 0; i < 6; i++) {
		nanosleep(&nap, NULL);
		ck_assert_int_eq(hf_lock_renew(&a, LIVE_WAIT_MS), 0);
		ck_assert_uint_gt(hf_lock_safe_ms(&a), 0);
	}
	ck_assert_int_eq(told.lost, 0);
	ck_assert(live_wait(told_lost, &told));
	ck_assert_int_eq(told.lost_rc, HF_EEXPIRED);
	ck_assert_uint_eq(hf_lock_safe_ms(&a), 0);
	expect_error(HF_EEXPIRED, hf_lock_renew, &a, LIVE_WAIT_MS);
	expect_error(HF_EEXPIRED, hf_unlock, &a, LIVE_WAIT_MS);
	take(c.nodes[0], &a, "a", NULL);
	expect_error(HF_EINVAL, hf_lock_renew, &a, LIVE_WAIT_MS);
	give(&a);
	expect_error(HF_ENOTHELD, hf_lock_renew, &a, LIVE_WAIT_MS);
	cluster_remove(&c);
}
END_TEST

START_TEST(several_locks_are_taken_and_given_together)
{
	const struct hf_part parts[] = {
		{ .name = "b", .name_len = 1 },
		{ .name = "a", .name_len = 1, .mode = HF_SHARED },
		{ .name = "c", .name_len = 1 }
	};
	const struct hf_part twice[] = { parts[0], parts[0] };
	struct hf_lock_options shared = { .size = sizeof(shared),
					  .mode = HF_SHARED };
	struct cluster c;
	struct hf_lock many, one;
	struct hf_claim claim;
	size_t total;

	cluster_make(&c, 3);
	cluster_open(&c);
	expect_error(HF_EINVAL, hf_lock_many, c.nodes[0], &many, twice, 2, NULL,
		     LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_lock_many, c.nodes[0], &many, parts, 0, NULL,
		     LIVE_WAIT_MS);
	take(c.nodes[1], &one, "c", NULL);
	expect_error(HF_EHELD, hf_lock_many, c.nodes[0], &many, parts, 3, NULL,
		     0);
	give(&one);
	ck_assert_int_eq(
		hf_lock_many(c.nodes[0], &many, parts, 3, NULL, LIVE_WAIT_MS),
		0);
	expect_error(HF_EHELD, hf_trylock, c.nodes[1], &one, "b", NULL);
	take(c.nodes[1], &one, "a", &shared);
	give(&one);
	expect_error(HF_EHELD, hf_trylock, c.nodes[1], &one, "c", NULL);
	ck_assert_int_eq(hf_lock_status(c.nodes[0], "c", 1, &claim, 1, &total),
			 0);
	ck_assert_uint_eq(total, 1);
	ck_assert_uint_eq(claim.token, hf_lock_token(&many) + 2);
	expect_error(HF_EINVAL, hf_lock_convert, &many, HF_SHARED, 0,
		     LIVE_WAIT_MS);
	give(&many);
	take(c.nodes[1], &one, "c", NULL);
	cluster_remove(&c);
}
END_TEST

static bool look(void *arg, const struct hf_claim *claim)
{
	char *text = arg;

	memcpy(text, claim->shown, claim->shown_len);
	text[claim->shown_len] = '\0';
	return true;
}

START_TEST(what_a_hold_shows_can_be_read_and_changed)
{
	struct cluster c;
	struct hf_lock a;
	char text[HF_SHOWN_MAX + 1];

	cluster_make(&c, 1);
	cluster_open(&c);
	ck_assert_int_eq(
		hf_campaign(c.nodes[0], &a, "a", "here", 4, 3, LIVE_WAIT_MS),
		0);
	ck_assert_int_eq(hf_claims(c.nodes[0], "a", 1, look, text), 0);
	ck_assert_str_eq(text, "here");
	ck_assert_int_eq(hf_lock_show(&a, "there", 5, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_claims(c.nodes[0], "a", 1, look, text), 0);
	ck_assert_str_eq(text, "there");
	expect_error(HF_EINVAL, hf_lock_show, &a, text, HF_SHOWN_MAX + 1,
		     LIVE_WAIT_MS);
	give(&a);
	expect_error(HF_ENOTHELD, hf_lock_show, &a, "x", 1, LIVE_WAIT_MS);
	expect_error(HF_EINVAL, hf_claims, c.nodes[0], "a", 1, NULL, NULL);
	cluster_remove(&c);
}
END_TEST

START_TEST(ranks_rise_for_each_owner)
{
	struct hf_lock_options first = { .size = sizeof(first), .rank = 5 };
	struct hf_lock_options second = { .size = sizeof(second), .rank = 6 };
	struct hf_lock_options other = { .size = sizeof(other),
					 .rank = 5,
					 .owner = 7 };
	struct cluster c;
	struct hf_lock a, b, d;

	cluster_make(&c, 1);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", &first);
	expect_error(HF_ERANK, hf_lock, c.nodes[0], &b, "b", &first,
		     LIVE_WAIT_MS);
	take(c.nodes[0], &b, "b", &second);
	expect_error(HF_ERANK, hf_trylock, c.nodes[0], &d, "d", &first);
	take(c.nodes[0], &d, "d", &other);
	give(&d);
	give(&b);
	take(c.nodes[0], &b, "b", &second);
	give(&b);
	give(&a);
	take(c.nodes[0], &b, "b", &first);
	cluster_remove(&c);
}
END_TEST

START_TEST(who_goes_first_goes_first_and_knows_its_place)
{
	struct hf_lock_options high = { .size = sizeof(high), .priority = 1 };
	struct hf_lock_options picky = { .size = sizeof(picky), .line_max = 2 };
	struct cluster c;
	struct hf_lock a, b;
	struct hf_place place;
	struct waiter low, first;

	cluster_make(&c, 1);
	cluster_open(&c);
	take(c.nodes[0], &a, "a", NULL);
	waiter_ask(&low, c.nodes[0], "a", NULL, HF_FOREVER);
	waiter_stands(&low);
	waiter_ask(&first, c.nodes[0], "a", &high, HF_FOREVER);
	waiter_stands(&first);
	picky.owner = 7;
	expect_error(HF_ELINE, hf_lock, c.nodes[0], &b, "a", &picky,
		     LIVE_WAIT_MS);
	ck_assert_int_eq(hf_lock_place(&low.lock, &place), 0);
	ck_assert_uint_eq(place.place, 2);
	ck_assert_uint_eq(place.line, 2);
	ck_assert_int_eq(hf_lock_place(&first.lock, &place), 0);
	ck_assert_uint_eq(place.place, 1);
	give(&a);
	ck_assert_int_eq(waiter_result(&first, 0), 0);
	ck_assert_int_eq(hf_lock_place(&first.lock, &place), 0);
	ck_assert_uint_eq(place.place, 0);
	ck_assert_uint_eq(place.estimate_ms, HF_FOREVER);
	ck_assert_int_eq(low.len, 0);
	give(&first.lock);
	ck_assert_int_eq(waiter_result(&low, 0), 0);
	give(&low.lock);
	cluster_remove(&c);
}
END_TEST

static bool count_edge(void *arg, const struct hf_wait *wait)
{
	const struct hf_lock *lock = arg;

	ck_assert_uint_eq(wait->token, hf_lock_token(lock));
	ck_assert_uint_eq(wait->waiter.owner, 2);
	ck_assert_uint_eq(wait->blocker.owner, 1);
	return true;
}

START_TEST(a_deadlock_is_refused_with_those_who_are_in_it)
{
	struct hf_deadlock deadlock;
	struct hf_lock_options one = { .size = sizeof(one), .owner = 1 };
	struct hf_lock_options two = { .size = sizeof(two), .owner = 2 };
	struct cluster c;
	struct hf_lock a, b, again;
	struct waiter w;

	cluster_make(&c, 3);
	cluster_open(&c);
	memset(&deadlock, 0xff, sizeof(deadlock));
	take(c.nodes[0], &a, "a", &one);
	take(c.nodes[1], &b, "b", &two);
	waiter_ask(&w, c.nodes[1], "a", &two, HF_FOREVER);
	waiter_stands(&w);
	ck_assert_int_eq(hf_waits(c.nodes[1], count_edge, &a), 0);
	one.deadlock = &deadlock;
	expect_error(HF_EDEADLK, hf_lock, c.nodes[0], &again, "b", &one,
		     LIVE_WAIT_MS);
	ck_assert_uint_ge(deadlock.len, 1);
	bool found = false;
	for (size_t i = 0; i < deadlock.len; i++) {
		const char *name = deadlock.waits[i].name;

		found = found ||
			(deadlock.waits[i].owner.owner == 2 &&
			 deadlock.waits[i].owner.node == 2 &&
			 deadlock.waits[i].name_len == 1 && *name == 'a');
	}
	ck_assert(found);
	/* What it holds already it can't wait for. */
	expect_error(HF_EDEADLK, hf_lock, c.nodes[0], &again, "a", &one,
		     LIVE_WAIT_MS);
	give(&a);
	ck_assert_int_eq(waiter_result(&w, 0), 0);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_hold_with_a_limit_is_not_safe_when_it_ends,
	   a_limit_counts_from_the_grant_also_after_waiting,
	   a_lease_of_its_own_ends_unless_it_is_renewed,
	   several_locks_are_taken_and_given_together,
	   what_a_hold_shows_can_be_read_and_changed, ranks_rise_for_each_owner,
	   who_goes_first_goes_first_and_knows_its_place,
	   a_deadlock_is_refused_with_those_who_are_in_it)
