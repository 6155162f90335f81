/* Rules of lines and modes that other lock services learnt the hard way.
 * doc/lessons.md lists them all; a test's number is its rule's. */
#include "lib/machine.h"
#include "lib/suite.h"

#include <string.h>

#define LONG (1000 * SECOND)
#define TTL (10 * SECOND)
#define MANY 600

static struct op acquire_op(struct machine *m, uint64_t node, uint64_t s,
			    enum mode mode)
{
	struct op op = machine_acquire_op(m, node, s, "a", WAIT_FOREVER);

	op.acquire.mode = mode;
	return op;
}

static int acquire(struct machine *m, uint64_t node, uint64_t s, enum mode mode)
{
	struct op op = acquire_op(m, node, s, mode);

	return machine_do(m, &op);
}

static int permits(struct machine *m, uint64_t node, uint64_t s, uint32_t n,
		   uint32_t limit)
{
	struct op op = acquire_op(m, node, s, MODE_PERMITS);

	op.acquire.permits = n;
	op.acquire.limit = limit;
	return machine_do(m, &op);
}

static int convert(struct machine *m, uint64_t node, uint64_t s, uint64_t from,
		   enum mode mode)
{
	struct op op = acquire_op(m, node, s, mode);

	op.acquire.from = from;
	return machine_do(m, &op);
}

static int set_limit(struct machine *m, uint64_t node, uint64_t s,
		     uint32_t limit)
{
	struct op op = {
		.kind = OP_PERMITS, .node = node, .session = s, .seq = 1
	};

	op.seq = ++m->seq[node];
	op.permits.name = (const uint8_t *)"a";
	op.permits.name_len = 1;
	op.permits.limit = limit;
	return machine_do(m, &op);
}

static struct counts counts_of(const struct machine *m)
{
	struct counts counts;

	core_counts(m->core, &counts);
	return counts;
}

static size_t granted(const struct machine *m)
{
	return machine_said_often(m, OUTPUT_GRANTED);
}

START_TEST(lesson_18_a_release_wakes_the_next_waiter_only)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(acquire(&m, 1, s, MODE_EXCLUSIVE), 0);
	uint64_t token = m.answer.token;
	for (int i = 0; i < MANY; i++)
		acquire(&m, 1, s, MODE_EXCLUSIVE);
	machine_release(&m, 1, s, token);
	ck_assert_uint_eq(granted(&m), 1);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->seq, 2);
	/* Nobody else hears a word: the others are told nothing. */
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_ENDED), 0);
	ck_assert_uint_eq(counts_of(&m).waits, MANY - 1);
	machine_end(&m);
}
END_TEST

/* A reader holds, a writer (2) waits, a reader (3) waits behind it: whatever
 * takes the writer away must let the second reader in. */
static void behind_a_writer(struct machine *m, uint64_t s[4], uint64_t wait)
{
	struct op op;

	machine_init(m, 1);
	for (uint64_t i = 1; i <= 3; i++)
		s[i] = machine_open(m, i, i == 2 ? TTL : LONG);
	ck_assert_int_eq(acquire(m, 1, s[1], MODE_SHARED), 0);
	op = acquire_op(m, 2, s[2], MODE_EXCLUSIVE);
	op.acquire.wait = wait;
	ck_assert_int_eq(machine_do(m, &op), STATUS_WAITING);
	ck_assert_int_eq(acquire(m, 3, s[3], MODE_SHARED), STATUS_WAITING);
}

START_TEST(lesson_18_every_change_looks_at_the_line_again)
{
	struct machine m;
	uint64_t s[4];

	behind_a_writer(&m, s, WAIT_FOREVER); /* a cancel */
	machine_cancel(&m, 2, s[2], 1);
	ck_assert_uint_eq(granted(&m), 1);
	machine_end(&m);
	behind_a_writer(&m, s, SECOND); /* a wait that times out */
	machine_pass(&m, SECOND);
	ck_assert_uint_eq(granted(&m), 1);
	machine_end(&m);
	behind_a_writer(&m, s, WAIT_FOREVER); /* a session's end */
	machine_pass(&m, TTL);
	ck_assert_uint_eq(granted(&m), 1);
	machine_end(&m);

	machine_init(&m, 1); /* a downgrade */
	s[1] = machine_open(&m, 1, LONG);
	acquire(&m, 1, s[1], MODE_EXCLUSIVE);
	uint64_t token = m.answer.token;
	acquire(&m, 1, s[1], MODE_SHARED);
	ck_assert_int_eq(convert(&m, 1, s[1], token, MODE_SHARED), 0);
	ck_assert_uint_eq(granted(&m), 1);
	machine_end(&m);

	machine_init(&m, 1); /* a higher limit */
	s[1] = machine_open(&m, 1, LONG);
	ck_assert_int_eq(permits(&m, 1, s[1], 1, 1), 0);
	ck_assert_int_eq(permits(&m, 1, s[1], 1, 1), STATUS_WAITING);
	ck_assert_int_eq(set_limit(&m, 1, s[1], 2), 0);
	ck_assert_uint_eq(granted(&m), 1);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_19_a_long_line_costs_nobody_his_place)
{
	struct machine m;
	uint64_t s, other;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	other = machine_open(&m, 2, 40 * SECOND);
	acquire(&m, 1, s, MODE_EXCLUSIVE);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(acquire(&m, 1, s, MODE_EXCLUSIVE),
				 STATUS_WAITING);
	struct op op = acquire_op(&m, 2, other, MODE_EXCLUSIVE);
	op.acquire.wait = 30 * SECOND;
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	machine_pass(&m, 30 * SECOND - 1);
	ck_assert_uint_eq(counts_of(&m).waits, MANY + 1);
	machine_pass(&m, 1); /* its own deadline, and nobody else's */
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_ENDED), 1);
	ck_assert_uint_eq(counts_of(&m).waits, MANY);
	acquire(&m, 2, other, MODE_EXCLUSIVE);
	machine_pass(&m, 10 * SECOND); /* its session's end */
	ck_assert_uint_eq(counts_of(&m).waits, MANY);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_20_readers_wait_behind_a_writer_that_waits)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(acquire(&m, 1, s, MODE_SHARED), 0);
	ck_assert_int_eq(acquire(&m, 1, s, MODE_EXCLUSIVE), STATUS_WAITING);
	ck_assert_int_eq(acquire(&m, 1, s, MODE_SHARED), STATUS_WAITING);
	ck_assert_uint_eq(counts_of(&m).holds, 1);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_20_a_downgrade_keeps_its_place)
{
	struct machine m;
	uint64_t s;
	struct record r;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(acquire(&m, 1, s, MODE_EXCLUSIVE), 0);
	uint64_t token = m.answer.token;
	ck_assert_int_eq(acquire(&m, 1, s, MODE_EXCLUSIVE), STATUS_WAITING);
	/* Not released and asked for again behind the writer: held all the
	 * time, under the same token. */
	ck_assert_int_eq(convert(&m, 1, s, token, MODE_SHARED), 0);
	ck_assert_uint_eq(m.answer.token, token);
	ck_assert_uint_eq(granted(&m), 0);
	ck_assert(core_hold(m.core, token, &r));
	ck_assert_int_eq((int)r.request.mode, MODE_SHARED);
	ck_assert_uint_eq(counts_of(&m).waits, 1);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_20_the_second_of_two_upgraders_is_refused)
{
	struct machine m;
	uint64_t s, t, first, second;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	t = machine_open(&m, 2, LONG);
	acquire(&m, 1, s, MODE_SHARED);
	first = m.answer.token;
	acquire(&m, 2, t, MODE_SHARED);
	second = m.answer.token;
	ck_assert_int_eq(convert(&m, 1, s, first, MODE_EXCLUSIVE),
			 STATUS_WAITING);
	ck_assert_int_eq(convert(&m, 2, t, second, MODE_EXCLUSIVE), HF_EDEADLK);
	/* It still has what it had; once it gives that up the first goes up. */
	ck_assert_uint_eq(counts_of(&m).holds, 2);
	machine_release(&m, 2, t, second);
	ck_assert_uint_eq(granted(&m), 1);
	ck_assert_uint_gt(machine_said(&m, OUTPUT_GRANTED)->token, second);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_21_who_disagrees_about_the_limit_is_told)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	ck_assert_int_eq(permits(&m, 1, s, 1, 3), 0);
	ck_assert_int_eq(permits(&m, 1, s, 1, 4), HF_EPERMITS);
	ck_assert_int_eq(permits(&m, 1, s, 4, 0), HF_EPERMITS);
	ck_assert_int_eq(permits(&m, 1, s, 1, 0), 0);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_21_a_lowered_limit_drains)
{
	struct machine m;
	uint64_t s, tokens[3];

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(permits(&m, 1, s, 1, 3), 0);
		tokens[i] = m.answer.token;
	}
	ck_assert_int_eq(set_limit(&m, 1, s, 1), 0);
	ck_assert_uint_eq(counts_of(&m).holds, 3);
	ck_assert_int_eq(permits(&m, 1, s, 1, 1), STATUS_WAITING);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(granted(&m), 0);
		machine_release(&m, 1, s, tokens[i]);
	}
	ck_assert_uint_eq(granted(&m), 1);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_22_asking_twice_is_not_holding_twice)
{
	struct machine m;
	struct op op;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, TTL);
	op = acquire_op(&m, 1, s, MODE_EXCLUSIVE);
	op.acquire.owner = 7;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	token = m.answer.token;
	/* The same owner waits for itself, and is told so. */
	op = acquire_op(&m, 1, s, MODE_EXCLUSIVE);
	op.acquire.owner = 7;
	ck_assert_int_eq(machine_do(&m, &op), HF_EDEADLK);
	ck_assert_uint_eq(counts_of(&m).holds, 1);
	/* After the loss the handle is good for nothing, in any session. */
	machine_pass(&m, TTL);
	ck_assert_int_eq(machine_release(&m, 1, s, token), HF_ESESSION);
	s = machine_open(&m, 1, TTL);
	ck_assert_int_eq(machine_release(&m, 1, s, token), HF_ENOTHELD);
	ck_assert_int_eq(convert(&m, 1, s, token, MODE_SHARED), HF_ENOTHELD);
	machine_end(&m);
}
END_TEST

static int both(struct machine *m, uint64_t node, uint64_t s, const char *first,
		const char *second)
{
	struct op op = machine_acquire_op(m, node, s, first, WAIT_FOREVER);
	const struct op_part more = { .name = (const uint8_t *)second,
				      .name_len = strlen(second) };

	op.acquire.owner = node;
	op.acquire.more = &more;
	op.acquire.more_len = 1;
	return machine_do(m, &op);
}

START_TEST(lesson_23_several_locks_in_any_order_are_no_deadlock)
{
	struct machine m;
	uint64_t s, t, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	t = machine_open(&m, 2, LONG);
	ck_assert_int_eq(both(&m, 1, s, "a", "b"), 0);
	for (int i = 0; i < 20; i++) {
		token = m.answer.token;
		/* Each time in the other order; the one who waits holds none
		 * of them. */
		ck_assert_int_eq(i % 2 ? both(&m, 1, s, "a", "b")
				       : both(&m, 2, t, "b", "a"),
				 STATUS_WAITING);
		ck_assert_uint_eq(counts_of(&m).holds, 1);
		machine_release(&m, i % 2 ? 2 : 1, i % 2 ? t : s, token);
		ck_assert_uint_eq(granted(&m), 1);
		m.answer.token = machine_said(&m, OUTPUT_GRANTED)->token;
	}
	ck_assert_int_eq(both(&m, 1, s, "c", "c"), HF_EINVAL);
	machine_end(&m);
}
END_TEST

SUITE(lesson_18_a_release_wakes_the_next_waiter_only,
      lesson_18_every_change_looks_at_the_line_again,
      lesson_19_a_long_line_costs_nobody_his_place,
      lesson_20_readers_wait_behind_a_writer_that_waits,
      lesson_20_a_downgrade_keeps_its_place,
      lesson_20_the_second_of_two_upgraders_is_refused,
      lesson_21_who_disagrees_about_the_limit_is_told,
      lesson_21_a_lowered_limit_drains,
      lesson_22_asking_twice_is_not_holding_twice,
      lesson_23_several_locks_in_any_order_are_no_deadlock)
