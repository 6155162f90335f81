/* Images: what belongs to one, whatever happens while it is taken. */
#include "lib/machine.h"
#include "lib/suite.h"

#include <string.h>

#define LONG (1000 * SECOND)

/* Two sessions that live, locks held, waited for and delayed, an ended wait. */
static void fill(struct machine *m)
{
	struct op op;
	uint64_t s1, s2, s3;

	machine_init(m, 1);
	s1 = machine_open(m, 1, LONG);
	s2 = machine_open(m, 2, LONG);
	machine_acquire(m, 1, s1, "a", 0);
	machine_acquire(m, 2, s2, "a", WAIT_FOREVER);
	machine_acquire(m, 2, s2, "b", 0);
	s3 = machine_open(m, 3, 2 * SECOND);
	op = machine_acquire_op(m, 3, s3, "d", 0);
	op.acquire.delay = 50 * SECOND;
	machine_do(m, &op);
	machine_acquire(m, 1, s1, "b", SECOND);
	machine_pass(m, 3 * SECOND);
}

static int restore(const struct image_copy *image)
{
	struct machine m;
	int rc;

	machine_init(&m, 2);
	rc = image_copy_restore(image, m.core);
	machine_end(&m);
	return rc;
}

START_TEST(the_image_of_an_empty_state_is_its_state_record)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	machine_init(&m, 1);
	image_copy_take(&image, m.core);
	ck_assert_uint_eq(image.len, 1);
	ck_assert_int_eq(restore(&image), 0);
	ck_assert(!core_image_step(m.core, 1));
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

/* The walk stands on an object that goes; and all objects go. */
START_TEST(an_image_survives_that_everything_it_has_goes)
{
	for (size_t steps = 0; steps < 12; steps++) {
		struct machine m;
		struct image_copy image = { .len = 0 };
		const struct image_sink sink = { image_copy_put, &image };

		fill(&m);
		ck_assert_int_eq(core_image_begin(m.core, &sink), 0);
		core_image_step(m.core, steps);
		machine_close(&m, 1, 1);
		machine_close(&m, 2, 2);
		machine_pass(&m, 60 * SECOND);
		while (!core_image_step(m.core, 1))
			;
		ck_assert_int_eq(restore(&image), 0);
		image_copy_free(&image);
		machine_end(&m);
	}
}
END_TEST

START_TEST(an_aborted_image_is_forgotten)
{
	struct machine m;
	struct image_copy image = { .len = 0 };
	const struct image_sink sink = { image_copy_put, &image };

	fill(&m);
	core_image_begin(m.core, &sink);
	core_image_abort(m.core);
	core_image_abort(m.core);
	machine_close(&m, 1, 1);
	ck_assert_uint_eq(image.len, 1);
	image_copy_free(&image);
	image_copy_take(&image, m.core);
	ck_assert_int_eq(restore(&image), 0);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(a_poisoned_core_gives_no_image)
{
	struct machine m;
	struct image_copy image = { .len = 0 };
	const struct image_sink sink = { image_copy_put, &image };
	struct entry entry = { .version = 99 };

	fill(&m);
	ck_assert_int_eq(core_image_begin(m.core, &sink), 0);
	ck_assert_int_eq(core_apply(m.core, 1000, &entry, NULL), HF_ECORRUPT);
	ck_assert(!core_image_step(m.core, 1000));
	ck_assert_int_eq(core_image_begin(m.core, &sink), HF_ECORRUPT);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

/* A core that goes on from another's state, with so many numbers left. */
static void go_on_with(struct machine *to, struct machine *from, uint64_t left)
{
	struct image_copy image = { .len = 0 };

	image_copy_take(&image, from->core);
	image.records[0].state.counter = (UINT64_MAX >> 1) - left;
	machine_init(to, 1);
	ck_assert_int_eq(image_copy_restore(&image, to->core), HF_ECORRUPT);
	image.records[0].state.hash = core_hash(to->core);
	machine_end(to);
	machine_init(to, 1);
	ck_assert_int_eq(image_copy_restore(&image, to->core), 0);
	to->index = from->index;
	memcpy(to->seq, from->seq, sizeof(to->seq));
	image_copy_free(&image);
}

static int put(struct machine *m, const char *name)
{
	struct op op = { .kind = OP_PUT,
			 .node = 1,
			 .session = 1,
			 .seq = ++m->seq[1],
			 .value = { .name = (const uint8_t *)name,
				    .name_len = 1,
				    .expect = EXPECT_ANY } };

	return machine_do(m, &op);
}

/* The last numbers there are: nobody gets one twice, nobody is cheated. A
 * request for several locks could take 2 PARTS_MAX of them, so that this is the
 * least with which any is accepted. */
START_TEST(when_numbers_are_used_up_nothing_more_is_given)
{
	struct machine m, to;

	machine_init(&m, 1);
	machine_open(&m, 1, LONG);
	go_on_with(&to, &m, 2 * PARTS_MAX);
	ck_assert_int_eq(machine_acquire(&to, 1, 1, "a", 0), 0);
	ck_assert_uint_eq(to.answer.token,
			  (UINT64_MAX >> 1) - 2 * PARTS_MAX + 2);
	ck_assert_int_eq(machine_acquire(&to, 1, 1, "b", 0), HF_ELIMIT);
	for (size_t i = 0; i < PARTS_MAX - 1; i++)
		ck_assert_int_eq(put(&to, "v"), i < PARTS_MAX ? 0 : HF_ELIMIT);
	machine_end(&to);
	go_on_with(&to, &m, 3);
	ck_assert_int_eq(put(&to, "v"), 0);
	ck_assert_int_eq(put(&to, "v"), HF_ELIMIT);
	ck_assert_uint_gt(machine_open(&to, 2, LONG), 0);
	ck_assert_uint_eq(machine_open(&to, 3, LONG), 0);
	ck_assert_int_eq(to.answer.status, HF_ELIMIT);
	machine_end(&to);
	machine_end(&m);
}
END_TEST

START_TEST(waiters_wait_on_when_numbers_are_used_up)
{
	struct machine m, to;
	uint64_t token;

	machine_init(&m, 1);
	machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, 1, "a", 0);
	token = m.answer.token;
	machine_acquire(&m, 1, 1, "a", WAIT_FOREVER);
	go_on_with(&to, &m, 0);
	ck_assert_int_eq(machine_release(&to, 1, 1, token), 0);
	ck_assert_ptr_null(machine_said(&to, OUTPUT_GRANTED));
	ck_assert_int_eq(core_check(to.core), 0);
	ck_assert_int_eq(machine_cancel(&to, 1, 1, 2), HF_ECANCELED);
	machine_end(&to);
	machine_end(&m);
}
END_TEST

/* All who come to it get a number at once, or nobody does. */
START_TEST(a_barrier_opens_with_numbers_for_all_only)
{
	enum { COME = 3 * PARTS_MAX };
	struct machine m, to;
	struct op op;

	machine_init(&m, 1);
	machine_open(&m, 1, LONG);
	for (size_t i = 0; i < COME - 1; i++) {
		op = machine_acquire_op(&m, 1, 1, "b", WAIT_FOREVER);
		op.acquire.mode = MODE_BARRIER;
		op.acquire.limit = COME;
		ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	}
	for (uint64_t left = 2 * PARTS_MAX; left <= COME; left++) {
		go_on_with(&to, &m, left);
		op = machine_acquire_op(&to, 1, 1, "b", WAIT_FOREVER);
		op.acquire.mode = MODE_BARRIER;
		op.acquire.limit = COME;
		ck_assert_int_eq(machine_do(&to, &op), STATUS_WAITING);
		ck_assert_uint_eq(machine_said_often(&to, OUTPUT_GRANTED),
				  left < COME ? 0 : COME);
		machine_end(&to);
	}
	machine_end(&m);
}
END_TEST

SUITE(the_image_of_an_empty_state_is_its_state_record,
      an_image_survives_that_everything_it_has_goes,
      an_aborted_image_is_forgotten, a_poisoned_core_gives_no_image,
      when_numbers_are_used_up_nothing_more_is_given,
      waiters_wait_on_when_numbers_are_used_up,
      a_barrier_opens_with_numbers_for_all_only)
