/* A guard's file under crashes, failing disks and damage.
 *
 * The writes and syncs of the library come here first, and a model of the disk
 * beside the real file knows what a crash would leave: what was synced, and of
 * what wasn't any part. */
#include "codec/guard_record.h"
#include "host/guard_copies.h"
#include "lib/random.h"
#include "lib/scratch.h"
#include "lib/seen.h"
#include "lib/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define EVERYWHERE __attribute__((visibility("default")))
#define MOMENTS_MAX 16
#define NEVER 1000

struct image {
	uint8_t copy[2][GUARD_RECORD_BYTES];
};

/* A moment at which the machine may crash: the disk, and a write that is on its
 * way to a copy (-1: none). */
struct moment {
	struct image disk;
	int copy;
	uint8_t bytes[GUARD_RECORD_BYTES];
};

static struct {
	bool on;
	struct moment now, moments[MOMENTS_MAX];
	size_t len;
	int good, number; /* so many calls are good, the next fails with this */
	bool torn;        /* a failed sync leaves the half of a write */
} disk;

static bool fails(void)
{
	if (disk.good-- != 0)
		return false;
	errno = disk.number;
	return true;
}

static void take_moment(void)
{
	ck_assert_uint_lt(disk.len, MOMENTS_MAX);
	disk.moments[disk.len++] = disk.now;
}

/* A number of 0 is a write of a part. */
EVERYWHERE ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	if (disk.on && len == GUARD_RECORD_BYTES) {
		ck_assert_int_eq(disk.now.copy, -1);
		if (fails())
			return disk.number ? -1 : 7;
		disk.now.copy = at != 0;
		memcpy(disk.now.bytes, bytes, len);
		take_moment();
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, bytes, len, at);
}

/* Thousands of files are made and opened: what the modelled disk doesn't see
 * needn't reach a real one. */
EVERYWHERE int fsync(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

EVERYWHERE int fdatasync(int fd)
{
	int copy = disk.now.copy;
	size_t len = GUARD_RECORD_BYTES;
	bool failed = disk.on && fails();

	if (!disk.on)
		return fsync(fd);
	disk.now.copy = -1;
	if (failed)
		len = disk.torn ? len / 2 : 0;
	if (copy >= 0)
		memcpy(disk.now.disk.copy[copy], disk.now.bytes, len);
	take_moment();
	return failed ? -1 : 0;
}

static void image_read(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY);

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pread(fd, image->copy[i], GUARD_RECORD_BYTES,
				       (off_t)i * GUARD_COPY_SPACING),
				 GUARD_RECORD_BYTES);
	close(fd);
}

static void image_write(const struct image *image, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(ftruncate(fd, GUARD_FILE_BYTES), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(syscall(SYS_pwrite64, fd, image->copy[i],
					 GUARD_RECORD_BYTES,
					 (off_t)i * GUARD_COPY_SPACING),
				 GUARD_RECORD_BYTES);
	close(fd);
}

static void disk_begin(const char *path)
{
	memset(&disk, 0, sizeof(disk));
	image_read(&disk.now.disk, path);
	disk.now.copy = -1;
	disk.good = NEVER;
	disk.on = true;
	take_moment();
}

struct scene {
	char dir[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 8],
		copy[SCRATCH_PATH_MAX + 8], error[HF_ERROR_TEXT];
	struct hf_guard_file *g;
};

static int scene_admit(struct scene *s, uint64_t token)
{
	return hf_guard_admit(s->g, HF_EXCLUSIVE, token, 0);
}

/* A guard that has seen 10; the next token is 20. */
static void scene_begin(struct scene *s)
{
	disk.on = false;
	scratch_make(s->dir);
	snprintf(s->path, sizeof(s->path), "%s/guard", s->dir);
	snprintf(s->copy, sizeof(s->copy), "%s/copy", s->dir);
	ck_assert_int_eq(hf_guard_open(&s->g, s->path, s->error), 0);
	ck_assert_int_eq(scene_admit(s, 10), 0);
	disk_begin(s->path);
}

static void scene_end(struct scene *s)
{
	hf_guard_close(s->g);
	scratch_remove(s->dir);
}

static uint64_t newest_in(const uint8_t *bytes)
{
	struct guard_record r;

	ck_assert_int_eq(guard_record_decode(&r, bytes), GUARD_VALID);
	return r.seen.newest;
}

/* What a machine that finds this on its disk admits from. Opening has made both
 * copies good. Without the model's disk, which is the crashed machine's. */
static uint64_t newest_after(struct scene *s, const struct image *image)
{
	struct hf_guard_file *g;
	struct image after;
	bool was_on = disk.on;

	disk.on = false;
	image_write(image, s->copy);
	ck_assert_msg(hf_guard_open(&g, s->copy, s->error) == 0, "%s",
		      s->error);
	image_read(&after, s->copy);
	ck_assert_mem_eq(after.copy[0], after.copy[1], GUARD_RECORD_BYTES);
	uint64_t newest = newest_in(after.copy[0]);
	ck_assert_int_eq(hf_guard_admit(g, HF_EXCLUSIVE, newest - 1, 0),
			 HF_EFENCED);
	ck_assert_int_eq(hf_guard_admit(g, HF_EXCLUSIVE, newest, 0), 0);
	hf_guard_close(g);
	disk.on = was_on;
	return newest;
}

/* The write that was on its way has come to `len` bytes, its first or its last
 * ones. */
static struct image torn(const struct moment *m, size_t len, bool last)
{
	struct image image = m->disk;
	size_t from = last ? GUARD_RECORD_BYTES - len : 0;

	if (m->copy >= 0)
		memcpy(image.copy[m->copy] + from, m->bytes + from, len);
	return image;
}

/* After a crash at any moment, whatever came of the write, it is one of these.
 */
static void check_crashes(struct scene *s, uint64_t least, uint64_t most)
{
	for (size_t i = 0; i < disk.len; i++) {
		const struct moment *m = &disk.moments[i];
		size_t tears = m->copy < 0 ? 0 : GUARD_RECORD_BYTES;

		for (size_t len = 0; len <= tears; len++)
			for (int last = 0; last < 2; last++) {
				struct image image = torn(m, len, last);
				uint64_t n = newest_after(s, &image);
				ck_assert(n == least || n == most);
			}
	}
}

START_TEST(a_newer_token_is_in_both_copies_on_the_disk_when_it_is_admitted)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(scene_admit(&s, 20), 0);
	ck_assert_int_eq(disk.now.copy, -1);
	ck_assert_uint_eq(newest_in(disk.now.disk.copy[0]), 20);
	ck_assert_uint_eq(newest_in(disk.now.disk.copy[1]), 20);
	scene_end(&s);
}
END_TEST

START_TEST(a_token_that_raises_nothing_writes_nothing)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(scene_admit(&s, 10), 0);
	ck_assert_int_eq(scene_admit(&s, 9), HF_EFENCED);
	ck_assert_uint_eq(disk.len, 1);
	scene_end(&s);
}
END_TEST

START_TEST(a_crash_at_any_moment_leaves_the_old_maximum_or_the_new_one)
{
	struct scene s;

	scene_begin(&s);
	for (uint64_t token = 20; token < 24; token++) { /* either copy first */
		ck_assert_int_eq(scene_admit(&s, token), 0);
		ck_assert_uint_eq(disk.len, 5);
		check_crashes(&s, token == 20 ? 10 : token - 1, token);
		disk_begin(s.path);
	}
	scene_end(&s);
}
END_TEST

/* Open what this crash has left, on the model's disk. */
static void recover(struct scene *s, const struct image *image)
{
	hf_guard_close(s->g);
	image_write(image, s->path);
	disk_begin(s->path);
	ck_assert_int_eq(hf_guard_open(&s->g, s->path, s->error), 0);
}

START_TEST(a_crash_while_a_crash_is_mended_forgets_nothing_either)
{
	static const size_t lens[] = { 0, 7, 33, 50, 63, 64 };
	struct moment moments[MOMENTS_MAX];
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(scene_admit(&s, 20), 0);
	size_t len = disk.len;
	memcpy(moments, disk.moments, sizeof(moments));
	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < 6; k++) {
			struct image image = torn(&moments[i], lens[k], false);
			uint64_t least = newest_after(&s, &image);
			recover(&s, &image);
			check_crashes(&s, least, least);
		}
	scene_end(&s);
}
END_TEST

START_TEST(after_a_failed_write_or_sync_all_is_refused_until_it_is_opened_again)
{
	for (int good = 0; good < 4; good++) {
		struct scene s;

		scene_begin(&s);
		disk.good = good;
		disk.number = good % 2 ? EIO : ENOSPC;
		expect_error(HF_EIO, hf_guard_admit, s.g, HF_EXCLUSIVE, 20, 0);
		ck_assert_int_eq(scene_admit(&s, 30), HF_EIO);
		ck_assert_int_eq(scene_admit(&s, 10), HF_EIO);
		check_crashes(&s, 10, 20);
		hf_guard_close(s.g);
		ck_assert_int_eq(hf_guard_open(&s.g, s.path, s.error), 0);
		ck_assert_int_eq(scene_admit(&s, 20), 0);
		ck_assert_uint_eq(newest_after(&s, &disk.now.disk), 20);
		scene_end(&s);
	}
}
END_TEST

START_TEST(a_write_of_a_part_is_a_failed_one)
{
	struct scene s;

	scene_begin(&s);
	disk.good = 0;
	ck_assert_int_eq(scene_admit(&s, 20), HF_EIO);
	ck_assert_int_eq(scene_admit(&s, 20), HF_EIO);
	scene_end(&s);
}
END_TEST

/* The kernel drops its page, and reads it from the disk again. */
static void forget_page(const struct scene *s, bool forget)
{
	if (forget)
		image_write(&disk.now.disk, s->path);
}

/* Another process fails at its `good`th call, this one goes on. */
static void go_on_after(struct scene *s, int good)
{
	struct hf_guard_file *other;

	ck_assert_int_eq(hf_guard_open(&other, s->path, s->error), 0);
	disk.good = good;
	disk.number = EIO;
	ck_assert_int_eq(hf_guard_admit(other, HF_EXCLUSIVE, 20, 0), HF_EIO);
	hf_guard_close(other);
	disk.good = NEVER;
}

/* It finds in memory what the other one couldn't bring to the disk, or finds it
 * gone, before it admits that token or after. */
START_TEST(what_another_process_failed_to_sync_is_not_relied_upon)
{
	for (int i = 0; i < 32; i++) {
		struct scene s;

		scene_begin(&s);
		disk.torn = i & 1;
		go_on_after(&s, i / 8);
		forget_page(&s, i & 2);
		ck_assert_int_eq(scene_admit(&s, 20), 0);
		ck_assert_uint_eq(newest_after(&s, &disk.now.disk), 20);
		forget_page(&s, i & 4);
		disk.len = 0;
		take_moment();
		ck_assert_int_eq(scene_admit(&s, 30), 0);
		check_crashes(&s, 20, 30);
		scene_end(&s);
	}
}
END_TEST

/* A process that opens the file mends a copy, and fails at its `good`th call.
 */
static void fail_to_mend(struct scene *s, int copy, int good, bool torn)
{
	struct hf_guard_file *other;
	struct image image = disk.now.disk;

	image.copy[copy][20] ^= 4;
	image_write(&image, s->path);
	disk_begin(s->path);
	disk.good = good;
	disk.number = EIO;
	disk.torn = torn;
	ck_assert_int_eq(hf_guard_open(&other, s->path, s->error), HF_EIO);
	ck_assert_ptr_nonnull(strstr(s->error, "cannot write"));
	disk.good = NEVER;
}

START_TEST(what_another_process_failed_to_mend_is_not_relied_upon)
{
	for (int i = 0; i < 32; i++) {
		uint64_t token = 20 + (i & 1); /* either generation's parity */
		struct scene s;

		scene_begin(&s);
		for (uint64_t t = 20; t <= token; t++)
			ck_assert_int_eq(scene_admit(&s, t), 0);
		fail_to_mend(&s, (i & 4) != 0, i / 8, i & 2);
		disk.len = 0;
		take_moment();
		ck_assert_int_eq(scene_admit(&s, 30), 0);
		check_crashes(&s, token, 30);
		scene_end(&s);
	}
}
END_TEST

START_TEST(damage_to_either_copy_loses_nothing)
{
	struct scene s;

	scene_begin(&s);
	for (uint64_t token = 20; token < 22; token++) {
		ck_assert_int_eq(scene_admit(&s, token), 0);
		for (size_t i = 0; i < 2 * GUARD_RECORD_BYTES * 8; i++) {
			struct image image = disk.now.disk;

			image.copy[i % 2][i / 16] ^= (uint8_t)(1 << i / 2 % 8);
			ck_assert_uint_eq(newest_after(&s, &image), token);
		}
	}
	scene_end(&s);
}
END_TEST

static void expect_corrupt(struct scene *s, const struct image *image,
			   const char *text)
{
	struct hf_guard_file *g;

	image_write(image, s->copy);
	expect_error(HF_ECORRUPT, hf_guard_open, &g, s->copy, s->error);
	ck_assert_ptr_null(g);
	ck_assert_msg(strstr(s->error, text) != NULL, "%s", s->error);
}

START_TEST(damage_to_both_copies_is_refused)
{
	struct scene s;

	scene_begin(&s);
	for (size_t i = 8; i < GUARD_RECORD_BYTES; i++) {
		struct image image = disk.now.disk;

		image.copy[0][i] ^= 1;
		image.copy[1][GUARD_RECORD_BYTES + 7 - i] ^= 128;
		expect_corrupt(&s, &image, "damaged");
	}
	scene_end(&s);
}
END_TEST

START_TEST(random_bytes_are_never_taken_for_a_guard)
{
	struct random random = { 3 };
	struct scene s;

	scene_begin(&s);
	for (int round = 0; round < 1000; round++) {
		struct image image = disk.now.disk;

		for (size_t i = 0; i < sizeof(image); i++)
			if (i % GUARD_RECORD_BYTES >= 8 || round % 2)
				((uint8_t *)&image)[i] =
					(uint8_t)random_below(&random, 256);
		expect_corrupt(&s, &image, round % 2 ? "no guard" : "damaged");
	}
	scene_end(&s);
}
END_TEST

static void put(struct image *image, int copy, struct guard_record r)
{
	guard_record_encode(&r, image->copy[copy]);
}

START_TEST(copies_that_no_crash_leaves_are_refused)
{
	struct image image = { 0 };
	struct scene s;

	scene_begin(&s);
	put(&image, 0, (struct guard_record){ 8, { 20, 20 } });
	put(&image, 1, (struct guard_record){ 8, { 21, 20 } });
	expect_corrupt(&s, &image, "contradict");
	put(&image, 1, (struct guard_record){ 9, { 19, 19 } });
	expect_corrupt(&s, &image, "contradict");
	put(&image, 1, (struct guard_record){ 9, { 22, 19 } });
	expect_corrupt(&s, &image, "contradict");
	/* Contents that no guard has. */
	put(&image, 0, (struct guard_record){ 0, { 20, 20 } });
	put(&image, 1, (struct guard_record){ 9, { 20, 21 } });
	expect_corrupt(&s, &image, "damaged");
	put(&image, 0, (struct guard_record){ 8, { UINT64_MAX, 20 } });
	expect_corrupt(&s, &image, "damaged");
	scene_end(&s);
}
END_TEST

START_TEST(a_copy_that_was_left_behind_is_brought_up)
{
	struct image image = { 0 };
	struct scene s;

	scene_begin(&s);
	for (uint64_t g = 8; g < 10; g++)
		for (int newer = 0; newer < 2; newer++) {
			put(&image, newer,
			    (struct guard_record){ g, { 30, 20 } });
			put(&image, !newer,
			    (struct guard_record){ g - 3, { 20, 20 } });
			recover(&s, &image);
			ck_assert_mem_eq(disk.now.disk.copy[0],
					 disk.now.disk.copy[1],
					 GUARD_RECORD_BYTES);
			ck_assert_uint_eq(newest_in(disk.now.disk.copy[0]), 30);
		}
	scene_end(&s);
}
END_TEST

SUITE(a_newer_token_is_in_both_copies_on_the_disk_when_it_is_admitted,
      a_token_that_raises_nothing_writes_nothing,
      a_crash_at_any_moment_leaves_the_old_maximum_or_the_new_one,
      a_crash_while_a_crash_is_mended_forgets_nothing_either,
      after_a_failed_write_or_sync_all_is_refused_until_it_is_opened_again,
      a_write_of_a_part_is_a_failed_one,
      what_another_process_failed_to_sync_is_not_relied_upon,
      what_another_process_failed_to_mend_is_not_relied_upon,
      damage_to_either_copy_loses_nothing, damage_to_both_copies_is_refused,
      random_bytes_are_never_taken_for_a_guard,
      copies_that_no_crash_leaves_are_refused,
      a_copy_that_was_left_behind_is_brought_up)
