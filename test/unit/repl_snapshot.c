/* Snapshots: taken in slices, stored late, restored, sent to who is behind. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#include "repl/message.h"

#include <stdio.h>

#define SECOND UINT64_C(1000000)

static const struct repl_config small = {
	.check_every = 64,
	.snapshot_threshold = 50,
	.snapshot_trailing = 20,
	.image_slice = 1,
};

static uint64_t hash_of(const struct fake_member *m)
{
	return core_hash(repl_core(m->repl));
}

static struct repl_stats stats_of(const struct fake_member *m)
{
	struct repl_stats stats;

	repl_stats(m->repl, &stats);
	return stats;
}

static void acquire(struct fake *f, uint64_t session, uint64_t seq)
{
	char name[32];

	snprintf(name, sizeof(name), "lock %lu", (unsigned long)seq);
	ck_assert_int_eq(fake_acquire(fake_elect(f), 1, session, seq, name), 0);
}

/* One entry for each. */
static void acquire_range(struct fake *f, uint64_t session, uint64_t from,
			  uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++) {
		acquire(f, session, seq);
		fake_run(f, 2000);
	}
}

START_TEST(an_image_is_taken_in_slices_while_entries_are_applied)
{
	struct fake f;

	fake_init(&f, 1, &small);
	fake_start_all(&f);
	uint64_t session = fake_session(&f, 1, 600 * SECOND);
	struct fake_member *m = fake_at(&f, 1);
	uint64_t seq = 0, began = 0, during = 0;
	while (stats_of(m).snapshots_taken < 2) {
		bool taking = m->repl->fsm.put;

		acquire(&f, session, ++seq);
		fake_run(&f, 100);
		/* fake_run may have begun one. */
		/* cppcheck-suppress incorrectLogicOperator */
		if (m->repl->fsm.put && !taking)
			began = repl_applied(m->repl);
		else if (m->repl->fsm.put)
			during = repl_applied(m->repl) - began;
		ck_assert_uint_lt(seq, 4000);
	}
	ck_assert_uint_gt(during, 2);
	ck_assert_uint_gt(m->disk.start, 1); /* the log was cut */
	ck_assert_uint_gt(stats_of(m).snapshot_bytes, 0);
	fake_free(&f);
}
END_TEST

START_TEST(a_member_restarts_from_its_snapshot)
{
	struct fake f;

	fake_init(&f, 3, &small);
	fake_start_all(&f);
	uint64_t session = fake_session(&f, 1, 600 * SECOND);
	acquire_range(&f, session, 1, 200);
	fake_run(&f, SECOND);
	ck_assert(fake_settle(&f));
	for (uint64_t i = 1; i <= 3; i++) {
		struct fake_member *m = fake_at(&f, i);

		ck_assert_uint_gt(stats_of(m).snapshots_taken, 1);
		ck_assert_uint_gt(m->disk.snapshot->index, 100);
		ck_assert_uint_eq(m->placeholders, 0);
		fake_crash(&f, i);
		ck_assert_int_eq(fake_start(&f, i), 0);
		ck_assert_uint_ge(repl_applied(m->repl), 100);
		fake_run(&f, SECOND);
	}
	ck_assert_ptr_nonnull(fake_elect(&f));
	ck_assert(fake_settle(&f));
	acquire_range(&f, session, 201, 210);
	ck_assert(fake_settle(&f));
	for (uint64_t i = 2; i <= 3; i++)
		ck_assert_uint_eq(hash_of(fake_at(&f, i)),
				  hash_of(fake_at(&f, 1)));
	fake_free(&f);
}
END_TEST

START_TEST(a_crash_while_an_image_is_taken_loses_nothing)
{
	struct fake f;

	fake_init(&f, 1, &small);
	fake_start_all(&f);
	uint64_t session = fake_session(&f, 1, 600 * SECOND);
	struct fake_member *m = fake_at(&f, 1);
	uint64_t seq = 0;
	while (!m->repl->fsm.put) {
		acquire(&f, session, ++seq);
		fake_run(&f, 500);
	}
	fake_run(&f, 20);
	ck_assert_ptr_nonnull(m->repl->fsm.put);
	fake_crash(&f, 1);
	ck_assert_ptr_null(m->disk.snapshot);
	ck_assert_int_eq(fake_start(&f, 1), 0);
	fake_elect(&f);
	struct counts counts;
	core_counts(repl_core(m->repl), &counts);
	ck_assert_uint_ge(counts.holds + 1, seq);
	fake_free(&f);
}
END_TEST

/* Looks at InstallSnapshots on the wire. */
struct watched {
	size_t installs;
	raft_index index;
	raft_term term;
};

static bool watch(struct fake *f, struct fake_message *m, void *ctx)
{
	struct watched *w = ctx;
	struct raft_message message;

	(void)f;
	if (m->bytes[0] != MESSAGE_RAFT ||
	    raftmsg_decode(m->bytes + 1, m->len - 1, &message) != 0)
		return true;
	if (message.type == RAFT_INSTALL_SNAPSHOT) {
		w->installs++;
		w->index = message.install_snapshot.last_index;
		w->term = message.install_snapshot.last_term;
	}
	raftmsg_discard(&message);
	return true;
}

static void unlink_from_all(struct fake *f, uint64_t id, bool down)
{
	for (size_t i = 1; i <= f->len; i++)
		f->down[i][id] = f->down[id][i] = down;
}

/* A follower misses what the others compact. `unlinked`: they know. */
static uint64_t fall_behind(struct fake *f, const struct repl_config *config,
			    bool unlinked)
{
	uint64_t session;

	fake_init(f, 3, config);
	fake_start_all(f);
	session = fake_session(f, 1, 600 * SECOND);
	ck_assert(fake_settle(f));
	uint64_t late = fake_elect(f)->id % 3 + 1;
	fake_isolate(f, late, true);
	unlink_from_all(f, late, unlinked);
	acquire_range(f, session, 1, 150);
	return late;
}

/* And comes back. */
static struct fake_member *leave_behind(struct fake *f,
					const struct repl_config *config,
					struct watched *w)
{
	uint64_t late = fall_behind(f, config, true);

	*w = (struct watched){ 0 };
	f->filter = watch;
	f->filter_ctx = w;
	fake_isolate(f, late, false);
	unlink_from_all(f, late, false);
	return fake_at(f, late);
}

START_TEST(who_is_behind_gets_the_snapshot)
{
	struct fake f;
	struct watched w;

	struct fake_member *late = leave_behind(&f, &small, &w);
	fake_run(&f, 2 * SECOND);
	struct fake_member *leader = fake_elect(&f);
	ck_assert(fake_settle(&f));
	ck_assert_uint_eq(stats_of(late).snapshots_installed, 1);
	ck_assert_uint_eq(hash_of(late), hash_of(leader));
	ck_assert_uint_eq(late->placeholders, 0);
	ck_assert_uint_eq(w.installs, 1);
	ck_assert_uint_eq(w.term, 2);
	/* It has it on its disk, and its log goes on from there. */
	fake_crash(&f, late->id);
	ck_assert_int_eq(fake_start(&f, late->id), 0);
	ck_assert_uint_ge(repl_applied(late->repl), w.index - 1);
	fake_free(&f);
}
END_TEST

START_TEST(a_snapshot_that_takes_long_to_arrive_is_sent_once)
{
	struct fake f;
	struct watched w;

	struct fake_member *late = leave_behind(&f, &small, &w);
	f.bulk_us = 3 * SECOND;
	fake_run(&f, 5 * SECOND);
	ck_assert_uint_eq(w.installs, 1);
	ck_assert_uint_eq(stats_of(late).snapshots_installed, 1);
	ck_assert_uint_gt(stats_of(fake_elect(&f)).guarded[GUARD_RESEND], 10);
	fake_free(&f);
}
END_TEST

START_TEST(a_snapshot_is_not_sent_again_to_who_is_silent)
{
	for (int off = 0; off <= 1; off++) {
		struct fake f;
		struct repl_config config = small;

		config.guards_off = off ? 1u << GUARD_RESEND : 0;
		fall_behind(&f, &config, false);
		if (off)
			ck_assert_uint_gt(fake_elect(&f)->installs, 2);
		else
			ck_assert_uint_le(fake_elect(&f)->installs, 1);
		fake_free(&f);
	}
}
END_TEST

START_TEST(without_its_guard_a_slow_snapshot_is_sent_each_tick)
{
	struct fake f;
	struct watched w;
	struct repl_config config = small;

	config.guards_off = 1u << GUARD_RESEND;
	leave_behind(&f, &config, &w);
	f.bulk_us = 3 * SECOND;
	fake_run(&f, 3 * SECOND);
	ck_assert_uint_gt(w.installs, 30);
	fake_free(&f);
}
END_TEST

START_TEST(a_snapshot_lost_with_its_link_is_sent_again)
{
	struct fake f;
	struct watched w;

	struct fake_member *late = leave_behind(&f, &small, &w);
	struct fake_member *leader = fake_elect(&f);
	f.bulk_us = SECOND;
	while (w.installs == 0)
		fake_run(&f, 1000);
	f.cut[leader->id][late->id] = true;
	f.down[leader->id][late->id] = true;
	fake_run(&f, 2 * SECOND);
	f.cut[leader->id][late->id] = false;
	f.down[leader->id][late->id] = false;
	fake_run(&f, 3 * SECOND);
	ck_assert_uint_eq(w.installs, 2);
	ck_assert_uint_eq(stats_of(late).snapshots_installed, 1);
	fake_free(&f);
}
END_TEST

START_TEST(an_image_gives_way_to_a_snapshot_that_comes)
{
	struct fake f;
	struct watched w;

	struct fake_member *late = leave_behind(&f, &small, &w);
	/* As if it had one of its own to take: held for as long as this. */
	f.bulk_us = 200000;
	while (w.installs == 0)
		fake_run(&f, 1000);
	late->repl->config.image_slice = 0;
	raft_set_snapshot_threshold(raft_of(late->repl), 1);
	fake_run(&f, 60000);
	ck_assert_ptr_nonnull(late->repl->fsm.put);
	for (int i = 0; i < 1000 && !stats_of(late).snapshots_installed; i++)
		fake_run(&f, 1000);
	ck_assert_uint_eq(stats_of(late).snapshots_installed, 1);
	ck_assert_uint_eq(w.installs, 1);
	ck_assert(fake_settle(&f));
	fake_free(&f);
}
END_TEST

/* The one that was meant is replaced by a newer one of another term while it
 * is being read. */
static raft_term sent_term(uint32_t guards_off, raft_term *right)
{
	struct fake f;
	struct watched w;
	struct repl_config config = small;

	config.guards_off = guards_off;
	struct fake_member *late = leave_behind(&f, &config, &w);
	struct fake_member *leader = fake_elect(&f);
	leader->get_us = 3 * SECOND;
	fake_run(&f, 200000);
	/* A change of the term by hand: as a snapshot of a later term would be
	 * found on the disk. */
	leader->disk.snapshot->index++;
	leader->disk.snapshot->term--; /* it can't be above the leader's */
	*right = leader->disk.snapshot->term;
	late->stuck = true;
	while (w.installs == 0)
		fake_run(&f, 10000);
	late->stuck = false;
	fake_free(&f);
	return w.term;
}

START_TEST(a_newer_snapshot_is_sent_with_its_own_term)
{
	raft_term right, sent = sent_term(0, &right);

	ck_assert_uint_eq(sent, right);
}
END_TEST

START_TEST(without_its_guard_a_newer_snapshot_has_the_older_ones_term)
{
	raft_term right;
	raft_term sent = sent_term(1u << GUARD_SNAPSHOT_TERM, &right);

	ck_assert_uint_ne(sent, right);
}
END_TEST

START_TEST(a_snapshot_that_cannot_be_read_for_sending_is_tried_again)
{
	struct fake f;
	struct watched w;

	struct fake_member *late = leave_behind(&f, &small, &w);
	struct fake_member *leader = fake_elect(&f);
	leader->fail_get = RAFT_NOMEM;
	fake_run(&f, SECOND);
	ck_assert_uint_eq(w.installs, 0);
	ck_assert_uint_gt(stats_of(leader).guarded[GUARD_SNAPSHOT_GET], 0);
	leader->fail_get = 0;
	fake_run(&f, SECOND);
	ck_assert_uint_eq(stats_of(late).snapshots_installed, 1);
	fake_free(&f);
}
END_TEST

START_TEST(a_damaged_snapshot_is_not_sent)
{
	struct fake f;
	struct watched w;

	leave_behind(&f, &small, &w);
	struct fake_member *leader = fake_elect(&f);
	size_t before = leader->installs;
	leader->fail_get = RAFT_CORRUPT;
	fake_run(&f, SECOND);
	ck_assert_uint_eq(leader->installs, before);
	ck_assert_int_eq(leader->failed, HF_EIO);
	fake_free(&f);
}
END_TEST

START_TEST(an_image_that_memory_is_short_for_is_tried_again_later)
{
	struct fake f;

	fake_init(&f, 1, &small);
	fake_start_all(&f);
	uint64_t session = fake_session(&f, 1, 600 * SECOND);
	struct fake_member *m = fake_at(&f, 1);
	uint64_t seq = 0;
	while (!m->repl->fsm.put) {
		acquire(&f, session, ++seq);
		fake_run(&f, 500);
	}
	m->repl->fsm.image->writer.rc = HF_ENOMEM;
	fake_run(&f, 9 * SECOND);
	ck_assert_ptr_null(m->repl->fsm.put);
	ck_assert_uint_eq(stats_of(m).snapshots_taken, 0);
	fake_run(&f, 2 * SECOND);
	ck_assert_uint_eq(stats_of(m).snapshots_taken, 1);
	ck_assert(!repl_failed(m->repl));
	fake_free(&f);
}
END_TEST

START_TEST(a_damaged_snapshot_is_refused_at_the_start)
{
	struct fake f;

	fake_init(&f, 1, &small);
	fake_start_all(&f);
	uint64_t session = fake_session(&f, 1, 600 * SECOND);
	acquire_range(&f, session, 1, 100);
	fake_run(&f, SECOND);
	struct fake_member *m = fake_at(&f, 1);
	fake_crash(&f, 1);
	struct raft_buffer *b = &m->disk.snapshot->bufs[0];
	((uint8_t *)b->base)[b->len / 2] ^= 1;
	ck_assert_int_eq(fake_start(&f, 1), HF_ECORRUPT);
	ck_assert_uint_gt(strlen(m->text), 0);
	ck_assert(m->closed);
	fake_free(&f);
}
END_TEST

SUITE(an_image_is_taken_in_slices_while_entries_are_applied,
      a_member_restarts_from_its_snapshot,
      a_crash_while_an_image_is_taken_loses_nothing,
      who_is_behind_gets_the_snapshot,
      a_snapshot_that_takes_long_to_arrive_is_sent_once,
      a_snapshot_is_not_sent_again_to_who_is_silent,
      without_its_guard_a_slow_snapshot_is_sent_each_tick,
      a_snapshot_lost_with_its_link_is_sent_again,
      an_image_gives_way_to_a_snapshot_that_comes,
      a_newer_snapshot_is_sent_with_its_own_term,
      without_its_guard_a_newer_snapshot_has_the_older_ones_term,
      a_snapshot_that_cannot_be_read_for_sending_is_tried_again,
      a_damaged_snapshot_is_not_sent,
      an_image_that_memory_is_short_for_is_tried_again_later,
      a_damaged_snapshot_is_refused_at_the_start)
