/* When memory runs out: nothing has changed, nothing leaks, and the core says
 * so for ever. */
#include "lib/machine.h"
#include "lib/stream.h"
#include "lib/suite.h"

#include <stdlib.h>

static void keep_quiet(void *ctx, const struct output *output)
{
	(*(size_t *)ctx)++;
	(void)output;
}

/* Apply the stream's last entry with so many allocations to go. */
static int apply_with(struct machine *m, const struct stream *stream,
		      uint64_t budget, size_t *said)
{
	const struct output_sink sink = { keep_quiet, said };
	int rc;

	m->budget = budget;
	rc = core_apply(m->core, stream->index, &stream->entry, &sink);
	m->budget = UINT64_MAX;
	return rc;
}

/* Bring a fresh machine to the state of an image. */
static void start(struct machine *m, const struct image_copy *image)
{
	machine_init(m, 3);
	ck_assert_int_eq(image_copy_restore(image, m->core), 0);
}

/* Fail each allocation of the entry in turn. Returns how many there are. */
static uint64_t fail_each(const struct image_copy *image,
			  const struct image_copy *before, uint64_t hash,
			  const struct stream *stream)
{
	for (uint64_t budget = 0;; budget++) {
		struct image_copy after = { .len = 0 };
		struct machine m;
		size_t said = 0;
		int rc;

		start(&m, image);
		rc = apply_with(&m, stream, budget, &said);
		if (rc == 0) {
			machine_end(&m);
			return budget;
		}
		ck_assert_int_eq(rc, HF_ENOMEM);
		ck_assert_int_eq(core_poisoned(m.core), HF_ENOMEM);
		ck_assert_uint_eq(said, 0);
		ck_assert_uint_eq(core_hash(m.core), hash);
		core_visit_all(m.core, image_copy_visit, &after);
		ck_assert(image_copy_same(&after, before));
		ck_assert_int_eq(apply_with(&m, stream, UINT64_MAX, &said),
				 HF_ENOMEM);
		image_copy_free(&after);
		machine_end(&m);
	}
}

START_TEST(an_entry_without_memory_changes_nothing)
{
	struct machine *m = malloc(sizeof(*m));
	struct stream *stream = malloc(sizeof(*stream));
	uint64_t failures = 0;

	ck_assert(m && stream);
	machine_init(m, 1);
	stream_init(stream, 8);
	while (failures < 2000) {
		struct image_copy image = { .len = 0 }, before = { .len = 0 };
		size_t said = 0;

		image_copy_take(&image, m->core);
		core_visit_all(m->core, image_copy_visit, &before);
		stream_next(stream);
		failures +=
			fail_each(&image, &before, core_hash(m->core), stream);
		ck_assert_int_eq(apply_with(m, stream, UINT64_MAX, &said), 0);
		image_copy_free(&image);
		image_copy_free(&before);
	}
	machine_end(m);
	free(stream);
	free(m);
}
END_TEST

START_TEST(a_core_that_can_not_be_created_leaves_nothing)
{
	struct machine m;
	struct core *core = NULL;
	uint64_t budget = 0;

	machine_init(&m, 1);
	core_destroy(NULL);
	core_destroy(m.core);
	for (; !core; budget++) {
		m.budget = budget;
		core = core_create(&m.mem, 1);
		ck_assert(core || m.blocks == 0);
	}
	ck_assert_uint_gt(budget, 1);
	m.core = core;
	machine_end(&m);
}
END_TEST

START_TEST(a_restore_without_memory_says_so_and_leaves_nothing)
{
	struct machine *from = malloc(sizeof(*from));
	struct stream *stream = malloc(sizeof(*stream));
	struct image_copy image = { .len = 0 };
	int rc = HF_ENOMEM;

	ck_assert(from && stream);
	machine_init(from, 1);
	stream_init(stream, 9);
	for (int i = 0; i < 300; i++) {
		size_t said = 0;

		stream_next(stream);
		apply_with(from, stream, UINT64_MAX, &said);
	}
	image_copy_take(&image, from->core);
	for (uint64_t budget = 0; rc; budget++) {
		struct machine m;

		machine_init(&m, 2);
		m.budget = budget;
		rc = image_copy_restore(&image, m.core);
		ck_assert(rc == 0 || rc == HF_ENOMEM);
		machine_end(&m);
	}
	image_copy_free(&image);
	machine_end(from);
	free(stream);
	free(from);
}
END_TEST

START_TEST(a_look_at_everything_says_when_memory_is_out)
{
	struct machine m;
	struct image_copy copy = { .len = 0 };

	machine_init(&m, 1);
	m.budget = 0;
	ck_assert_int_eq(core_visit_all(m.core, image_copy_visit, &copy), -1);
	ck_assert_uint_eq(copy.len, 0);
	machine_end(&m);
}
END_TEST

/* In the long run an operation allocates nothing. */
START_TEST(acquire_and_release_reuse_their_memory)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, 10 * SECOND);
	for (uint64_t i = 0; i < 100; i++) {
		struct op op = machine_acquire_op(&m, 1, s, "a", 0);

		op.low = op.seq;
		if (i == 10)
			m.budget = 0;
		ck_assert_int_eq(machine_do(&m, &op), 0);
		op = machine_release_op(&m, 1, s, m.answer.token);
		op.low = op.seq;
		ck_assert_int_eq(machine_do(&m, &op), 0);
	}
	machine_end(&m);
}
END_TEST

START_TEST(what_is_kept_for_reuse_is_bounded)
{
	struct machine m;
	size_t before;
	uint64_t s;

	machine_init(&m, 1);
	core_check_every(m.core, 0);
	before = m.blocks;
	s = machine_open(&m, 1, 10 * SECOND);
	for (uint64_t i = 0; i < 20000; i++) {
		struct op op = machine_acquire_op(&m, 1, s, "a", WAIT_FOREVER);

		op.low = op.seq;
		machine_do(&m, &op);
	}
	machine_close(&m, 1, s);
	ck_assert_uint_lt(m.blocks, before + 5000);
	machine_end(&m);
}
END_TEST

SUITE(an_entry_without_memory_changes_nothing,
      a_core_that_can_not_be_created_leaves_nothing,
      a_restore_without_memory_says_so_and_leaves_nothing,
      a_look_at_everything_says_when_memory_is_out,
      acquire_and_release_reuse_their_memory, what_is_kept_for_reuse_is_bounded)
