/* Each guard: what it stops, and, where that can be seen without harm to the
 * test, that libraft does it when the guard is off. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#include "repl/message.h"
#include "repl/trail.h"

#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000)

/* What was said last, by anybody. */
struct heard {
	struct raft_message last;
	size_t count;
};

static bool listen(struct fake *f, struct fake_message *m, void *ctx)
{
	struct heard *h = ctx;
	struct raft_message message;

	(void)f;
	if (m->bytes[0] != MESSAGE_RAFT ||
	    raftmsg_decode(m->bytes + 1, m->len - 1, &message) != 0)
		return true;
	h->count++;
	h->last = message;
	h->last.server_id = m->to;
	raftmsg_discard(&message);
	return true;
}

static void listen_to(struct fake *f, struct heard *h)
{
	*h = (struct heard){ .count = 0 };
	f->filter = listen;
	f->filter_ctx = h;
}

static struct repl_config without(enum guard_number guard)
{
	return (struct repl_config){ .check_every = 64,
				     .snapshot_threshold = 30,
				     .snapshot_trailing = 20,
				     .guards_off = UINT32_C(1) << guard };
}

static uint64_t guarded(const struct fake_member *m, enum guard_number n)
{
	struct repl_stats stats;

	repl_stats(m->repl, &stats);
	return stats.guarded[n];
}

static struct fake_member *follower_of(struct fake *f)
{
	return fake_at(f, fake_elect(f)->id % 3 + 1);
}

/* Three members that have agreed on some entries. */
static struct fake_member *follower(struct fake *f, enum guard_number off,
				    uint64_t entries)
{
	const struct repl_config config = without(off);

	fake_init(f, 3, &config);
	fake_start_all(f);
	uint64_t session = fake_session(f, 1, 600 * SECOND);
	for (uint64_t i = 1; i <= entries; i++) {
		fake_acquire(fake_elect(f), 1, session, i, "a");
		fake_run(f, 2000);
	}
	fake_run(f, 100000);
	ck_assert(fake_settle(f));
	return follower_of(f);
}

/* The first of three, alone, in a term that it found on its disk. */
static struct fake_member *alone(struct fake *f, enum guard_number off,
				 raft_term term)
{
	const struct repl_config config = without(off);

	fake_init(f, 3, &config);
	ck_assert_int_eq(fake_start(f, 1), 0);
	fake_crash(f, 1);
	fake_at(f, 1)->disk.term = term;
	ck_assert_int_eq(fake_start(f, 1), 0);
	return fake_at(f, 1);
}

/* libraft copies it before it is sent. */
static struct raft_message snapshot_message(struct raft_configuration *conf,
					    raft_term term, raft_index index,
					    raft_term last_term)
{
	static char data[8];
	struct raft_message m = { .type = RAFT_INSTALL_SNAPSHOT };

	raft_configuration_init(conf);
	ck_assert_int_eq(raft_configuration_add(conf, 1, "one", RAFT_VOTER), 0);
	m.install_snapshot = (struct raft_install_snapshot){
		.term = term,
		.last_index = index,
		.last_term = last_term,
		.conf = *conf,
		.conf_index = 1,
		.data = { data, sizeof(data) },
	};
	return m;
}

static void receive_snapshot(struct fake_member *m, uint64_t from,
			     raft_term term, raft_index index,
			     raft_term last_term)
{
	struct raft_configuration conf;
	const struct raft_message message =
		snapshot_message(&conf, term, index, last_term);

	fake_receive(m, from, &message);
	raft_configuration_close(&conf);
}

static void receive_entries(struct fake_member *m, uint64_t from,
			    const struct raft_append_entries *a)
{
	struct raft_message message = { .type = RAFT_APPEND_ENTRIES,
					.append_entries = *a };

	message.append_entries.version = 0;
	fake_receive(m, from, &message);
}

START_TEST(a_stale_snapshot_is_not_answered)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		struct heard h;

		struct fake_member *m =
			follower(&f, off ? GUARD_STALE_TERM : 0, 1);
		listen_to(&f, &h);
		receive_snapshot(m, fake_elect(&f)->id, repl_term(m->repl) - 1,
				 1000, 1);
		ck_assert_int_eq((int)h.count, off);
		if (off) {
			ck_assert_int_eq(h.last.type,
					 RAFT_APPEND_ENTRIES_RESULT);
			ck_assert_uint_eq(h.last.append_entries_result.rejected,
					  0);
		}
		fake_free(&f);
	}
}
END_TEST

START_TEST(stale_entries_from_the_very_first_on_are_not_answered)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		struct heard h;

		struct fake_member *m =
			follower(&f, off ? GUARD_STALE_TERM : 0, 1);
		listen_to(&f, &h);
		receive_entries(m, fake_elect(&f)->id,
				&(struct raft_append_entries){
					.term = repl_term(m->repl) - 1 });
		ck_assert_int_eq((int)h.count, off);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_refusal_of_stale_entries_carries_nothing_of_the_stack)
{
	struct fake f;
	struct heard h;

	struct fake_member *m = follower(&f, 0, 1);
	listen_to(&f, &h);
	receive_entries(
		m, fake_elect(&f)->id,
		&(struct raft_append_entries){ .term = repl_term(m->repl) - 1,
					       .prev_log_index = 1000,
					       .prev_log_term = 1 });
	ck_assert_int_eq((int)h.count, 1);
	ck_assert_uint_eq(h.last.append_entries_result.rejected, 1000);
	ck_assert_uint_eq(h.last.append_entries_result.last_log_index, 999);
	fake_free(&f);
}
END_TEST

START_TEST(a_late_snapshot_does_not_wipe_the_log)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;

		struct fake_member *m =
			follower(&f, off ? GUARD_LATE_SNAPSHOT : 0, 10);
		raft_index last = raft_last_index(raft_of(m->repl));
		receive_snapshot(m, fake_elect(&f)->id, repl_term(m->repl),
				 last - 3, 1);
		ck_assert_uint_eq(raft_last_index(raft_of(m->repl)),
				  off ? last - 3 : last);
		ck_assert_uint_eq(guarded(m, GUARD_LATE_SNAPSHOT), !off);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_snapshot_is_not_installed_while_one_is_stored)
{
	struct fake f;

	struct fake_member *m = follower(&f, 0, 20);
	struct fake_member *leader = fake_elect(&f);
	m->repl->config.image_slice = 1;
	for (int i = 0; i < 1000 && !m->repl->fsm.put; i++) {
		fake_open(leader, 2, 600 * SECOND);
		fake_run(&f, 100);
	}
	ck_assert_ptr_nonnull(m->repl->fsm.put);
	m->disk_us = 100000;
	fake_run(&f, 20000);
	ck_assert_ptr_null(m->repl->fsm.put);
	ck_assert(disk_storing(m->repl->guard));
	receive_snapshot(m, leader->id, repl_term(m->repl), 5000, 2);
	ck_assert_uint_eq(guarded(m, GUARD_LATE_SNAPSHOT), 1);
	ck_assert(!raft_of(m->repl)->snapshot.installing);
	m->disk_us = 200;
	fake_run(&f, SECOND);
	ck_assert(fake_settle(&f));
	fake_free(&f);
}
END_TEST

START_TEST(loaded_entries_share_no_memory)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		raft_term term;
		raft_id vote;
		struct raft_snapshot *snapshot;
		raft_index start;
		struct raft_entry *entries;
		size_t n;

		struct fake_member *m =
			follower(&f, off ? GUARD_LOADED : 0, 10);
		struct raft_io *io = &m->repl->guard->io;
		ck_assert_int_eq(io->load(io, &term, &vote, &snapshot, &start,
					  &entries, &n),
				 0);
		ck_assert_uint_gt(n, 10);
		void *batch = entries[0].batch;
		for (size_t i = 0; i < n; i++) {
			ck_assert_ptr_eq(entries[i].batch, batch);
			ck_assert_mem_eq(entries[i].buf.base,
					 m->disk.entries[i].buf.base,
					 entries[i].buf.len);
			if (!off)
				raft_free(entries[i].buf.base);
		}
		ck_assert_int_eq(batch != NULL, off);
		raft_free(batch);
		raft_free(entries);
		fake_free(&f);
	}
}
END_TEST

START_TEST(the_commit_index_never_goes_back)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;

		struct fake_member *m =
			follower(&f, off ? GUARD_COMMIT : 0, 10);
		struct raft *raft = raft_of(m->repl);
		raft_index commit = raft_commit_index(raft);
		receive_entries(m, fake_elect(&f)->id,
				&(struct raft_append_entries){
					.term = repl_term(m->repl),
					.prev_log_index = commit - 3,
					.prev_log_term = trail_term(
						&raft->trail, commit - 3),
					.leader_commit = commit + 5 });
		ck_assert_uint_eq(raft_commit_index(raft),
				  off ? commit - 3 : commit);
		fake_free(&f);
	}
}
END_TEST

static void receive_rejection(struct fake_member *m, uint64_t from,
			      raft_index rejected, raft_index last)
{
	const struct raft_message message = {
		.type = RAFT_APPEND_ENTRIES_RESULT,
		.append_entries_result = { .term = repl_term(m->repl),
					   .rejected = rejected,
					   .last_log_index = last },
	};

	fake_receive(m, from, &message);
}

START_TEST(a_stale_rejection_does_not_go_below_what_is_matched)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		struct heard h;
		raft_index match;

		struct fake_member *m =
			follower(&f, off ? GUARD_REJECTION : 0, 10);
		struct fake_member *leader = fake_elect(&f);
		/* Unheard for a tick: libraft probes. */
		f.cut[m->id][leader->id] = true;
		fake_run(&f, 200000);
		ck_assert_int_eq(
			raft_match_index(raft_of(leader->repl), m->id, &match),
			0);
		listen_to(&f, &h);
		receive_rejection(leader, m->id, match, match - 5);
		ck_assert_int_eq((int)h.count, off);
		if (off)
			ck_assert_uint_lt(h.last.append_entries.prev_log_index,
					  match);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_refused_pre_vote_tells_the_real_term)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		struct heard h;
		const struct raft_message ask = {
			.type = RAFT_REQUEST_VOTE,
			.request_vote = { .term = 4,
					  .candidate_id = 2,
					  .last_log_index = 900,
					  .last_log_term = 3,
					  .pre_vote = true },
		};

		struct fake_member *m = alone(&f, off ? GUARD_PRE_VOTE : 0, 9);
		listen_to(&f, &h);
		fake_receive(m, 2, &ask);
		ck_assert_uint_eq(h.count, 1);
		ck_assert_int_eq(h.last.type, RAFT_REQUEST_VOTE_RESULT);
		ck_assert(!h.last.request_vote_result.vote_granted);
		ck_assert_uint_eq(h.last.request_vote_result.term, off ? 4 : 9);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_vote_is_not_cleared_by_its_own_term)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		const struct raft_message ask = {
			.type = RAFT_REQUEST_VOTE,
			.request_vote = { .term = 5,
					  .candidate_id = 2,
					  .last_log_index = 900,
					  .last_log_term = 3 },
		};

		struct fake_member *m = alone(&f, off ? GUARD_SET_TERM : 0, 5);
		fake_receive(m, 2, &ask);
		ck_assert_uint_eq(m->disk.vote, 2);
		m->fail_vote = true; /* as if it crashed before */
		fake_receive(m, 2, &ask);
		ck_assert_uint_eq(m->disk.vote, off ? 0 : 2);
		fake_free(&f);
	}
}
END_TEST

/* Without its guard libraft frees twice here. */
START_TEST(entries_from_the_very_first_on_do_not_enter_a_compacted_log)
{
	struct fake f;
	uint64_t bytes[1] = { 0 };
	struct raft_entry entry = { .term = 1,
				    .type = RAFT_BARRIER,
				    .buf = { bytes, sizeof(bytes) } };

	struct fake_member *m = follower(&f, 0, 60);
	struct raft *raft = raft_of(m->repl);
	ck_assert_uint_gt(raft->trail.offset, 0);
	raft_index last = raft_last_index(raft);
	receive_entries(
		m, fake_elect(&f)->id,
		&(struct raft_append_entries){ .term = repl_term(m->repl),
					       .entries = &entry,
					       .n_entries = 1 });
	ck_assert_uint_eq(guarded(m, GUARD_COMPACTED), 1);
	ck_assert(list_empty(&m->ops));
	ck_assert_uint_eq(raft_last_index(raft), last);
	fake_free(&f);
}
END_TEST

START_TEST(a_leader_does_not_listen_to_another_of_its_term)
{
	struct fake f;

	struct fake_member *m = follower(&f, 0, 3);
	struct fake_member *leader = fake_elect(&f);
	receive_entries(
		leader, m->id,
		&(struct raft_append_entries){ .term = repl_term(leader->repl),
					       .prev_log_index = 1,
					       .prev_log_term = 1 });
	ck_assert_uint_eq(guarded(leader, GUARD_TWO_LEADERS), 1);
	ck_assert(repl_serving(leader->repl));
	fake_free(&f);
}
END_TEST

START_TEST(a_leader_that_contradicts_what_is_committed_ends_our_part)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;

		struct fake_member *m =
			follower(&f, off ? GUARD_CONFLICT : 0, 10);
		raft_index commit = raft_commit_index(raft_of(m->repl));
		receive_entries(m, fake_elect(&f)->id,
				&(struct raft_append_entries){
					.term = repl_term(m->repl),
					.prev_log_index = commit,
					.prev_log_term = 1 });
		fake_run(&f, 10000);
		ck_assert_int_eq(repl_failed(m->repl), !off);
		ck_assert_int_eq(m->failed, off ? 0 : HF_ECORRUPT);
		if (!off)
			ck_assert_ptr_nonnull(strstr(m->text, "contradicts"));
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_vote_for_who_is_no_candidate_is_not_heard)
{
	struct fake f;
	const struct raft_message vote = {
		.type = RAFT_REQUEST_VOTE_RESULT,
		.request_vote_result = { .term = 900, .pre_vote = true },
	};

	struct fake_member *m = follower(&f, 0, 1);
	uint64_t term = repl_term(m->repl);
	fake_receive(m, fake_elect(&f)->id, &vote);
	fake_receive(fake_elect(&f), m->id, &vote);
	ck_assert_uint_eq(repl_term(m->repl), term);
	ck_assert(repl_serving(fake_elect(&f)->repl));
	ck_assert_uint_eq(guarded(m, GUARD_LATE_VOTE), 1);
	fake_free(&f);
}
END_TEST

START_TEST(a_stranger_is_not_heard)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		struct heard h;
		const struct raft_message ask = {
			.type = RAFT_REQUEST_VOTE,
			.request_vote = { .term = 900, .candidate_id = 4 },
		};

		struct fake_member *m = alone(&f, off ? GUARD_STRANGER : 0, 5);
		listen_to(&f, &h);
		/* Its answer can't be delivered; it is enough that it is
		 * given. */
		f.cut[1][4] = true;
		fake_receive(m, 4, &ask);
		ck_assert_uint_eq(repl_term(m->repl), off ? 900 : 5);
		ck_assert_uint_eq(guarded(m, GUARD_STRANGER), !off);
		fake_free(&f);
	}
}
END_TEST

START_TEST(a_term_is_found_by_its_index)
{
	struct fake f;
	struct repl_config config = without(0);

	fake_init(&f, 3, &config);
	fake_start_all(&f);
	for (uint64_t i = 1; i <= 6; i++) {
		struct fake_member *m = fake_elect(&f);

		fake_open(m, i, 600 * SECOND);
		fake_run(&f, 3 * SECOND);
		fake_pause(&f, m->id, SECOND);
		fake_run(&f, SECOND);
	}
	fake_elect(&f);
	ck_assert(fake_settle(&f));
	for (uint64_t id = 1; id <= 3; id++) {
		struct fake_member *m = fake_at(&f, id);
		struct raft_trail *t = &raft_of(m->repl)->trail;

		for (size_t i = 0; i < m->disk.len; i++)
			ck_assert_uint_eq(
				trail_term(t, m->disk.start + (raft_index)i),
				m->disk.entries[i].term);
		ck_assert_uint_eq(trail_term(t, 0), 0);
		ck_assert_uint_eq(trail_term(t, m->disk.start + m->disk.len),
				  0);
	}
	fake_free(&f);
}
END_TEST

SUITE(a_stale_snapshot_is_not_answered,
      stale_entries_from_the_very_first_on_are_not_answered,
      a_refusal_of_stale_entries_carries_nothing_of_the_stack,
      a_late_snapshot_does_not_wipe_the_log,
      a_snapshot_is_not_installed_while_one_is_stored,
      loaded_entries_share_no_memory, the_commit_index_never_goes_back,
      a_stale_rejection_does_not_go_below_what_is_matched,
      a_refused_pre_vote_tells_the_real_term,
      a_vote_is_not_cleared_by_its_own_term,
      entries_from_the_very_first_on_do_not_enter_a_compacted_log,
      a_leader_does_not_listen_to_another_of_its_term,
      a_leader_that_contradicts_what_is_committed_ends_our_part,
      a_vote_for_who_is_no_candidate_is_not_heard, a_stranger_is_not_heard,
      a_term_is_found_by_its_index)
