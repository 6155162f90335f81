/* What time does while renewals wait or are on their way: a session isn't ended
 * by the entry that renews it (the leader's clock is held back), and nobody can
 * stop time by renewing. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#define SECOND UINT64_C(1000000)

static const struct repl_config plain = { .check_every = 64 };

static bool lives(const struct fake_member *m, uint64_t session)
{
	struct record r;

	return core_session(repl_core(m->repl), session, &r);
}

static uint64_t deadline_of(const struct fake_member *m, uint64_t session)
{
	struct record r;

	ck_assert(core_session(repl_core(m->repl), session, &r));
	return r.session.deadline;
}

START_TEST(a_due_tick_goes_behind_a_renewal_already_received)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t other = fake_session(&f, 2, SECOND);
	uint64_t session = fake_session(&f, 1, SECOND);
	uint64_t deadline = deadline_of(m, session);
	fake_run(&f, 900000);
	/* A turn that comes late: the deadline is over, the renewal is in. */
	f.now += 200000;
	ck_assert_int_eq(fake_renew(m, 1, session), 0);
	fake_run(&f, 1000);
	ck_assert(lives(m, session));
	ck_assert_int_eq(fake_last(m, OUTPUT_ANSWER, OP_RENEW)->status, 0);
	ck_assert_uint_eq(fake_last(m, OUTPUT_ANSWER, OP_RENEW)->stamp,
			  deadline - 1);
	ck_assert(!lives(m, other));
	fake_free(&f);
}
END_TEST

START_TEST(a_renewal_is_waited_for_after_a_long_silence_too)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	fake_session(&f, 2, SECOND);
	fake_run(&f, 300 * SECOND); /* beyond limits.step_max_us */
	uint64_t session = fake_session(&f, 1, SECOND);
	fake_run(&f, 900000);
	f.now += 200000;
	ck_assert_int_eq(fake_renew(m, 1, session), 0);
	fake_run(&f, 1000);
	ck_assert(lives(m, session));
	fake_free(&f);
}
END_TEST

START_TEST(renewals_that_will_be_refused_hold_nothing_back)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, SECOND);
	m->disk_us = 1000;
	for (int i = 0; i < 15000; i++) {
		/* Not its node; never was one. */
		ck_assert_int_eq(fake_renew(m, 2, session), 0);
		ck_assert_int_eq(fake_renew(m, 2, 12345), 0);
		fake_run(&f, 100);
	}
	ck_assert(!lives(m, session));
	fake_free(&f);
}
END_TEST

START_TEST(constant_renewals_do_not_stop_time)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 200000);
	uint64_t other = fake_session(&f, 2, 3 * SECOND);
	for (int i = 0; i < 400; i++) {
		ck_assert_int_eq(fake_renew(m, 1, session), 0);
		fake_run(&f, 10000);
	}
	ck_assert(lives(m, session));
	ck_assert(!lives(m, other));
	fake_free(&f);
}
END_TEST

/* Entries that take longer to be applied than a ttl. */
static struct fake_member *slow_disk(struct fake *f, uint64_t *acquirer)
{
	static const struct repl_config deep = { .check_every = 64,
						 .inflight_max = 4 };

	fake_init(f, 1, &deep);
	fake_start_all(f);
	struct fake_member *m = fake_elect(f);
	*acquirer = fake_session(f, 2, 100 * SECOND);
	return m;
}

/* The renewals stand in the same entry: it needn't wait for company. */
static void renew_at_once(struct fake_member *m, uint64_t session,
			  uint64_t acquirer, uint64_t seq)
{
	ck_assert_int_eq(fake_renew(m, 1, session), 0);
	ck_assert_int_eq(fake_acquire(m, 2, acquirer, seq, "a"), 0);
}

START_TEST(time_stands_still_while_a_renewal_is_in_flight)
{
	struct fake f;
	uint64_t acquirer;
	struct fake_member *m = slow_disk(&f, &acquirer);
	uint64_t session = fake_session(&f, 1, 200000);
	uint64_t opened = deadline_of(m, session) - 200000;

	m->disk_us = 300000;
	fake_run(&f, 100000);
	renew_at_once(m, session, acquirer, 1); /* until 300 ms, in truth */
	fake_run(&f, 150000);
	ck_assert_int_eq(fake_acquire(m, 2, acquirer, 2, "b"), 0);
	fake_run(&f, 70000);
	/* The core here knows of a deadline at 200 ms, time was stamped as 250
	 * ms, and is 320 ms. */
	ck_assert_uint_eq(deadline_of(m, session), opened + 200000);
	renew_at_once(m, session, acquirer, 3);
	fake_run(&f, 400000);
	ck_assert(lives(m, session));
	ck_assert_int_eq(fake_last(m, OUTPUT_ANSWER, OP_RENEW)->status, 0);
	ck_assert_uint_lt(fake_last(m, OUTPUT_ANSWER, OP_RENEW)->stamp,
			  opened + 300000);
	fake_run(&f, 2 * SECOND);
	ck_assert(!lives(m, session));
	fake_free(&f);
}
END_TEST

START_TEST(time_goes_on_though_a_renewal_is_always_in_flight)
{
	struct fake f;
	uint64_t acquirer, seq = 1;
	struct fake_member *m = slow_disk(&f, &acquirer);
	uint64_t session = fake_session(&f, 1, 200000);
	uint64_t other = fake_session(&f, 3, 2 * SECOND);

	m->disk_us = 300000;
	for (int i = 0; i < 1000 && lives(m, other); i++) {
		renew_at_once(m, session, acquirer, seq++);
		fake_run(&f, 10000);
	}
	ck_assert(lives(m, session));
	ck_assert(!lives(m, other));
	fake_free(&f);
}
END_TEST

START_TEST(who_renews_what_entries_on_their_way_have_ended_stops_no_time)
{
	struct fake f;
	uint64_t acquirer, seq = 1;
	struct fake_member *m = slow_disk(&f, &acquirer);
	uint64_t session = fake_session(&f, 1, 200000);
	uint64_t other = fake_session(&f, 3, SECOND);

	m->disk_us = 300000;
	fake_run(&f, 199000);
	ck_assert_int_eq(fake_acquire(m, 2, acquirer, seq++, "a"), 0);
	fake_run(&f, 2000);
	ck_assert_int_eq(fake_acquire(m, 2, acquirer, seq++, "a"), 0);
	fake_run(&f, 1000);
	ck_assert(lives(m, session)); /* as far as it is known here */
	for (int i = 0; i < 200; i++) {
		renew_at_once(m, session, acquirer, seq++);
		fake_run(&f, 10000);
	}
	ck_assert(!lives(m, session));
	ck_assert(!lives(m, other));
	fake_free(&f);
}
END_TEST

SUITE(a_due_tick_goes_behind_a_renewal_already_received,
      a_renewal_is_waited_for_after_a_long_silence_too,
      renewals_that_will_be_refused_hold_nothing_back,
      constant_renewals_do_not_stop_time,
      time_stands_still_while_a_renewal_is_in_flight,
      time_goes_on_though_a_renewal_is_always_in_flight,
      who_renews_what_entries_on_their_way_have_ended_stops_no_time)
