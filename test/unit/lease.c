#include "node/lease.h"
#include "lib/suite.h"

#define S UINT64_C(1000000)

static struct clocks at(uint64_t boottime, uint64_t raw)
{
	return (struct clocks){ .boottime = boottime, .raw = raw };
}

START_TEST(no_session_has_no_lease)
{
	struct lease l = { 0 };
	struct clocks now = at(0, 0);

	ck_assert_uint_eq(lease_left(&l, 0, &now), 0);
	ck_assert_uint_eq(lease_left(&l, 7, &now), 0);
}
END_TEST

START_TEST(a_lease_is_counted_from_the_sending)
{
	struct lease l = { 0 };
	struct clocks sent = at(100 * S, 50 * S), now = at(103 * S, 53 * S);

	lease_begin(&l, 7);
	lease_extend(&l, &sent, 1000 * S, 1010 * S, (struct caution){ 0, 0 });
	ck_assert_uint_eq(lease_left(&l, 7, &now), 7 * S - 1);
	now = at(110 * S, 60 * S);
	ck_assert_uint_eq(lease_left(&l, 7, &now), 0);
}
END_TEST

START_TEST(both_clocks_drift_and_the_margin_are_taken_off)
{
	struct lease l = { 0 };
	struct clocks sent = at(0, 0);

	lease_begin(&l, 7);
	lease_extend(&l, &sent, 0, 10 * S, (struct caution){ 1000, 5000 });
	ck_assert_uint_eq(lease_left(&l, 7, &sent),
			  10 * S - 10 * S * 2 / 1000 - 5000 - 1);
}
END_TEST

START_TEST(the_larger_elapsed_time_counts)
{
	struct lease l = { 0 };
	struct clocks sent = at(0, 0), suspended = at(11 * S, 1 * S),
		      slewed = at(1 * S, 11 * S);

	lease_begin(&l, 7);
	lease_extend(&l, &sent, 0, 10 * S, (struct caution){ 0, 0 });
	ck_assert_uint_eq(lease_left(&l, 7, &suspended), 0);
	ck_assert_uint_eq(lease_left(&l, 7, &slewed), 0);
}
END_TEST

START_TEST(an_older_acknowledgement_does_not_shorten_a_lease)
{
	struct lease l = { 0 };
	struct clocks first = at(0, 0), second = at(3 * S, 3 * S);

	lease_begin(&l, 7);
	lease_extend(&l, &second, 3 * S, 13 * S, (struct caution){ 0, 0 });
	lease_extend(&l, &first, 0, 10 * S, (struct caution){ 0, 0 });
	ck_assert_uint_eq(lease_left(&l, 7, &second), 10 * S - 1);
}
END_TEST

START_TEST(ends_of_two_acknowledgements_are_never_mixed)
{
	struct lease l = { 0 };
	struct clocks a = at(0, 5 * S), b = at(5 * S, 0),
		      now = at(9 * S, 9 * S);

	lease_begin(&l, 7);
	lease_extend(&l, &a, 0, 10 * S, (struct caution){ 0, 0 });
	lease_extend(&l, &b, 0, 10 * S, (struct caution){ 0, 0 });
	ck_assert_uint_eq(lease_left(&l, 7, &now), 1 * S - 1);
}
END_TEST

START_TEST(a_deadline_before_the_stamp_gives_no_lease)
{
	struct lease l = { 0 };
	struct clocks sent = at(5 * S, 5 * S);

	lease_begin(&l, 7);
	lease_extend(&l, &sent, 10 * S, 9 * S, (struct caution){ 1000, 0 });
	ck_assert_uint_eq(lease_left(&l, 7, &sent), 0);
	lease_extend(&l, &sent, 0, 1000, (struct caution){ 1000, 5000 });
	ck_assert_uint_eq(lease_left(&l, 7, &sent), 0);
}
END_TEST

START_TEST(a_new_session_begins_without_the_former_ones_lease)
{
	struct lease l = { 0 };
	struct clocks sent = at(0, 0);

	lease_begin(&l, 7);
	lease_extend(&l, &sent, 0, 10 * S, (struct caution){ 0, 0 });
	lease_begin(&l, 8);
	ck_assert_uint_eq(lease_left(&l, 7, &sent), 0);
	ck_assert_uint_eq(lease_left(&l, 8, &sent), 0);
	lease_end(&l);
	ck_assert_uint_eq(lease_left(&l, 8, &sent), 0);
}
END_TEST

SUITE(no_session_has_no_lease, a_lease_is_counted_from_the_sending,
      both_clocks_drift_and_the_margin_are_taken_off,
      the_larger_elapsed_time_counts,
      an_older_acknowledgement_does_not_shorten_a_lease,
      ends_of_two_acknowledgements_are_never_mixed,
      a_deadline_before_the_stamp_gives_no_lease,
      a_new_session_begins_without_the_former_ones_lease)
