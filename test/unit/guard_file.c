/* A guard in a file, as its users see it; guard_crash.c is about the disk. */
#include "codec/crc.h"
#include "lib/random.h"
#include "lib/scratch.h"
#include "lib/seen.h"
#include "lib/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LONG_MS 60000

struct scene {
	char dir[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX + 8],
		error[HF_ERROR_TEXT];
	struct hf_guard_file *g;
};

static void scene_open(struct scene *s)
{
	ck_assert_msg(hf_guard_open(&s->g, s->path, s->error) == 0, "%s",
		      s->error);
}

static void scene_begin(struct scene *s)
{
	scratch_make(s->dir);
	snprintf(s->path, sizeof(s->path), "%s/guard", s->dir);
	scene_open(s);
}

static void scene_end(struct scene *s)
{
	hf_guard_close(s->g);
	scratch_remove(s->dir);
}

static void scene_reopen(struct scene *s)
{
	hf_guard_close(s->g);
	scene_open(s);
}

static int admit(struct scene *s, enum hf_mode mode, uint64_t token)
{
	return hf_guard_admit(s->g, mode, token, 0);
}

START_TEST(it_admits_what_a_guard_in_memory_admits_also_when_opened_again)
{
	struct random random = { 5 };
	struct hf_guard model = { 0 };
	struct scene s;

	scene_begin(&s);
	for (int i = 0; i < 300; i++) {
		uint64_t token = 1 + (uint64_t)i / 4 + random_below(&random, 6);
		enum hf_mode mode =
			random_below(&random, 2) ? HF_SHARED : HF_EXCLUSIVE;

		if (random_below(&random, 10) == 0)
			scene_reopen(&s);
		ck_assert_int_eq(admit(&s, mode, token),
				 hf_guard_check(&model, mode, token));
	}
	scene_end(&s);
}
END_TEST

START_TEST(an_exclusive_token_fences_older_ones_for_good)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(admit(&s, HF_SHARED, 7), 0);
	ck_assert_int_eq(admit(&s, HF_SHARED, 6), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 7), 0);
	scene_reopen(&s);
	expect_error(HF_EFENCED, hf_guard_admit, s.g, HF_SHARED, 6, 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, INT64_MAX), 0);
	scene_reopen(&s);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, INT64_MAX - 1), HF_EFENCED);
	scene_end(&s);
}
END_TEST

START_TEST(what_is_no_fencing_token_is_refused_and_not_remembered)
{
	struct scene s;

	scene_begin(&s);
	expect_error(HF_EINVAL, hf_guard_admit, s.g, HF_EXCLUSIVE, 0, 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, UINT64_MAX), HF_EINVAL);
	ck_assert_int_eq(admit(&s, HF_PERMITS, 9), HF_EINVAL);
	ck_assert_int_eq(hf_guard_admit(NULL, HF_EXCLUSIVE, 9, 0), HF_EINVAL);
	ck_assert_int_eq(hf_guard_begin(s.g, HF_PERMITS, 9, 0), HF_EINVAL);
	ck_assert_int_eq(hf_guard_end(NULL), HF_EINVAL);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 1), 0);
	scene_end(&s);
}
END_TEST

START_TEST(only_the_thread_that_began_ends_and_it_begins_once)
{
	struct scene s;

	scene_begin(&s);
	expect_error(HF_EINVAL, hf_guard_end, s.g);
	ck_assert_int_eq(hf_guard_begin(s.g, HF_EXCLUSIVE, 1, HF_FOREVER), 0);
	expect_error(HF_EINVAL, hf_guard_begin, s.g, HF_EXCLUSIVE, 1, 0);
	ck_assert_int_eq(hf_guard_begin(s.g, HF_EXCLUSIVE, 1, HF_FOREVER),
			 HF_EINVAL);
	ck_assert_int_eq(hf_guard_admit(s.g, HF_EXCLUSIVE, 1, 0), HF_EINVAL);
	ck_assert_int_eq(hf_guard_end(s.g), 0);
	ck_assert_int_eq(hf_guard_end(s.g), HF_EINVAL);
	scene_end(&s);
}
END_TEST

static void *try_in_thread(void *arg)
{
	struct scene *s = arg;

	ck_assert(is_error(HF_EINVAL, hf_guard_end, s->g));
	ck_assert(is_error(HF_ETIMEDOUT, hf_guard_begin, s->g, HF_EXCLUSIVE, 9,
			   20));
	return NULL;
}

START_TEST(a_thread_and_another_handle_wait_in_vain_until_the_end)
{
	struct hf_guard_file *other;
	pthread_t thread;
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(hf_guard_open(&other, s.path, s.error), 0);
	ck_assert_int_eq(hf_guard_begin(s.g, HF_EXCLUSIVE, 5, 0), 0);
	pthread_create(&thread, NULL, try_in_thread, &s);
	pthread_join(thread, NULL);
	expect_error(HF_ETIMEDOUT, hf_guard_admit, other, HF_EXCLUSIVE, 9, 0);
	ck_assert_int_eq(hf_guard_begin(other, HF_EXCLUSIVE, 9, 20),
			 HF_ETIMEDOUT);
	ck_assert_int_eq(hf_guard_end(s.g), 0);
	ck_assert_int_eq(hf_guard_admit(other, HF_EXCLUSIVE, 5, 0), 0);
	hf_guard_close(other);
	scene_end(&s);
}
END_TEST

START_TEST(who_is_refused_keeps_nobody_waiting)
{
	struct hf_guard_file *other;
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(hf_guard_open(&other, s.path, s.error), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 5), 0);
	expect_error(HF_EFENCED, hf_guard_begin, s.g, HF_EXCLUSIVE, 4, 0);
	ck_assert_int_eq(hf_guard_end(s.g), HF_EINVAL);
	ck_assert_int_eq(hf_guard_admit(other, HF_EXCLUSIVE, 6, 0), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 5), HF_EFENCED);
	hf_guard_close(other);
	scene_end(&s);
}
END_TEST

/* What racing writers write: the token under which it was last written. A later
 * write under an older token is what the guard is there to prevent. */
struct race {
	char path[SCRATCH_PATH_MAX + 8];
	atomic_ulong next;    /* token */
	atomic_ulong written; /* not synchronised but by the guard */
	atomic_ulong falls, writes, fenced;
};

static void race_once(struct race *r, struct hf_guard_file *g, unsigned pause)
{
	unsigned long token = atomic_fetch_add(&r->next, 1);

	usleep(pause);
	int rc = hf_guard_begin(g, HF_EXCLUSIVE, token, HF_FOREVER);
	if (rc == HF_EFENCED) {
		atomic_fetch_add(&r->fenced, 1);
		return;
	}
	if (rc || atomic_load(&r->written) > token)
		atomic_fetch_add(&r->falls, 1);
	usleep(pause);
	atomic_store(&r->written, token);
	atomic_fetch_add(&r->writes, 1);
	hf_guard_end(g);
}

#define RACE_ROUNDS 60

static void race_run(struct race *r, struct hf_guard_file *g, uint64_t seed)
{
	struct random random = { seed };

	for (int i = 0; i < RACE_ROUNDS; i++)
		race_once(r, g, (unsigned)random_below(&random, 300));
}

static void race_begin(struct race **r, const struct scene *s)
{
	*r = mmap(NULL, sizeof(**r), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(*r, MAP_FAILED);
	snprintf((*r)->path, sizeof((*r)->path), "%s", s->path);
	atomic_store(&(*r)->next, 1);
}

static void race_end(struct race *r, struct scene *s, unsigned long runs)
{
	unsigned long written = atomic_load(&r->written);

	ck_assert_uint_eq(atomic_load(&r->falls), 0);
	ck_assert_uint_eq(atomic_load(&r->writes) + atomic_load(&r->fenced),
			  runs * RACE_ROUNDS);
	ck_assert_uint_gt(atomic_load(&r->writes), 0);
	scene_reopen(s);
	ck_assert_int_eq(admit(s, HF_EXCLUSIVE, written), 0);
	if (written > 1)
		ck_assert_int_eq(admit(s, HF_EXCLUSIVE, written - 1),
				 HF_EFENCED);
	munmap(r, sizeof(*r));
	scene_end(s);
}

static pid_t race_fork(struct race *r, uint64_t seed)
{
	struct hf_guard_file *g;
	char error[HF_ERROR_TEXT];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (hf_guard_open(&g, r->path, error) != 0)
		_exit(1);
	race_run(r, g, seed);
	hf_guard_close(g);
	_exit(0);
}

static void await_child(pid_t pid, int expected)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WIFEXITED(status) ? WEXITSTATUS(status)
					   : -WTERMSIG(status),
			 expected);
}

START_TEST(no_process_writes_after_one_with_a_newer_token)
{
	pid_t children[3];
	struct scene s;
	struct race *r;

	scene_begin(&s);
	race_begin(&r, &s);
	for (uint64_t i = 0; i < 3; i++)
		children[i] = race_fork(r, i + 1);
	for (int i = 0; i < 3; i++)
		await_child(children[i], 0);
	race_end(r, &s, 3);
}
END_TEST

struct racer {
	struct race *r;
	struct hf_guard_file *g;
	uint64_t seed;
};

static void *race_thread(void *arg)
{
	struct racer *racer = arg;

	race_run(racer->r, racer->g, racer->seed);
	return NULL;
}

START_TEST(no_thread_writes_after_one_with_a_newer_token)
{
	pthread_t threads[3];
	struct racer racers[3];
	struct scene s;
	struct race *r;

	scene_begin(&s);
	race_begin(&r, &s);
	for (uint64_t i = 0; i < 3; i++) {
		racers[i] = (struct racer){ r, s.g, i + 1 };
		pthread_create(&threads[i], NULL, race_thread, &racers[i]);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	race_end(r, &s, 3);
}
END_TEST

/* All open the path at once, before there is a file. */
START_TEST(processes_that_make_the_file_at_once_share_one_guard)
{
	for (int round = 0; round < 10; round++) {
		pid_t children[3];
		struct scene s;
		struct race *r;

		scene_begin(&s);
		ck_assert_int_eq(unlink(s.path), 0);
		race_begin(&r, &s);
		for (uint64_t i = 0; i < 3; i++)
			children[i] = race_fork(r, i + 1);
		for (int i = 0; i < 3; i++)
			await_child(children[i], 0);
		ck_assert_int_eq(scratch_entries(s.dir), 3);
		race_end(r, &s, 3);
	}
}
END_TEST

START_TEST(who_dies_before_the_end_frees_the_guard_and_is_remembered)
{
	struct hf_guard_file *g;
	struct scene s;

	scene_begin(&s);
	pid_t pid = fork();
	if (pid == 0) {
		if (hf_guard_open(&g, s.path, NULL) == 0 &&
		    hf_guard_begin(g, HF_EXCLUSIVE, 5, 0) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	await_child(pid, -SIGKILL);
	ck_assert_int_eq(hf_guard_admit(s.g, HF_EXCLUSIVE, 4, LONG_MS),
			 HF_EFENCED);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 5), 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_forked_child_may_not_use_its_parents_handle)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(hf_guard_begin(s.g, HF_EXCLUSIVE, 5, 0), 0);
	pid_t pid = fork();
	if (pid == 0) {
		bool refused = is_error(HF_EFORKED, hf_guard_admit, s.g,
					HF_EXCLUSIVE, 6, 0) &&
			       is_error(HF_EFORKED, hf_guard_begin, s.g,
					HF_EXCLUSIVE, 6, 0) &&
			       is_error(HF_EFORKED, hf_guard_end, s.g);
		hf_guard_close(s.g);
		_exit(!refused);
	}
	await_child(pid, 0);
	/* What the child closed was its own. */
	ck_assert_int_eq(hf_guard_end(s.g), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 4), HF_EFENCED);
	scene_end(&s);
}
END_TEST

static void expect_open_error(struct scene *s, const char *path,
			      const char *text)
{
	ck_assert_ptr_null(s->g);
	ck_assert_msg(strstr(s->error, text) != NULL, "%s: %s", path, s->error);
}

START_TEST(a_file_of_any_other_length_is_refused)
{
	static const off_t lens[] = { 0,    1,    63,   64,   4095,
				      4096, 4160, 8191, 8193, 1 << 20 };
	struct scene s;

	scene_begin(&s);
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		hf_guard_close(s.g);
		ck_assert_int_eq(truncate(s.path, lens[i]), 0);
		expect_error(HF_ECORRUPT, hf_guard_open, &s.g, s.path, s.error);
		expect_open_error(&s, s.path, "bytes");
		unlink(s.path);
		scene_open(&s);
	}
	ck_assert_int_eq(truncate(s.path, 0), 0);
	expect_error(HF_ECORRUPT, hf_guard_admit, s.g, HF_EXCLUSIVE, 5, 0);
	scene_end(&s);
}
END_TEST

static void write_over(const char *path, off_t at, const void *bytes,
		       size_t len)
{
	int fd = open(path, O_WRONLY);

	ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
	close(fd);
}

/* As a library to come might write it. */
START_TEST(a_format_to_come_is_refused_even_in_one_copy)
{
	uint8_t record[64] = "hfguard\n\2";
	uint32_t sum = crc32c(0, record, 60);
	struct scene s;

	for (int i = 0; i < 4; i++)
		record[60 + i] = (uint8_t)(sum >> 8 * i);
	scene_begin(&s);
	hf_guard_close(s.g);
	write_over(s.path, 4096, record, sizeof(record));
	expect_error(HF_ECORRUPT, hf_guard_open, &s.g, s.path, s.error);
	expect_open_error(&s, s.path, "format");
	scene_end(&s);
}
END_TEST

START_TEST(what_is_no_guards_file_is_refused_and_left_as_it_is)
{
	char bytes[8192], after[8192];
	struct scene s;

	memset(bytes, 'x', sizeof(bytes));
	scene_begin(&s);
	hf_guard_close(s.g);
	write_over(s.path, 0, bytes, sizeof(bytes));
	expect_error(HF_ECORRUPT, hf_guard_open, &s.g, s.path, s.error);
	expect_open_error(&s, s.path, "no guard's file");
	int fd = open(s.path, O_RDONLY);
	ck_assert_int_eq(read(fd, after, sizeof(after)), sizeof(after));
	close(fd);
	ck_assert_mem_eq(bytes, after, sizeof(bytes));
	scene_end(&s);
}
END_TEST

START_TEST(a_path_that_is_none_for_a_file_is_refused_with_a_text)
{
	static const char *const wrong[] = { "", "/", ".", "..", "x/", NULL };
	char path[SCRATCH_PATH_MAX + 16];
	struct scene s;

	scene_begin(&s);
	hf_guard_close(s.g);
	for (int i = 0; i < 6; i++) {
		expect_error(HF_EINVAL, hf_guard_open, &s.g, wrong[i], s.error);
		expect_open_error(&s, "", "names no file");
	}
	expect_error(HF_EINVAL, hf_guard_open, &s.g, s.dir, s.error);
	expect_open_error(&s, s.dir, "no regular file");
	snprintf(path, sizeof(path), "%s/pipe", s.dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_error(HF_EINVAL, hf_guard_open, &s.g, path, s.error);
	expect_open_error(&s, path, "no regular file");
	snprintf(path, sizeof(path), "%s/link", s.dir);
	ck_assert_int_eq(symlink("guard", path), 0);
	expect_error(HF_EINVAL, hf_guard_open, &s.g, path, s.error);
	expect_open_error(&s, path, "no regular file");
	snprintf(path, sizeof(path), "%s/none/guard", s.dir);
	expect_error(HF_EIO, hf_guard_open, &s.g, path, s.error);
	expect_open_error(&s, path, "directory");
	expect_error(HF_EFILESYSTEM, hf_guard_open, &s.g, "/proc/guard",
		     s.error);
	expect_open_error(&s, "/proc/guard", "file system");
	ck_assert_int_eq(hf_guard_open(&s.g, "", NULL), HF_EINVAL);
	scene_end(&s);
}
END_TEST

START_TEST(a_file_that_was_removed_or_replaced_admits_nothing)
{
	struct hf_guard_file *other;
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(unlink(s.path), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 5), HF_ECORRUPT);
	ck_assert_int_eq(hf_guard_open(&other, s.path, s.error), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 5), HF_ECORRUPT);
	ck_assert_int_eq(hf_guard_admit(other, HF_EXCLUSIVE, 5, 0), 0);
	hf_guard_close(other);
	scene_end(&s);
}
END_TEST

START_TEST(a_directory_that_is_renamed_takes_its_guard_along)
{
	char moved[SCRATCH_PATH_MAX + 8];
	struct scene s;

	scene_begin(&s);
	snprintf(moved, sizeof(moved), "%s.moved", s.dir);
	ck_assert_int_eq(rename(s.dir, moved), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 5), 0);
	ck_assert_int_eq(rename(moved, s.dir), 0);
	ck_assert_int_eq(admit(&s, HF_EXCLUSIVE, 4), HF_EFENCED);
	scene_end(&s);
}
END_TEST

/* No room for the file: the limit is a full disk to its process. */
START_TEST(a_guard_that_cannot_be_made_leaves_nothing_behind)
{
	struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(unlink(s.path), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit limit = { 4096, 4096 };
		struct hf_guard_file *g;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		int rc = hf_guard_open(&g, s.path, s.error);
		_exit(rc == HF_EIO && strstr(s.error, "cannot make") ? 7 : 1);
	}
	await_child(pid, 7);
	ck_assert_int_eq(scratch_entries(s.dir), 2);
	scene_end(&s);
}
END_TEST

START_TEST(nothing_stays_open_after_closing)
{
	struct scene s;

	scene_begin(&s);
	hf_guard_close(s.g);
	int fds = scratch_fds();
	for (int i = 0; i < 10; i++) {
		scene_open(&s);
		ck_assert_int_eq(hf_guard_open(&(struct hf_guard_file *){ 0 },
					       s.dir, NULL),
				 HF_EINVAL);
		hf_guard_close(s.g);
	}
	hf_guard_close(NULL);
	ck_assert_int_eq(scratch_fds(), fds);
	scene_open(&s);
	scene_end(&s);
}
END_TEST

SUITE(it_admits_what_a_guard_in_memory_admits_also_when_opened_again,
      an_exclusive_token_fences_older_ones_for_good,
      what_is_no_fencing_token_is_refused_and_not_remembered,
      only_the_thread_that_began_ends_and_it_begins_once,
      a_thread_and_another_handle_wait_in_vain_until_the_end,
      who_is_refused_keeps_nobody_waiting,
      no_process_writes_after_one_with_a_newer_token,
      no_thread_writes_after_one_with_a_newer_token,
      processes_that_make_the_file_at_once_share_one_guard,
      who_dies_before_the_end_frees_the_guard_and_is_remembered,
      a_forked_child_may_not_use_its_parents_handle,
      a_file_of_any_other_length_is_refused,
      a_format_to_come_is_refused_even_in_one_copy,
      what_is_no_guards_file_is_refused_and_left_as_it_is,
      a_path_that_is_none_for_a_file_is_refused_with_a_text,
      a_file_that_was_removed_or_replaced_admits_nothing,
      a_directory_that_is_renamed_takes_its_guard_along,
      a_guard_that_cannot_be_made_leaves_nothing_behind,
      nothing_stays_open_after_closing)
