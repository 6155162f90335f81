/* What a crash leaves of raft_uv's files, at moments that tests seldom hit: the
 * next start finds all that was acknowledged, and no more than was asked for.
 */
#include "lib/rig.h"
#include "lib/suite.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PATH_BYTES (SCRATCH_PATH_MAX + 320)
#define BATCH_BYTES 32 /* of one entry, without its data */

struct crash {
	struct rig rig;
	raft_index first, last; /* as loaded */
	uint64_t values[128];   /* of entries, by index */
};

static void on_loaded(void *ctx, const struct raft_snapshot *s,
		      raft_index start, const struct raft_entry *entries,
		      size_t n)
{
	struct crash *c = ctx;

	(void)s;
	c->first = start;
	c->last = start + n - 1;
	for (size_t i = 0; i < n && start + i < 128; i++)
		if (entries[i].type == RAFT_COMMAND)
			c->values[start + i] = *(uint64_t *)entries[i].buf.base;
}

static void open_again(struct crash *c)
{
	ck_assert_int_eq(rig_open(&c->rig), 0);
	ck_assert_int_eq(rig_start(&c->rig), 0);
}

static void begin(struct crash *c, unsigned entries)
{
	char path[PATH_BYTES];

	memset(c, 0, sizeof(*c));
	rig_begin(&c->rig);
	snprintf(path, sizeof(path), "%s/kept", c->rig.root);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	c->rig.loaded = on_loaded;
	c->rig.ctx = c;
	open_again(c);
	for (uint64_t i = 0; i < entries; i++)
		ck_assert_int_eq(rig_append(&c->rig, 2 + i, 800), 0);
	if (entries == 0)
		return;
	rig_close(&c->rig); /* so that segments are closed */
	open_again(c);
}

static void copy(const char *from, const char *to)
{
	static uint8_t bytes[RIG_SEGMENT_BYTES];
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(in, 0);
	ck_assert_int_ge(out, 0);
	ssize_t len = read(in, bytes, sizeof(bytes));
	ck_assert_int_ge(len, 0);
	ssize_t data = len;
	while (data > 0 && bytes[data - 1] == 0)
		data--;
	ck_assert_int_eq(write(out, bytes, (size_t)data), data);
	ck_assert_int_eq(ftruncate(out, len), 0);
	close(in);
	close(out);
}

/* Copy files from one of the member's folders to another, those whose names
 * have `part` in them; `to` NULL: remove them. */
static void each(struct crash *c, const char *from, const char *to,
		 const char *part)
{
	char source[PATH_BYTES], target[PATH_BYTES];

	snprintf(source, sizeof(source), "%s/%s", c->rig.root, from);
	DIR *dir = opendir(source);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_name[0] == '.' || !strstr(e->d_name, part))
			continue;
		snprintf(source, sizeof(source), "%s/%s/%s", c->rig.root, from,
			 e->d_name);
		if (!to) {
			ck_assert_int_eq(unlink(source), 0);
			continue;
		}
		snprintf(target, sizeof(target), "%s/%s/%s", c->rig.root, to,
			 e->d_name);
		copy(source, target);
	}
	closedir(dir);
}

static void keep_mark(struct crash *c, bool back)
{
	char mark[PATH_BYTES], kept[PATH_BYTES];

	snprintf(mark, sizeof(mark), "%s/mark-1", c->rig.root);
	snprintf(kept, sizeof(kept), "%s/kept/mark", c->rig.root);
	copy(back ? kept : mark, back ? mark : kept);
}

static void keep(struct crash *c)
{
	each(c, "kept", NULL, "");
	each(c, "group-1", "kept", "");
	keep_mark(c, false);
}

/* The process ends, and leaves what was kept: rig_open's answer. */
static int restart(struct crash *c)
{
	rig_close(&c->rig);
	each(c, "group-1", NULL, "");
	each(c, "kept", "group-1", "");
	each(c, "group-1", NULL, "mark");
	keep_mark(c, true);
	return rig_open(&c->rig);
}

static void end(struct crash *c)
{
	rig_close(&c->rig);
	rig_end(&c->rig);
}

START_TEST(a_segment_may_end_at_any_word)
{
	for (size_t left = 0; left <= 24; left += 8) {
		struct crash c;
		size_t used = sizeof(uint64_t), len = 4000;
		raft_index last = 1;

		begin(&c, 0);
		for (; used + left < RIG_SEGMENT_BYTES; last++) {
			size_t room = RIG_SEGMENT_BYTES - used - left;
			if (room < 2 * len)
				len = room - BATCH_BYTES;
			ck_assert_int_eq(rig_append(&c.rig, 7, len), 0);
			used += BATCH_BYTES + len;
		}
		keep(&c);
		ck_assert_int_eq(restart(&c), 0);
		ck_assert_uint_eq(c.last, last);
		end(&c);
	}
}
END_TEST

static void lose_first_sector(struct crash *c)
{
	char path[PATH_BYTES];
	uint8_t zeros[512] = { 0 };

	snprintf(path, sizeof(path), "%s/kept/open-1", c->rig.root);
	int fd = open(path, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	close(fd);
}

START_TEST(a_first_write_without_its_first_sector_is_forgotten)
{
	struct crash c;

	begin(&c, 3);
	keep(&c);
	ck_assert_int_eq(rig_append(&c.rig, 9, 4000), 0);
	each(&c, "group-1", "kept", "open-1");
	lose_first_sector(&c);
	ck_assert_int_eq(restart(&c), 0);
	ck_assert_uint_eq(c.last, 4);
	end(&c);
}
END_TEST

START_TEST(but_not_if_it_was_acknowledged)
{
	struct crash c;

	begin(&c, 3);
	ck_assert_int_eq(rig_append(&c.rig, 9, 4000), 0);
	keep(&c);
	lose_first_sector(&c);
	ck_assert_int_eq(restart(&c), -1);
	ck_assert_ptr_nonnull(strstr(c.rig.error, "acknowledged"));
	end(&c);
}
END_TEST

static bool has(const struct crash *c, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/group-1/%s", c->rig.root, name);
	return access(path, F_OK) == 0;
}

#define LONG_NAME "0000000000000002-0000000000000011"
#define SHORT_NAME "0000000000000002-0000000000000005"

START_TEST(a_cut_that_a_crash_has_interrupted_is_finished)
{
	struct crash c;

	begin(&c, 10);
	keep(&c);
	ck_assert_int_eq(c.rig.io->truncate(c.rig.io, 6), 0);
	while (!has(&c, SHORT_NAME) || has(&c, LONG_NAME))
		rig_run(&c.rig);
	each(&c, "group-1", "kept", SHORT_NAME);
	keep_mark(&c, false);
	each(&c, "kept", NULL, "open-");
	ck_assert_int_eq(restart(&c), 0);
	ck_assert_uint_eq(c.last, 5);
	ck_assert(!has(&c, LONG_NAME));
	end(&c);
}
END_TEST

START_TEST(nothing_is_cut_that_was_acknowledged)
{
	struct crash c;

	begin(&c, 10);
	keep(&c);
	ck_assert_int_eq(c.rig.io->truncate(c.rig.io, 6), 0);
	while (!has(&c, SHORT_NAME) || has(&c, LONG_NAME))
		rig_run(&c.rig);
	each(&c, "group-1", "kept", SHORT_NAME); /* and the mark of before */
	ck_assert_int_ne(restart(&c), 0);
	ck_assert(has(&c, LONG_NAME));
	end(&c);
}
END_TEST

/* raft_uv makes a file to cut the log. */
START_TEST(a_cut_that_failed_ends_the_member_for_good)
{
	struct crash c;
	char path[PATH_BYTES];

	begin(&c, 10);
	snprintf(path, sizeof(path), "%s/group-1/tmp-" SHORT_NAME, c.rig.root);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(c.rig.io->truncate(c.rig.io, 6), 0);
	ck_assert_int_ne(rig_append(&c.rig, 77, 800), 0);
	ck_assert_ptr_nonnull(strstr(c.rig.io->errmsg, "cut"));
	ck_assert_int_eq(rig_append(&c.rig, 78, 800), RAFT_IOERR);
	ck_assert_int_eq(rmdir(path), 0);
	keep(&c);
	ck_assert_int_ne(restart(&c), 0);
	ck_assert_ptr_nonnull(strstr(c.rig.io->errmsg, "cut"));
	end(&c);
}
END_TEST

START_TEST(a_cut_log_goes_on_where_it_was_cut)
{
	struct crash c;

	begin(&c, 10);
	ck_assert_int_eq(c.rig.io->truncate(c.rig.io, 6), 0);
	ck_assert_int_eq(rig_append(&c.rig, 77, 800), 0);
	ck_assert_int_eq(rig_append(&c.rig, 78, 800), 0);
	keep(&c);
	ck_assert_int_eq(restart(&c), 0);
	ck_assert_uint_eq(c.last, 7);
	ck_assert_uint_eq(c.values[6], 77);
	end(&c);
}
END_TEST

static void on_put(struct raft_io_snapshot_put *req, int status)
{
	*(int *)req->data = status;
}

static void install(struct crash *c, raft_index index)
{
	uint64_t word = 1;
	struct raft_buffer buf = { &word, sizeof(word) };
	struct raft_snapshot s = { .index = index,
				   .term = c->rig.term,
				   .configuration_index = 1,
				   .bufs = &buf,
				   .n_bufs = 1 };
	struct raft_io_snapshot_put req;
	int status = -1;

	req.data = &status;
	raft_configuration_init(&s.configuration);
	ck_assert_int_eq(
		raft_configuration_add(&s.configuration, 1, "1", RAFT_VOTER),
		0);
	ck_assert_int_eq(
		c->rig.io->snapshot_put(c->rig.io, 0, &req, &s, on_put), 0);
	while (status == -1)
		rig_run(&c->rig);
	ck_assert_int_eq(status, 0);
	raft_configuration_close(&s.configuration);
}

/* The snapshot is there, the log that it replaces still, too. */
START_TEST(what_an_installation_left_of_the_log_is_not_taken_for_its_beginning)
{
	struct crash c;

	begin(&c, 10);
	keep(&c);
	install(&c, 50);
	each(&c, "group-1", "kept", "snapshot");
	ck_assert_int_eq(restart(&c), 0);
	ck_assert_uint_eq(c.last, 50);
	ck_assert_int_eq(rig_start(&c.rig), 0);
	for (uint64_t i = 51; i <= 60; i++)
		ck_assert_int_eq(rig_append(&c.rig, i, 800), 0);
	keep(&c);
	ck_assert_int_eq(restart(&c), 0);
	ck_assert_uint_eq(c.first, 51);
	ck_assert_uint_eq(c.last, 60);
	ck_assert_uint_eq(c.values[60], 60);
	end(&c);
}
END_TEST

SUITE(a_segment_may_end_at_any_word,
      a_first_write_without_its_first_sector_is_forgotten,
      but_not_if_it_was_acknowledged,
      a_cut_that_a_crash_has_interrupted_is_finished,
      nothing_is_cut_that_was_acknowledged,
      a_cut_that_failed_ends_the_member_for_good,
      a_cut_log_goes_on_where_it_was_cut,
      what_an_installation_left_of_the_log_is_not_taken_for_its_beginning)
