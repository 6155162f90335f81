/* A share of the simulator's runs for every `make check`, and what makes them
 * worth something: they repeat, and they are not idle. */
#include "lib/suite.h"
#include "sim/lib/runner.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* Of each size of cluster. The thread sanitizer makes each take twenty times as
 * long, and has only one thread to look at. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SEEDS 4
#else
#define SEEDS 24
#endif
/* Whole ones, as those here are short. */
#define SEEDS_WORTH (SEEDS < 24 ? 0 : 6)
#define KINDS_LEAST (SEEDS < 24 ? FAULT_KINDS / 4 : FAULT_KINDS * 3 / 4)

static void run(unsigned members, uint64_t from, uint64_t to,
		struct runner_sum *sum)
{
	struct command command = { .options = { .members = members,
						.chaos_us =
							UINT64_C(10000000) },
				   .from = from,
				   .to = to };

	runner_run(&command, sum);
}

START_TEST(nothing_is_violated_and_much_has_happened)
{
	struct runner_sum three, five;
	unsigned kinds;

	run(3, 1, SEEDS, &three);
	run(5, 1001, 1000 + SEEDS, &five);
	ck_assert_uint_eq(three.violations + five.violations, 0);
	counters_add(&three.counters, &five.counters);
	ck_assert(!counters_short(&three.counters, SEEDS_WORTH));
	ck_assert_uint_gt(counters_faults(&three.counters, &kinds), 1000);
	ck_assert_uint_ge(kinds, KINDS_LEAST);
}
END_TEST

START_TEST(seeds_that_once_failed_pass)
{
	struct command command = { 0 };
	struct runner_sum kept;

	runner_run_kept(RUNNER_KEPT, &command, &kept);
	ck_assert_uint_gt(kept.seeds, 0);
	ck_assert_uint_eq(kept.violations, 0);
}
END_TEST

START_TEST(clusters_of_one_and_seven_work)
{
	struct runner_sum one, seven;

	run(1, 1, 10, &one);
	run(7, 1, 4, &seven);
	ck_assert_uint_eq(one.violations + seven.violations, 0);
	ck_assert_uint_gt(one.counters.grants, 100);
	ck_assert_uint_gt(seven.counters.grants, 100);
}
END_TEST

START_TEST(the_same_seeds_give_the_same_hash)
{
	struct runner_sum first, second, other;

	run(0, 1, 8, &first);
	run(0, 1, 8, &second);
	run(0, 9, 16, &other);
	ck_assert_uint_eq(first.hash, second.hash);
	ck_assert_uint_ne(first.hash, other.hash);
}
END_TEST

SUITE(nothing_is_violated_and_much_has_happened, seeds_that_once_failed_pass,
      clusters_of_one_and_seven_work, the_same_seeds_give_the_same_hash)
