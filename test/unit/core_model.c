/* Random streams: the state machine against the naive model, against itself
 * under another hash seed, and against itself restored from images. */
#include "lib/machine.h"
#include "lib/stream.h"
#include "lib/suite.h"

#include <stdlib.h>
#include <string.h>

#define STREAMS 8
#define OPS_EACH 25000

/* Where a stream goes. */
struct under_test {
	struct machine machine;
	struct stream stream;
	size_t ops;
};

static struct under_test *begin(uint64_t seed)
{
	struct under_test *t = malloc(sizeof(*t));

	ck_assert_ptr_nonnull(t);
	machine_init(&t->machine, seed + 1);
	stream_init(&t->stream, seed);
	t->ops = 0;
	return t;
}

static void end(struct under_test *t)
{
	machine_end(&t->machine);
	free(t);
}

static void collect(void *ctx, const struct output *output)
{
	struct machine *m = ctx;

	ck_assert_uint_lt(m->outputs_len, MACHINE_OUTPUTS);
	m->outputs[m->outputs_len++] = *output;
}

static void feed(struct machine *m, const struct stream *stream)
{
	const struct output_sink sink = { collect, m };

	m->outputs_len = 0;
	m->index = stream->index;
	ck_assert_msg(
		core_apply(m->core, stream->index, &stream->entry, &sink) == 0,
		"%s", core_error(m->core));
}

static bool same_output(const struct output *a, const struct output *b)
{
	return a->kind == b->kind && a->op == b->op && a->status == b->status &&
	       a->node == b->node && a->session == b->session &&
	       a->seq == b->seq && a->token == b->token &&
	       a->stamp == b->stamp && a->deadline == b->deadline &&
	       a->index == b->index;
}

static void compare(const struct under_test *t, uint64_t seed)
{
	const struct machine *m = &t->machine;
	const struct model *model = &t->stream.model;
	const char *difference = model_differs(model, m->core);

	ck_assert_msg(!difference, "seed %ju index %ju: %s differs",
		      (uintmax_t)seed, (uintmax_t)m->index, difference);
	ck_assert_uint_eq(m->outputs_len, model->outputs_len);
	for (size_t i = 0; i < m->outputs_len; i++)
		ck_assert_msg(same_output(&m->outputs[i], &model->outputs[i]),
			      "seed %ju index %ju: output %zu differs",
			      (uintmax_t)seed, (uintmax_t)m->index, i);
}

static void run_against_model(uint64_t seed)
{
	struct under_test *t = begin(seed);

	while (t->ops < OPS_EACH) {
		t->ops += stream_next(&t->stream)->ops_len;
		feed(&t->machine, &t->stream);
		compare(t, seed);
	}
	end(t);
}

START_TEST(random_streams_do_as_the_naive_model_does)
{
	for (uint64_t seed = 1; seed <= STREAMS; seed++)
		run_against_model(seed);
}
END_TEST

/* Two cores, other hash seeds, images of one taken at odd times. */
START_TEST(the_hash_depends_on_the_entries_only)
{
	struct under_test *t = begin(77);
	struct machine other;
	struct image_copy copy = { .len = 0 };
	const struct image_sink sink = { image_copy_put, &copy };

	machine_init(&other, 12345);
	while (t->ops < 10000) {
		t->ops += stream_next(&t->stream)->ops_len;
		feed(&t->machine, &t->stream);
		feed(&other, &t->stream);
		ck_assert_uint_eq(core_hash(t->machine.core),
				  core_hash(other.core));
		if (t->stream.index % 50 == 0) {
			core_image_abort(other.core);
			image_copy_free(&copy);
			ck_assert_int_eq(core_image_begin(other.core, &sink),
					 0);
		}
		core_image_step(other.core, t->stream.index % 3);
	}
	image_copy_free(&copy);
	machine_end(&other);
	end(t);
}
END_TEST

static void visit_all(struct core *core, struct image_copy *copy)
{
	ck_assert_int_eq(core_visit_all(core, image_copy_visit, copy), 0);
}

/* Restores from it and compares with what was there when it began. */
static void prove_image(const struct image_copy *image,
			const struct image_copy *then, uint64_t hash)
{
	struct image_copy now = { .len = 0 };
	struct machine m;

	machine_init(&m, 99);
	ck_assert_msg(image_copy_restore(image, m.core) == 0, "%s",
		      core_error(m.core));
	ck_assert_uint_eq(core_hash(m.core), hash);
	visit_all(m.core, &now);
	ck_assert(image_copy_same(&now, then));
	image_copy_free(&now);
	machine_end(&m);
}

START_TEST(an_image_in_slices_is_the_state_at_its_beginning)
{
	struct under_test *t = begin(4711);
	size_t images = 0;

	while (images < 300) {
		struct image_copy image = { .len = 0 }, then = { .len = 0 };
		const struct image_sink sink = { image_copy_put, &image };
		uint64_t hash = core_hash(t->machine.core);

		visit_all(t->machine.core, &then);
		ck_assert_int_eq(core_image_begin(t->machine.core, &sink), 0);
		ck_assert_int_eq(core_image_begin(t->machine.core, &sink),
				 HF_EBUSY);
		do {
			stream_next(&t->stream);
			feed(&t->machine, &t->stream);
		} while (!core_image_step(t->machine.core, 1 + images % 7));
		prove_image(&image, &then, hash);
		image_copy_free(&image);
		image_copy_free(&then);
		images++;
	}
	end(t);
}
END_TEST

/* A member that restarts from an image now and then stays the same. */
START_TEST(a_restored_core_goes_on_as_the_original)
{
	struct under_test *t = begin(31);
	struct machine other;

	machine_init(&other, 5);
	while (t->ops < 10000) {
		struct image_copy image = { .len = 0 };

		t->ops += stream_next(&t->stream)->ops_len;
		feed(&t->machine, &t->stream);
		feed(&other, &t->stream);
		compare(t, 31);
		ck_assert_uint_eq(other.outputs_len, t->machine.outputs_len);
		ck_assert_uint_eq(core_hash(other.core),
				  core_hash(t->machine.core));
		if (t->stream.index % 16 != 0)
			continue;
		image_copy_take(&image, t->machine.core);
		machine_end(&other);
		machine_init(&other, t->stream.index);
		ck_assert_int_eq(image_copy_restore(&image, other.core), 0);
		image_copy_free(&image);
	}
	machine_end(&other);
	end(t);
}
END_TEST

SUITE(random_streams_do_as_the_naive_model_does,
      the_hash_depends_on_the_entries_only,
      an_image_in_slices_is_the_state_at_its_beginning,
      a_restored_core_goes_on_as_the_original)
