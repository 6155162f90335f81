/* Nodes whose callbacks run in hf_dispatch only. */
#include "lib/scratch.h"
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

#define MANY 40 /* more than event slots */
#define SHORT_TTL_MS 500

struct scene {
	struct cluster cluster;
	struct hf_node *node;
	int fd;
	/* Of events, all in the thread that dispatches. */
	int lost, sessions_lost, failures;
	bool wrong;
	pthread_t thread;
};

static void on_event(struct hf_node *node, const struct hf_event *event,
		     void *arg)
{
	struct scene *s = arg;

	s->wrong |=
		node != s->node || !pthread_equal(pthread_self(), s->thread);
	s->failures += event->type == HF_EVENT_FAILED;
	s->sessions_lost += event->type == HF_EVENT_SESSION &&
			    event->session == HF_SESSION_LOST;
	if (event->type != HF_EVENT_LOST)
		return;
	/* They come in the order in which they were taken. */
	char name[16];
	size_t len = (size_t)snprintf(name, sizeof(name), "%d", s->lost++);
	s->wrong |=
		len != event->name_len || memcmp(name, event->name, len) != 0;
}

static void scene_open(struct scene *s, size_t len)
{
	memset(s, 0, sizeof(*s));
	cluster_make(&s->cluster, len);
	struct hf_options o = cluster_options(&s->cluster, 0);
	o.dispatch = true;
	o.on_event = on_event;
	o.arg = s;
	s->thread = pthread_self();
	if (len > 1) {
		o.ttl_ms = SHORT_TTL_MS;
		o.unsure_is_lost = true;
	}
	ck_assert_int_eq(hf_open(&s->node, &o, NULL), 0);
	s->cluster.nodes[0] = s->node;
	for (size_t i = 1; i < len; i++)
		cluster_open_node(&s->cluster, i);
	s->fd = hf_fd(s->node);
	ck_assert_int_ge(s->fd, 0);
}

static void scene_end(struct scene *s)
{
	ck_assert(!s->wrong);
	cluster_remove(&s->cluster);
}

static bool readable(struct scene *s, int wait_ms)
{
	struct pollfd fd = { .fd = s->fd, .events = POLLIN };

	return poll(&fd, 1, wait_ms) == 1 && fd.revents == POLLIN;
}

static bool dispatch_until(struct scene *s, bool (*done)(void *arg), void *arg)
{
	uint64_t end = live_now_ms() + LIVE_WAIT_MS;

	while (!done(arg)) {
		if (live_now_ms() > end)
			return false;
		if (readable(s, 100))
			ck_assert_int_gt(hf_dispatch(s->node), 0);
	}
	return true;
}

static int dispatch_all(struct scene *s)
{
	int all = 0;

	while (readable(s, 0)) {
		int n = hf_dispatch(s->node);
		ck_assert_int_gt(n, 0);
		all += n;
	}
	return all;
}

struct request {
	struct hf_lock lock;
	atomic_int calls;
	int rc;
	pthread_t thread;
	int *order, place; /* counts the callbacks */
};

static void on_end(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->rc = rc;
	r->thread = pthread_self();
	if (r->order)
		r->place = ++*r->order;
	r->calls++;
}

static bool is_called(void *arg)
{
	return ((struct request *)arg)->calls > 0;
}

static void begin_with(struct scene *s, struct request *r, const char *name,
		       uint32_t timeout_ms, hf_lock_cb cb)
{
	memset(r, 0, sizeof(*r));
	r->lock.data = r;
	ck_assert_int_eq(hf_lock_start(s->node, &r->lock, name, strlen(name),
				       NULL, timeout_ms, cb),
			 0);
}

static void begin(struct scene *s, struct request *r, const char *name,
		  uint32_t timeout_ms)
{
	begin_with(s, r, name, timeout_ms, on_end);
}

static void take(struct scene *s, struct request *r, const char *name)
{
	begin(s, r, name, LIVE_WAIT_MS);
	ck_assert(dispatch_until(s, is_called, r));
	ck_assert_msg(r->rc == 0, "%s", hf_strerror(r->rc));
}

static void give_back(struct scene *s, struct request *r)
{
	r->calls = 0;
	ck_assert_int_eq(hf_unlock_start(&r->lock, LIVE_WAIT_MS, on_end), 0);
	ck_assert(dispatch_until(s, is_called, r));
	ck_assert_msg(r->rc == 0, "%s", hf_strerror(r->rc));
}

static bool holds_one(void *arg)
{
	return status_of(((struct scene *)arg)->node).holds == 1;
}

START_TEST(callbacks_run_in_dispatch_and_nowhere_else)
{
	struct request r;
	struct scene s;

	scene_open(&s, 1);
	begin(&s, &r, "a", LIVE_WAIT_MS);
	ck_assert(live_wait(holds_one, &s));
	ck_assert_int_eq(r.calls, 0);
	ck_assert(dispatch_until(&s, is_called, &r));
	ck_assert_int_eq(r.rc, 0);
	ck_assert(pthread_equal(r.thread, pthread_self()));
	r.calls = 0;
	ck_assert_int_eq(hf_lock_validate_start(&r.lock, LIVE_WAIT_MS, on_end),
			 0);
	ck_assert(dispatch_until(&s, is_called, &r));
	ck_assert_int_eq(r.rc, 0);
	ck_assert(pthread_equal(r.thread, pthread_self()));
	give_back(&s, &r);
	scene_end(&s);
}
END_TEST

START_TEST(the_descriptor_is_readable_as_long_as_a_callback_waits)
{
	struct request r;
	struct scene s;

	scene_open(&s, 1);
	take(&s, &r, "a");
	give_back(&s, &r);
	dispatch_all(&s);
	ck_assert(!readable(&s, 50));
	ck_assert_int_eq(hf_dispatch(s.node), 0);
	begin(&s, &r, "a", LIVE_WAIT_MS);
	for (int i = 0; i < 3; i++) /* nobody takes it off by looking */
		ck_assert(readable(&s, LIVE_WAIT_MS));
	ck_assert_int_eq(hf_dispatch(s.node), 1);
	ck_assert_int_eq(r.calls, 1);
	ck_assert(!readable(&s, 50));
	ck_assert_int_eq(hf_dispatch(s.node), 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_result_counts_from_its_callback_on)
{
	struct request r;
	struct scene s;

	scene_open(&s, 1);
	begin(&s, &r, "a", LIVE_WAIT_MS);
	ck_assert(live_wait(holds_one, &s));
	ck_assert(readable(&s, LIVE_WAIT_MS));
	ck_assert_uint_eq(hf_lock_token(&r.lock), 0);
	ck_assert_uint_eq(hf_lock_safe_ms(&r.lock), 0);
	expect_error(HF_ENOTHELD, hf_unlock_start, &r.lock, 1000, on_end);
	expect_error(HF_ENOTHELD, hf_unlock, &r.lock, 1000);
	expect_error(HF_ENOTHELD, hf_lock_validate, &r.lock, 1000);
	/* Too late for that, too. */
	expect_error(HF_ENOTHELD, hf_lock_cancel, &r.lock);
	ck_assert(dispatch_until(&s, is_called, &r));
	ck_assert_uint_gt(hf_lock_token(&r.lock), 0);
	ck_assert_uint_gt(hf_lock_safe_ms(&r.lock), 0);
	/* Nor can one be cancelled that has failed, and wasn't told. */
	struct request late;
	begin(&s, &late, "a", 1);
	ck_assert(readable(&s, LIVE_WAIT_MS));
	expect_error(HF_ENOTHELD, hf_lock_cancel, &late.lock);
	ck_assert(dispatch_until(&s, is_called, &late));
	ck_assert_int_eq(late.rc, HF_ETIMEDOUT);
	give_back(&s, &r);
	scene_end(&s);
}
END_TEST

static void on_locked_unlock(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->rc = rc ? rc : hf_unlock_start(lock, LIVE_WAIT_MS, on_end);
}

/* Also the call that waits: the node goes on meanwhile. */
static void on_locked_block(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;
	struct hf_lock other;

	if (rc == 0)
		rc = hf_lock_validate(lock, LIVE_WAIT_MS);
	if (rc == 0)
		rc = hf_lock(lock->node, &other, "b", NULL, LIVE_WAIT_MS);
	if (rc == 0)
		rc = hf_unlock(&other, LIVE_WAIT_MS);
	if (rc == 0)
		rc = hf_unlock(lock, LIVE_WAIT_MS);
	r->rc = rc;
	r->calls++;
}

START_TEST(an_unlock_is_allowed_in_a_dispatched_callback)
{
	struct request r;
	struct scene s;

	scene_open(&s, 1);
	begin_with(&s, &r, "a", LIVE_WAIT_MS, on_locked_unlock);
	ck_assert(dispatch_until(&s, is_called, &r));
	ck_assert_int_eq(r.rc, 0);
	begin_with(&s, &r, "a", LIVE_WAIT_MS, on_locked_block);
	ck_assert(dispatch_until(&s, is_called, &r));
	ck_assert_msg(r.rc == 0, "%s", hf_strerror(r.rc));
	ck_assert_int_eq(r.calls, 1);
	take(&s, &r, "a");
	scene_end(&s);
}
END_TEST

static void on_locked_misuse(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->rc = rc == 0 && is_error(HF_EINCALLBACK, hf_close, lock->node, 0) &&
		is_error(HF_EINCALLBACK, hf_dispatch, lock->node);
	r->calls++;
}

START_TEST(close_and_dispatch_are_refused_in_a_dispatched_callback)
{
	struct request r;
	struct scene s;

	scene_open(&s, 1);
	begin_with(&s, &r, "a", LIVE_WAIT_MS, on_locked_misuse);
	ck_assert(dispatch_until(&s, is_called, &r));
	ck_assert_int_eq(r.rc, 1);
	give_back(&s, &r);
	scene_end(&s);
}
END_TEST

START_TEST(callbacks_come_in_the_order_of_their_results)
{
	static struct request requests[MANY];
	struct request held;
	struct scene s;
	int order = 0;

	scene_open(&s, 1);
	take(&s, &held, "a");
	for (int i = 0; i < MANY; i++) {
		begin(&s, &requests[i], "a", 50 + 10 * (uint32_t)i);
		requests[i].order = &order;
	}
	/* Most of them are waiting to be told by then. */
	usleep(50000 + 10000 * MANY);
	for (int i = 0; i < MANY; i++) {
		ck_assert(dispatch_until(&s, is_called, &requests[i]));
		ck_assert_int_eq(requests[i].rc, HF_ETIMEDOUT);
		ck_assert_int_eq(requests[i].place, i + 1);
	}
	give_back(&s, &held);
	scene_end(&s);
}
END_TEST

static void on_chain(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->rc = rc;
	if (++r->calls < 4)
		r->rc = hf_lock_validate_start(lock, LIVE_WAIT_MS, on_chain);
	usleep(50000); /* its result waits by now, most often */
}

START_TEST(one_dispatch_runs_what_waited_when_it_began)
{
	struct request r;
	struct scene s;

	scene_open(&s, 1);
	take(&s, &r, "b");
	dispatch_all(&s);
	begin_with(&s, &r, "a", LIVE_WAIT_MS, on_chain);
	for (int i = 0; i < 4; i++) {
		ck_assert(readable(&s, LIVE_WAIT_MS));
		ck_assert_int_eq(hf_dispatch(s.node), 1);
		ck_assert_int_eq(r.rc, 0);
		ck_assert_int_eq(r.calls, i + 1);
	}
	scene_end(&s);
}
END_TEST

static void on_in_turn(struct hf_lock *lock, int rc)
{
	static atomic_int inside;

	if (++inside > 1)
		rc = HF_EINVAL;
	sched_yield();
	--inside;
	on_end(lock, rc);
}

struct dispatcher {
	struct hf_node *node;
	atomic_bool *stop;
};

static void *dispatch_often(void *arg)
{
	struct dispatcher *d = arg;

	while (!*d->stop)
		hf_dispatch(d->node);
	return NULL;
}

START_TEST(two_threads_that_dispatch_take_turns)
{
	static struct request requests[MANY];
	pthread_t threads[2];
	atomic_bool stop = false;
	char name[16];
	struct scene s;

	memset(&s, 0, sizeof(s));
	cluster_make(&s.cluster, 1);
	struct hf_options o = cluster_options(&s.cluster, 0);
	o.dispatch = true;
	ck_assert_int_eq(hf_open(&s.node, &o, NULL), 0);
	s.cluster.nodes[0] = s.node;
	struct dispatcher d = { s.node, &stop };
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, dispatch_often, &d);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		begin_with(&s, &requests[i], name, LIVE_WAIT_MS, on_in_turn);
	}
	for (int i = 0; i < MANY; i++)
		ck_assert(live_wait(is_called, &requests[i]));
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(requests[i].rc, 0);
		ck_assert_int_eq(requests[i].calls, 1);
	}
	scene_end(&s);
}
END_TEST

/* Granted, waiting, and asked for just now; nobody dispatches. */
static void begin_many(struct scene *s, struct request *requests)
{
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i % (MANY / 2));
		begin(s, &requests[i], name, HF_FOREVER);
		if (i == MANY / 2)
			usleep(50000);
	}
}

static void check_called_once(const struct request *requests)
{
	for (int i = 0; i < MANY; i++) {
		int rc = requests[i].rc;

		ck_assert_int_eq(requests[i].calls, 1);
		ck_assert_msg(rc == 0 || rc == HF_ECLOSED || rc == HF_EUNKNOWN,
			      "%s", hf_strerror(rc));
	}
}

START_TEST(close_runs_each_callback_that_is_left_once)
{
	static struct request requests[MANY];
	struct scene s;

	scene_open(&s, 1);
	cluster_close_node(&s.cluster, 0); /* libuv's pool is there now */
	int fds = scratch_fds(), threads = scratch_threads();
	live_remove(s.cluster.dir);
	scene_open(&s, 1);
	begin_many(&s, requests);
	cluster_close_node(&s.cluster, 0);
	check_called_once(requests);
	ck_assert_int_eq(scratch_fds(), fds);
	scratch_await_threads(threads);
	scene_end(&s);
}
END_TEST

struct closing {
	struct scene *scene;
	struct request *requests;
	int calls, left;
	pthread_t thread;
};

static void on_closed(void *arg)
{
	struct closing *c = arg;

	c->calls++;
	c->thread = pthread_self();
	for (int i = 0; i < MANY; i++)
		c->left += c->requests[i].calls != 1;
}

START_TEST(a_started_close_ends_with_its_callback_in_dispatch)
{
	static struct request requests[MANY];
	struct scene s;
	struct closing c = { .scene = &s, .requests = requests };

	scene_open(&s, 1);
	begin_many(&s, requests);
	expect_error(HF_EINVAL, hf_close_start, s.node, 1000, NULL, NULL);
	ck_assert_int_eq(hf_close_start(s.node, 1000, on_closed, &c), 0);
	expect_error(HF_ECLOSED, hf_close_start, s.node, 1000, on_closed, &c);
	expect_error(HF_ECLOSED, hf_close, s.node, 1000);
	s.cluster.nodes[0] = NULL;
	while (c.calls == 0) {
		ck_assert(readable(&s, LIVE_WAIT_MS));
		ck_assert_int_gt(hf_dispatch(s.node), 0);
	}
	ck_assert_int_eq(c.calls, 1);
	ck_assert_int_eq(c.left, 0);
	ck_assert(pthread_equal(c.thread, pthread_self()));
	check_called_once(requests);
	scene_end(&s);
}
END_TEST

/* All holds are lost at once, which is more than there is room for. */
static void lose_many(struct scene *s, struct hf_lock *locks)
{
	char name[16];

	scene_open(s, 3);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		int rc = hf_lock(s->node, &locks[i], name, NULL, LIVE_WAIT_MS);
		ck_assert_msg(rc == 0, "%s", hf_strerror(rc));
	}
	for (size_t i = 1; i < 3; i++) {
		ck_assert_int_eq(hf_close(s->cluster.nodes[i], 0), 0);
		s->cluster.nodes[i] = NULL;
	}
}

static bool all_lost(void *arg)
{
	struct hf_lock *locks = arg;

	for (int i = 0; i < MANY; i++)
		if (!__atomic_load_n(&locks[i].internal.lost, __ATOMIC_SEQ_CST))
			return false;
	return true;
}

static bool all_told(void *arg)
{
	return ((struct scene *)arg)->lost == MANY;
}

START_TEST(no_lost_hold_is_forgotten_while_nobody_dispatches)
{
	static struct hf_lock locks[MANY];
	struct scene s;

	lose_many(&s, locks);
	ck_assert(live_wait(all_lost, locks));
	usleep(100000);
	ck_assert_int_eq(s.lost, 0);
	ck_assert(dispatch_until(&s, all_told, &s));
	ck_assert_int_ge(s.sessions_lost, 1);
	/* None is told twice. */
	usleep(100000);
	dispatch_all(&s);
	ck_assert_int_eq(s.lost, MANY);
	scene_end(&s);
}
END_TEST

START_TEST(close_tells_of_lost_holds_that_nobody_has_dispatched)
{
	static struct hf_lock locks[MANY];
	struct scene s;

	lose_many(&s, locks);
	ck_assert(live_wait(all_lost, locks));
	ck_assert_int_eq(hf_close(s.node, 100), 0);
	s.cluster.nodes[0] = NULL;
	ck_assert_int_eq(s.lost, MANY);
	ck_assert_int_ge(s.sessions_lost, 1);
	scene_end(&s);
}
END_TEST

START_TEST(what_was_not_opened_for_dispatching_says_so)
{
	struct hf_node *node;
	struct cluster c;

	cluster_make(&c, 1);
	struct hf_options o = cluster_options(&c, 0);
	ck_assert_int_eq(hf_open(&node, &o, NULL), 0);
	expect_error(HF_EINVAL, hf_fd, node);
	expect_error(HF_EINVAL, hf_dispatch, node);
	expect_error(HF_EINVAL, hf_dispatch, NULL);
	ck_assert_int_eq(hf_close(node, 1000), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_forked_child_takes_no_callback_from_its_parent)
{
	struct request r;
	struct scene s;
	int status;

	scene_open(&s, 1);
	begin(&s, &r, "a", LIVE_WAIT_MS);
	ck_assert(readable(&s, LIVE_WAIT_MS));
	pid_t child = fork();
	if (child == 0)
		_exit(!is_error(HF_EFORKED, hf_dispatch, s.node) ||
		      !is_error(HF_EFORKED, hf_fd, s.node));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(readable(&s, 0));
	ck_assert(dispatch_until(&s, is_called, &r));
	scene_end(&s);
}
END_TEST

LIVE_SUITE(callbacks_run_in_dispatch_and_nowhere_else,
	   the_descriptor_is_readable_as_long_as_a_callback_waits,
	   a_result_counts_from_its_callback_on,
	   an_unlock_is_allowed_in_a_dispatched_callback,
	   close_and_dispatch_are_refused_in_a_dispatched_callback,
	   callbacks_come_in_the_order_of_their_results,
	   one_dispatch_runs_what_waited_when_it_began,
	   two_threads_that_dispatch_take_turns,
	   close_runs_each_callback_that_is_left_once,
	   a_started_close_ends_with_its_callback_in_dispatch,
	   no_lost_hold_is_forgotten_while_nobody_dispatches,
	   close_tells_of_lost_holds_that_nobody_has_dispatched,
	   what_was_not_opened_for_dispatching_says_so,
	   a_forked_child_takes_no_callback_from_its_parent)
