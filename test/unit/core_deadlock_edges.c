/* Deadlocks that come of more than a wait for a holder: conversions, several
 * locks, priorities, grants, limits. */
#include "lib/owners.h"
#include "lib/suite.h"

START_TEST(two_upgraders_wait_for_each_other)
{
	struct owners c;
	uint64_t first, second;

	owners_begin(&c);
	owners_share(&c, 1, "a");
	first = c.m.answer.token;
	owners_share(&c, 2, "a");
	second = c.m.answer.token;
	ck_assert_int_eq(owners_convert(&c, 1, "a", MODE_EXCLUSIVE, first),
			 STATUS_WAITING);
	ck_assert_int_eq(owners_convert(&c, 2, "a", MODE_EXCLUSIVE, second),
			 HF_EDEADLK);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_DEADLOCK)->number, 1);
	ck_assert_int_eq(machine_release(&c.m, 2, c.s[2], second), 0);
	ck_assert_ptr_nonnull(machine_said(&c.m, OUTPUT_GRANTED));
	machine_end(&c.m);
}
END_TEST

/* Of two permits each has one, and would have both. */
START_TEST(two_who_want_more_permits_may_wait_for_each_other)
{
	struct owners c;
	uint64_t first, second;

	owners_begin(&c);
	owners_permit(&c, 1, "p");
	first = c.m.answer.token;
	owners_permit(&c, 2, "p");
	second = c.m.answer.token;
	ck_assert_int_eq(owners_convert(&c, 1, "p", MODE_PERMITS, first),
			 STATUS_WAITING);
	ck_assert_int_eq(owners_convert(&c, 2, "p", MODE_PERMITS, second),
			 HF_EDEADLK);
	machine_end(&c.m);
}
END_TEST

/* A conversion goes before 2, who waits for 1's hold already. */
START_TEST(a_conversion_that_goes_before_others_may_close_a_cycle)
{
	struct owners c;
	uint64_t token;

	owners_begin(&c);
	owners_share(&c, 1, "a");
	token = c.m.answer.token;
	owners_share(&c, 2, "a");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_convert(&c, 1, "a", MODE_EXCLUSIVE, token),
			 STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), HF_EDEADLK);
	machine_end(&c.m);
}
END_TEST

/* 3 waits for a and c, and bars c meanwhile; 1 holds a and asks for c. */
START_TEST(a_multi_lock_that_bars_others_closes_a_cycle)
{
	struct owners c;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	ck_assert_int_eq(owners_both(&c, 3, "a", "c"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 1, "c"), HF_EDEADLK);
	ck_assert_int_eq(owners_with_priority(&c, 1, "c", MODE_EXCLUSIVE, 1),
			 0);
	machine_end(&c.m);
}
END_TEST

START_TEST(a_multi_lock_in_whose_way_its_own_owner_is_is_refused)
{
	struct owners c;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	ck_assert_int_eq(owners_both(&c, 1, "b", "a"), HF_EDEADLK);
	ck_assert_int_eq(owners_both(&c, 1, "b", "c"), 0);
	machine_end(&c.m);
}
END_TEST

/* 3 holds nothing that is waited for, but goes before 2 in the line of a, and
 * waits for what 2 holds. */
START_TEST(a_place_before_others_may_close_a_cycle)
{
	struct owners c;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 2, "a"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 3, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_with_priority(&c, 3, "a", MODE_EXCLUSIVE, 1),
			 HF_EDEADLK);
	ck_assert_int_eq(owners_with_priority(&c, 3, "a", MODE_EXCLUSIVE, 0),
			 STATUS_WAITING);
	machine_end(&c.m);
}
END_TEST

/* 2 waits for a, which 1 holds, and is handed b, for which 1 waits. */
START_TEST(a_grant_to_an_owner_who_waits_elsewhere_ends_its_newest_wait)
{
	struct owners c;
	uint64_t token;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	owners_lock(&c, 3, "b");
	token = c.m.answer.token;
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), STATUS_WAITING);
	ck_assert_int_eq(owners_hand_over(&c, 3, token, 2), 0);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_GRANTED)->session, c.s[2]);
	ck_assert_int_eq(machine_said(&c.m, OUTPUT_ENDED)->status, HF_EDEADLK);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_ENDED)->seq, 2);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_DEADLOCK)->number, 1);
	machine_end(&c.m);
}
END_TEST

START_TEST(a_grant_that_closes_no_cycle_ends_nothing)
{
	struct owners c;
	uint64_t token;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	owners_lock(&c, 3, "b");
	token = c.m.answer.token;
	ck_assert_int_eq(owners_lock(&c, 2, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), STATUS_WAITING);
	machine_release(&c.m, 3, c.s[3], token);
	ck_assert_ptr_nonnull(machine_said(&c.m, OUTPUT_GRANTED));
	ck_assert_ptr_null(machine_said(&c.m, OUTPUT_ENDED));
	machine_end(&c.m);
}
END_TEST

/* 1 waits for b, which 2 has, and for c, which 3 will give up, when it gets in
 * before 2 at g: only the older of its waits is for ever. */
START_TEST(a_wait_that_will_come_true_is_not_ended_for_another)
{
	struct owners c;

	owners_begin(&c);
	owners_lock(&c, 2, "b");
	owners_share(&c, 3, "g");
	owners_lock(&c, 3, "c");
	ck_assert_int_eq(owners_lock(&c, 2, "g"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 1, "c"), STATUS_WAITING);
	ck_assert_int_eq(owners_with_priority(&c, 1, "g", MODE_SHARED, 5), 0);
	ck_assert_uint_eq(machine_said_often(&c.m, OUTPUT_ENDED), 1);
	ck_assert_int_eq(machine_said(&c.m, OUTPUT_ENDED)->status, HF_EDEADLK);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_ENDED)->session, c.s[1]);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_ENDED)->seq, 1);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_DEADLOCK)->number, 2);
	machine_end(&c.m);
}
END_TEST

/* The other permit of p would do, if there were one. */
START_TEST(a_limit_that_would_deadlock_is_not_lowered)
{
	struct owners c;
	struct record r;

	owners_begin(&c);
	owners_permit(&c, 1, "p");
	owners_permit(&c, 3, "p");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_permit(&c, 2, "p"), STATUS_WAITING);
	ck_assert_int_eq(owners_set_limit(&c, "p", 1), HF_EDEADLK);
	ck_assert(core_lock(c.m.core, "p", 1, &r));
	ck_assert_uint_eq(r.lock.limit, 2);
	ck_assert_uint_eq(r.lock.flags, 0);
	ck_assert_int_eq(owners_set_limit(&c, "p", 2), 0);
	ck_assert_int_eq(owners_set_limit(&c, "p", 3), 0);
	ck_assert_ptr_nonnull(machine_said(&c.m, OUTPUT_GRANTED));
	machine_end(&c.m);
}
END_TEST

SUITE(two_upgraders_wait_for_each_other,
      two_who_want_more_permits_may_wait_for_each_other,
      a_conversion_that_goes_before_others_may_close_a_cycle,
      a_multi_lock_that_bars_others_closes_a_cycle,
      a_multi_lock_in_whose_way_its_own_owner_is_is_refused,
      a_place_before_others_may_close_a_cycle,
      a_grant_to_an_owner_who_waits_elsewhere_ends_its_newest_wait,
      a_grant_that_closes_no_cycle_ends_nothing,
      a_wait_that_will_come_true_is_not_ended_for_another,
      a_limit_that_would_deadlock_is_not_lowered)
