/* A share of the simulator's runs for every `make check`, and what makes them
 * worth something: they repeat, and they are not idle. */
#include "lib/suite.h"
#include "sim/lib/runner.h"

#include <unistd.h>

#define SEEDS 40 /* of each size of cluster */

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

static void run(unsigned members, uint64_t from, uint64_t to,
		struct runner_sum *sum)
{
	struct options options = { .members = members,
				   .chaos_us = UINT64_C(10000000) };

	runner_run(&options, from, to, cores(), sum);
}

START_TEST(nothing_is_violated_and_much_has_happened)
{
	struct runner_sum three, five;
	unsigned kinds;

	run(3, 1, SEEDS, &three);
	run(5, 1001, 1000 + SEEDS, &five);
	ck_assert_uint_eq(three.violations + five.violations, 0);
	counters_add(&three.counters, &five.counters);
	struct counters *c = &three.counters;
	ck_assert_uint_gt(c->operations, 20000);
	ck_assert_uint_gt(c->granted_after_waiting, 1000);
	ck_assert_uint_gt(c->expiries, 10);
	ck_assert_uint_gt(c->duplicates, 100);
	ck_assert_uint_gt(c->cancels_of_holds, 100);
	ck_assert_uint_gt(c->unsure_to_safe, 10);
	ck_assert_uint_gt(c->stale_writes, 100);
	ck_assert_uint_gt(c->snapshots_taken, 100);
	ck_assert_uint_gt(c->snapshots_installed, 10);
	ck_assert_uint_gt(c->elections, 100);
	ck_assert_uint_gt(counters_faults(c, &kinds), 1000);
	ck_assert_uint_eq(kinds, FAULT_KINDS);
}
END_TEST

START_TEST(one_member_alone_works)
{
	struct runner_sum sum;

	run(1, 1, 10, &sum);
	ck_assert_uint_eq(sum.violations, 0);
	ck_assert_uint_gt(sum.counters.grants, 100);
}
END_TEST

START_TEST(the_same_seeds_give_the_same_hash)
{
	struct runner_sum first, second, other;

	run(0, 1, 6, &first);
	run(0, 1, 6, &second);
	run(0, 7, 12, &other);
	ck_assert_uint_eq(first.hash, second.hash);
	ck_assert_uint_ne(first.hash, other.hash);
}
END_TEST

SUITE(nothing_is_violated_and_much_has_happened, one_member_alone_works,
      the_same_seeds_give_the_same_hash)
