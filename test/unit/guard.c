#include "holdfast.h"
#include "lib/suite.h"

START_TEST(an_exclusive_token_below_any_seen_is_fenced)
{
	struct hf_guard g = { 0 };

	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 5), 0);
	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 4), HF_EFENCED);
	ck_assert_int_eq(hf_guard_check(&g, HF_SHARED, 7), 0);
	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 6), HF_EFENCED);
	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 8), 0);
}
END_TEST

START_TEST(shared_tokens_fence_each_other_not)
{
	struct hf_guard g = { 0 };

	ck_assert_int_eq(hf_guard_check(&g, HF_SHARED, 7), 0);
	ck_assert_int_eq(hf_guard_check(&g, HF_SHARED, 6), 0);
	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 8), 0);
	ck_assert_int_eq(hf_guard_check(&g, HF_SHARED, 7), HF_EFENCED);
}
END_TEST

START_TEST(a_hold_may_write_many_times)
{
	struct hf_guard g = { 0 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 5), 0);
}
END_TEST

START_TEST(what_is_no_fencing_token_is_refused_and_not_remembered)
{
	struct hf_guard g = { 0 };

	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, 0), HF_EINVAL);
	ck_assert_int_eq(hf_guard_check(&g, HF_EXCLUSIVE, UINT64_MAX),
			 HF_EINVAL);
	ck_assert_int_eq(hf_guard_check(&g, HF_PERMITS, 9), HF_EINVAL);
	ck_assert_int_eq(hf_guard_check(NULL, HF_EXCLUSIVE, 9), HF_EINVAL);
	ck_assert_uint_eq(g.newest, 0);
	ck_assert_uint_eq(g.newest_exclusive, 0);
}
END_TEST

SUITE(an_exclusive_token_below_any_seen_is_fenced,
      shared_tokens_fence_each_other_not, a_hold_may_write_many_times,
      what_is_no_fencing_token_is_refused_and_not_remembered)
