/* Lines and modes: who is let in, and when. */
#include "lib/machine.h"
#include "lib/random.h"
#include "lib/suite.h"

#define LONG (1000 * SECOND)

static struct op with_mode(struct op op, enum mode mode)
{
	op.acquire.mode = mode;
	return op;
}

static struct op with_permits(struct op op, uint32_t permits, uint32_t limit)
{
	op.acquire.mode = MODE_PERMITS;
	op.acquire.permits = permits;
	op.acquire.limit = limit;
	return op;
}

static int acquire_shared(struct machine *m, uint64_t node, uint64_t s,
			  uint64_t wait)
{
	struct op op = with_mode(machine_acquire_op(m, node, s, "a", wait),
				 MODE_SHARED);

	return machine_do(m, &op);
}

static int acquire_permits(struct machine *m, uint64_t node, uint64_t s,
			   uint32_t permits, uint32_t limit, uint64_t wait)
{
	struct op op = with_permits(machine_acquire_op(m, node, s, "a", wait),
				    permits, limit);

	return machine_do(m, &op);
}

START_TEST(an_exclusive_hold_excludes_every_mode)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(machine_acquire(&m, 1, s, "a", 0), 0);
	ck_assert_int_eq(machine_acquire(&m, 1, s, "a", 0), HF_EHELD);
	ck_assert_int_eq(acquire_shared(&m, 1, s, 0), HF_EHELD);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 3, 0), HF_EHELD);
	machine_end(&m);
}
END_TEST

START_TEST(a_reader_does_not_overtake_a_waiting_writer)
{
	struct machine m;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(acquire_shared(&m, 1, s, 0), 0);
	token = m.answer.token;
	ck_assert_int_eq(machine_acquire(&m, 1, s, "a", WAIT_FOREVER),
			 STATUS_WAITING);
	ck_assert_int_eq(acquire_shared(&m, 1, s, 0), HF_EHELD);
	ck_assert_int_eq(acquire_shared(&m, 1, s, WAIT_FOREVER),
			 STATUS_WAITING);
	machine_release(&m, 1, s, token);
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_GRANTED), 1);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->seq, 2);
	machine_end(&m);
}
END_TEST

START_TEST(a_release_wakes_the_next_waiter_only)
{
	struct machine m;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	token = m.answer.token;
	for (uint64_t i = 0; i < 5; i++)
		machine_acquire(&m, 1, s, "a", WAIT_FOREVER);
	for (uint64_t i = 0; i < 5; i++) {
		ck_assert_int_eq(machine_release(&m, 1, s, token), 0);
		ck_assert_uint_eq(machine_said_often(&m, OUTPUT_GRANTED), 1);
		ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->seq, 2 + i);
		token = machine_said(&m, OUTPUT_GRANTED)->token;
	}
	machine_end(&m);
}
END_TEST

START_TEST(a_writers_cancel_lets_in_the_readers_behind_it)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire_shared(&m, 1, s, 0);
	machine_acquire(&m, 1, s, "a", WAIT_FOREVER);
	acquire_shared(&m, 1, s, WAIT_FOREVER);
	acquire_shared(&m, 1, s, WAIT_FOREVER);
	ck_assert_int_eq(machine_cancel(&m, 1, s, 2), HF_ECANCELED);
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_GRANTED), 2);
	machine_end(&m);
}
END_TEST

START_TEST(a_writers_time_out_lets_in_the_readers_behind_it)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire_shared(&m, 1, s, 0);
	machine_acquire(&m, 1, s, "a", 3 * SECOND);
	acquire_shared(&m, 1, s, WAIT_FOREVER);
	machine_pass(&m, 3 * SECOND - 1);
	ck_assert_uint_eq(m.outputs_len, 0);
	machine_pass(&m, 1);
	ck_assert_int_eq(machine_said(&m, OUTPUT_ENDED)->status, HF_ETIMEDOUT);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->seq, 3);
	machine_end(&m);
}
END_TEST

START_TEST(permits_in_use_never_exceed_the_limit)
{
	struct machine m;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 2, 3, 0), 0);
	token = m.answer.token;
	ck_assert_int_eq(acquire_permits(&m, 1, s, 2, 3, 0), HF_EHELD);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 3, 0), 0);
	ck_assert_int_eq(acquire_shared(&m, 1, s, 0), HF_EHELD);
	machine_release(&m, 1, s, token);
	ck_assert_int_eq(acquire_shared(&m, 1, s, 0), 0);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 2, 3, 0), HF_EHELD);
	machine_end(&m);
}
END_TEST

START_TEST(a_small_request_does_not_overtake_a_large_one)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire_permits(&m, 1, s, 2, 3, 0);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 3, 3, WAIT_FOREVER),
			 STATUS_WAITING);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 3, 0), HF_EHELD);
	machine_end(&m);
}
END_TEST

START_TEST(disagreement_about_a_limit_is_an_error_of_its_own)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 4, 3, 0), HF_EPERMITS);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 3, 0), 0);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 4, 0), HF_EPERMITS);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 2, WAIT_FOREVER),
			 HF_EPERMITS);
	machine_end(&m);
}
END_TEST

START_TEST(a_refused_try_does_not_make_a_lock_a_semaphore)
{
	struct machine m;
	struct record r;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	ck_assert_int_eq(acquire_permits(&m, 1, s, 1, 3, 0), HF_EHELD);
	ck_assert(core_lock(m.core, "a", 1, &r));
	ck_assert_uint_eq(r.lock.limit, 0);
	machine_end(&m);
}
END_TEST

START_TEST(a_lock_vanishes_with_its_last_use)
{
	struct machine m;
	struct record r;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	ck_assert(core_lock(m.core, "a", 1, &r));
	machine_release(&m, 1, s, m.answer.token);
	ck_assert(!core_lock(m.core, "a", 1, &r));
	machine_end(&m);
}
END_TEST

START_TEST(an_owner_who_asks_again_waits_for_itself)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	ck_assert_int_eq(machine_acquire(&m, 1, s, "a", WAIT_FOREVER),
			 STATUS_WAITING);
	machine_end(&m);
}
END_TEST

START_TEST(names_are_bytes_of_any_length_up_to_the_limit)
{
	static const uint8_t bytes[LOCK_NAME_MAX + 1] = { 0, 255, 10 };
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (size_t len = 1; len <= LOCK_NAME_MAX + 1; len++) {
		struct op op = machine_acquire_op(&m, 1, s, "", 0);
		struct record r;

		op.acquire.name = bytes;
		op.acquire.name_len = len;
		ck_assert_int_eq(machine_do(&m, &op),
				 len > LOCK_NAME_MAX ? HF_EINVAL : 0);
		ck_assert_int_eq(core_lock(m.core, bytes, len, &r),
				 len <= LOCK_NAME_MAX);
	}
	machine_end(&m);
}
END_TEST

/* Over everything that may happen to a name in between. */
START_TEST(the_token_of_a_name_rises_with_every_grant)
{
	struct machine m;
	uint64_t s, last = 0;
	struct random random = { 3 };

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(machine_acquire(&m, 1, s, "a", 0), 0);
		ck_assert_uint_gt(m.answer.token, last);
		last = m.answer.token;
		m.term += random_below(&random, 2);
		if (random_below(&random, 2) > 0) {
			machine_release(&m, 1, s, last);
		} else {
			machine_close(&m, 1, s);
			s = machine_open(&m, 1, LONG);
		}
	}
	machine_end(&m);
}
END_TEST

SUITE(an_exclusive_hold_excludes_every_mode,
      a_reader_does_not_overtake_a_waiting_writer,
      a_release_wakes_the_next_waiter_only,
      a_writers_cancel_lets_in_the_readers_behind_it,
      a_writers_time_out_lets_in_the_readers_behind_it,
      permits_in_use_never_exceed_the_limit,
      a_small_request_does_not_overtake_a_large_one,
      disagreement_about_a_limit_is_an_error_of_its_own,
      a_refused_try_does_not_make_a_lock_a_semaphore,
      a_lock_vanishes_with_its_last_use,
      an_owner_who_asks_again_waits_for_itself,
      names_are_bytes_of_any_length_up_to_the_limit,
      the_token_of_a_name_rises_with_every_grant)
