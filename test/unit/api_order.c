/* In which order requests on one lock end, and when its memory is free.
 *
 * libraft asks the kernel through syscall(2); the one defined here comes first,
 * so that the disk can be made to fail. */
#include "holdfast.h"
#include "lib/scratch.h"
#include "lib/suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define ROUNDS 100
#define EVERYWHERE __attribute__((visibility("default")))

/* raft_uv's memory is given up where its close never completes. */
EVERYWHERE const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static atomic_bool disk_fails;

EVERYWHERE long syscall(long number, ...)
{
	long (*real)(long, ...) =
		(long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
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
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

struct scene {
	char dir[SCRATCH_PATH_MAX];
	struct hf_node *node;
	struct hf_lock *lock;
	atomic_int held, validated, released; /* callbacks */
	atomic_int order;                     /* counts them */
	atomic_bool failed;
};

static void on_held(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	ck_assert_int_eq(rc, 0);
	atomic_fetch_add(&s->held, 1);
}

static void on_validated(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	ck_assert_int_ne(rc, 0);
	atomic_store(&s->validated, atomic_fetch_add(&s->order, 1) + 1);
}

/* The memory of the lock is the caller's again. */
static void on_released_free(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	(void)rc;
	memset(lock, 0xee, sizeof(*lock));
	free(lock);
	s->lock = NULL;
	atomic_store(&s->released, atomic_fetch_add(&s->order, 1) + 1);
}

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct scene *s = arg;

	(void)node;
	if (event->type != HF_EVENT_FAILED)
		return;
	ck_assert_int_eq(hf_lock_validate_start(s->lock, 1000, on_validated),
			 0);
	ck_assert_int_eq(hf_unlock_start(s->lock, 1000, on_released_free), 0);
	atomic_store(&s->failed, true);
}

static void scene_begin(struct scene *s)
{
	char error[HF_ERROR_TEXT];

	memset(s, 0, sizeof(*s));
	atomic_store(&disk_fails, false);
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	scratch_make(s->dir);
	struct hf_options o = { .size = sizeof(o),
				.dir = s->dir,
				.cluster = "order",
				.id = 1,
				.on_event = on_event,
				.arg = s };
	ck_assert_msg(hf_open(&s->node, &o, error) == 0, "%s", error);
	s->lock = calloc(1, sizeof(*s->lock));
	ck_assert_ptr_nonnull(s->lock);
	s->lock->data = s;
}

static void scene_end(struct scene *s)
{
	hf_close(s->node, 1000);
	free(s->lock);
	scratch_remove(s->dir);
}

/* Its release ends at once, since the member has failed. */
START_TEST(a_validation_ends_before_a_release_asked_for_behind_it)
{
	static struct scene s;

	scene_begin(&s);
	ck_assert_int_eq(hf_lock(s.node, s.lock, "a", NULL, 10000), 0);
	atomic_store(&disk_fails, true);
	while (!atomic_load(&s.released) || !atomic_load(&s.validated))
		sched_yield();
	ck_assert_int_eq(s.validated, 1);
	ck_assert_int_eq(s.released, 2);
	scene_end(&s);
}
END_TEST

static void on_released(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	ck_assert_int_eq(rc, 0);
	atomic_fetch_add(&s->released, 1);
}

/* A hold that is seen may be given up at once, before its own callback has run:
 * each request keeps its own. */
START_TEST(a_hold_may_be_released_as_soon_as_it_can_be_seen)
{
	static struct scene s;

	scene_begin(&s);
	for (int i = 1; i <= ROUNDS; i++) {
		ck_assert_int_eq(hf_lock_start(s.node, s.lock, "a", 1, NULL,
					       10000, on_held),
				 0);
		while (hf_unlock_start(s.lock, 10000, on_released) ==
		       HF_ENOTHELD)
			;
		while (atomic_load(&s.released) < i || atomic_load(&s.held) < i)
			sched_yield();
		ck_assert_int_eq(s.held, i);
		ck_assert_int_eq(s.released, i);
	}
	scene_end(&s);
}
END_TEST

SUITE(a_validation_ends_before_a_release_asked_for_behind_it,
      a_hold_may_be_released_as_soon_as_it_can_be_seen)
