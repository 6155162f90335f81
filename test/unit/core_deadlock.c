/* What is a deadlock, and what isn't. */
#include "lib/owners.h"
#include "lib/suite.h"

START_TEST(two_who_ask_for_each_others_locks_are_a_deadlock)
{
	struct owners c;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), HF_EDEADLK);
	machine_end(&c.m);
}
END_TEST

START_TEST(a_circle_of_any_length_is_a_deadlock_across_nodes)
{
	static const char names[OWNERS + 1][2] = { "", "a", "b", "c", "d" };
	struct owners c;

	owners_begin(&c);
	for (uint64_t n = 1; n <= OWNERS; n++)
		owners_lock(&c, n, names[n]);
	for (uint64_t n = 1; n < OWNERS; n++)
		ck_assert_int_eq(owners_lock(&c, n, names[n + 1]),
				 STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, OWNERS, names[1]), HF_EDEADLK);
	ck_assert_uint_eq(machine_said_often(&c.m, OUTPUT_DEADLOCK),
			  OWNERS - 1);
	machine_end(&c.m);
}
END_TEST

START_TEST(two_owners_of_one_session_may_deadlock)
{
	struct owners c;
	struct op op;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	op = owners_ask(&c, 1, "b", MODE_EXCLUSIVE);
	op.acquire.owner = 9;
	machine_do(&c.m, &op);
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	op = owners_ask(&c, 1, "a", MODE_EXCLUSIVE);
	op.acquire.owner = 9;
	ck_assert_int_eq(machine_do(&c.m, &op), HF_EDEADLK);
	machine_end(&c.m);
}
END_TEST

START_TEST(owners_of_one_id_in_two_sessions_are_two)
{
	struct owners c;
	struct op op;

	owners_begin(&c);
	op = owners_ask(&c, 1, "a", MODE_EXCLUSIVE);
	op.acquire.owner = 5;
	machine_do(&c.m, &op);
	op = owners_ask(&c, 2, "a", MODE_EXCLUSIVE);
	op.acquire.owner = 5;
	ck_assert_int_eq(machine_do(&c.m, &op), STATUS_WAITING);
	machine_end(&c.m);
}
END_TEST

START_TEST(who_asks_again_for_what_it_holds_is_refused)
{
	struct owners c;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	ck_assert_int_eq(owners_lock(&c, 1, "a"), HF_EDEADLK);
	ck_assert_int_eq(owners_share(&c, 1, "a"), HF_EDEADLK);
	owners_share(&c, 1, "b");
	ck_assert_int_eq(owners_share(&c, 1, "b"), 0);
	ck_assert_int_eq(owners_lock(&c, 1, "b"), HF_EDEADLK);
	machine_end(&c.m);
}
END_TEST

START_TEST(an_owner_without_id_is_part_of_no_deadlock)
{
	struct owners c;
	struct op op;

	owners_begin(&c);
	op = owners_ask(&c, 1, "a", MODE_EXCLUSIVE);
	op.acquire.owner = 0;
	machine_do(&c.m, &op);
	owners_lock(&c, 2, "b");
	op = owners_ask(&c, 1, "b", MODE_EXCLUSIVE);
	op.acquire.owner = 0;
	ck_assert_int_eq(machine_do(&c.m, &op), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), STATUS_WAITING);
	machine_end(&c.m);
}
END_TEST

START_TEST(a_try_is_never_a_deadlock)
{
	struct owners c;
	struct op op;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	owners_lock(&c, 2, "b");
	owners_lock(&c, 1, "b");
	op = owners_ask(&c, 2, "a", MODE_EXCLUSIVE);
	op.acquire.wait = 0;
	ck_assert_int_eq(machine_do(&c.m, &op), HF_EHELD);
	machine_end(&c.m);
}
END_TEST

/* 1 and 3 have the permits of p; 2 waits for one of them. Whichever comes back
 * first will do. */
START_TEST(a_cycle_with_a_free_permit_is_no_deadlock)
{
	struct owners c;

	owners_begin(&c);
	owners_permit(&c, 1, "p");
	owners_permit(&c, 3, "p");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_permit(&c, 2, "p"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 3, "b"), HF_EDEADLK);
	machine_end(&c.m);
}
END_TEST

START_TEST(readers_beside_each_other_are_no_cycle)
{
	struct owners c;

	owners_begin(&c);
	owners_share(&c, 1, "a");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_share(&c, 2, "a"), 0);
	machine_end(&c.m);
}
END_TEST

/* The writer 3 waits for the reader 1; so does 2, who would read, behind it. */
START_TEST(a_reader_behind_a_writer_may_close_a_cycle)
{
	struct owners c;

	owners_begin(&c);
	owners_share(&c, 1, "a");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 3, "a"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_share(&c, 2, "a"), HF_EDEADLK);
	ck_assert_int_eq(owners_with_priority(&c, 2, "a", MODE_SHARED, 1), 0);
	machine_end(&c.m);
}
END_TEST

/* Nobody holds a; its delay will be over. */
START_TEST(a_delay_is_in_nobodys_way_for_ever)
{
	struct owners c;
	struct op op;

	owners_begin(&c);
	op = owners_ask(&c, 3, "a", MODE_EXCLUSIVE);
	op.acquire.delay = 50 * SECOND;
	op.acquire.lease = SECOND;
	machine_do(&c.m, &op);
	machine_pass(&c.m, SECOND);
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "a"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), HF_EDEADLK);
	ck_assert_int_eq(owners_with_priority(&c, 2, "a", MODE_EXCLUSIVE, 1),
			 STATUS_WAITING);
	machine_end(&c.m);
}
END_TEST

START_TEST(waits_for_barriers_and_values_count_as_nothing)
{
	struct owners c;
	struct op op;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	op = owners_ask(&c, 1, "z", MODE_BARRIER);
	op.acquire.limit = 2;
	ck_assert_int_eq(machine_do(&c.m, &op), STATUS_WAITING);
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 2, "a"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 1, "b"), HF_EDEADLK);
	op = owners_ask(&c, 2, "z", MODE_BARRIER);
	op.acquire.limit = 2;
	ck_assert_int_eq(machine_do(&c.m, &op), STATUS_WAITING);
	ck_assert_uint_eq(machine_said_often(&c.m, OUTPUT_GRANTED), 2);
	machine_end(&c.m);
}
END_TEST

START_TEST(a_refusal_names_sixteen_at_most_and_changes_nothing)
{
	struct owners c;
	struct image_copy before = { .len = 0 }, after = { .len = 0 };
	struct op op;

	owners_begin(&c);
	owners_lock(&c, 1, "a");
	for (uint64_t owner = 10; owner < 40; owner++) {
		op = owners_ask(&c, 2, "a", MODE_EXCLUSIVE);
		op.acquire.owner = owner;
		ck_assert_int_eq(machine_do(&c.m, &op), STATUS_WAITING);
	}
	core_visit_all(c.m.core, image_copy_visit, &before);
	ck_assert_int_eq(owners_lock(&c, 1, "a"), HF_EDEADLK);
	ck_assert_uint_eq(machine_said_often(&c.m, OUTPUT_DEADLOCK), 16);
	core_visit_all(c.m.core, image_copy_visit, &after);
	ck_assert_uint_eq(before.records[0].state.counter,
			  after.records[0].state.counter);
	ck_assert_uint_eq(before.records[0].state.arrivals,
			  after.records[0].state.arrivals);
	ck_assert_uint_eq(before.len, after.len);
	image_copy_free(&before);
	image_copy_free(&after);
	machine_end(&c.m);
}
END_TEST

/* With as few steps as this not even a circle of two is seen. */
START_TEST(beyond_its_limit_the_search_sees_no_deadlock)
{
	struct owners c;
	struct op op = { .kind = OP_LIMITS, .node = 1 };

	owners_begin(&c);
	op.limits = *core_limits(c.m.core);
	op.limits.search = 1;
	ck_assert_int_eq(machine_do(&c.m, &op), 0);
	owners_lock(&c, 1, "a");
	owners_lock(&c, 2, "b");
	ck_assert_int_eq(owners_lock(&c, 1, "b"), STATUS_WAITING);
	ck_assert_int_eq(owners_lock(&c, 2, "a"), STATUS_WAITING);
	machine_end(&c.m);
}
END_TEST

SUITE(two_who_ask_for_each_others_locks_are_a_deadlock,
      a_circle_of_any_length_is_a_deadlock_across_nodes,
      two_owners_of_one_session_may_deadlock,
      owners_of_one_id_in_two_sessions_are_two,
      who_asks_again_for_what_it_holds_is_refused,
      an_owner_without_id_is_part_of_no_deadlock, a_try_is_never_a_deadlock,
      a_cycle_with_a_free_permit_is_no_deadlock,
      readers_beside_each_other_are_no_cycle,
      a_reader_behind_a_writer_may_close_a_cycle,
      a_delay_is_in_nobodys_way_for_ever,
      waits_for_barriers_and_values_count_as_nothing,
      a_refusal_names_sixteen_at_most_and_changes_nothing,
      beyond_its_limit_the_search_sees_no_deadlock)
