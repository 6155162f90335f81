/* Closing without waiting: one callback, last of all. */
#include "lib/inloop.h"
#include "lib/scratch.h"
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <pthread.h>

#define MANY 40

struct scene {
	struct cluster cluster;
	struct hf_node *node;
	uv_loop_t loop;
	bool in_loop;
	struct hf_lock locks[MANY];
	atomic_int calls; /* of the locks' callbacks */
	atomic_int after; /* those that came after the end */
	atomic_int closed;
	int rc, again; /* of hf_close_start in a callback, and once more */
	pthread_t thread;
};

static void on_closed(void *arg)
{
	struct scene *s = arg;

	s->thread = pthread_self();
	s->closed++;
}

static void on_end(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	(void)rc;
	s->after += s->closed;
	s->calls++;
}

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct scene *s = arg;

	(void)node;
	(void)event;
	s->after += s->closed;
}

static void scene_open(struct scene *s, bool in_loop)
{
	memset(s, 0, sizeof(*s));
	cluster_make(&s->cluster, 1);
	s->in_loop = in_loop;
	struct hf_options o = cluster_options(&s->cluster, 0);
	o.on_event = on_event;
	o.arg = s;
	if (in_loop) {
		ck_assert_int_eq(uv_loop_init(&s->loop), 0);
		o.loop = &s->loop;
	}
	ck_assert_int_eq(hf_open(&s->node, &o, NULL), 0);
}

static bool is_closed(void *arg)
{
	return ((struct scene *)arg)->closed > 0;
}

static bool is_called(void *arg)
{
	return ((struct scene *)arg)->calls > 0;
}

static void wait_until(struct scene *s, bool (*done)(void *arg))
{
	ck_assert(s->in_loop ? inloop_until(&s->loop, done, s)
			     : live_wait(done, s));
}

static void scene_end(struct scene *s)
{
	wait_until(s, is_closed);
	ck_assert_int_eq(s->closed, 1);
	ck_assert_int_eq(s->after, 0);
	if (s->in_loop) {
		ck_assert(pthread_equal(s->thread, pthread_self()));
		ck_assert_int_eq(uv_loop_close(&s->loop), 0);
	} else {
		ck_assert(!pthread_equal(s->thread, pthread_self()));
	}
	cluster_remove(&s->cluster);
}

static void close_with_requests(bool in_loop)
{
	static struct scene s;

	scene_open(&s, in_loop);
	for (int i = 0; i < MANY; i++) {
		s.locks[i].data = &s;
		ck_assert_int_eq(hf_lock_start(s.node, &s.locks[i], "a", 1,
					       NULL, HF_FOREVER, on_end),
				 0);
	}
	wait_until(&s, is_called);
	expect_error(HF_EINVAL, hf_close_start, s.node, 1000, NULL, NULL);
	expect_error(HF_EINVAL, hf_close_start, NULL, 1000, on_closed, &s);
	ck_assert_int_eq(hf_close_start(s.node, 1000, on_closed, &s), 0);
	scene_end(&s);
	ck_assert_int_eq(s.calls, MANY);
}

START_TEST(a_started_close_calls_back_once_and_last_on_the_nodes_thread)
{
	close_with_requests(false);
}
END_TEST

START_TEST(a_started_close_calls_back_once_and_last_in_the_loop)
{
	close_with_requests(true);
}
END_TEST

static void on_locked_close(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	s->rc = rc ? rc : hf_close_start(lock->node, 1000, on_closed, s);
	if (is_error(HF_ECLOSED, hf_close_start, lock->node, 1000, on_closed,
		     s))
		s->again = HF_ECLOSED;
	on_end(lock, rc);
}

static void close_in_callback(bool in_loop)
{
	static struct scene s;

	scene_open(&s, in_loop);
	s.locks[0].data = &s;
	ck_assert_int_eq(hf_lock_start(s.node, &s.locks[0], "a", 1, NULL,
				       LIVE_WAIT_MS, on_locked_close),
			 0);
	scene_end(&s);
	ck_assert_int_eq(s.rc, 0);
	ck_assert_int_eq(s.again, HF_ECLOSED);
	ck_assert_int_eq(s.calls, 1);
}

START_TEST(a_close_may_be_started_in_a_callback)
{
	close_in_callback(false);
	close_in_callback(true);
}
END_TEST

static void on_locked_unlock(struct hf_lock *lock, int rc)
{
	struct scene *s = lock->data;

	s->rc = rc ? rc : hf_unlock_start(lock, LIVE_WAIT_MS, on_end);
}

START_TEST(an_unlock_is_allowed_in_a_callback)
{
	static struct scene s;

	scene_open(&s, false);
	s.locks[0].data = &s;
	ck_assert_int_eq(hf_lock_start(s.node, &s.locks[0], "a", 1, NULL,
				       LIVE_WAIT_MS, on_locked_unlock),
			 0);
	wait_until(&s, is_called);
	ck_assert_int_eq(s.rc, 0);
	ck_assert_uint_eq(status_of(s.node).holds, 0);
	ck_assert_int_eq(hf_close_start(s.node, 1000, on_closed, &s), 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_started_close_gives_back_all_descriptors_and_threads)
{
	static struct scene s;
	int fds = 0, threads = 0;

	for (int round = 0; round < 6; round++) {
		scene_open(&s, round % 2);
		ck_assert_int_eq(hf_close_start(s.node, 100, on_closed, &s), 0);
		scene_end(&s);
		if (round == 0) {
			/* Its thread ends just behind the callback. */
			usleep(100000);
			fds = scratch_fds();
			threads = scratch_threads();
		}
		ck_assert_int_eq(scratch_fds(), fds);
		scratch_await_threads(threads);
	}
}
END_TEST

LIVE_SUITE(a_started_close_calls_back_once_and_last_on_the_nodes_thread,
	   a_started_close_calls_back_once_and_last_in_the_loop,
	   a_close_may_be_started_in_a_callback,
	   an_unlock_is_allowed_in_a_callback,
	   a_started_close_gives_back_all_descriptors_and_threads)
