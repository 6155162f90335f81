/* The leader's clock, and what is proposed for its stamp alone. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#define SECOND UINT64_C(1000000)

static const struct repl_config plain = { .check_every = 64 };

static uint64_t cluster_time(const struct fake_member *m)
{
	return core_now(repl_core(m->repl));
}

static bool lives(const struct fake_member *m, uint64_t session)
{
	struct record r;

	return core_session(repl_core(m->repl), session, &r);
}

START_TEST(a_clock_runs_by_the_smaller_elapsed_time)
{
	struct cluster_clock c;
	struct clocks a = { .monotonic = 1000, .raw = 5000 };
	struct clocks b = { .monotonic = 1300, .raw = 5200 };

	clock_start(&c, 70, &a);
	clock_turn(&c, 1000);
	ck_assert_uint_eq(clock_read(&c, &b), 270);
	b.raw += 500;
	ck_assert_uint_eq(clock_read(&c, &b), 270);
}
END_TEST

START_TEST(one_turn_advances_a_clock_by_its_limit_at_most)
{
	struct cluster_clock c;
	struct clocks now = { .monotonic = 0, .raw = 0 };

	clock_start(&c, 0, &now);
	clock_turn(&c, 300);
	now.monotonic = now.raw = 200;
	ck_assert_uint_eq(clock_read(&c, &now), 200);
	now.monotonic = now.raw = 9000;
	ck_assert_uint_eq(clock_read(&c, &now), 300);
	clock_turn(&c, 300);
	ck_assert_uint_eq(clock_read(&c, &now), 300);
}
END_TEST

START_TEST(a_clock_set_back_goes_on_from_there)
{
	struct cluster_clock c;
	struct clocks now = { .monotonic = 0, .raw = 0 };

	clock_start(&c, 1000, &now);
	clock_set_back(&c, 900);
	clock_set_back(&c, 950);
	clock_turn(&c, 300);
	now.monotonic = now.raw = 10;
	ck_assert_uint_eq(clock_read(&c, &now), 910);
}
END_TEST

START_TEST(cluster_time_never_exceeds_real_time)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t began = f.now - 2000; /* serves since then at the latest */
	uint64_t session = fake_session(&f, 1, 100 * SECOND);
	for (int i = 0; i < 200; i++) {
		fake_run(&f, 1 + random_below(&f.random, 100000));
		m->lag += random_below(&f.random, 5000);
		f.now += random_below(&f.random, 100000);
		if (i % 10 == 0)
			fake_renew(m, 1, session);
		ck_assert_uint_le(cluster_time(m), f.now - m->lag - began);
	}
	fake_run(&f, 2 * SECOND);
	ck_assert_uint_gt(cluster_time(m), 10 * SECOND);
	fake_free(&f);
}
END_TEST

START_TEST(the_clock_continues_over_three_leader_changes)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t began = f.now - 2000;
	uint64_t session = fake_session(&f, 1, 100 * SECOND);
	for (int i = 0; i < 3; i++) {
		uint64_t before, stood, moved;

		fake_run(&f, 10 * SECOND);
		before = cluster_time(m);
		fake_isolate(&f, m->id, true);
		stood = f.now;
		fake_run(&f, SECOND * 3 / 2);
		fake_isolate(&f, m->id, false);
		m = fake_elect(&f);
		ck_assert_uint_ge(cluster_time(m), before);
		fake_run(&f, 5 * SECOND);
		moved = cluster_time(m) - before;
		/* A change costs a second and the election. */
		ck_assert_uint_gt(moved + 3 * SECOND, f.now - stood);
		ck_assert_uint_le(cluster_time(m), f.now - began);
	}
	ck_assert(lives(m, session));
	fake_run(&f, 70 * SECOND);
	ck_assert(!lives(fake_leader(&f), session));
	fake_free(&f);
}
END_TEST

START_TEST(many_short_leaderships_still_expire_a_session)
{
	struct fake f;
	uint64_t session;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	fake_elect(&f);
	session = fake_session(&f, 1, 5 * SECOND);
	for (int i = 0; i < 12; i++) {
		fake_run(&f, SECOND * 6 / 5);
		repl_transfer(fake_elect(&f)->repl);
		fake_run(&f, 300000);
	}
	ck_assert(!lives(fake_elect(&f), session));
	fake_free(&f);
}
END_TEST

START_TEST(a_paused_leader_seals_nothing_in_its_first_turn)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, SECOND);
	fake_run(&f, 900000);
	uint64_t entries = fake_last_index(m);
	uint64_t turns = m->turns;
	fake_pause(&f, 1, 10 * SECOND);
	while (m->turns == turns)
		fake_run(&f, 1);
	ck_assert_uint_eq(m->turns, turns + 1);
	ck_assert_uint_eq(raft_last_index(raft_of(m->repl)), entries);
	/* What was readable now arrives, before the second turn. */
	ck_assert_int_eq(fake_renew(m, 1, session), 0);
	fake_run(&f, 500000);
	ck_assert(lives(m, session));
	fake_run(&f, SECOND);
	ck_assert(!lives(m, session));
	fake_free(&f);
}
END_TEST

START_TEST(a_pause_costs_one_election_timeout_of_cluster_time)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 5 * SECOND);
	fake_pause(&f, 1, 60 * SECOND);
	fake_run(&f, 61 * SECOND);
	ck_assert(lives(m, session));
	fake_run(&f, 5 * SECOND);
	ck_assert(!lives(m, session));
	fake_free(&f);
}
END_TEST

START_TEST(a_transfer_hands_over_the_clock)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *old = fake_elect(&f);
	uint64_t began = f.now;
	fake_session(&f, 1, 100 * SECOND);
	fake_run(&f, 950000);
	repl_transfer(old->repl);
	old->wake = f.now;
	fake_run(&f, 100000);
	struct fake_member *m = fake_elect(&f);
	ck_assert_ptr_ne(m, old);
	ck_assert_uint_gt(cluster_time(m) + 200000, f.now - began);
	fake_free(&f);
}
END_TEST

START_TEST(a_pending_deadline_makes_a_tick_each_second)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	fake_session(&f, 1, 100 * SECOND);
	raft_index before = raft_last_index(raft_of(m->repl));
	fake_run(&f, 20 * SECOND);
	raft_index ticks = raft_last_index(raft_of(m->repl)) - before;
	ck_assert_uint_ge(ticks, 19);
	ck_assert_uint_le(ticks, 21);
	fake_free(&f);
}
END_TEST

START_TEST(without_deadlines_nothing_is_proposed)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, SECOND);
	fake_run(&f, 3 * SECOND);
	ck_assert(!lives(m, session));
	raft_index before = raft_last_index(raft_of(m->repl));
	fake_run(&f, 20 * SECOND);
	ck_assert_uint_eq(raft_last_index(raft_of(m->repl)), before);
	fake_free(&f);
}
END_TEST

START_TEST(a_due_deadline_is_proposed_on_time)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, SECOND * 17 / 10);
	uint64_t opened = f.now;
	while (lives(m, session))
		fake_run(&f, 100);
	ck_assert_uint_ge(f.now - opened + 2000, SECOND * 17 / 10);
	ck_assert_uint_le(f.now - opened, SECOND * 17 / 10 + 2000);
	fake_free(&f);
}
END_TEST

START_TEST(a_session_opened_after_a_long_silence_has_its_whole_ttl)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	fake_session(&f, 1, SECOND);
	fake_run(&f, 300 * SECOND); /* beyond limits.step_max_us */
	uint64_t session = fake_session(&f, 2, 5 * SECOND);
	fake_run(&f, SECOND * 49 / 10);
	ck_assert(lives(m, session));
	fake_run(&f, SECOND);
	ck_assert(!lives(m, session));
	fake_free(&f);
}
END_TEST

SUITE(a_clock_runs_by_the_smaller_elapsed_time,
      one_turn_advances_a_clock_by_its_limit_at_most,
      a_clock_set_back_goes_on_from_there, cluster_time_never_exceeds_real_time,
      the_clock_continues_over_three_leader_changes,
      many_short_leaderships_still_expire_a_session,
      a_paused_leader_seals_nothing_in_its_first_turn,
      a_pause_costs_one_election_timeout_of_cluster_time,
      a_transfer_hands_over_the_clock,
      a_pending_deadline_makes_a_tick_each_second,
      without_deadlines_nothing_is_proposed, a_due_deadline_is_proposed_on_time,
      a_session_opened_after_a_long_silence_has_its_whole_ttl)
