/* A state restored from the bytes of a snapshot is the state that was written,
 * and goes on as the others do. */
#include "lib/machine.h"
#include "lib/samples.h"
#include "lib/stream.h"
#include "lib/suite.h"
#include "lib/through.h"

#include <stdlib.h>

/* Enough for each kind of record in each of its states. */
enum { STREAMS = 16, OPS_EACH = 4000, RESTORE_EVERY = 7 };

static void restart(struct machine *m, struct core *from, uint64_t seed)
{
	machine_end(m);
	machine_init(m, seed);
	ck_assert_msg(through_codec(from, m->core) == 0, "%s",
		      core_error(m->core));
	ck_assert_uint_eq(core_hash(m->core), core_hash(from));
}

/* What waited for a value has no value any more, but what it came to. */
START_TEST(an_ended_wait_for_a_value_is_in_the_snapshot)
{
	struct machine m, other;
	struct op op = { .kind = OP_AWAIT,
			 .node = 1,
			 .await = { .name = (const uint8_t *)"v",
				    .name_len = 1,
				    .condition = AWAIT_PRESENT,
				    .wait = SECOND } };
	uint64_t s;

	machine_init(&m, 1);
	machine_init(&other, 2);
	s = machine_open(&m, 1, 1000 * SECOND);
	op.session = s;
	op.seq = ++m.seq[1];
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	machine_pass(&m, 2 * SECOND);
	ck_assert_int_eq(machine_said(&m, OUTPUT_ENDED)->status, HF_ETIMEDOUT);
	restart(&other, m.core, 3);
	machine_end(&other);
	machine_end(&m);
}
END_TEST

static void expect_same(const struct machine *a, const struct machine *b,
			uint64_t seed)
{
	ck_assert_msg(core_hash(a->core) == core_hash(b->core),
		      "seed %ju index %ju: other hashes", (uintmax_t)seed,
		      (uintmax_t)a->index);
	ck_assert_uint_eq(a->outputs_len, b->outputs_len);
	for (size_t i = 0; i < a->outputs_len; i++)
		check_same_output(&a->outputs[i], &b->outputs[i]);
}

static void run_beside_one_who_restarts(uint64_t seed)
{
	struct stream *stream = malloc(sizeof(*stream));
	struct machine stays, restarts;

	ck_assert_ptr_nonnull(stream);
	machine_init(&stays, 1);
	machine_init(&restarts, 2);
	stream_init(stream, seed);
	for (size_t ops = 0; ops < OPS_EACH;) {
		ops += stream_next(stream)->ops_len;
		ck_assert_int_eq(
			machine_feed(&stays, stream->index, &stream->entry), 0);
		ck_assert_int_eq(
			machine_feed(&restarts, stream->index, &stream->entry),
			0);
		expect_same(&stays, &restarts, seed);
		if (stream->index % RESTORE_EVERY == 0)
			restart(&restarts, stays.core, stream->index);
	}
	machine_end(&restarts);
	machine_end(&stays);
	free(stream);
}

START_TEST(who_restarts_from_snapshots_says_what_the_others_say)
{
	for (uint64_t seed = 100; seed < 100 + STREAMS; seed++)
		run_beside_one_who_restarts(seed);
}
END_TEST

SUITE(an_ended_wait_for_a_value_is_in_the_snapshot,
      who_restarts_from_snapshots_says_what_the_others_say)
