/* The simulated disk keeps raft_uv's promises, and no more than these. */
#include "lib/suite.h"
#include "sim/lib/vdisk_io.h"
#include "sim/lib/vmem.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 20

static const struct vdisk_timing timing = { 10, 100, 10 };
static bool effect(void *ctx)
{
	return !*(bool *)ctx;
}

static void ran(void *ctx)
{
	(void)ctx;
}

static void broken(void *ctx, const char *text)
{
	(void)ctx;
	ck_abort_msg("%s", text);
}

static const struct vdisk_calls calls = { effect, ran, broken };

struct setup {
	struct vdisk disk;
	struct agenda agenda;
	struct random random;
	struct vdisk_trouble trouble;
	struct vdisk_counts counts;
	struct gate gate;
	bool dead;
	struct vdisk_io io;
	struct raft_io_append requests[ENTRIES];
	struct raft_entry entries[ENTRIES];
	uint64_t values[ENTRIES];
};

static int load(struct setup *s)
{
	struct raft_snapshot *snapshot;
	struct raft_entry *entries;
	raft_term term;
	raft_id vote;
	raft_index first;
	size_t len;

	s->io = (struct vdisk_io){ .disk = &s->disk,
				   .agenda = &s->agenda,
				   .gate = &s->gate,
				   .random = &s->random,
				   .timing = &timing,
				   .trouble = &s->trouble,
				   .counts = &s->counts,
				   .calls = &calls,
				   .ctx = &s->dead };
	vdisk_io_init(&s->io);
	int rc = s->io.io.load(&s->io.io, &term, &vote, &snapshot, &first,
			       &entries, &len);
	if (rc)
		return rc;
	if (len)
		raft_free(entries[0].batch);
	raft_free(entries);
	return 0;
}

static void open_disk(struct setup *s)
{
	ck_assert_int_eq(load(s), 0);
}

static void setup(struct setup *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->random.state = seed;
	open_disk(s);
}

static void close_disk(struct setup *s)
{
	vdisk_io_crash(&s->io);
	vdisk_free(&s->disk);
	agenda_free(&s->agenda);
}

static void appended(struct raft_io_append *request, int status)
{
	ck_assert_int_eq(status, 0);
	++*(size_t *)request->data;
}

/* Ask for one entry after the other; `done` counts callbacks. */
static void append(struct setup *s, size_t *done)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		s->values[i] = i + 1;
		s->entries[i].term = 1;
		s->entries[i].type = RAFT_COMMAND;
		s->entries[i].buf = (struct raft_buffer){ &s->values[i], 8 };
		s->requests[i].data = done;
		ck_assert_int_eq(s->io.io.append(&s->io.io, &s->requests[i],
						 &s->entries[i], 1, appended),
				 0);
	}
}

START_TEST(an_append_is_done_later_and_then_on_the_disk)
{
	struct setup s;
	size_t done = 0;

	setup(&s, 1);
	append(&s, &done);
	ck_assert_uint_eq(done, 0);
	ck_assert_uint_eq(s.disk.len, 0);
	while (agenda_step(&s.agenda, 1000000))
		ck_assert_uint_le(done, s.disk.len);
	ck_assert_uint_eq(done, ENTRIES);
	ck_assert_uint_eq(s.disk.len, ENTRIES);
	close_disk(&s);
}
END_TEST

START_TEST(a_crash_leaves_a_prefix_with_all_that_was_done)
{
	size_t whole = 0, none = 0, part = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct setup s;
		size_t done = 0;
		setup(&s, seed);
		append(&s, &done);
		agenda_step(&s.agenda, seed % 150);
		vdisk_io_crash(&s.io);
		ck_assert_uint_ge(s.disk.len, done);
		for (size_t i = 0; i < s.disk.len; i++)
			ck_assert_mem_eq(s.disk.entries[i].bytes, &s.values[i],
					 8);
		whole += s.disk.len == ENTRIES;
		none += s.disk.len == 0;
		part += s.disk.len > 0 && s.disk.len < ENTRIES;
		close_disk(&s);
	}
	ck_assert_uint_gt(whole, 0);
	ck_assert_uint_gt(none, 0);
	ck_assert_uint_gt(part, 0);
}
END_TEST

START_TEST(nothing_reaches_the_disk_from_a_dead_process)
{
	struct setup s;
	size_t done = 0;

	setup(&s, 1);
	s.dead = true;
	append(&s, &done);
	ck_assert_int_eq(s.io.io.set_term(&s.io.io, 7), 0);
	while (agenda_step(&s.agenda, 1000000))
		;
	ck_assert_uint_eq(done, 0);
	ck_assert_uint_eq(s.disk.len, 0);
	ck_assert_uint_eq(s.disk.term, 0);
	close_disk(&s);
}
END_TEST

START_TEST(a_new_term_forgets_the_vote_and_both_are_durable_at_once)
{
	struct setup s;

	setup(&s, 1);
	s.io.io.set_term(&s.io.io, 7);
	s.io.io.set_vote(&s.io.io, 2);
	vdisk_io_crash(&s.io);
	ck_assert_uint_eq(s.disk.term, 7);
	ck_assert_uint_eq(s.disk.vote, 2);
	open_disk(&s);
	s.io.io.set_term(&s.io.io, 8);
	ck_assert_uint_eq(s.disk.vote, 0);
	close_disk(&s);
}
END_TEST

START_TEST(a_truncation_is_done_in_its_turn)
{
	struct setup s;
	size_t done = 0;

	setup(&s, 1);
	append(&s, &done);
	ck_assert_int_eq(s.io.io.truncate(&s.io.io, 5), 0);
	while (agenda_step(&s.agenda, 1000000))
		;
	ck_assert_uint_eq(done, ENTRIES);
	ck_assert_uint_eq(vdisk_end(&s.disk), 5);
	close_disk(&s);
}
END_TEST

struct outcome { /* of appends that may fail */
	size_t done, failed;
	int status;
};

static void ended(struct raft_io_append *request, int status)
{
	struct outcome *o = request->data;

	ck_assert(status == 0 || o->failed == 0 || status == o->status);
	ck_assert(status != 0 || o->failed == 0); /* none after an error */
	o->done += status == 0;
	o->failed += status != 0;
	if (status)
		o->status = status;
}

/* An error at the call counts as one at the end. */
static void append_or_fail(struct setup *s, struct outcome *o)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		s->values[i] = i + 1;
		s->entries[i].term = 1;
		s->entries[i].type = RAFT_COMMAND;
		s->entries[i].buf = (struct raft_buffer){ &s->values[i], 8 };
		s->requests[i].data = o;
		int rc = s->io.io.append(&s->io.io, &s->requests[i],
					 &s->entries[i], 1, ended);
		if (rc) {
			o->failed++;
			o->status = rc;
			return;
		}
	}
}

START_TEST(after_a_failed_write_all_fail_and_what_was_done_is_there)
{
	size_t more = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct outcome o = { 0 };
		struct setup s;
		setup(&s, seed);
		s.trouble.fail_after = 1 + seed % ENTRIES;
		append_or_fail(&s, &o);
		while (agenda_step(&s.agenda, 1000000))
			;
		ck_assert_uint_eq(o.done, seed % ENTRIES);
		ck_assert_uint_eq(o.done + o.failed, ENTRIES);
		ck_assert_int_eq(o.status, RAFT_IOERR);
		ck_assert_uint_ge(s.disk.len, o.done);
		ck_assert_uint_le(s.disk.len, o.done + 1);
		more += s.disk.len > o.done;
		ck_assert_int_eq(s.io.io.set_term(&s.io.io, 9), RAFT_IOERR);
		ck_assert_uint_eq(s.counts.write_errors, 1);
		vdisk_io_crash(&s.io);
		open_disk(&s);
		ck_assert_int_eq(s.io.io.set_term(&s.io.io, 9), 0);
		close_disk(&s);
	}
	ck_assert_uint_gt(more, 0);
	ck_assert_uint_lt(more, 100);
}
END_TEST

START_TEST(a_full_disk_takes_nothing_until_there_is_room)
{
	struct outcome o = { 0 };
	struct setup s;

	setup(&s, 1);
	s.trouble.full_until = 500000;
	append_or_fail(&s, &o);
	while (agenda_step(&s.agenda, 1000000))
		;
	ck_assert_uint_eq(o.done, 0);
	ck_assert_uint_gt(o.failed, 0);
	ck_assert_int_eq(o.status, RAFT_NOSPACE);
	vdisk_io_crash(&s.io);
	s.agenda.now = 500000;
	open_disk(&s);
	ck_assert_int_eq(s.io.io.set_term(&s.io.io, 9), 0);
	close_disk(&s);
}
END_TEST

static void not_got(struct raft_io_snapshot_get *request,
		    struct raft_snapshot *snapshot, int status)
{
	ck_assert_ptr_null(snapshot);
	*(int *)request->data = status;
}

START_TEST(a_snapshot_cannot_be_read_while_reads_fail)
{
	struct raft_io_snapshot_get request;
	struct setup s;
	int status = 0;

	setup(&s, 1);
	s.trouble.unread_until = 1000;
	request.data = &status;
	ck_assert_int_eq(s.io.io.snapshot_get(&s.io.io, &request, not_got), 0);
	ck_assert_int_eq(status, 0);
	while (agenda_step(&s.agenda, 1000000))
		;
	ck_assert_int_eq(status, RAFT_IOERR);
	ck_assert_uint_eq(s.counts.read_errors, 1);
	close_disk(&s);
}
END_TEST

static struct disk_snapshot *some_snapshot(void)
{
	struct disk_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	ck_assert_ptr_nonnull(snapshot);
	snapshot->index = 3;
	snapshot->term = 1;
	snapshot->len = 16;
	snapshot->bytes = calloc(1, 16);
	ck_assert_ptr_nonnull(snapshot->bytes);
	return snapshot;
}

START_TEST(a_damaged_disk_is_refused_whatever_was_damaged)
{
	const char *seen[4] = { NULL };
	size_t kinds = 0;

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct setup s;
		size_t done = 0;
		setup(&s, seed);
		append(&s, &done);
		s.io.io.set_term(&s.io.io, 7);
		while (agenda_step(&s.agenda, 1000000))
			;
		vdisk_snapshot(&s.disk, some_snapshot());
		const char *what = vdisk_damage(&s.disk, &s.random);
		ck_assert_ptr_nonnull(what);
		ck_assert_int_eq(load(&s), RAFT_CORRUPT);
		size_t k = 0;
		while (k < kinds && strcmp(seen[k], what) != 0)
			k++;
		if (k == kinds)
			seen[kinds++] = what;
		close_disk(&s);
	}
	ck_assert_uint_eq(kinds, 4);
}
END_TEST

START_TEST(memory_runs_out_for_so_many_allocations)
{
	struct vmem m;
	void *p[6];

	vmem_init(&m);
	m.fail_after = 2;
	m.burst = 2;
	for (int i = 0; i < 6; i++)
		p[i] = mem_alloc(&m.mem, 8);
	for (int i = 0; i < 6; i++)
		ck_assert((p[i] == NULL) == (i >= 1 && i <= 3));
	ck_assert_uint_eq(m.failures, 3);
	for (int i = 0; i < 6; i++)
		mem_free(&m.mem, p[i]);
}
END_TEST

SUITE(an_append_is_done_later_and_then_on_the_disk,
      a_crash_leaves_a_prefix_with_all_that_was_done,
      nothing_reaches_the_disk_from_a_dead_process,
      a_new_term_forgets_the_vote_and_both_are_durable_at_once,
      a_truncation_is_done_in_its_turn,
      after_a_failed_write_all_fail_and_what_was_done_is_there,
      a_full_disk_takes_nothing_until_there_is_room,
      a_snapshot_cannot_be_read_while_reads_fail,
      a_damaged_disk_is_refused_whatever_was_damaged,
      memory_runs_out_for_so_many_allocations)
