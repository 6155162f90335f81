/* Nodes inside a libuv loop of their caller's. */
#include "lib/inloop.h"
#include "lib/scratch.h"
#include "lib/seen.h"
#include "live/lib/peer.h"

#include <pthread.h>
#include <sys/wait.h>

struct scene {
	struct cluster cluster;
	uv_loop_t loop;
	int closed; /* hf_close_start's callbacks */
};

static void open_in_loop(struct scene *s, size_t i)
{
	struct hf_options o = cluster_options(&s->cluster, i);
	char error[HF_ERROR_TEXT];

	o.loop = &s->loop;
	int rc = hf_open(&s->cluster.nodes[i], &o, error);
	ck_assert_msg(rc == 0, "%s", error);
}

static void scene_make(struct scene *s, size_t len)
{
	cluster_make(&s->cluster, len);
	ck_assert_int_eq(uv_loop_init(&s->loop), 0);
	s->closed = 0;
}

static void scene_open(struct scene *s, size_t len)
{
	scene_make(s, len);
	for (size_t i = 0; i < len; i++)
		open_in_loop(s, i);
}

static void on_closed(void *arg)
{
	++*(int *)arg;
}

static void start_close(struct scene *s, size_t i)
{
	ck_assert_int_eq(
		hf_close_start(s->cluster.nodes[i], 100, on_closed, &s->closed),
		0);
	s->cluster.nodes[i] = NULL;
}

/* All that are open. The loop ends by itself, and nothing is left in it. */
static void scene_end(struct scene *s)
{
	int want = s->closed;

	for (size_t i = 0; i < s->cluster.len; i++)
		if (s->cluster.nodes[i]) {
			start_close(s, i);
			want++;
		}
	ck_assert_int_eq(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(s->closed, want);
	ck_assert_int_eq(uv_loop_close(&s->loop), 0);
	cluster_remove(&s->cluster);
}

/* A request, and where its callbacks ran. */
struct request {
	struct hf_lock lock;
	int calls, rc;
	pthread_t thread;
};

static void on_end(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->calls++;
	r->rc = rc;
	r->thread = pthread_self();
}

static bool is_called(void *arg)
{
	return ((struct request *)arg)->calls > 0;
}

static void begin(struct hf_node *node, struct request *r, const char *name,
		  uint32_t timeout_ms)
{
	*r = (struct request){ .lock.data = r };
	ck_assert_int_eq(hf_lock_start(node, &r->lock, name, strlen(name), NULL,
				       timeout_ms, on_end),
			 0);
}

static void take(struct scene *s, size_t i, struct request *r, const char *name)
{
	begin(s->cluster.nodes[i], r, name, LIVE_WAIT_MS);
	ck_assert(inloop_until(&s->loop, is_called, r));
	ck_assert_msg(r->rc == 0, "%s", hf_strerror(r->rc));
}

static void give_back(struct scene *s, struct request *r)
{
	r->calls = 0;
	ck_assert_int_eq(hf_unlock_start(&r->lock, LIVE_WAIT_MS, on_end), 0);
	ck_assert(inloop_until(&s->loop, is_called, r));
	ck_assert_msg(r->rc == 0, "%s", hf_strerror(r->rc));
}

START_TEST(a_node_in_a_loop_makes_no_thread_and_calls_back_on_the_loops)
{
	struct scene s;
	struct request r;

	scene_open(&s, 1); /* libuv's pool is there afterwards */
	take(&s, 0, &r, "a");
	scene_end(&s);
	int fds = scratch_fds(), threads = scratch_threads();
	scene_open(&s, 1);
	take(&s, 0, &r, "a");
	ck_assert_int_eq(scratch_threads(), threads);
	ck_assert(pthread_equal(r.thread, pthread_self()));
	ck_assert_uint_gt(hf_lock_token(&r.lock), 0);
	ck_assert_uint_gt(hf_lock_safe_ms(&r.lock), 0);
	r.calls = 0;
	ck_assert_int_eq(hf_lock_validate_start(&r.lock, LIVE_WAIT_MS, on_end),
			 0);
	ck_assert_int_eq(r.calls, 0);
	ck_assert(inloop_until(&s.loop, is_called, &r));
	ck_assert_int_eq(r.rc, 0);
	give_back(&s, &r);
	scene_end(&s);
	ck_assert_int_eq(scratch_fds(), fds);
	ck_assert_int_eq(scratch_threads(), threads);
}
END_TEST

START_TEST(three_members_in_one_loop_form_a_cluster)
{
	uint64_t token = 0;
	struct scene s;

	scene_open(&s, 3);
	for (size_t i = 0; i < 3; i++) {
		struct request r;

		take(&s, i, &r, "a");
		ck_assert_uint_gt(hf_lock_token(&r.lock), token);
		token = hf_lock_token(&r.lock);
		give_back(&s, &r);
	}
	scene_end(&s);
}
END_TEST

START_TEST(clusters_in_one_loop_and_beside_it_do_not_meet)
{
	struct scene s, other;
	struct cluster beside;
	struct request r, q;
	struct hf_lock lock;

	scene_open(&s, 1);
	scene_make(&other, 1);
	struct hf_options o = cluster_options(&other.cluster, 0);
	o.loop = &s.loop;
	ck_assert_int_eq(hf_open(&other.cluster.nodes[0], &o, NULL), 0);
	cluster_make(&beside, 1);
	cluster_open(&beside);
	take(&s, 0, &r, "a");
	begin(other.cluster.nodes[0], &q, "a", LIVE_WAIT_MS);
	ck_assert(inloop_until(&s.loop, is_called, &q));
	ck_assert_int_eq(q.rc, 0);
	ck_assert_int_eq(
		hf_lock(beside.nodes[0], &lock, "a", NULL, LIVE_WAIT_MS), 0);
	cluster_remove(&beside);
	start_close(&other, 0);
	scene_end(&s);
	ck_assert_int_eq(other.closed, 1);
	scene_end(&other);
}
END_TEST

START_TEST(members_in_a_loop_and_in_threads_of_their_own_form_a_cluster)
{
	struct request r, waiting;
	struct scene s;

	scene_make(&s, 3);
	open_in_loop(&s, 0);
	open_in_loop(&s, 1);
	cluster_open_node(&s.cluster, 2);
	take(&s, 0, &r, "a");
	begin(s.cluster.nodes[1], &waiting, "a", LIVE_WAIT_MS);
	give_back(&s, &r);
	ck_assert(inloop_until(&s.loop, is_called, &waiting));
	ck_assert_int_eq(waiting.rc, 0);
	/* Its session ends while the majority in the loop stands still. */
	ck_assert_int_eq(hf_close(s.cluster.nodes[2], 100), 0);
	s.cluster.nodes[2] = NULL;
	scene_end(&s);
}
END_TEST

static void on_locked_unlock(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->rc = rc ? rc : hf_unlock_start(lock, LIVE_WAIT_MS, on_end);
}

START_TEST(an_unlock_is_allowed_in_a_callback_of_a_loop)
{
	struct request r = { .lock.data = &r }, next;
	struct scene s;

	scene_open(&s, 1);
	ck_assert_int_eq(hf_lock_start(s.cluster.nodes[0], &r.lock, "a", 1,
				       NULL, LIVE_WAIT_MS, on_locked_unlock),
			 0);
	ck_assert(inloop_until(&s.loop, is_called, &r));
	ck_assert_int_eq(r.rc, 0);
	ck_assert_int_eq(r.calls, 1);
	take(&s, 0, &next, "a");
	scene_end(&s);
}
END_TEST

static bool blocking_calls_are_refused(struct hf_lock *lock)
{
	struct hf_lock other;

	return is_error(HF_EINCALLBACK, hf_lock, lock->node, &other, "b", NULL,
			1000) &&
	       is_error(HF_EINCALLBACK, hf_trylock, lock->node, &other, "b",
			NULL) &&
	       is_error(HF_EINCALLBACK, hf_unlock, lock, 1000) &&
	       is_error(HF_EINCALLBACK, hf_lock_validate, lock, 1000) &&
	       is_error(HF_EINCALLBACK, hf_close, lock->node, 1000);
}

static bool refused_inside;

static void on_inside(struct hf_lock *lock, int rc)
{
	refused_inside = rc == 0 && blocking_calls_are_refused(lock);
	on_end(lock, rc);
}

START_TEST(a_call_that_would_block_the_loop_is_refused_in_callbacks_and_outside)
{
	struct request r = { .lock.data = &r };
	struct scene s;

	scene_open(&s, 1);
	ck_assert_int_eq(hf_lock_start(s.cluster.nodes[0], &r.lock, "a", 1,
				       NULL, LIVE_WAIT_MS, on_inside),
			 0);
	ck_assert(inloop_until(&s.loop, is_called, &r));
	ck_assert(refused_inside);
	ck_assert(blocking_calls_are_refused(&r.lock));
	/* None has harmed the hold. */
	give_back(&s, &r);
	scene_end(&s);
}
END_TEST

START_TEST(looking_and_cancelling_are_allowed_on_the_loops_thread)
{
	struct request r, waiting;
	struct hf_claim claims[2];
	size_t total;
	struct scene s;

	scene_open(&s, 1);
	take(&s, 0, &r, "a");
	ck_assert_uint_eq(status_of(s.cluster.nodes[0]).holds, 1);
	begin(s.cluster.nodes[0], &waiting, "a", HF_FOREVER);
	/* Before it was asked for, and when it waits. */
	ck_assert_int_eq(hf_lock_cancel(&waiting.lock), 0);
	ck_assert(inloop_until(&s.loop, is_called, &waiting));
	ck_assert_int_eq(waiting.rc, HF_ECANCELED);
	begin(s.cluster.nodes[0], &waiting, "a", HF_FOREVER);
	inloop_for(&s.loop, 100);
	ck_assert_int_eq(
		hf_lock_status(s.cluster.nodes[0], "a", 1, claims, 2, &total),
		0);
	ck_assert_uint_eq(total, 2);
	ck_assert_int_eq(hf_lock_cancel(&waiting.lock), 0);
	ck_assert_int_eq(waiting.calls, 0);
	ck_assert(inloop_until(&s.loop, is_called, &waiting));
	ck_assert_int_eq(waiting.rc, HF_ECANCELED);
	ck_assert_int_eq(waiting.calls, 1);
	scene_end(&s);
}
END_TEST

/* A thread that blocks in all that can block, closing included. */
struct blocker {
	pthread_t thread;
	struct hf_node *node;
	atomic_bool ended;
	int lock, validate, unlock, status, close;
};

static void *block(void *arg)
{
	struct hf_status status = { .size = sizeof(status) };
	struct blocker *b = arg;
	struct hf_lock lock;

	b->lock = hf_lock(b->node, &lock, "a", NULL, LIVE_WAIT_MS);
	b->validate = hf_lock_validate(&lock, LIVE_WAIT_MS);
	b->unlock = hf_unlock(&lock, LIVE_WAIT_MS);
	b->status = hf_status(b->node, &status);
	b->close = hf_close(b->node, LIVE_WAIT_MS);
	b->ended = true;
	return NULL;
}

static bool has_ended(void *arg)
{
	return ((struct blocker *)arg)->ended;
}

START_TEST(other_threads_block_and_close_as_ever)
{
	struct blocker b = { 0 };
	struct scene s;

	scene_open(&s, 1);
	b.node = s.cluster.nodes[0];
	ck_assert_int_eq(pthread_create(&b.thread, NULL, block, &b), 0);
	ck_assert(inloop_until(&s.loop, has_ended, &b));
	pthread_join(b.thread, NULL);
	s.cluster.nodes[0] = NULL;
	ck_assert_int_eq(b.lock, 0);
	ck_assert_int_eq(b.validate, 0);
	ck_assert_int_eq(b.unlock, 0);
	ck_assert_int_eq(b.status, 0);
	ck_assert_int_eq(b.close, 0);
	scene_end(&s);
}
END_TEST

/* The caller's own handles, as many kinds as call back. */
struct handles {
	uv_prepare_t prepare;
	uv_check_t check;
	uv_timer_t timer, far;
	struct hf_node *node;
	struct request requests[3];
};

static void on_prepare(uv_prepare_t *prepare)
{
	struct handles *h = prepare->data;

	begin(h->node, &h->requests[0], "prepare", LIVE_WAIT_MS);
	uv_close((uv_handle_t *)prepare, NULL);
}

static void on_check(uv_check_t *check)
{
	struct handles *h = check->data;

	begin(h->node, &h->requests[1], "check", LIVE_WAIT_MS);
	uv_close((uv_handle_t *)check, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	struct handles *h = timer->data;

	begin(h->node, &h->requests[2], "timer", LIVE_WAIT_MS);
	uv_close((uv_handle_t *)timer, NULL);
}

static void start_handles(struct handles *h, uv_loop_t *loop)
{
	uv_prepare_init(loop, &h->prepare);
	uv_check_init(loop, &h->check);
	uv_timer_init(loop, &h->timer);
	uv_timer_init(loop, &h->far);
	h->prepare.data = h->check.data = h->timer.data = h;
	uv_prepare_start(&h->prepare, on_prepare);
	uv_check_start(&h->check, on_check);
	uv_timer_start(&h->timer, on_timer, 1, 0);
	/* One as late as only a failed disk's is in the library's loop. */
	uv_timer_start(&h->far, on_timer, UINT64_C(40) * 24 * 3600 * 1000, 0);
	uv_unref((uv_handle_t *)&h->far);
}

static bool all_called(void *arg)
{
	struct handles *h = arg;

	return h->requests[0].calls && h->requests[1].calls &&
	       h->requests[2].calls;
}

START_TEST(a_request_from_any_callback_of_the_loop_is_served)
{
	struct handles h = { 0 };
	struct scene s;

	scene_open(&s, 1);
	inloop_for(&s.loop, 50);
	h.node = s.cluster.nodes[0];
	start_handles(&h, &s.loop);
	/* Without another handle that would wake the loop. */
	while (!all_called(&h))
		ck_assert_int_ne(uv_run(&s.loop, UV_RUN_ONCE), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(h.requests[i].rc, 0);
	ck_assert(!status_of(h.node).failed);
	ck_assert(uv_is_active((uv_handle_t *)&h.far));
	uv_close((uv_handle_t *)&h.far, NULL);
	scene_end(&s);
}
END_TEST

static void on_stop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

START_TEST(a_loop_that_was_stopped_goes_on_where_it_was)
{
	struct request r, waiting;
	uv_timer_t timer;
	struct scene s;

	scene_open(&s, 1);
	take(&s, 0, &r, "a");
	begin(s.cluster.nodes[0], &waiting, "a", HF_FOREVER);
	uv_timer_init(&s.loop, &timer);
	uv_timer_start(&timer, on_stop, 20, 0);
	ck_assert_int_ne(uv_run(&s.loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(waiting.calls, 0);
	uv_close((uv_handle_t *)&timer, NULL);
	give_back(&s, &r);
	ck_assert(inloop_until(&s.loop, is_called, &waiting));
	ck_assert_int_eq(waiting.rc, 0);
	scene_end(&s);
}
END_TEST

START_TEST(a_refused_open_leaves_nothing_in_the_loop)
{
	struct hf_node *node;
	struct scene s;

	scene_make(&s, 3);
	int listener = live_listen(s.cluster.addresses[0]);
	struct hf_options o = cluster_options(&s.cluster, 0);
	o.loop = &s.loop;
	expect_error(HF_EADDRESS, hf_open, &node, &o, NULL);
	close(listener);
	ck_assert_int_eq(uv_loop_alive(&s.loop), 0);
	o.dispatch = true;
	expect_error(HF_EINVAL, hf_open, &node, &o, NULL);
	scene_end(&s);
}
END_TEST

static uint64_t term_of(struct scene *s)
{
	return status_of(s->cluster.nodes[1]).term;
}

/* What its leader has said meanwhile is read before its own time runs out. */
START_TEST(a_loop_that_stood_still_asks_for_no_election)
{
	struct request r;
	struct scene s;

	scene_make(&s, 3);
	cluster_open_node(&s.cluster, 1);
	cluster_open_node(&s.cluster, 2);
	ck_assert_uint_ge(cluster_leader(&s.cluster), 1);
	open_in_loop(&s, 0);
	take(&s, 0, &r, "a");
	uint64_t term = term_of(&s);
	for (int i = 0; i < 3; i++) {
		usleep(900000); /* three election timeouts */
		inloop_for(&s.loop, 300);
	}
	ck_assert_uint_eq(term_of(&s), term);
	give_back(&s, &r);
	for (size_t i = 1; i < 3; i++) {
		ck_assert_int_eq(hf_close(s.cluster.nodes[i], 0), 0);
		s.cluster.nodes[i] = NULL;
	}
	scene_end(&s);
}
END_TEST

static int child_of_loop(struct scene *s)
{
	struct hf_node *node = s->cluster.nodes[0];
	struct hf_lock lock;

	if (uv_loop_fork(&s->loop) != 0)
		return 1;
	/* Nothing keeps its copy running. */
	if (uv_run(&s->loop, UV_RUN_DEFAULT) != 0)
		return 2;
	if (!is_error(HF_EFORKED, hf_close_start, node, 0, on_closed, s) ||
	    !is_error(HF_EFORKED, hf_lock_start, node, &lock, "a", 1, NULL, 0,
		      on_end))
		return 3;
	return 0;
}

START_TEST(a_forked_child_that_runs_its_copy_of_the_loop_has_no_part_in_it)
{
	struct request r;
	struct scene s;
	int status;

	scene_open(&s, 1);
	take(&s, 0, &r, "a");
	pid_t child = fork();
	if (child == 0)
		_exit(child_of_loop(&s));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "status %x", (unsigned)status);
	give_back(&s, &r);
	scene_end(&s);
}
END_TEST

LIVE_SUITE(a_node_in_a_loop_makes_no_thread_and_calls_back_on_the_loops,
	   three_members_in_one_loop_form_a_cluster,
	   clusters_in_one_loop_and_beside_it_do_not_meet,
	   members_in_a_loop_and_in_threads_of_their_own_form_a_cluster,
	   an_unlock_is_allowed_in_a_callback_of_a_loop,
	   a_call_that_would_block_the_loop_is_refused_in_callbacks_and_outside,
	   looking_and_cancelling_are_allowed_on_the_loops_thread,
	   other_threads_block_and_close_as_ever,
	   a_request_from_any_callback_of_the_loop_is_served,
	   a_loop_that_was_stopped_goes_on_where_it_was,
	   a_refused_open_leaves_nothing_in_the_loop,
	   a_loop_that_stood_still_asks_for_no_election,
	   a_forked_child_that_runs_its_copy_of_the_loop_has_no_part_in_it)
