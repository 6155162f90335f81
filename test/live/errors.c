/* The table of errors, as callers see it. */
#include "lib/suite.h"

#include "holdfast.h"

#include <string.h>

static const struct {
	const char *name;
	int number;
	const char *text;
} errors[] = {
#define X(name, number, text) { #name, number, text },
	HF_ERRORS(X)
#undef X
};
#define ERRORS_LEN (sizeof(errors) / sizeof(*errors))

static enum hf_outcome outcome_by_range(int rc)
{
	if (rc > -100)
		return HF_OUTCOME_NOTHING;
	return rc > -200 ? HF_OUTCOME_REFUSED : HF_OUTCOME_UNKNOWN;
}

START_TEST(each_error_has_its_text_and_the_outcome_of_its_range)
{
	for (size_t i = 0; i < ERRORS_LEN; i++) {
		int rc = errors[i].number;

		ck_assert_msg(strcmp(hf_strerror(rc), errors[i].text) == 0,
			      "%s: %s", errors[i].name, hf_strerror(rc));
		ck_assert_msg(hf_outcome(rc) == outcome_by_range(rc), "%s",
			      errors[i].name);
	}
}
END_TEST

START_TEST(no_two_errors_share_a_number_or_a_text)
{
	for (size_t i = 0; i < ERRORS_LEN; i++)
		for (size_t k = 0; k < i; k++) {
			ck_assert_int_ne(errors[i].number, errors[k].number);
			ck_assert_str_ne(errors[i].text, errors[k].text);
		}
}
END_TEST

START_TEST(any_number_has_a_text)
{
	for (int rc = -300; rc < 300; rc++)
		ck_assert_uint_gt(strlen(hf_strerror(rc)), 0);
	ck_assert_uint_gt(strlen(hf_strerror(INT32_MIN)), 0);
	ck_assert_uint_gt(strlen(hf_strerror(INT32_MAX)), 0);
}
END_TEST

START_TEST(success_is_done)
{
	ck_assert_int_eq(hf_outcome(0), HF_OUTCOME_DONE);
	ck_assert_int_eq(HF_OK, 0);
}
END_TEST

SUITE(each_error_has_its_text_and_the_outcome_of_its_range,
      no_two_errors_share_a_number_or_a_text, any_number_has_a_text,
      success_is_done)
