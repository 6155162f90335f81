/* Exactly once: retries, stale and wild numbers, cancels. */
#include "lib/machine.h"
#include "lib/suite.h"

#define LONG (1000 * SECOND)

static size_t holds(const struct machine *m)
{
	struct counts counts;

	core_counts(m->core, &counts);
	return counts.holds;
}

START_TEST(a_retried_acquire_takes_effect_once)
{
	struct machine m;
	struct op op;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = machine_acquire_op(&m, 1, s, "a", 0);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	token = m.answer.token;
	machine_pass(&m, SECOND);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert_uint_eq(m.answer.token, token);
	ck_assert_uint_eq(m.answer.stamp, 0);
	ck_assert_uint_eq(holds(&m), 1);
	machine_end(&m);
}
END_TEST

START_TEST(a_retried_release_does_not_touch_the_next_hold)
{
	struct machine m;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	op = machine_release_op(&m, 1, s, m.answer.token);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	machine_acquire(&m, 1, s, "a", 0);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert_uint_eq(holds(&m), 1);
	machine_end(&m);
}
END_TEST

START_TEST(what_was_refused_stays_refused)
{
	struct machine m;
	struct op op;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	token = m.answer.token;
	op = machine_acquire_op(&m, 1, s, "a", 0);
	ck_assert_int_eq(machine_do(&m, &op), HF_EHELD);
	machine_release(&m, 1, s, token);
	ck_assert_int_eq(machine_do(&m, &op), HF_EHELD);
	ck_assert_uint_eq(holds(&m), 0);
	machine_end(&m);
}
END_TEST

START_TEST(below_low_nothing_has_an_effect)
{
	struct machine m;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = machine_acquire_op(&m, 1, s, "a", 0);
	machine_do(&m, &op);
	machine_release(&m, 1, s, m.answer.token);
	op.low = 3;
	ck_assert_int_eq(machine_do(&m, &op), HF_ESTALE);
	op.low = 0;
	ck_assert_int_eq(machine_do(&m, &op), HF_ESTALE);
	op.seq = 0;
	ck_assert_int_eq(machine_do(&m, &op), HF_ESTALE);
	ck_assert_uint_eq(holds(&m), 0);
	machine_end(&m);
}
END_TEST

START_TEST(beyond_the_window_nothing_has_an_effect)
{
	struct machine m;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = machine_acquire_op(&m, 1, s, "a", 0);
	op.seq = 1 + core_limits(m.core)->window;
	ck_assert_int_eq(machine_do(&m, &op), HF_ELIMIT);
	op.seq = UINT64_MAX;
	ck_assert_int_eq(machine_do(&m, &op), HF_ELIMIT);
	ck_assert_int_eq(machine_cancel(&m, 1, s, UINT64_MAX), HF_ELIMIT);
	ck_assert_uint_eq(holds(&m), 0);
	op.seq = core_limits(m.core)->window;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	machine_end(&m);
}
END_TEST

START_TEST(a_wild_low_harms_nobody)
{
	struct machine m;
	struct op op;
	struct record r;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = (struct op){
		.kind = OP_RENEW, .node = 1, .session = s, .low = UINT64_MAX
	};
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert_int_eq(machine_acquire(&m, 1, s, "a", 0), 0);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert(core_session(m.core, s, &r));
	ck_assert_uint_eq(r.session.low, 2);
	ck_assert_uint_eq(r.session.slots_len, 0);
	machine_end(&m);
}
END_TEST

START_TEST(numbers_may_come_in_any_order)
{
	struct machine m;
	struct record r;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (uint64_t i = 0; i < 1000; i++) {
		op = machine_acquire_op(&m, 1, s, "a", 0);
		op.seq = 1 + i * 7 % 1000;
		ck_assert_int_eq(machine_do(&m, &op), i ? HF_EHELD : 0);
	}
	ck_assert(core_session(m.core, s, &r));
	ck_assert_uint_eq(r.session.slots_len, 1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(r.session.slots[i].seq, i + 1);
	machine_end(&m);
}
END_TEST

/* While the window is kept moving a long way. */
START_TEST(a_session_may_live_for_any_number_of_operations)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (uint64_t i = 0; i < 5000; i++) {
		struct op op = machine_acquire_op(&m, 1, s, "a", 0);

		op.low = op.seq > 10 ? op.seq - 10 : 0;
		ck_assert_int_eq(machine_do(&m, &op), 0);
		op = machine_release_op(&m, 1, s, m.answer.token);
		op.low = op.seq > 10 ? op.seq - 10 : 0;
		ck_assert_int_eq(machine_do(&m, &op), 0);
	}
	machine_end(&m);
}
END_TEST

START_TEST(a_cancel_has_one_outcome_whatever_became_of_the_acquire)
{
	struct machine m;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = machine_acquire_op(&m, 1, s, "a", 0);
	machine_do(&m, &op);                          /* 1: granted */
	machine_acquire(&m, 1, s, "a", WAIT_FOREVER); /* 2: waits */
	machine_acquire(&m, 1, s, "a", SECOND);       /* 3: times out */
	machine_pass(&m, SECOND);
	for (uint64_t seq = 1; seq <= 4; seq++) /* 4: unseen */
		ck_assert_int_eq(machine_cancel(&m, 1, s, seq), HF_ECANCELED);
	ck_assert_uint_eq(holds(&m), 0);
	for (op.seq = 1; op.seq <= 4; op.seq++)
		ck_assert_int_eq(machine_do(&m, &op), HF_ECANCELED);
	ck_assert_uint_eq(holds(&m), 0);
	machine_end(&m);
}
END_TEST

START_TEST(a_cancel_below_low_still_takes_the_hold_away)
{
	struct machine m;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	op = machine_acquire_op(&m, 1, s, "b", 0);
	op.low = 2;
	machine_do(&m, &op);
	ck_assert_int_eq(machine_cancel(&m, 1, s, 1), HF_ECANCELED);
	ck_assert_uint_eq(holds(&m), 1);
	ck_assert_int_eq(machine_cancel(&m, 1, s, 1), HF_ECANCELED);
	ck_assert_int_eq(machine_cancel(&m, 1, s, 0), HF_ECANCELED);
	machine_end(&m);
}
END_TEST

START_TEST(a_cancel_of_a_release_changes_nothing)
{
	struct machine m;
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	op = machine_release_op(&m, 1, s, m.answer.token);
	machine_do(&m, &op);
	ck_assert_int_eq(machine_cancel(&m, 1, s, op.seq), HF_ECANCELED);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	machine_end(&m);
}
END_TEST

START_TEST(a_release_needs_the_token_of_its_own_session)
{
	struct machine m;
	uint64_t s1, s2, token;

	machine_init(&m, 1);
	s1 = machine_open(&m, 1, LONG);
	s2 = machine_open(&m, 2, LONG);
	machine_acquire(&m, 1, s1, "a", 0);
	token = m.answer.token;
	ck_assert_int_eq(machine_release(&m, 2, s2, token), HF_ENOTHELD);
	ck_assert_int_eq(machine_release(&m, 1, s1, 0), HF_ENOTHELD);
	ck_assert_int_eq(machine_release(&m, 1, s1, token + 1), HF_ENOTHELD);
	ck_assert_int_eq(machine_release(&m, 1, s1, token), 0);
	ck_assert_int_eq(machine_release(&m, 1, s1, token), HF_ENOTHELD);
	machine_end(&m);
}
END_TEST

START_TEST(a_timed_out_wait_is_kept_until_its_node_has_seen_why)
{
	struct machine m;
	struct image_copy seen = { .len = 0 };
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	machine_acquire(&m, 1, s, "a", SECOND);
	machine_pass(&m, SECOND);
	core_visit_session(m.core, s, image_copy_visit, &seen);
	ck_assert_uint_eq(seen.len, 2);
	ck_assert_int_eq(seen.records[1].request.state, REQUEST_ENDED);
	ck_assert_int_eq(seen.records[1].request.status, HF_ETIMEDOUT);
	ck_assert_uint_eq(seen.records[1].request.stamp, SECOND);
	image_copy_free(&seen);
	machine_cancel(&m, 1, s, 2);
	core_visit_session(m.core, s, image_copy_visit, &seen);
	ck_assert_uint_eq(seen.len, 1);
	image_copy_free(&seen);
	machine_end(&m);
}
END_TEST

static int cancel_wait(struct machine *m, uint64_t s, uint64_t seq)
{
	struct op op = { .kind = OP_CANCEL,
			 .node = 1,
			 .session = s,
			 .seq = seq,
			 .cancel = { .flags = CANCEL_WAIT } };

	return machine_do(m, &op);
}

/* Its end is the answer, also to who has lost that and asks again. */
START_TEST(a_cancel_of_a_wait_that_has_ended_answers_its_end)
{
	struct machine m;
	struct op op;
	struct record r;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (int i = 0; i < 2; i++) {
		op = machine_acquire_op(&m, 1, s, "a", 0);
		op.acquire.mode = MODE_SHARED;
		ck_assert_int_eq(machine_do(&m, &op), 0);
	}
	token = m.answer.token;
	op = machine_acquire_op(&m, 1, s, "a", SECOND);
	op.acquire.from = token;
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	machine_pass(&m, SECOND);
	ck_assert_int_eq(cancel_wait(&m, s, op.seq), HF_ETIMEDOUT);
	ck_assert_int_eq(cancel_wait(&m, s, op.seq), HF_ETIMEDOUT);
	ck_assert_int_eq(machine_do(&m, &op), HF_ETIMEDOUT);
	ck_assert(core_hold(m.core, token, &r));
	ck_assert_int_eq(r.request.mode, MODE_SHARED);
	machine_end(&m);
}
END_TEST

START_TEST(a_cancel_of_a_wait_for_what_has_come_true_says_so)
{
	struct machine m;
	struct op await = { .kind = OP_AWAIT,
			    .node = 1,
			    .await = { .name = (const uint8_t *)"v",
				       .name_len = 1,
				       .condition = AWAIT_PRESENT,
				       .wait = WAIT_FOREVER } };
	struct op put = { .kind = OP_PUT,
			  .node = 1,
			  .value = { .name = (const uint8_t *)"v",
				     .name_len = 1,
				     .expect = EXPECT_ANY } };
	uint64_t version;

	machine_init(&m, 1);
	await.session = put.session = machine_open(&m, 1, LONG);
	await.seq = ++m.seq[1];
	put.seq = ++m.seq[1];
	ck_assert_int_eq(machine_do(&m, &await), STATUS_WAITING);
	ck_assert_int_eq(machine_do(&m, &put), 0);
	version = machine_said(&m, OUTPUT_ENDED)->token;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(cancel_wait(&m, await.session, await.seq), 0);
		ck_assert_uint_eq(m.answer.token, version);
	}
	ck_assert_int_eq(machine_do(&m, &await), 0);
	ck_assert_uint_eq(m.answer.token, version);
	machine_end(&m);
}
END_TEST

SUITE(a_retried_acquire_takes_effect_once,
      a_retried_release_does_not_touch_the_next_hold,
      what_was_refused_stays_refused, below_low_nothing_has_an_effect,
      beyond_the_window_nothing_has_an_effect, a_wild_low_harms_nobody,
      numbers_may_come_in_any_order,
      a_session_may_live_for_any_number_of_operations,
      a_cancel_has_one_outcome_whatever_became_of_the_acquire,
      a_cancel_below_low_still_takes_the_hold_away,
      a_cancel_of_a_release_changes_nothing,
      a_release_needs_the_token_of_its_own_session,
      a_timed_out_wait_is_kept_until_its_node_has_seen_why,
      a_cancel_of_a_wait_that_has_ended_answers_its_end,
      a_cancel_of_a_wait_for_what_has_come_true_says_so)
