/* The simulated disk keeps raft_uv's promises, and no more than these. */
#include "lib/suite.h"
#include "sim/lib/vdisk_io.h"

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
	struct vdisk_counts counts;
	struct gate gate;
	bool dead;
	struct vdisk_io io;
	struct raft_io_append requests[ENTRIES];
	struct raft_entry entries[ENTRIES];
	uint64_t values[ENTRIES];
};

static void open_disk(struct setup *s)
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
				   .counts = &s->counts,
				   .calls = &calls,
				   .ctx = &s->dead };
	vdisk_io_init(&s->io);
	ck_assert_int_eq(s->io.io.load(&s->io.io, &term, &vote, &snapshot,
				       &first, &entries, &len),
			 0);
	if (len)
		raft_free(entries[0].batch);
	raft_free(entries);
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

SUITE(an_append_is_done_later_and_then_on_the_disk,
      a_crash_leaves_a_prefix_with_all_that_was_done,
      nothing_reaches_the_disk_from_a_dead_process,
      a_new_term_forgets_the_vote_and_both_are_durable_at_once,
      a_truncation_is_done_in_its_turn)
