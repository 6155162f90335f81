/* The second opinion on deadlocks, by states whose answer is plain. */
#include "lib/reduce.h"
#include "lib/suite.h"

#include <string.h>

static size_t add(struct reduce *r, uint64_t owner, bool waits, size_t lock,
		  enum mode mode, uint32_t permits)
{
	size_t at = r->requests_len++;

	r->requests[at] =
		(struct reduce_request){ .session = 1,
					 .owner = owner,
					 .waits = waits,
					 .place = at + 1,
					 .from = REDUCE_NONE,
					 .parts = { { lock, mode, permits } },
					 .parts_len = 1 };
	return at;
}

static size_t hold(struct reduce *r, uint64_t owner, size_t lock)
{
	return add(r, owner, false, lock, MODE_EXCLUSIVE, 0);
}

static size_t wait_for(struct reduce *r, uint64_t owner, size_t lock)
{
	return add(r, owner, true, lock, MODE_EXCLUSIVE, 0);
}

START_TEST(a_circle_does_not_get_through_and_a_chain_does)
{
	struct reduce r = { .requests_len = 0 };
	size_t first, last;

	hold(&r, 1, 0);
	hold(&r, 2, 1);
	first = wait_for(&r, 1, 1);
	ck_assert_int_eq(reduce_owner(&r, first), REDUCE_THROUGH);
	last = wait_for(&r, 2, 0);
	ck_assert_int_eq(reduce_owner(&r, first), REDUCE_DEADLOCK);
	ck_assert_int_eq(reduce_wait(&r, last), REDUCE_DEADLOCK);
}
END_TEST

START_TEST(one_permit_that_comes_back_is_enough)
{
	struct reduce r = { .limits = { 2 } };
	size_t wait;

	add(&r, 1, false, 0, MODE_PERMITS, 1);
	add(&r, 3, false, 0, MODE_PERMITS, 1);
	hold(&r, 2, 1);
	wait_for(&r, 1, 1);
	wait = add(&r, 2, true, 0, MODE_PERMITS, 1);
	ck_assert_int_eq(reduce_owner(&r, wait), REDUCE_THROUGH);
	r.requests[wait].parts[0].permits = 2;
	ck_assert_int_eq(reduce_owner(&r, wait), REDUCE_DEADLOCK);
}
END_TEST

START_TEST(an_owner_gets_through_with_all_of_its_waits_only)
{
	struct reduce r = { .requests_len = 0 };
	size_t good, bad;

	hold(&r, 1, 0);
	good = wait_for(&r, 2, 1);
	hold(&r, 3, 1);
	hold(&r, 2, 2);
	wait_for(&r, 1, 2);
	bad = wait_for(&r, 2, 0);
	ck_assert_int_eq(reduce_wait(&r, good), REDUCE_THROUGH);
	ck_assert_int_eq(reduce_wait(&r, bad), REDUCE_DEADLOCK);
	ck_assert_int_eq(reduce_owner(&r, good), REDUCE_DEADLOCK);
}
END_TEST

START_TEST(a_conversion_leaves_its_own_hold_aside_and_goes_first)
{
	struct reduce r = { .requests_len = 0 };
	size_t own, up, other;

	own = add(&r, 1, false, 0, MODE_SHARED, 0);
	up = wait_for(&r, 1, 0);
	r.requests[up].from = own;
	ck_assert(reduce_fits(&r, up));
	other = add(&r, 0, true, 0, MODE_SHARED, 0);
	ck_assert(reduce_before(&r.requests[up], &r.requests[other]));
	ck_assert(!reduce_fits(&r, other));
	r.requests[up].owner = r.requests[own].owner = 0;
	ck_assert(reduce_same_owner(&r, up, own));
	ck_assert(!reduce_same_owner(&r, up, other));
}
END_TEST

START_TEST(who_has_too_few_tries_is_tired)
{
	struct reduce r = { .requests_len = 0 };
	size_t wait;

	for (uint64_t owner = 10; owner < 20; owner++)
		hold(&r, owner, (size_t)owner);
	hold(&r, 1, 0);
	wait = wait_for(&r, 1, 0);
	ck_assert_int_eq(reduce_owner(&r, wait), REDUCE_DEADLOCK);
	r.tries = 20;
	ck_assert_int_eq(reduce_owner(&r, wait), REDUCE_TIRED);
}
END_TEST

START_TEST(the_closure_is_what_ones_locks_lead_to)
{
	struct reduce r = { .requests_len = 0 };
	bool found[8];
	size_t first;

	first = wait_for(&r, 1, 0);
	hold(&r, 2, 0);
	wait_for(&r, 2, 1);
	hold(&r, 3, 1);
	hold(&r, 3, 2);
	wait_for(&r, 4, 2); /* for what nobody in it waits for */
	hold(&r, 5, 3);
	reduce_closure(&r, first, found);
	ck_assert(found[0] && found[1] && found[2] && found[3] && found[4]);
	ck_assert(!found[5] && !found[6]);
}
END_TEST

SUITE(a_circle_does_not_get_through_and_a_chain_does,
      one_permit_that_comes_back_is_enough,
      an_owner_gets_through_with_all_of_its_waits_only,
      a_conversion_leaves_its_own_hold_aside_and_goes_first,
      who_has_too_few_tries_is_tired, the_closure_is_what_ones_locks_lead_to)
