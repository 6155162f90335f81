/* A disk that fails under a running member.
 *
 * libraft asks the kernel through syscall(2) and libuv through the C library's
 * functions; those defined here come first. */
#include "lib/hosting.h"
#include "lib/suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* Seen by the libraries too. */
#define EVERYWHERE __attribute__((visibility("default")))

/* raft_uv's memory is given up where its close never completes. */
EVERYWHERE const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* What fails from now on; 0: nothing. */
static atomic_int submit_errno, write_errno;
/* Making files longer fails with this, after so many. */
static atomic_int allocate_errno, allocations_good;
/* Those after these fail, or hang. */
static atomic_int renames_left = INT_MAX, allocations_left = INT_MAX;

static long real_syscall(long number, const long a[6])
{
	long (*real)(long, ...) =
		(long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");

	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

EVERYWHERE long syscall(long number, ...)
{
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_close) /* so that the thread sanitizer sees it */
		return close((int)a[0]);
	if (number == SYS_io_submit && atomic_load(&submit_errno)) {
		errno = atomic_load(&submit_errno);
		return -1;
	}
	long rc = real_syscall(number, a);
	if (number == SYS_io_getevents && atomic_load(&write_errno))
		for (long i = 0; i < rc; i++)
			((struct io_event *)a[3])[i].res =
				-atomic_load(&write_errno);
	return rc;
}

EVERYWHERE int renameat(int from_dir, const char *from, int to_dir,
			const char *to)
{
	if (atomic_load(&renames_left) < INT_MAX &&
	    atomic_fetch_sub(&renames_left, 1) <= 0) {
		errno = ENOSPC;
		return -1;
	}
	return (int)real_syscall(SYS_renameat, (long[6]){ from_dir, (long)from,
							  to_dir, (long)to });
}

EVERYWHERE int posix_fallocate(int fd, off_t offset, off_t len)
{
	if (atomic_load(&allocate_errno) &&
	    atomic_fetch_sub(&allocations_good, 1) <= 0)
		return atomic_load(&allocate_errno);
	if (atomic_load(&allocations_left) < INT_MAX &&
	    atomic_fetch_sub(&allocations_left, 1) <= 0)
		while (atomic_load(&allocations_left) < 0)
			sched_yield();
	return real_syscall(SYS_fallocate, (long[6]){ fd, 0, offset, len }) < 0
		       ? errno
		       : 0;
}

struct scene {
	struct hosting h;
	int fds, threads;
};

static void scene_open(struct scene *s)
{
	for (size_t i = 0; i < s->h.len; i++)
		ck_assert_msg(hosting_open(&s->h, i) == 0, "%s", s->h.error);
	for (size_t i = 0; i < s->h.len; i++)
		hosting_wait_safe(&s->h, i);
}

static void scene_close(struct scene *s)
{
	for (size_t i = 0; i < s->h.len; i++)
		hosting_close(&s->h, i);
}

/* Members that have a log, and are closed. libuv's pool of threads is there. */
static void scene_begin(struct scene *s, size_t len)
{
	hosting_begin(&s->h, len);
	scene_open(s);
	scene_close(s);
	s->fds = scratch_fds();
	s->threads = scratch_threads();
}

/* Everything is given back, and the directory can be opened again. */
static void scene_end(struct scene *s)
{
	scene_close(s);
	ck_assert_int_eq(scratch_fds(), s->fds);
	scratch_await_threads(s->threads);
	atomic_store(&submit_errno, 0);
	atomic_store(&write_errno, 0);
	atomic_store(&renames_left, INT_MAX);
	scene_open(s);
	scene_close(s);
	hosting_end(&s->h);
}

START_TEST(a_write_that_the_kernel_refuses_ends_the_member_not_the_process)
{
	struct scene s;

	scene_begin(&s, 1);
	scene_open(&s);
	atomic_store(&submit_errno, ENOSPC);
	hosting_wait_failed(&s.h, 0);
	ck_assert_int_eq(s.h.hosted[0].failed, HF_EIO);
	scene_end(&s);
}
END_TEST

START_TEST(a_write_that_fails_later_ends_the_member_not_the_process)
{
	struct scene s;

	scene_begin(&s, 1);
	/* raft_uv says nothing: it is noticed all the same. */
	s.h.hosted[0].config.node.repl.append_timeout_ms = 3600000;
	scene_open(&s);
	atomic_store(&write_errno, EIO);
	hosting_wait_failed(&s.h, 0);
	ck_assert_int_eq(s.h.hosted[0].failed, HF_EIO);
	scene_end(&s);
}
END_TEST

/* The disk has no room for the segment behind the first one. */
START_TEST(a_segment_that_cannot_be_made_ends_the_member_before_it_is_needed)
{
	struct scene s;

	scene_begin(&s, 1);
	s.h.hosted[0].config.node.repl.append_timeout_ms = 3600000;
	atomic_store(&allocations_good, 1);
	atomic_store(&allocate_errno, ENOSPC);
	ck_assert_int_eq(hosting_open(&s.h, 0), 0);
	hosting_wait_failed(&s.h, 0);
	ck_assert_int_eq(s.h.hosted[0].failed, HF_EIO);
	atomic_store(&allocate_errno, 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_disk_that_takes_no_write_at_all_is_refused_at_opening)
{
	struct scene s;

	scene_begin(&s, 1);
	atomic_store(&submit_errno, EIO);
	ck_assert_int_eq(hosting_open(&s.h, 0), HF_EIO);
	ck_assert_ptr_nonnull(strstr(s.h.error, "io_submit"));
	scene_end(&s);
}
END_TEST

static void wait_any_failed(struct hosting *h)
{
	pthread_mutex_lock(&h->mutex);
	while (!h->hosted[0].failed && !h->hosted[1].failed &&
	       !h->hosted[2].failed)
		pthread_cond_wait(&h->changed, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
}

START_TEST(a_term_that_cannot_be_stored_ends_the_member)
{
	struct scene s;

	scene_begin(&s, 3);
	/* The identities are renamed into place, no term is. */
	atomic_store(&renames_left, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(hosting_open(&s.h, i), 0);
	wait_any_failed(&s.h);
	scene_close(&s);
	for (size_t i = 0; i < 3; i++) {
		int rc = s.h.hosted[i].failed;
		ck_assert(rc == 0 || rc == HF_EIO);
	}
	scene_end(&s);
}
END_TEST

START_TEST(an_identity_that_cannot_be_stored_is_refused)
{
	struct scene s;

	scene_begin(&s, 1);
	atomic_store(&renames_left, 0);
	ck_assert_int_eq(hosting_open(&s.h, 0), HF_EIO);
	ck_assert_ptr_nonnull(strstr(s.h.error, "identity"));
	scene_end(&s);
}
END_TEST

START_TEST(work_that_hangs_keeps_the_directory_locked)
{
	struct scene s;

	/* raft_uv tries the file system, makes two segments as it starts, and
	 * a third, in libuv's pool, once the first is written to. */
	scene_begin(&s, 1);
	atomic_store(&allocations_left, 3);
	ck_assert_int_eq(hosting_open(&s.h, 0), 0);
	hosting_wait_safe(&s.h, 0);
	while (atomic_load(&allocations_left) >= 0)
		sched_yield();
	hosting_close(&s.h, 0);
	ck_assert_int_eq(hosting_open(&s.h, 0), HF_EINUSE);
	atomic_store(&allocations_left, INT_MAX);
	hosting_end(&s.h);
}
END_TEST

SUITE(a_write_that_the_kernel_refuses_ends_the_member_not_the_process,
      a_write_that_fails_later_ends_the_member_not_the_process,
      a_segment_that_cannot_be_made_ends_the_member_before_it_is_needed,
      a_disk_that_takes_no_write_at_all_is_refused_at_opening,
      a_term_that_cannot_be_stored_ends_the_member,
      an_identity_that_cannot_be_stored_is_refused,
      work_that_hangs_keeps_the_directory_locked)
