/* A host inside a caller's loop, where things go wrong: the loop and what else
 * is in it stay as they are.
 *
 * libraft asks the kernel through syscall(2) and libuv through the C library's
 * functions; those defined here come first. */
#include "host/sigpipe.h"
#include "lib/hosting.h"
#include "lib/inloop.h"
#include "lib/suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define EVERYWHERE __attribute__((visibility("default")))
#define CLOSE_US UINT64_C(100000)

/* raft_uv's memory is given up where its close never completes. */
EVERYWHERE const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static atomic_bool disk_fails;
static atomic_int allocations_left = INT_MAX; /* the one after them hangs */

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
	if (number == SYS_io_submit && atomic_load(&disk_fails)) {
		errno = EIO;
		return -1;
	}
	return real_syscall(number, a);
}

EVERYWHERE int posix_fallocate(int fd, off_t offset, off_t len)
{
	if (atomic_load(&allocations_left) < INT_MAX &&
	    atomic_fetch_sub(&allocations_left, 1) <= 0)
		while (atomic_load(&allocations_left) < 0)
			sched_yield();
	return real_syscall(SYS_fallocate, (long[6]){ fd, 0, offset, len }) < 0
		       ? errno
		       : 0;
}

/* A loop with handles of the caller's, of the kinds that raft_uv uses. */
struct scene {
	struct hosting h;
	uv_loop_t loop;
	int pipe[2];
	uv_poll_t poll;
	uv_timer_t far; /* due as late as only a failed disk's would be */
	int reads;
	bool closed;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct scene *s = poll->data;
	char byte;

	if (status == 0 && (events & UV_READABLE) &&
	    read(s->pipe[0], &byte, 1) == 1)
		s->reads++;
}

static void on_far(uv_timer_t *timer)
{
	(void)timer;
}

static void scene_begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	atomic_store(&disk_fails, false);
	atomic_store(&allocations_left, INT_MAX);
	hosting_begin(&s->h, 2); /* the second is for another cluster of one */
	for (size_t i = 0; i < 2; i++)
		s->h.hosted[i].config.members_len = 0;
	ck_assert_int_eq(uv_loop_init(&s->loop), 0);
	s->h.hosted[0].config.loop = &s->loop;
	ck_assert_int_eq(pipe(s->pipe), 0);
	uv_poll_init(&s->loop, &s->poll, s->pipe[0]);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_readable);
	uv_timer_init(&s->loop, &s->far);
	uv_timer_start(&s->far, on_far, UINT64_C(49) * 24 * 3600 * 1000, 0);
}

/* The caller's own works as before, and nothing else is there. */
static void scene_end(struct scene *s)
{
	ck_assert_int_eq(write(s->pipe[1], "", 1), 1);
	inloop_for(&s->loop, 20);
	ck_assert_int_eq(s->reads, 1);
	ck_assert(uv_is_active((uv_handle_t *)&s->far));
	uv_close((uv_handle_t *)&s->poll, NULL);
	uv_close((uv_handle_t *)&s->far, NULL);
	ck_assert_int_eq(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&s->loop), 0);
	close(s->pipe[0]);
	close(s->pipe[1]);
	hosting_end(&s->h);
}

static void open_host(struct scene *s, size_t i)
{
	ck_assert_msg(hosting_open(&s->h, i) == 0, "%s", s->h.error);
}

static bool is_safe(void *arg)
{
	return ((struct scene *)arg)->h.hosted[0].session == HF_SESSION_SAFE;
}

static bool has_failed(void *arg)
{
	return ((struct scene *)arg)->h.hosted[0].failed != 0;
}

static bool is_closed(void *arg)
{
	return ((struct scene *)arg)->closed;
}

static void on_closed(void *arg)
{
	struct scene *s = arg;

	host_free(s->h.hosted[0].host);
	s->closed = true;
}

static void close_host(struct scene *s)
{
	s->closed = false;
	host_close_start(s->h.hosted[0].host, CLOSE_US, on_closed, s);
	ck_assert(inloop_until(&s->loop, is_closed, s));
}

START_TEST(a_callers_late_timer_is_not_taken_for_a_failed_disk)
{
	struct scene s;

	scene_begin(&s);
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	inloop_for(&s.loop, 300); /* several ticks */
	ck_assert_int_eq(s.h.hosted[0].failed, 0);
	close_host(&s);
	scene_end(&s);
}
END_TEST

START_TEST(a_disk_that_fails_leaves_the_loop_and_its_handles_alone)
{
	struct scene s;

	scene_begin(&s);
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	close_host(&s);
	int fds = scratch_fds();
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	atomic_store(&disk_fails, true);
	ck_assert(inloop_until(&s.loop, has_failed, &s));
	ck_assert_int_eq(s.h.hosted[0].failed, HF_EIO);
	close_host(&s);
	ck_assert_int_eq(scratch_fds(), fds);
	/* The directory was given back. */
	atomic_store(&disk_fails, false);
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	close_host(&s);
	scene_end(&s);
}
END_TEST

START_TEST(a_disk_that_takes_no_write_is_refused_at_opening_in_a_loop)
{
	struct scene s;

	scene_begin(&s);
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	close_host(&s);
	int fds = scratch_fds();
	atomic_store(&disk_fails, true);
	ck_assert_int_eq(hosting_open(&s.h, 0), HF_EIO);
	ck_assert_int_eq(scratch_fds(), fds);
	scene_end(&s);
}
END_TEST

static bool is_hanging(void *arg)
{
	(void)arg;
	return atomic_load(&allocations_left) < 0;
}

/* The pool's work comes back when the host is long gone: nothing of it may be
 * in the caller's loop, which would wait for it and then call back. */
START_TEST(work_that_hangs_in_the_pool_holds_up_no_callers_loop)
{
	struct scene s;

	scene_begin(&s);
	atomic_store(&allocations_left, 3);
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	ck_assert(inloop_until(&s.loop, is_hanging, &s));
	close_host(&s);
	ck_assert_int_eq(hosting_open(&s.h, 0), HF_EINUSE);
	atomic_store(&allocations_left, INT_MAX);
	/* Another in the same loop and pool is not concerned. */
	s.h.hosted[0].config.dir = s.h.hosted[1].dir;
	open_host(&s, 0);
	ck_assert(inloop_until(&s.loop, is_safe, &s));
	close_host(&s);
	scene_end(&s);
}
END_TEST

static bool sigpipe_blocked(void)
{
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGPIPE) == 1;
}

START_TEST(a_write_to_a_peer_that_is_gone_does_not_end_the_process)
{
	struct sigpipe held;
	int fds[2];

	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	for (int i = 0; i < 2; i++) {
		sigpipe_hold(&held);
		ck_assert_int_eq(write(fds[1], "", 1), -1);
		ck_assert_int_eq(errno, EPIPE);
		sigpipe_release(&held);
		ck_assert(!sigpipe_blocked());
	}
	close(fds[1]);
}
END_TEST

START_TEST(a_signal_that_the_caller_holds_back_stays_for_it)
{
	struct sigpipe held;
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise(SIGPIPE);
	sigpipe_hold(&held);
	sigpipe_release(&held);
	ck_assert(sigpipe_blocked());
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	int number;
	sigwait(&set, &number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
END_TEST

SUITE(a_callers_late_timer_is_not_taken_for_a_failed_disk,
      a_disk_that_fails_leaves_the_loop_and_its_handles_alone,
      a_disk_that_takes_no_write_is_refused_at_opening_in_a_loop,
      work_that_hangs_in_the_pool_holds_up_no_callers_loop,
      a_write_to_a_peer_that_is_gone_does_not_end_the_process,
      a_signal_that_the_caller_holds_back_stays_for_it)
