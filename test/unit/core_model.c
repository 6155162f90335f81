/* Random streams: the state machine against the naive model, against itself
 * under another hash seed, and against itself restored from images. */
#include "lib/machine.h"
#include "lib/stream.h"
#include "lib/suite.h"

#include <stdlib.h>
#include <string.h>

#define STREAMS 24
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

static void feed(struct machine *m, const struct stream *stream)
{
	ck_assert_msg(machine_feed(m, stream->index, &stream->entry) == 0, "%s",
		      core_error(m->core));
}

static void compare(const struct under_test *t, uint64_t seed)
{
	const struct machine *m = &t->machine;
	const struct model *model = &t->stream.model;
	const char *difference = model_differs(model, m->core);

	if (!difference)
		difference =
			model_outputs_differ(model, m->outputs, m->outputs_len);
	ck_assert_msg(!difference, "seed %ju index %ju: %s differs",
		      (uintmax_t)seed, (uintmax_t)m->index, difference);
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

/* What the streams must meet, or they prove little. */
static const struct {
	enum output_kind kind;
	enum op_kind op;
	int status;
	size_t least;
} met[] = {
	{ OUTPUT_ANSWER, OP_ACQUIRE, 0, 2000 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, STATUS_WAITING, 2000 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_EINVAL, 200 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_EHELD, 200 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_ENOTHELD, 200 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_EKIND, 100 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_EPERMITS, 200 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_EDEADLK, 100 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_ELIMIT, 200 },
	{ OUTPUT_ANSWER, OP_ACQUIRE, HF_ELINE, 20 },
	{ OUTPUT_ANSWER, OP_RELEASE, 0, 500 },
	{ OUTPUT_ANSWER, OP_RELEASE, HF_ENOCANDIDATE, 50 },
	{ OUTPUT_ANSWER, OP_CANCEL, 0, 50 },
	{ OUTPUT_ANSWER, OP_EXTEND, 0, 50 },
	{ OUTPUT_ANSWER, OP_REVOKE, 0, 200 },
	{ OUTPUT_ANSWER, OP_NOTED, 0, 50 },
	{ OUTPUT_ANSWER, OP_PERMITS, 0, 200 },
	{ OUTPUT_ANSWER, OP_PERMITS, HF_EDEADLK, 1 },
	{ OUTPUT_ANSWER, OP_PUT, 0, 100 },
	{ OUTPUT_ANSWER, OP_PUT, HF_EVERSION, 20 },
	{ OUTPUT_ANSWER, OP_DELETE, HF_ENOVALUE, 50 },
	{ OUTPUT_ANSWER, OP_ADD, HF_ERANGE, 5 },
	{ OUTPUT_ANSWER, OP_AWAIT, STATUS_WAITING, 200 },
	{ OUTPUT_ENDED, 0, 0, 10 },
	{ OUTPUT_ENDED, 0, HF_ETIMEDOUT, 200 },
	{ OUTPUT_ENDED, 0, HF_EEXPIRED, 100 },
	{ OUTPUT_ENDED, 0, HF_EREVOKED, 20 },
	{ OUTPUT_ENDED, 0, HF_ENOTHELD, 2 },
	{ OUTPUT_ENDED, 0, HF_EPERMITS, 1 },
	{ OUTPUT_ENDED, 0, HF_EDEADLK, 1 },
	{ OUTPUT_ENDED, 0, HF_EKIND, 1 },
	{ OUTPUT_REVOKED, 0, 0, 200 },
	{ OUTPUT_DEADLOCK, 0, 0, 200 },
};

enum { MET = sizeof(met) / sizeof(*met) };

static void count_met(const struct model *m, size_t *counts)
{
	for (size_t i = 0; i < m->outputs_len; i++) {
		const struct output *o = &m->outputs[i];

		for (size_t k = 0; k < MET; k++)
			counts[k] += o->kind == met[k].kind &&
				     o->op == met[k].op &&
				     o->status == met[k].status;
	}
}

START_TEST(random_streams_meet_every_kind_of_end_and_refusal)
{
	struct stream *s = malloc(sizeof(*s));
	size_t counts[MET] = { 0 };

	ck_assert_ptr_nonnull(s);
	for (uint64_t seed = 1; seed <= 8; seed++) {
		stream_init(s, seed);
		for (size_t ops = 0; ops < OPS_EACH;) {
			ops += stream_next(s)->ops_len;
			count_met(&s->model, counts);
		}
	}
	for (size_t k = 0; k < MET; k++)
		ck_assert_msg(counts[k] >= met[k].least,
			      "line %zu was met %zu times only", k, counts[k]);
	free(s);
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
      random_streams_meet_every_kind_of_end_and_refusal,
      the_hash_depends_on_the_entries_only,
      an_image_in_slices_is_the_state_at_its_beginning,
      a_restored_core_goes_on_as_the_original)
