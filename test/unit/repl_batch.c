/* What goes into an entry, in which order, and what is refused. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#include <stdio.h>

#define SECOND UINT64_C(1000000)

static const struct repl_config plain = { .check_every = 64 };
static const struct mem mem;

static int add(struct batch *b, enum op_kind kind, size_t len, uint64_t ready)
{
	static const uint8_t bytes[OP_BYTES_MAX];
	const struct op op = { .kind = kind, .session = 7, .node = 3 };

	return batch_add(b, &op, bytes, len, ready);
}

static size_t fill(struct batch *b, enum op_kind kind)
{
	size_t n = 0;

	while (add(b, kind, 100, 0) == 0)
		n++;
	return n;
}

START_TEST(renewals_stand_in_front)
{
	struct batch b = { .mem = &mem };
	const struct op acquire = { .kind = OP_ACQUIRE };
	const struct op renew = { .kind = OP_RENEW };
	struct sealed s;

	batch_add(&b, &acquire, (const uint8_t *)"a", 1, 0);
	batch_add(&b, &renew, (const uint8_t *)"r", 1, 0);
	batch_add(&b, &acquire, (const uint8_t *)"b", 1, 0);
	batch_add(&b, &renew, (const uint8_t *)"s", 1, 0);
	ck_assert(batch_seal(&b, &s));
	ck_assert_uint_eq(s.ops, 4);
	ck_assert_uint_eq(s.renewals, 2);
	ck_assert_mem_eq(s.chunk->bytes.base, "rsab", 4);
	ck_assert(batch_empty(&b));
	sealed_free(&b, &s);
	batch_clear(&b);
}
END_TEST

START_TEST(a_sealed_batch_fits_an_entry)
{
	struct batch b = { .mem = &mem };
	struct sealed s;

	for (int i = 0; i < 10000; i++) {
		add(&b, OP_RENEW, OP_BYTES_MAX, 0);
		add(&b, OP_RELEASE, OP_BYTES_MAX, 0);
	}
	while (!batch_empty(&b)) {
		ck_assert(batch_seal(&b, &s));
		ck_assert_uint_le(s.ops, ENTRY_OPS_MAX);
		ck_assert_uint_le(entry_bytes(s.chunk->bytes.len),
				  ENTRY_BYTES_MAX);
		sealed_free(&b, &s);
	}
}
END_TEST

START_TEST(overload_refuses_acquires_first_and_renewals_last)
{
	struct batch b = { .mem = &mem };

	size_t acquires = fill(&b, OP_ACQUIRE);
	ck_assert_uint_ge(acquires, CHUNKS_ACQUIRE_MAX * CHUNK_OPS_MAX);
	ck_assert_int_eq(add(&b, OP_OPEN, 100, 0), HF_EBUSY);
	ck_assert_int_eq(add(&b, OP_RELEASE, 100, 0), 0);
	ck_assert_int_eq(add(&b, OP_ACQUIRE, 100, 0), HF_EBUSY);
	ck_assert_int_eq(add(&b, OP_CANCEL, 100, 0), 0);
	ck_assert_int_eq(add(&b, OP_CLOSE, 100, 0), 0);
	fill(&b, OP_RELEASE);
	ck_assert_int_eq(add(&b, OP_RELEASE, 100, 0), HF_EBUSY);
	ck_assert_int_eq(add(&b, OP_RENEW, 100, 0), 0);
	ck_assert_uint_ge(fill(&b, OP_RENEW), 65536);
	batch_clear(&b);
}
END_TEST

START_TEST(a_batch_of_renewals_is_ready_when_the_first_must_go)
{
	struct batch b = { .mem = &mem };

	ck_assert_uint_eq(batch_ready(&b), UINT64_MAX);
	add(&b, OP_RENEW, 10, 500);
	add(&b, OP_RENEW, 10, 300);
	add(&b, OP_RENEW, 10, 700);
	ck_assert_uint_eq(batch_ready(&b), 300);
	add(&b, OP_RELEASE, 10, 0);
	ck_assert_uint_eq(batch_ready(&b), 0);
	batch_clear(&b);
}
END_TEST

/* Entries of ours from `from` on, with so many operations each. */
static size_t entry_ops(const struct fake_member *m, raft_index index)
{
	struct op_array ops = { 0 };
	struct entry e;

	ck_assert(fake_entry(m, index, &e, &ops));
	op_array_free(&ops);
	return e.ops_len;
}

START_TEST(an_idle_leader_proposes_at_once)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	raft_index last = fake_last_index(m);
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 300);
	ck_assert_uint_eq(fake_last_index(m), last + 1);
	ck_assert_uint_eq(entry_ops(m, last + 1), 1);
	fake_free(&f);
}
END_TEST

START_TEST(requests_that_arrive_while_entries_are_in_flight_share_one)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	raft_index last = fake_last_index(m);
	m->disk_us = 50000;
	for (uint64_t i = 1; i <= 40; i++) {
		fake_acquire(m, 1, session, i, "a");
		fake_run(&f, 100);
	}
	ck_assert_uint_eq(propose_inflight(m->repl), INFLIGHT);
	fake_run(&f, 200000);
	ck_assert_uint_eq(fake_last_index(m), last + 3);
	ck_assert_uint_eq(entry_ops(m, last + 1), 1);
	ck_assert_uint_eq(entry_ops(m, last + 2), 1);
	ck_assert_uint_eq(entry_ops(m, last + 3), 38);
	fake_free(&f);
}
END_TEST

START_TEST(no_more_entries_are_in_flight_than_asked_for)
{
	struct fake f;
	struct repl_config config = plain;

	config.inflight_max = 4;
	fake_init(&f, 1, &config);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	m->disk_us = 50000;
	for (uint64_t i = 1; i <= 40; i++) {
		fake_acquire(m, 1, session, i, "a");
		fake_run(&f, 100);
		ck_assert_uint_le(propose_inflight(m->repl), 4);
	}
	ck_assert_uint_eq(propose_inflight(m->repl), 4);
	fake_free(&f);
}
END_TEST

START_TEST(renewals_alone_wait_for_company)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	fake_run(&f, SECOND / 10);
	raft_index last = fake_last_index(m);
	fake_renew(m, 1, session);
	fake_run(&f, 240000);
	fake_renew(m, 1, session);
	ck_assert_uint_eq(fake_last_index(m), last);
	fake_run(&f, 11000);
	ck_assert_uint_eq(fake_last_index(m), last + 1);
	ck_assert_uint_eq(entry_ops(m, last + 1), 2);
	/* In company they don't wait. */
	fake_renew(m, 1, session);
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 1000);
	ck_assert_uint_eq(fake_last_index(m), last + 2);
	ck_assert_uint_eq(entry_ops(m, last + 2), 2);
	fake_free(&f);
}
END_TEST

START_TEST(renewals_of_a_short_session_wait_less)
{
	struct fake f;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 400000);
	raft_index last = fake_last_index(m);
	fake_renew(m, 1, session);
	fake_run(&f, 19000);
	ck_assert_uint_eq(fake_last_index(m), last);
	fake_run(&f, 2000);
	ck_assert_uint_eq(fake_last_index(m), last + 1);
	fake_free(&f);
}
END_TEST

START_TEST(large_batches_reach_every_follower)
{
	struct fake f;
	struct repl_config config = { .inflight_max = 8 };

	fake_init(&f, 3, &config);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t session = fake_session(&f, 1, 600 * SECOND);
	uint64_t late = m->id % 3 + 1;
	fake_isolate(&f, late, true);
	for (uint64_t seq = 1; seq <= 40000; seq++) {
		char name[500];

		memset(name, 'x', sizeof(name));
		snprintf(name + 480, 20, "%lu", (unsigned long)seq);
		ck_assert_int_eq(
			fake_acquire(m, 1, session, seq % 4000 + 1, name), 0);
		if (seq % 1000 == 0)
			fake_run(&f, 5000);
	}
	fake_run(&f, SECOND);
	fake_isolate(&f, late, false);
	ck_assert(fake_settle(&f));
	ck_assert_uint_eq(core_hash(repl_core(fake_at(&f, late)->repl)),
			  core_hash(repl_core(m->repl)));
	struct repl_stats stats;
	repl_stats(m->repl, &stats);
	ck_assert_uint_gt(stats.guarded[GUARD_BYTES], 0);
	fake_free(&f);
}
END_TEST

SUITE(renewals_stand_in_front, a_sealed_batch_fits_an_entry,
      overload_refuses_acquires_first_and_renewals_last,
      a_batch_of_renewals_is_ready_when_the_first_must_go,
      an_idle_leader_proposes_at_once,
      requests_that_arrive_while_entries_are_in_flight_share_one,
      no_more_entries_are_in_flight_than_asked_for,
      renewals_alone_wait_for_company, renewals_of_a_short_session_wait_less,
      large_batches_reach_every_follower)
