/* Damage at rest: whatever happens to a member's files, its next start either
 * refuses, saying why, or has all that was acknowledged. */
#include "codec/crc.h"
#include "host/file.h"
#include "lib/random.h"
#include "lib/rig.h"
#include "lib/suite.h"

#include <fcntl.h>
#include <sys/stat.h>

#define ENTRIES_MAX 600
#define FILES_MAX 24
#define SECTOR 512
#define SNAPSHOT_BYTES 4000
#define TRAILING 30
/* Of each file, about. */
#define FLIPS 25
#define CUTS 8
#define SECTORS 16

struct file {
	char name[64]; /* in the member's directory */
	size_t len;
	size_t data; /* behind it are only zeros */
	uint8_t *bytes;
};

/* A directory as it was found after a crash, and what had been acknowledged. */
struct member {
	struct rig rig;
	struct random random;
	uint64_t values[ENTRIES_MAX + 1]; /* by index, from 2 on */
	size_t lens[ENTRIES_MAX + 1];
	raft_index last, snapshot;
	raft_term term;
	raft_id vote;
	struct file files[FILES_MAX];
	size_t files_len;
	/* Of the last start. */
	bool complete;
	size_t refused, survived;
};

static uint8_t snapshot_bytes[SNAPSHOT_BYTES];

/* As an image, it carries its own checksum. */
static void make_snapshot_bytes(void)
{
	struct random r = { 5 };

	for (size_t i = 0; i < SNAPSHOT_BYTES; i++)
		snapshot_bytes[i] = (uint8_t)random_below(&r, 20);
}

static bool snapshot_whole(const struct raft_snapshot *s)
{
	return s->bufs[0].len == SNAPSHOT_BYTES &&
	       crc32c(0, s->bufs[0].base, SNAPSHOT_BYTES) ==
		       crc32c(0, snapshot_bytes, SNAPSHOT_BYTES);
}

static bool entry_right(const struct member *m, raft_index index,
			const struct raft_entry *e)
{
	if (index == 1)
		return e->type == RAFT_CHANGE;
	if (index > m->last)
		return true; /* never acknowledged */
	if (e->type != RAFT_COMMAND || e->buf.len != m->lens[index])
		return false;
	for (size_t i = 0; i < e->buf.len / 8; i++)
		if (((const uint64_t *)e->buf.base)[i] != m->values[index])
			return false;
	return true;
}

/* A snapshot that isn't whole is refused by whoever restores it: it counts as
 * complete here. */
static void on_loaded(void *ctx, const struct raft_snapshot *s,
		      raft_index start, const struct raft_entry *entries,
		      size_t n)
{
	struct member *m = ctx;
	raft_index end = start + n - 1;

	m->complete = end >= m->last;
	if (start > 1)
		m->complete = m->complete && s && s->index + 1 >= start;
	if (s && !snapshot_whole(s))
		return;
	for (size_t i = 0; i < n && m->complete; i++)
		m->complete = entry_right(m, start + i, &entries[i]);
}

static void append(struct member *m, unsigned together)
{
	size_t len =
		8 * (1 + random_below(&m->random,
				      random_below(&m->random, 8) ? 20 : 200));
	/* The checksum of zeros wouldn't see that some are missing. */
	uint64_t value = random_next(&m->random) | 1;

	for (unsigned i = 0; i < together; i++) {
		m->values[m->last + 1 + i] = value;
		m->lens[m->last + 1 + i] = len;
	}
	ck_assert_int_eq(rig_append_many(&m->rig, value, len, together), 0);
	m->last += together;
}

static void on_put(struct raft_io_snapshot_put *req, int status)
{
	*(int *)req->data = status;
}

static void put_snapshot(struct member *m)
{
	struct raft_buffer buf = { snapshot_bytes, SNAPSHOT_BYTES };
	struct raft_snapshot s = { .index = m->last,
				   .term = m->rig.term,
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
		m->rig.io->snapshot_put(m->rig.io, TRAILING, &req, &s, on_put),
		0);
	while (status == -1)
		rig_run(&m->rig);
	ck_assert_int_eq(status, 0);
	raft_configuration_close(&s.configuration);
	m->snapshot = m->last;
}

static void path_of(const struct member *m, const char *name, char *path)
{
	snprintf(path, SCRATCH_PATH_MAX + 96, "%s/%s", m->rig.root, name);
}

static void keep_file(struct member *m, const char *name)
{
	char path[SCRATCH_PATH_MAX + 96];
	struct stat st;

	path_of(m, name, path);
	int fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_lt(m->files_len, FILES_MAX);
	struct file *f = &m->files[m->files_len++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->len = f->data = (size_t)st.st_size;
	f->bytes = malloc(f->len + 1);
	ck_assert_ptr_nonnull(f->bytes);
	ck_assert_int_eq(read(fd, f->bytes, f->len), (ssize_t)f->len);
	close(fd);
	while (f->data > 0 && f->bytes[f->data - 1] == 0)
		f->data--;
}

static void for_group(struct member *m,
		      void (*call)(struct member *m, const char *name))
{
	char path[SCRATCH_PATH_MAX + 96], name[64];

	path_of(m, "group-1", path);
	DIR *group = opendir(path);
	ck_assert_ptr_nonnull(group);
	for (struct dirent *e = readdir(group); e; e = readdir(group)) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "group-1/%.50s", e->d_name);
		call(m, name);
	}
	closedir(group);
}

/* As the files are now: what a process that is killed now leaves. */
static void keep_files(struct member *m)
{
	keep_file(m, "identity");
	keep_file(m, "vote-1");
	keep_file(m, "mark-1");
	for_group(m, keep_file);
}

static void remove_one(struct member *m, const char *name)
{
	char path[SCRATCH_PATH_MAX + 96];

	path_of(m, name, path);
	ck_assert_int_eq(unlink(path), 0);
}

static void write_file(struct member *m, const char *name, const uint8_t *bytes,
		       size_t len, size_t data)
{
	char path[SCRATCH_PATH_MAX + 96];

	path_of(m, name, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, data), (ssize_t)data);
	ck_assert_int_eq(ftruncate(fd, (off_t)len), 0);
	close(fd);
}

static void put_back(struct member *m)
{
	for_group(m, remove_one);
	for (size_t i = 0; i < m->files_len; i++)
		write_file(m, m->files[i].name, m->files[i].bytes,
			   m->files[i].len, m->files[i].data);
}

static void member_begin(struct member *m, bool snapshot, bool crash)
{
	memset(m, 0, sizeof(*m));
	/* Thousands of starts, which needn't survive the machine. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	make_snapshot_bytes();
	m->random.state = 3;
	rig_begin(&m->rig);
	ck_assert_int_eq(rig_open(&m->rig), 0);
	ck_assert_int_eq(rig_start(&m->rig), 0);
	m->last = 1;
	for (int i = 0; i < 150; i++) {
		append(m, 1 + (i % 5 == 0 ? 3 : 0));
		if (snapshot && i == 120)
			put_snapshot(m);
	}
	m->term = 4;
	m->vote = 2;
	ck_assert_int_eq(m->rig.io->set_term(m->rig.io, m->term), 0);
	ck_assert_int_eq(m->rig.io->set_vote(m->rig.io, m->vote), 0);
	if (crash)
		keep_files(m);
	rig_close(&m->rig);
	if (!crash)
		keep_files(m);
	m->rig.loaded = on_loaded;
	m->rig.ctx = m;
}

static void member_end(struct member *m)
{
	for (size_t i = 0; i < m->files_len; i++)
		free(m->files[i].bytes);
	rig_end(&m->rig);
}

/* What was done to the files comes out in one of two ways. */
static void try_start(struct member *m, const char *what, const char *name,
		      size_t at)
{
	m->complete = false;
	*m->rig.error = 0;
	int rc = rig_open(&m->rig);
	const char *why = rc == -1 ? m->rig.error : rc ? m->rig.io->errmsg : "";

	if (rc == 0) {
		ck_assert_msg(m->complete && m->rig.term == m->term &&
				      m->rig.vote == m->vote,
			      "%s %s at %zu: started without what was "
			      "acknowledged",
			      what, name, at);
		m->survived++;
	} else {
		ck_assert_msg(*why, "%s %s at %zu: refused without a reason",
			      what, name, at);
		m->refused++;
	}
	rig_close(&m->rig);
	put_back(m);
}

static void try_bytes(struct member *m, const struct file *f, const char *what,
		      const uint8_t *bytes, size_t len, size_t at)
{
	write_file(m, f->name, bytes, len, len < f->data ? len : f->data);
	try_start(m, what, f->name, at);
}

static uint8_t *copy_of(const struct file *f)
{
	uint8_t *copy = malloc(f->len + 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, f->bytes, f->len);
	return copy;
}

static void flip_bits(struct member *m, const struct file *f)
{
	uint8_t *copy = copy_of(f);
	size_t step = f->data / FLIPS + 1;

	for (size_t at = 0; at < f->data;
	     at += 1 + random_below(&m->random, 2 * step)) {
		uint8_t bit = (uint8_t)(1u << random_below(&m->random, 8));
		copy[at] ^= bit;
		try_bytes(m, f, "a flipped bit of", copy, f->len, at);
		copy[at] ^= bit;
	}
	free(copy);
}

static void zero_sectors(struct member *m, const struct file *f)
{
	uint8_t *copy = copy_of(f);
	size_t step = (f->data / SECTOR / SECTORS + 1) * SECTOR;

	for (size_t at = 0; at < f->data; at += step) {
		size_t len = f->data - at < SECTOR ? f->data - at : SECTOR;
		memset(copy + at, 0, len);
		try_bytes(m, f, "a zeroed sector of", copy, f->len, at);
		memcpy(copy + at, f->bytes + at, len);
	}
	/* And all from one on. */
	for (size_t at = f->data / step * step;; at -= step) {
		memset(copy + at, 0, f->len - at);
		try_bytes(m, f, "a zeroed tail of", copy, f->len, at);
		if (at == 0)
			break;
	}
	free(copy);
}

static void cut_short(struct member *m, const struct file *f)
{
	size_t step = f->data / CUTS + 1;

	for (size_t at = 0; at < f->data;
	     at += 1 + random_below(&m->random, 2 * step))
		try_bytes(m, f, "a cut of", f->bytes, at, at);
}

static void damage_everything(bool snapshot, bool crash)
{
	static struct member m;

	member_begin(&m, snapshot, crash);
	put_back(&m);
	try_start(&m, "nothing done to", "all", 0);
	ck_assert_uint_eq(m.survived, 1);
	for (size_t i = 0; i < m.files_len; i++) {
		const struct file *f = &m.files[i];
		flip_bits(&m, f);
		zero_sectors(&m, f);
		cut_short(&m, f);
		remove_one(&m, f->name);
		try_start(&m, "the loss of", f->name, 0);
	}
	ck_assert_uint_gt(m.refused, 100);
	member_end(&m);
}

START_TEST(no_damage_after_a_crash_goes_unseen)
{
	damage_everything(false, true);
}
END_TEST

START_TEST(no_damage_beside_a_snapshot_goes_unseen)
{
	damage_everything(true, true);
}
END_TEST

START_TEST(no_damage_of_a_member_that_was_closed_goes_unseen)
{
	damage_everything(true, false);
}
END_TEST

/* A member whose last write was of several appends and long; and the mark as it
 * was before, as after a loss of power. */
struct cut {
	struct member m;
	struct file before, after; /* the open segment */
};

static struct file *open_segment(struct member *m)
{
	for (size_t i = 0; i < m->files_len; i++)
		if (strncmp(m->files[i].name, "group-1/open-", 13) == 0 &&
		    m->files[i].data > 0)
			return &m->files[i];
	ck_abort_msg("no open segment");
}

static void forget_files(struct member *m)
{
	for (size_t i = 0; i < m->files_len; i++)
		free(m->files[i].bytes);
	m->files_len = 0;
}

static void cut_begin(struct cut *c)
{
	struct member *m = &c->m;

	member_begin(m, false, false);
	forget_files(m);
	m->rig.loaded = NULL;
	ck_assert_int_eq(rig_open(&m->rig), 0);
	ck_assert_int_eq(rig_start(&m->rig), 0);
	append(m, 1);
	keep_files(m);
	c->before = *open_segment(m);
	c->before.bytes = copy_of(open_segment(m));
	ck_assert_int_eq(rig_append_many(&m->rig, 77, 1600, 4), 0);
	size_t kept = m->files_len;
	keep_file(m, c->before.name);
	c->after = m->files[kept];
	c->after.bytes = copy_of(&m->files[kept]);
	free(m->files[kept].bytes);
	m->files_len = kept;
	rig_close(&m->rig);
	m->rig.loaded = on_loaded;
	put_back(m);
}

static void cut_end(struct cut *c)
{
	free(c->before.bytes);
	free(c->after.bytes);
	member_end(&c->m);
}

/* The sectors [from, to) of the last write didn't reach the disk. */
static uint8_t *without(const struct cut *c, size_t from, size_t to)
{
	uint8_t *copy = copy_of(&c->after);

	memcpy(copy + from, c->before.bytes + from, to - from);
	return copy;
}

static void try_cut(struct cut *c, const uint8_t *bytes, size_t at)
{
	try_bytes(&c->m, &c->after, "a write cut short of", bytes, c->after.len,
		  at);
}

START_TEST(a_write_that_was_cut_short_anywhere_is_forgotten)
{
	static struct cut c;
	size_t tries = 0;

	cut_begin(&c);
	size_t first = c.before.data / SECTOR * SECTOR;
	size_t end = (c.after.data / SECTOR + 1) * SECTOR;
	for (size_t at = first; at < end; at += SECTOR) {
		uint8_t *one = without(&c, at, at + SECTOR);
		uint8_t *rest = without(&c, at, end);
		try_cut(&c, one, at);
		try_cut(&c, rest, at);
		free(one);
		free(rest);
		tries += 2;
	}
	ck_assert_uint_gt(tries, 20);
	ck_assert_uint_eq(c.m.survived, tries);
	cut_end(&c);
}
END_TEST

START_TEST(damage_is_not_taken_for_a_write_cut_short)
{
	static struct cut c;
	size_t tries = 0;

	cut_begin(&c);
	size_t first = (c.before.data + 7) / 8 * 8;
	for (size_t at = first; at < c.after.data; at += 97) {
		uint8_t *copy = copy_of(&c.after);
		copy[at] ^= 0x40;
		try_cut(&c, copy, at);
		free(copy);
		tries++;
	}
	ck_assert_uint_gt(tries, 20);
	ck_assert_uint_eq(c.m.refused, tries);
	cut_end(&c);
}
END_TEST

START_TEST(no_write_was_cut_short_before_another_segment_was_begun)
{
	static struct cut c;

	cut_begin(&c);
	uint8_t *torn = without(&c, c.after.data / SECTOR * SECTOR,
				(c.after.data / SECTOR + 1) * SECTOR);
	write_file(&c.m, "group-1/open-99", c.before.bytes, c.before.len,
		   c.before.data);
	try_cut(&c, torn, c.after.data);
	ck_assert_uint_eq(c.m.refused, 1);
	ck_assert_ptr_nonnull(strstr(c.m.rig.error, "later segment"));
	free(torn);
	cut_end(&c);
}
END_TEST

SUITE(no_damage_after_a_crash_goes_unseen,
      no_damage_beside_a_snapshot_goes_unseen,
      no_damage_of_a_member_that_was_closed_goes_unseen,
      a_write_that_was_cut_short_anywhere_is_forgotten,
      damage_is_not_taken_for_a_write_cut_short,
      no_write_was_cut_short_before_another_segment_was_begun)
