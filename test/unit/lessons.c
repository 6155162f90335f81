/* Rules of safety that other lock services learnt the hard way, as far as the
 * state machine alone keeps them. doc/lessons.md lists them all; a test's
 * number is its rule's. */
#include "lib/machine.h"
#include "lib/suite.h"

#include <string.h>

#define LONG (1000 * SECOND)
#define TTL (10 * SECOND)

static bool held(const struct machine *m, uint64_t token)
{
	struct record r;

	return core_hold(m->core, token, &r);
}

static size_t waits(const struct machine *m)
{
	struct counts counts;

	core_counts(m->core, &counts);
	return counts.waits;
}

/* Take what is free: the token. */
static uint64_t take(struct machine *m, uint64_t node, uint64_t s,
		     const char *name)
{
	ck_assert_int_eq(machine_acquire(m, node, s, name, 0), 0);
	ck_assert_uint_gt(m->answer.token, 0);
	return m->answer.token;
}

static void wait_for(struct machine *m, uint64_t node, uint64_t s,
		     const char *name, uint64_t us)
{
	ck_assert_int_eq(machine_acquire(m, node, s, name, us), STATUS_WAITING);
}

/* Another member takes over from an image, as after an installed snapshot or a
 * restart, and goes on. */
static void go_on_from_an_image(struct machine *m)
{
	struct image_copy copy = { 0 };
	struct core *restored;

	image_copy_take(&copy, m->core);
	restored = core_create(&m->mem, 2);
	ck_assert_ptr_nonnull(restored);
	ck_assert_int_eq(image_copy_restore(&copy, restored), 0);
	ck_assert_uint_eq(core_hash(restored), core_hash(m->core));
	core_destroy(m->core);
	m->core = restored;
	core_check_every(m->core, 1);
	image_copy_free(&copy);
}

START_TEST(lesson_02_a_names_token_rises_whatever_happens)
{
	struct machine m;
	uint64_t last = 0, token, s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (int i = 0; i < 5; i++) {
		struct record r;

		token = take(&m, 1, s, "a");
		ck_assert_uint_gt(token, last);
		last = token;
		/* The same for the life of the hold. */
		m.term++;
		machine_pass(&m, SECOND);
		go_on_from_an_image(&m);
		ck_assert(held(&m, token));
		/* Nothing is left of the name when it is free, and it is
		 * higher all the same when it is taken next. */
		ck_assert_int_eq(machine_release(&m, 1, s, token), 0);
		ck_assert(!core_lock(m.core, "a", 1, &r));
		last = take(&m, 1, s, "a");
		ck_assert_uint_gt(last, token);
		go_on_from_an_image(&m);
		machine_close(&m, 1, s);
		go_on_from_an_image(&m);
		s = machine_open(&m, 1, LONG);
	}
	/* 0 is nobody's. */
	ck_assert(!held(&m, 0));
	machine_end(&m);
}
END_TEST

START_TEST(lesson_03_who_is_let_in_has_a_lease_when_it_is_applied)
{
	struct machine m;
	uint64_t holder, waiter, third, token;

	machine_init(&m, 1);
	holder = machine_open(&m, 1, LONG);
	waiter = machine_open(&m, 2, TTL);
	third = machine_open(&m, 3, LONG);
	token = take(&m, 1, holder, "a");
	wait_for(&m, 2, waiter, "a", WAIT_FOREVER);
	wait_for(&m, 3, third, "a", WAIT_FOREVER);
	/* The release is applied at the instant at which the first waiter's
	 * lease ends. */
	m.now += TTL;
	ck_assert_int_eq(machine_release(&m, 1, holder, token), 0);
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_GRANTED), 1);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->node, 3);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_03_two_leases_that_end_together_pass_nothing_on)
{
	struct machine m;
	uint64_t holder, waiter;

	machine_init(&m, 1);
	holder = machine_open(&m, 1, TTL);
	waiter = machine_open(&m, 2, TTL);
	take(&m, 1, holder, "a");
	wait_for(&m, 2, waiter, "a", WAIT_FOREVER);
	machine_pass(&m, TTL);
	ck_assert_ptr_null(machine_said(&m, OUTPUT_GRANTED));
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_SESSION_ENDED), 2);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_04_a_sessions_death_ends_its_waits_at_once)
{
	struct machine m;
	uint64_t holder, dying, reader;
	struct op op;

	machine_init(&m, 1);
	holder = machine_open(&m, 1, LONG);
	dying = machine_open(&m, 2, TTL);
	reader = machine_open(&m, 3, LONG);
	op = machine_acquire_op(&m, 1, holder, "a", 0);
	op.acquire.mode = MODE_SHARED;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	/* A writer that waits, and a reader behind it. */
	wait_for(&m, 2, dying, "a", WAIT_FOREVER);
	wait_for(&m, 2, dying, "a", WAIT_FOREVER);
	op = machine_acquire_op(&m, 3, reader, "a", WAIT_FOREVER);
	op.acquire.mode = MODE_SHARED;
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	machine_pass(&m, TTL);
	ck_assert_uint_eq(waits(&m), 0);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_SESSION_ENDED)->session,
			  dying);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->node, 3);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_10_a_retry_finds_its_answer_after_a_snapshot_too)
{
	struct machine m;
	struct op acquire, release;
	struct counts counts;
	uint64_t s, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire = machine_acquire_op(&m, 1, s, "a", 0);
	ck_assert_int_eq(machine_do(&m, &acquire), 0);
	token = m.answer.token;
	go_on_from_an_image(&m);
	ck_assert_int_eq(machine_do(&m, &acquire), 0);
	ck_assert_uint_eq(m.answer.token, token);
	core_counts(m.core, &counts);
	ck_assert_uint_eq(counts.holds, 1);
	release = machine_release_op(&m, 1, s, token);
	ck_assert_int_eq(machine_do(&m, &release), 0);
	token = take(&m, 1, s, "a");
	go_on_from_an_image(&m);
	/* The retries of both leave the next hold alone. */
	ck_assert_int_eq(machine_do(&m, &release), 0);
	ck_assert_int_eq(machine_do(&m, &acquire), 0);
	core_counts(m.core, &counts);
	ck_assert_uint_eq(counts.holds, 1);
	ck_assert(held(&m, token));
	machine_end(&m);
}
END_TEST

static struct op add_op(struct machine *m, uint64_t s, int64_t delta)
{
	struct op op = {
		.kind = OP_ADD, .node = 1, .session = s, .seq = ++m->seq[1]
	};

	op.value.name = (const uint8_t *)"n";
	op.value.name_len = 1;
	op.value.expect = EXPECT_ANY;
	op.value.delta = delta;
	return op;
}

START_TEST(lesson_10_a_retried_addition_is_added_once)
{
	struct machine m;
	struct op op;
	struct record r;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = add_op(&m, s, 5);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(machine_do(&m, &op), 0);
		ck_assert_uint_eq(m.answer.token, COUNT_BIAS + 5);
		go_on_from_an_image(&m);
	}
	ck_assert(core_value(m.core, "n", 1, &r));
	ck_assert_int_eq(r.value.number, 5);
	machine_end(&m);
}
END_TEST

/* Cancel the newest request of node 2, whatever has become of it. */
static void give_up(struct machine *m, uint64_t s)
{
	ck_assert_int_eq(machine_cancel(m, 2, s, m->seq[2]), HF_ECANCELED);
}

START_TEST(lesson_12_a_cancel_leaves_nothing_behind)
{
	struct machine m;
	struct op op;
	struct counts counts;
	uint64_t holder, s, token;

	machine_init(&m, 1);
	holder = machine_open(&m, 1, LONG);
	s = machine_open(&m, 2, LONG);
	token = take(&m, 1, holder, "a");
	/* While it waits, */
	wait_for(&m, 2, s, "a", WAIT_FOREVER);
	give_up(&m, s);
	/* after a grant that is on its way, */
	wait_for(&m, 2, s, "a", WAIT_FOREVER);
	machine_release(&m, 1, holder, token);
	ck_assert_ptr_nonnull(machine_said(&m, OUTPUT_GRANTED));
	give_up(&m, s);
	/* before the request arrives, which it then finds cancelled, */
	op = machine_acquire_op(&m, 2, s, "a", WAIT_FOREVER);
	give_up(&m, s);
	ck_assert_int_eq(machine_do(&m, &op), HF_ECANCELED);
	/* and after its deadline. */
	token = take(&m, 1, holder, "a");
	wait_for(&m, 2, s, "a", SECOND);
	machine_pass(&m, SECOND);
	ck_assert_int_eq(machine_said(&m, OUTPUT_ENDED)->status, HF_ETIMEDOUT);
	machine_cancel(&m, 2, s, m.seq[2]);
	machine_release(&m, 1, holder, token);
	core_counts(m.core, &counts);
	ck_assert_uint_eq(counts.holds + counts.waits + counts.locks, 0);
	machine_end(&m);
}
END_TEST

START_TEST(lesson_12_a_grant_that_races_a_cancel_has_one_outcome)
{
	for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
		struct machine m;
		struct op ops[2];
		uint64_t holder, s, token;

		machine_init(&m, 1);
		holder = machine_open(&m, 1, LONG);
		s = machine_open(&m, 2, LONG);
		token = take(&m, 1, holder, "a");
		wait_for(&m, 2, s, "a", WAIT_FOREVER);
		ops[cancel_first] = machine_release_op(&m, 1, holder, token);
		ops[!cancel_first] = (struct op){ .kind = OP_CANCEL,
						  .node = 2,
						  .session = s,
						  .seq = m.seq[2] };
		ck_assert_int_eq(machine_apply(&m, ops, 2), 0);
		ck_assert_uint_eq(waits(&m), 0);
		take(&m, 1, holder, "a");
		machine_end(&m);
	}
}
END_TEST

START_TEST(lesson_14_a_late_heartbeat_revives_nothing)
{
	struct machine m;
	struct op op;
	uint64_t s, other, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	other = machine_open(&m, 2, TTL);
	op = machine_acquire_op(&m, 1, s, "a", 0);
	op.acquire.lease = TTL;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	token = m.answer.token;
	machine_release(&m, 1, s, token);
	uint64_t next = take(&m, 2, other, "a");
	/* Of the hold's own lease, */
	op = (struct op){ .kind = OP_EXTEND, .node = 1, .session = s };
	op.extend.token = token;
	ck_assert_int_eq(machine_do(&m, &op), HF_ENOTHELD);
	ck_assert(!held(&m, token));
	ck_assert(held(&m, next));
	/* of a session that was closed, and of one that is over. */
	ck_assert_int_eq(machine_close(&m, 1, s), 0);
	ck_assert_int_eq(machine_renew(&m, 1, s), HF_ESESSION);
	machine_pass(&m, TTL);
	ck_assert_int_eq(machine_renew(&m, 2, other), HF_ESESSION);
	ck_assert(!held(&m, next));
	machine_end(&m);
}
END_TEST

/* The ways in which a hold with a lock delay ends. */
static void end_hold(struct machine *m, int way, uint64_t s, uint64_t token)
{
	struct op op = { .kind = OP_REVOKE, .node = 2, .session = 0 };

	switch (way) {
	case 0:
		machine_release(m, 1, s, token);
		break;
	case 1:
		machine_close(m, 1, s);
		break;
	case 2:
		machine_cancel(m, 1, s, m->seq[1]);
		break;
	case 3: /* the session's end */
		machine_pass(m, TTL);
		break;
	case 4: /* it was held for too long */
		machine_pass(m, TTL / 2);
		break;
	default: /* it is taken away */
		op.session = machine_open(m, 2, LONG);
		op.seq = ++m->seq[2];
		op.revoke.token = token;
		ck_assert_int_eq(machine_do(m, &op), 0);
		machine_renew(m, 1, s);
		machine_pass(m, TTL);
	}
}

START_TEST(lesson_16_a_lock_delay_follows_failures_only)
{
	for (int way = 0; way < 6; way++) {
		struct machine m;
		struct op op;
		uint64_t s, other;

		machine_init(&m, 1);
		s = machine_open(&m, 1, TTL);
		op = machine_acquire_op(&m, 1, s, "a", 0);
		op.acquire.delay = SECOND;
		op.acquire.hold = way == 4 ? TTL / 2 : 0;
		ck_assert_int_eq(machine_do(&m, &op), 0);
		end_hold(&m, way, s, m.answer.token);
		other = machine_open(&m, 3, LONG);
		ck_assert_int_eq(machine_acquire(&m, 3, other, "a", 0),
				 way < 3 ? 0 : HF_EHELD);
		if (way >= 3) {
			machine_pass(&m, SECOND);
			take(&m, 3, other, "a");
		}
		machine_end(&m);
	}
}
END_TEST

SUITE(lesson_02_a_names_token_rises_whatever_happens,
      lesson_03_who_is_let_in_has_a_lease_when_it_is_applied,
      lesson_03_two_leases_that_end_together_pass_nothing_on,
      lesson_04_a_sessions_death_ends_its_waits_at_once,
      lesson_10_a_retry_finds_its_answer_after_a_snapshot_too,
      lesson_10_a_retried_addition_is_added_once,
      lesson_12_a_cancel_leaves_nothing_behind,
      lesson_12_a_grant_that_races_a_cancel_has_one_outcome,
      lesson_14_a_late_heartbeat_revives_nothing,
      lesson_16_a_lock_delay_follows_failures_only)
