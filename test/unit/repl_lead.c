/* Leading and following: elections, serving, agreement, hand-over. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#include <stdio.h>

#define SECOND UINT64_C(1000000)

static const struct repl_config plain = { .check_every = 64 };

static uint64_t hash_of(const struct fake_member *m)
{
	return core_hash(repl_core(m->repl));
}

static bool alike(struct fake *fake)
{
	for (size_t i = 2; i <= fake->len; i++)
		if (hash_of(fake_at(fake, i)) != hash_of(fake_at(fake, 1)))
			return false;
	return true;
}

static void acquire_many(struct fake *fake, uint64_t node, uint64_t session,
			 uint64_t n)
{
	for (uint64_t i = 1; i <= n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "lock %d", (int)(i % 10));
		ck_assert_int_eq(
			fake_acquire(fake_leader(fake), node, session, i, name),
			0);
		fake_run(fake, i * 37 % 5000);
	}
}

START_TEST(a_member_alone_leads_and_serves)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	ck_assert_ptr_nonnull(m);
	uint64_t session = fake_session(&f, 1, 1000000);
	ck_assert_int_eq(fake_acquire(m, 1, session, 1, "a"), 0);
	fake_run(&f, 10000);
	const struct output *o = fake_last(m, OUTPUT_ANSWER, OP_ACQUIRE);
	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(o->status, 0);
	ck_assert_uint_gt(o->token, 0);
	fake_free(&f);
}
END_TEST

START_TEST(three_members_elect_one_and_reach_the_same_state)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	ck_assert_ptr_nonnull(fake_elect(&f));
	uint64_t session = fake_session(&f, 9, 10000000);
	acquire_many(&f, 9, session, 100);
	ck_assert(fake_settle(&f));
	ck_assert(alike(&f));
	fake_free(&f);
}
END_TEST

START_TEST(followers_know_the_leader_and_refuse_operations)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *leader = fake_elect(&f);
	fake_run(&f, 200000);
	for (uint64_t i = 1; i <= 3; i++) {
		struct fake_member *m = fake_at(&f, i);

		ck_assert_uint_eq(repl_leader(m->repl), leader->id);
		ck_assert_uint_gt(m->changes, 0);
		if (m != leader)
			ck_assert_int_eq(fake_open(m, 1, 1000000),
					 HF_ENOLEADER);
	}
	fake_free(&f);
}
END_TEST

START_TEST(only_the_leader_gives_outputs)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *leader = fake_elect(&f);
	fake_session(&f, 1, 10000000);
	ck_assert(fake_settle(&f));
	for (uint64_t i = 1; i <= 3; i++)
		if (fake_at(&f, i) != leader)
			ck_assert_uint_eq(fake_at(&f, i)->outputs_len, 0);
	fake_free(&f);
}
END_TEST

START_TEST(an_isolated_leader_stops_serving_and_another_takes_over)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *old = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 10000000);
	fake_isolate(&f, old->id, true);
	fake_run(&f, 2000000);
	ck_assert(!repl_serving(old->repl));
	ck_assert_int_eq(fake_renew(old, 1, session), HF_ENOLEADER);
	struct fake_member *new = fake_elect(&f);
	ck_assert_ptr_nonnull(new);
	ck_assert_ptr_ne(new, old);
	ck_assert_int_eq(fake_renew(new, 1, session), 0);
	fake_isolate(&f, old->id, false);
	fake_run(&f, 1000000);
	ck_assert(fake_settle(&f));
	ck_assert(alike(&f));
	fake_free(&f);
}
END_TEST

START_TEST(what_an_isolated_leader_took_is_dropped)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *old = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60000000);
	fake_isolate(&f, old->id, true);
	for (uint64_t i = 1; i <= 10; i++) {
		ck_assert_int_eq(fake_acquire(old, 1, session, i, "x"), 0);
		fake_run(&f, 1000);
	}
	fake_run(&f, 2000000);
	fake_isolate(&f, old->id, false);
	fake_run(&f, 1000000);
	ck_assert(fake_settle(&f));
	ck_assert(alike(&f));
	struct counts counts;
	core_counts(repl_core(old->repl), &counts);
	ck_assert_uint_eq(counts.holds, 0);
	/* Also when it leads again. */
	for (int i = 0; i < 20 && fake_elect(&f) != old; i++) {
		repl_transfer(fake_leader(&f)->repl);
		fake_run(&f, SECOND);
	}
	ck_assert_ptr_eq(fake_leader(&f), old);
	fake_run(&f, SECOND);
	ck_assert_ptr_null(fake_last(old, OUTPUT_ANSWER, OP_ACQUIRE));
	fake_free(&f);
}
END_TEST

START_TEST(a_transfer_makes_another_member_serve)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *old = fake_elect(&f);
	fake_session(&f, 1, 10000000);
	repl_transfer(old->repl);
	old->wake = f.now;
	fake_run(&f, 150000);
	ck_assert(!repl_serving(old->repl));
	ck_assert_ptr_nonnull(fake_leader(&f));
	ck_assert_ptr_ne(fake_leader(&f), old);
	fake_free(&f);
}
END_TEST

START_TEST(a_transfer_that_nobody_can_take_changes_nothing)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *old = fake_elect(&f);
	for (uint64_t i = 1; i <= 3; i++)
		f.down[old->id][i] = true;
	repl_transfer(old->repl);
	old->wake = f.now;
	fake_run(&f, 1000);
	for (uint64_t i = 1; i <= 3; i++)
		f.down[old->id][i] = false;
	fake_run(&f, 1000000);
	ck_assert_ptr_eq(fake_leader(&f), old);
	fake_free(&f);
}
END_TEST

START_TEST(what_is_asked_during_a_transfer_that_fails_is_done_afterwards)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	/* One is taken for the successor, and doesn't hear of it. */
	uint64_t deaf = m->id % 3 + 1, other = deaf % 3 + 1;
	f.down[m->id][other] = true;
	f.cut[m->id][deaf] = true;
	repl_transfer(m->repl);
	m->wake = f.now;
	fake_run(&f, 20);
	ck_assert_uint_eq(raft_transferee(raft_of(m->repl)), deaf);
	f.down[m->id][other] = false;
	ck_assert_int_eq(fake_acquire(m, 1, session, 1, "a"), 0);
	fake_run(&f, 100000);
	ck_assert_ptr_null(fake_last(m, OUTPUT_ANSWER, OP_ACQUIRE));
	fake_run(&f, SECOND);
	ck_assert_ptr_eq(fake_leader(&f), m);
	ck_assert_ptr_nonnull(fake_last(m, OUTPUT_ANSWER, OP_ACQUIRE));
	fake_free(&f);
}
END_TEST

START_TEST(a_restart_of_all_loses_nothing)
{
	struct fake f;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60000000);
	acquire_many(&f, 1, session, 30);
	ck_assert(fake_settle(&f));
	struct counts before, after;
	core_counts(repl_core(fake_at(&f, 1)->repl), &before);
	for (uint64_t i = 1; i <= 3; i++)
		fake_crash(&f, i);
	fake_run(&f, 1000);
	fake_start_all(&f);
	ck_assert_ptr_nonnull(fake_elect(&f));
	ck_assert(fake_settle(&f));
	core_counts(repl_core(fake_at(&f, 1)->repl), &after);
	ck_assert_uint_eq(after.holds, before.holds);
	ck_assert_uint_eq(after.waits, before.waits);
	ck_assert_uint_eq(after.sessions, 1);
	ck_assert(alike(&f));
	fake_free(&f);
}
END_TEST

START_TEST(a_member_alone_serves_again_after_a_restart_in_its_old_term)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 10000000);
	fake_crash(&f, 1);
	m->outputs_len = 0;
	ck_assert_int_eq(fake_start(&f, 1), 0);
	ck_assert(!repl_serving(m->repl));
	ck_assert_uint_eq(m->outputs_len, 0);
	fake_elect(&f);
	ck_assert(repl_serving(m->repl));
	ck_assert_int_eq(fake_renew(m, 1, session), 0);
	fake_run(&f, 1000000);
	ck_assert_int_eq(fake_last(m, OUTPUT_ANSWER, OP_RENEW)->status, 0);
	fake_free(&f);
}
END_TEST

START_TEST(a_minority_that_restarts_catches_up)
{
	struct fake f;

	fake_init(&f, 5, &plain);
	fake_start_all(&f);
	struct fake_member *leader = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60000000);
	uint64_t a = leader->id % 5 + 1, b = a % 5 + 1;
	fake_crash(&f, a);
	fake_crash(&f, b);
	acquire_many(&f, 1, session, 50);
	ck_assert_int_eq(fake_start(&f, a), 0);
	ck_assert_int_eq(fake_start(&f, b), 0);
	fake_run(&f, 1000000);
	ck_assert(fake_settle(&f));
	ck_assert(alike(&f));
	fake_free(&f);
}
END_TEST

START_TEST(a_config_that_cannot_work_is_refused_with_a_reason)
{
	const struct repl_config wrong[] = {
		{ .snapshot_trailing = 4, .inflight_max = 2 },
		{ .tick_ms = 300, .election_ms = 300 },
		{ .heartbeat_ms = 60, .tick_ms = 50 },
		{ .inflight_max = INFLIGHT_MAX + 1 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct fake f;

		fake_init(&f, 1, &wrong[i]);
		ck_assert_int_eq(fake_start(&f, 1), HF_EINVAL);
		ck_assert_uint_gt(strlen(fake_at(&f, 1)->text), 0);
		fake_free(&f);
	}
}
END_TEST

SUITE(a_member_alone_leads_and_serves,
      three_members_elect_one_and_reach_the_same_state,
      followers_know_the_leader_and_refuse_operations,
      only_the_leader_gives_outputs,
      an_isolated_leader_stops_serving_and_another_takes_over,
      what_an_isolated_leader_took_is_dropped,
      a_transfer_makes_another_member_serve,
      a_transfer_that_nobody_can_take_changes_nothing,
      what_is_asked_during_a_transfer_that_fails_is_done_afterwards,
      a_restart_of_all_loses_nothing,
      a_member_alone_serves_again_after_a_restart_in_its_old_term,
      a_minority_that_restarts_catches_up,
      a_config_that_cannot_work_is_refused_with_a_reason)
