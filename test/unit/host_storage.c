/* raft_uv's disk behind our functions, driven as libraft drives it. */
#include "host/file.h"
#include "host/vote.h"
#include "lib/random.h"
#include "lib/rig.h"
#include "lib/suite.h"

#include <fcntl.h>
#include <sys/stat.h>

START_TEST(what_was_appended_is_there_after_a_restart)
{
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_uint_eq(r.term, 1);
	ck_assert_uint_eq(r.entries, 1);
	ck_assert_int_eq(rig_start(&r), 0);
	for (uint64_t i = 0; i < 5; i++)
		ck_assert_int_eq(rig_append(&r, i, sizeof(i)), 0);
	ck_assert_int_eq(r.io->set_term(r.io, 2), 0);
	ck_assert_int_eq(r.io->set_vote(r.io, 1), 0);
	rig_close(&r);

	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_uint_eq(r.entries, 6);
	ck_assert_uint_eq(r.term, 2);
	ck_assert_uint_eq(r.vote, 1);
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(many_segments_are_read_back)
{
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_int_eq(rig_start(&r), 0);
	for (uint64_t i = 0; i < 3000; i++)
		ck_assert_int_eq(rig_append(&r, i, sizeof(i)), 0);
	rig_close(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_uint_eq(r.entries, 3001);
	rig_close(&r);
	rig_end(&r);
}
END_TEST

/* A file of raft_uv's folder, with `bytes` of data in `len`. */
static void put_segment(const struct rig *r, const char *name, size_t bytes,
			off_t len)
{
	char path[4096], data[64] = { 'x' };
	snprintf(path, sizeof(path), "%s/group-1/%s", r->root, name);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, bytes), (ssize_t)bytes);
	ck_assert_int_eq(ftruncate(fd, len), 0);
	ck_assert_int_eq(fsync(fd), 0);
	close(fd);
}

static bool has_segment(const struct rig *r, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/group-1/%s", r->root, name);
	return access(path, F_OK) == 0;
}

START_TEST(only_segments_without_any_data_are_dropped)
{
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	rig_close(&r);
	put_segment(&r, "open-7", 0, 1 << 20);
	put_segment(&r, "open-8", 1, 1 << 20);
	put_segment(&r, "closed-7", 0, 1 << 20);
	ck_assert_int_eq(rig_storage(&r), 0);
	ck_assert(!has_segment(&r, "open-7"));
	ck_assert(has_segment(&r, "open-8"));
	ck_assert(has_segment(&r, "closed-7"));
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(all_descriptors_are_closed_on_exec)
{
	struct rig r;

	bool ours[64];

	rig_begin(&r);
	for (int fd = 0; fd < 64; fd++)
		ours[fd] = fcntl(fd, F_GETFD) < 0;
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_int_eq(rig_start(&r), 0);
	ck_assert_int_eq(rig_append(&r, 1, sizeof(uint64_t)), 0);
	for (int fd = 0; fd < 64; fd++) {
		int flags = ours[fd] ? fcntl(fd, F_GETFD) : -1;
		ck_assert_msg(flags < 0 || flags & FD_CLOEXEC, "%d", fd);
	}
	rig_close(&r);
	rig_end(&r);
}
END_TEST

static int ticks;

static void count_tick(struct raft_io *io)
{
	(void)io;
	ticks++;
}

static void ignore_message(struct raft_io *io, struct raft_message *message)
{
	(void)io;
	(void)message;
}

static void run_for(struct rig *r, uint64_t ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms;

	while (uv_hrtime() / 1000000 < end)
		rig_run(r);
}

START_TEST(a_tick_that_is_to_come_late_waits_until_it_is_asked_for)
{
	struct rig r;

	ticks = 0;
	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_int_eq(r.io->start(r.io, 10, count_tick, ignore_message), 0);
	run_for(&r, 50);
	ck_assert_int_ge(ticks, 1);
	storage_tick_late(r.storage);
	storage_tick(r.storage); /* none is due */
	int before = ticks;
	run_for(&r, 50);
	ck_assert_int_eq(ticks, before);
	storage_tick(r.storage);
	storage_tick(r.storage);
	ck_assert_int_eq(ticks, before + 1);
	rig_close(&r);
	rig_end(&r);
}
END_TEST

static const char *const files[] = { "vote-1", "group-1/metadata1",
				     "group-1/metadata2" };
#define FILES 3

struct kept { /* what a file held; len -1: it didn't exist */
	char bytes[FILE_BYTES_MAX];
	int len;
};

static void keep(struct rig *r, struct kept kept[FILES])
{
	for (size_t i = 0; i < FILES; i++) {
		char path[SCRATCH_PATH_MAX + 32];
		snprintf(path, sizeof(path), "%s/%s", r->root, files[i]);
		kept[i].len = file_read(AT_FDCWD, path, kept[i].bytes,
					sizeof(kept[i].bytes));
	}
}

static void put_back(struct rig *r, const struct kept *kept, size_t i)
{
	char path[SCRATCH_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", r->root, files[i]);
	unlink(path);
	if (kept[i].len < 0)
		return;
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, kept[i].bytes, (size_t)kept[i].len),
			 kept[i].len);
	close(fd);
}

/* One step of libraft's: to a new term, or a vote in this one. */
static void step(struct rig *r, struct random *random)
{
	if (r->vote != 0 || random_below(random, 2) == 0) {
		r->term += 1 + random_below(random, 3);
		r->vote = 0;
		ck_assert_int_eq(r->io->set_term(r->io, r->term), 0);
	} else {
		r->vote = 1 + random_below(random, 3);
		ck_assert_int_eq(r->io->set_vote(r->io, r->vote), 0);
	}
}

START_TEST(a_crash_between_the_two_writes_keeps_the_step)
{
	struct random random = { 1 };
	struct kept before[FILES];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	for (int i = 0; i < 30; i++) {
		if (random_below(&random, 3) == 0)
			step(&r, &random); /* and one without a crash */
		keep(&r, before);
		step(&r, &random);
		raft_term term = r.term;
		raft_id vote = r.vote;
		rig_close(&r);
		put_back(&r, before, 1);
		put_back(&r, before, 2);
		ck_assert_int_eq(rig_open(&r), 0);
		ck_assert_uint_eq(r.term, term);
		ck_assert_uint_eq(r.vote, vote);
	}
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(a_crash_before_both_writes_leaves_the_step_undone)
{
	struct random random = { 2 };
	struct kept before[FILES];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	for (int i = 0; i < 20; i++) {
		step(&r, &random);
		raft_term term = r.term;
		raft_id vote = r.vote;
		keep(&r, before);
		step(&r, &random);
		rig_close(&r);
		for (size_t f = 0; f < FILES; f++)
			put_back(&r, before, f);
		ck_assert_int_eq(rig_open(&r), 0);
		ck_assert_uint_eq(r.term, term);
		ck_assert_uint_eq(r.vote, vote);
	}
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(a_vote_file_older_than_raft_uvs_is_refused)
{
	struct kept before[FILES];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	keep(&r, before);
	ck_assert_int_eq(r.io->set_term(r.io, 2), 0);
	ck_assert_int_eq(r.io->set_vote(r.io, 3), 0);
	rig_close(&r);
	put_back(&r, before, 0);
	ck_assert_int_eq(rig_open(&r), RAFT_CORRUPT);
	ck_assert_ptr_nonnull(strstr(r.io->errmsg, "vote-1 holds"));
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(a_missing_vote_file_is_refused)
{
	char path[SCRATCH_PATH_MAX + 32];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	rig_close(&r);
	snprintf(path, sizeof(path), "%s/vote-1", r.root);
	ck_assert_int_eq(unlink(path), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rig_storage(&r), HF_ECORRUPT);
		ck_assert_ptr_nonnull(strstr(r.error, "vote-1"));
		rig_close(&r);
	}
	rig_end(&r);
}
END_TEST

START_TEST(any_damaged_byte_of_the_vote_file_is_refused)
{
	struct kept whole[FILES], damaged[FILES];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	rig_close(&r);
	keep(&r, whole);
	for (int i = 0; i < whole[0].len; i++) {
		memcpy(damaged, whole, sizeof(whole));
		damaged[0].bytes[i] ^= 1;
		put_back(&r, damaged, 0);
		ck_assert_int_eq(rig_storage(&r), HF_ECORRUPT);
		ck_assert_ptr_nonnull(strstr(r.error, "vote-1"));
		ck_assert_ptr_null(r.storage);
		rig_close(&r);
	}
	rig_end(&r);
}
END_TEST

START_TEST(no_damaged_byte_of_raft_uvs_metadata_changes_term_or_vote)
{
	struct kept whole[FILES], damaged[FILES];
	int refused = 0, right = 0;
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_int_eq(r.io->set_term(r.io, 2), 0);
	ck_assert_int_eq(r.io->set_vote(r.io, 3), 0);
	rig_close(&r);
	keep(&r, whole);
	for (size_t f = 1; f < FILES; f++) {
		for (int i = 0; i < whole[f].len; i++) {
			memcpy(damaged, whole, sizeof(whole));
			damaged[f].bytes[i] ^= 0x10;
			for (size_t k = 0; k < FILES; k++)
				put_back(&r, damaged, k);
			if (rig_open(&r) != 0) {
				refused++;
			} else {
				ck_assert_uint_eq(r.term, 2);
				ck_assert_uint_eq(r.vote, 3);
				right++;
			}
			rig_close(&r);
		}
	}
	ck_assert_int_gt(refused, 20);
	ck_assert_int_gt(right, 20);
	rig_end(&r);
}
END_TEST

START_TEST(a_first_log_that_was_cut_short_is_made_anew)
{
	char path[SCRATCH_PATH_MAX + 64];
	struct vote_record record = { .next = { .term = 1 }, .forming = true };
	struct rig r;

	/* The record says that the log is being made; raft_uv has a term but
	 * no segment: as after a crash in the middle of bootstrap. */
	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	rig_close(&r);
	snprintf(path, sizeof(path),
		 "%s/group-1/0000000000000001-0000000000000001", r.root);
	ck_assert_int_eq(unlink(path), 0);
	/* Without the mark it is a lost log. */
	ck_assert_int_eq(rig_open(&r), RAFT_CORRUPT);
	ck_assert_ptr_nonnull(strstr(r.io->errmsg, "missing"));
	rig_close(&r);
	int fd = open(r.root, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(vote_store(&record, fd), 0);
	close(fd);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_uint_eq(r.term, 1);
	ck_assert_uint_eq(r.entries, 1);
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(a_log_that_has_lost_all_its_files_is_refused)
{
	char path[SCRATCH_PATH_MAX + 64];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	rig_close(&r);
	snprintf(path, sizeof(path), "%s/group-1", r.root);
	scratch_remove(path);
	ck_assert_int_eq(rig_open(&r), RAFT_CORRUPT);
	rig_close(&r);
	rig_end(&r);
}
END_TEST

START_TEST(a_vote_that_cannot_be_stored_is_an_error)
{
	char path[SCRATCH_PATH_MAX + 32];
	struct rig r;

	rig_begin(&r);
	ck_assert_int_eq(rig_open(&r), 0);
	/* A directory where the temporary file goes. */
	snprintf(path, sizeof(path), "%s/vote-1.tmp", r.root);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(r.io->set_term(r.io, 9), RAFT_IOERR);
	ck_assert_ptr_nonnull(strstr(r.io->errmsg, "vote-1"));
	rig_close(&r);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rig_open(&r), 0);
	ck_assert_uint_eq(r.term, 1);
	rig_close(&r);
	rig_end(&r);
}
END_TEST

SUITE(what_was_appended_is_there_after_a_restart, many_segments_are_read_back,
      only_segments_without_any_data_are_dropped,
      all_descriptors_are_closed_on_exec,
      a_tick_that_is_to_come_late_waits_until_it_is_asked_for,
      a_crash_between_the_two_writes_keeps_the_step,
      a_crash_before_both_writes_leaves_the_step_undone,
      a_vote_file_older_than_raft_uvs_is_refused,
      a_missing_vote_file_is_refused,
      any_damaged_byte_of_the_vote_file_is_refused,
      no_damaged_byte_of_raft_uvs_metadata_changes_term_or_vote,
      a_first_log_that_was_cut_short_is_made_anew,
      a_log_that_has_lost_all_its_files_is_refused,
      a_vote_that_cannot_be_stored_is_an_error)
