/* Failure: this member's part ends at once, cleanly and for good. */
#include "lib/fakedisk.h"
#include "lib/suite.h"

#include "repl/message.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND UINT64_C(1000000)

static const struct repl_config plain = { .check_every = 64,
					  .append_timeout_ms = 500 };

static struct fake_member *started(struct fake *f, size_t len,
				   const struct repl_config *config)
{
	fake_init(f, len, config);
	fake_start_all(f);
	ck_assert_ptr_nonnull(fake_elect(f));
	return fake_leader(f);
}

/* Told once, silent from then on, answers nothing, applies nothing, closes. */
static void expect_failed(struct fake *f, struct fake_member *m, int rc)
{
	size_t sent = m->sent, outputs = m->outputs_len;
	uint64_t applied = repl_applied(m->repl);

	ck_assert(repl_failed(m->repl));
	ck_assert_int_eq(m->failed, rc);
	ck_assert_uint_gt(strlen(m->text), 0);
	fake_run(f, 3 * SECOND);
	ck_assert_uint_eq(m->failures, 1);
	ck_assert_uint_eq(m->sent, sent);
	ck_assert_uint_eq(m->outputs_len, outputs);
	ck_assert_uint_eq(repl_applied(m->repl), applied);
	ck_assert(!repl_serving(m->repl));
	ck_assert_uint_eq(repl_leader(m->repl), 0);
	ck_assert_int_eq(fake_open(m, 1, SECOND), HF_ENOLEADER);
	fake_stop(f, m->id);
	ck_assert(m->closed);
}

START_TEST(a_failed_write_ends_a_leaders_part_and_another_takes_over)
{
	struct fake f;

	struct fake_member *m = started(&f, 3, &plain);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	m->fail_append = true;
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 1000);
	expect_failed(&f, m, HF_EIO);
	ck_assert_ptr_nonnull(fake_elect(&f));
	ck_assert_ptr_ne(fake_leader(&f), m);
	fake_free(&f);
}
END_TEST

START_TEST(a_refused_write_ends_a_followers_part)
{
	struct fake f;

	struct fake_member *m = started(&f, 3, &plain);
	struct fake_member *other = fake_at(&f, m->id % 3 + 1);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	other->refuse_append = true;
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 10000);
	expect_failed(&f, other, HF_EIO);
	ck_assert_ptr_eq(fake_leader(&f), m);
	fake_free(&f);
}
END_TEST

START_TEST(a_stuck_write_ends_this_members_part_without_waiting_for_it)
{
	struct fake f;

	struct fake_member *m = started(&f, 3, &plain);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	m->stuck = true;
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 450000);
	ck_assert(!repl_failed(m->repl));
	fake_run(&f, 100000);
	expect_failed(&f, m, HF_EIO);
	ck_assert(!m->clean);
	/* Later the disk lets go of it after all. */
	fake_run(&f, SECOND);
	fake_disk_lose(m);
	fake_free(&f);
}
END_TEST

START_TEST(a_pause_of_the_process_is_no_slow_disk)
{
	struct fake f;

	struct fake_member *m = started(&f, 3, &plain);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 50);
	ck_assert(!list_empty(&m->ops));
	fake_pause(&f, m->id, 20 * SECOND);
	fake_run(&f, 21 * SECOND);
	ck_assert(!repl_failed(m->repl));
	fake_free(&f);
}
END_TEST

/* Real requests for votes, not for pre-votes. */
static bool count_votes(struct fake *f, struct fake_message *m, void *ctx)
{
	struct raft_message message;

	(void)f;
	if (m->bytes[0] != MESSAGE_RAFT ||
	    raftmsg_decode(m->bytes + 1, m->len - 1, &message) != 0)
		return true;
	if (message.type == RAFT_REQUEST_VOTE && !message.request_vote.pre_vote)
		++*(size_t *)ctx;
	raftmsg_discard(&message);
	return true;
}

static void expect_no_vote_sent(bool fail_term)
{
	struct fake f;
	size_t votes = 0;

	struct fake_member *m = started(&f, 3, &plain);
	for (uint64_t i = 1; i <= 3; i++) {
		fake_at(&f, i)->fail_term = fail_term;
		fake_at(&f, i)->fail_vote = !fail_term;
	}
	f.filter = count_votes;
	f.filter_ctx = &votes;
	fake_isolate(&f, m->id, true);
	fake_run(&f, 5 * SECOND);
	ck_assert_uint_eq(votes, 0);
	struct fake_member *a = fake_at(&f, m->id % 3 + 1);
	struct fake_member *b = fake_at(&f, a->id % 3 + 1);
	ck_assert(repl_failed(a->repl) || repl_failed(b->repl));
	expect_failed(&f, repl_failed(a->repl) ? a : b, HF_EIO);
	fake_free(&f);
}

START_TEST(a_term_that_cannot_be_stored_asks_nobody_for_a_vote)
{
	expect_no_vote_sent(true);
}
END_TEST

START_TEST(a_vote_that_cannot_be_stored_is_not_sent)
{
	expect_no_vote_sent(false);
}
END_TEST

START_TEST(a_snapshot_that_cannot_be_stored_ends_this_members_part)
{
	for (int refused = 0; refused <= 1; refused++) {
		struct fake f;
		struct repl_config config = plain;

		config.snapshot_threshold = 20;
		config.snapshot_trailing = 20;
		struct fake_member *m = started(&f, 1, &config);
		m->fail_put = !refused;
		m->refuse_put = refused;
		uint64_t session = fake_session(&f, 1, 60 * SECOND);
		for (uint64_t i = 1; i <= 30 && !m->failures; i++) {
			fake_acquire(m, 1, session, i, "a");
			fake_run(&f, 2000);
		}
		expect_failed(&f, m, HF_EIO);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_state_that_differs_from_the_leaders_is_found)
{
	struct fake f;
	struct repl_config config = plain;

	config.hash_every = 1;
	struct fake_member *m = started(&f, 3, &config);
	struct fake_member *other = fake_at(&f, m->id % 3 + 1);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	ck_assert(fake_settle(&f));
	uint64_t index = core_index(repl_core(other->repl));
	other->repl->fsm.hashes[index % HASHES_KEPT].hash ^= 1;
	uint64_t applied = repl_applied(other->repl);
	/* Several entries at once: none of them is applied. */
	fake_isolate(&f, other->id, true);
	for (uint64_t i = 1; i <= 5; i++) {
		fake_acquire(m, 1, session, i, "a");
		fake_run(&f, 10000);
	}
	fake_isolate(&f, other->id, false);
	fake_run(&f, 300000);
	ck_assert_uint_eq(repl_applied(other->repl), applied);
	ck_assert_ptr_nonnull(strstr(other->text, "differs"));
	expect_failed(&f, other, HF_ECORRUPT);
	ck_assert_ptr_eq(fake_leader(&f), m);
	fake_free(&f);
}
END_TEST

static void note(void *arg, bool clean)
{
	int *calls = arg;

	*calls += clean ? 1 : 100;
}

/* Whoever closes waits for a disk that works, and not for one that failed. */
START_TEST(closing_waits_for_the_disk_unless_that_has_failed)
{
	struct fake f;
	int calls = 0;

	struct fake_member *m = started(&f, 3, &plain);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	fake_acquire(m, 1, session, 1, "a");
	guard_fail(m->repl->guard, HF_ECORRUPT, "not the disk");
	m->wake = f.now;
	fake_run(&f, 100);
	ck_assert_int_eq(m->failed, HF_ECORRUPT);
	m->stuck = true;
	m->up = false;
	repl_close(m->repl, note, &calls);
	ck_assert_int_eq(calls, 0);
	fake_disk_lose(m);
	ck_assert_int_eq(calls, 1);
	repl_free(m->repl);
	m->repl = NULL;
	fake_free(&f);
}
END_TEST

START_TEST(equal_states_agree_for_ever)
{
	struct fake f;
	struct repl_config config = plain;

	config.hash_every = 3;
	struct fake_member *m = started(&f, 3, &config);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	struct op_array ops = { 0 };
	size_t said = 0;
	for (uint64_t i = 1; i <= 100; i++) {
		fake_acquire(m, 1, session, i, "a");
		fake_run(&f, 1000 + i);
	}
	ck_assert(fake_settle(&f));
	for (raft_index i = 2; i <= fake_last_index(m); i++) {
		struct entry e;

		said += fake_entry(m, i, &e, &ops) && e.hash_index > 0;
	}
	ck_assert_uint_ge(said, 30);
	ck_assert_uint_le(said, 40);
	for (uint64_t i = 1; i <= 3; i++)
		ck_assert(!repl_failed(fake_at(&f, i)->repl));
	op_array_free(&ops);
	fake_free(&f);
}
END_TEST

/* Memory that runs out when told to. */
struct short_mem {
	struct mem mem;
	bool out;
	size_t left; /* allocations until one fails; 0: none does */
	size_t refused;
};

static void *resize(void *ctx, void *ptr, size_t len)
{
	struct short_mem *s = ctx;

	if (len == 0) {
		free(ptr);
		return NULL;
	}
	if (s->out || (s->left > 0 && --s->left == 0)) {
		s->refused++;
		return NULL;
	}
	return realloc(ptr, len);
}

START_TEST(an_entry_that_memory_is_short_for_is_never_applied_twice)
{
	struct fake f;
	struct short_mem s = { .mem.resize = resize };
	struct repl_config config = plain;

	s.mem.ctx = &s;
	fake_init(&f, 3, &config);
	fake_at(&f, 1)->config.mem = &s.mem;
	fake_start_all(&f);
	while (fake_elect(&f)->id != 1) {
		fake_pause(&f, fake_leader(&f)->id, SECOND);
		fake_run(&f, 2 * SECOND);
	}
	struct fake_member *m = fake_at(&f, 1);
	ck_assert_int_eq(fake_open(m, 7, 60 * SECOND), 0);
	fake_run(&f, 50); /* proposed */
	ck_assert_uint_gt(propose_inflight(m->repl), 0);
	uint64_t applied = repl_applied(m->repl);
	s.out = true;
	fake_run(&f, 50000);
	s.out = false;
	ck_assert_uint_gt(s.refused, 0);
	ck_assert_uint_eq(repl_applied(m->repl), applied);
	expect_failed(&f, m, HF_ENOMEM);
	ck_assert_ptr_nonnull(fake_elect(&f));
	fake_run(&f, SECOND);
	struct counts counts;
	core_counts(repl_core(fake_leader(&f)->repl), &counts);
	ck_assert_uint_eq(counts.sessions, 1);
	/* After a restart it has it too. */
	ck_assert_int_eq(fake_start(&f, 1), 0);
	fake_run(&f, SECOND);
	ck_assert(fake_settle(&f));
	ck_assert_uint_eq(core_hash(repl_core(m->repl)),
			  core_hash(repl_core(fake_leader(&f)->repl)));
	fake_free(&f);
}
END_TEST

START_TEST(memory_running_out_for_the_disk_ends_this_members_part)
{
	struct fake f;
	struct short_mem s = { .mem.resize = resize };
	struct repl_config config = plain;

	s.mem.ctx = &s;
	config.mem = &s.mem;
	struct fake_member *m = started(&f, 1, &config);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	ck_assert_int_eq(fake_acquire(m, 1, session, 1, "a"), 0);
	s.out = true;
	fake_run(&f, 5000);
	ck_assert(repl_failed(m->repl));
	s.out = false;
	ck_assert_int_eq(m->failed, HF_ENOMEM);
	fake_free(&f);
}
END_TEST

START_TEST(a_member_without_memory_does_not_open)
{
	struct fake f;
	struct short_mem s = { .mem.resize = resize, .out = true };
	struct repl_config config = plain;

	s.mem.ctx = &s;
	config.mem = &s.mem;
	fake_init(&f, 1, &config);
	ck_assert_int_eq(fake_start(&f, 1), HF_ENOMEM);
	ck_assert_ptr_null(fake_at(&f, 1)->repl);
	fake_free(&f);
}
END_TEST

START_TEST(memory_may_run_out_at_any_step_of_a_start)
{
	struct short_mem s = { .mem.resize = resize };
	struct repl_config config = plain;
	int rc = HF_ENOMEM;

	s.mem.ctx = &s;
	config.mem = &s.mem;
	for (size_t n = 1; rc != 0; n++) {
		struct fake f;

		s.left = n;
		fake_init(&f, 1, &config);
		rc = fake_start(&f, 1);
		ck_assert(rc == 0 || rc == HF_ENOMEM);
		s.left = 0;
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_log_that_cannot_be_read_is_refused)
{
	const int wrong[][2] = { { RAFT_IOERR, HF_EIO },
				 { RAFT_CORRUPT, HF_ECORRUPT },
				 { RAFT_NOMEM, HF_ENOMEM } };

	for (size_t i = 0; i < 3; i++) {
		struct fake f;

		fake_init(&f, 1, &plain);
		fake_at(&f, 1)->fail_load = wrong[i][0];
		ck_assert_int_eq(fake_start(&f, 1), wrong[i][1]);
		ck_assert_uint_gt(strlen(fake_at(&f, 1)->text), 0);
		ck_assert(fake_at(&f, 1)->closed);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_damaged_entry_is_not_applied)
{
	struct fake f;

	struct fake_member *m = started(&f, 1, &plain);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, SECOND);
	fake_crash(&f, 1);
	struct raft_buffer *b = &m->disk.entries[m->disk.len - 2].buf;
	((uint8_t *)b->base)[b->len - 9] ^= 1;
	ck_assert_int_eq(fake_start(&f, 1), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(m->text, "damaged"));
	fake_free(&f);
}
END_TEST

START_TEST(closing_with_writes_in_flight_is_clean)
{
	struct fake f;
	int calls = 0;

	struct fake_member *m = started(&f, 3, &plain);
	uint64_t session = fake_session(&f, 1, 60 * SECOND);
	fake_acquire(m, 1, session, 1, "a");
	fake_run(&f, 50);
	ck_assert(!list_empty(&m->ops));
	repl_close(m->repl, note, &calls);
	repl_close(m->repl, note, &calls);
	ck_assert_int_eq(calls, 1);
	ck_assert_uint_eq(repl_turn(m->repl), UINT64_MAX);
	ck_assert_int_eq(fake_open(m, 1, SECOND), HF_ENOLEADER);
	repl_free(m->repl);
	m->repl = NULL;
	m->up = false;
	fake_free(&f);
}
END_TEST

START_TEST(nothing_to_close_is_closed)
{
	repl_close(NULL, note, NULL);
	repl_free(NULL);
}
END_TEST

SUITE(a_failed_write_ends_a_leaders_part_and_another_takes_over,
      a_refused_write_ends_a_followers_part,
      a_stuck_write_ends_this_members_part_without_waiting_for_it,
      a_pause_of_the_process_is_no_slow_disk,
      a_term_that_cannot_be_stored_asks_nobody_for_a_vote,
      a_vote_that_cannot_be_stored_is_not_sent,
      a_snapshot_that_cannot_be_stored_ends_this_members_part,
      a_state_that_differs_from_the_leaders_is_found,
      closing_waits_for_the_disk_unless_that_has_failed,
      equal_states_agree_for_ever,
      an_entry_that_memory_is_short_for_is_never_applied_twice,
      memory_running_out_for_the_disk_ends_this_members_part,
      a_member_without_memory_does_not_open,
      memory_may_run_out_at_any_step_of_a_start,
      a_log_that_cannot_be_read_is_refused, a_damaged_entry_is_not_applied,
      closing_with_writes_in_flight_is_clean, nothing_to_close_is_closed)
