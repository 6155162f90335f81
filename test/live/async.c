/* Asynchronous requests: each callback exactly once, whatever happens. */
#include "live/lib/peer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS 200
#define NAMES 5

struct request {
	struct hf_lock lock;
	atomic_int calls;
	int rc; /* of the last callback */
	atomic_int *left;
};

static void on_end(struct hf_lock *lock, int rc)
{
	struct request *r = lock->data;

	r->rc = rc;
	r->calls++;
	if (r->left)
		--*r->left;
}

static bool is_called(void *arg)
{
	return ((struct request *)arg)->calls > 0;
}

static bool all_done(void *arg)
{
	return *(atomic_int *)arg == 0;
}

static void begin(struct hf_node *node, struct request *r, const char *name,
		  uint32_t timeout_ms)
{
	struct hf_lock_options options = { .size = sizeof(options) };

	memset(r, 0, sizeof(*r));
	options.owner = (uint64_t)(uintptr_t)r;
	r->lock.data = r;
	ck_assert_int_eq(hf_lock_start(node, &r->lock, name, strlen(name),
				       &options, timeout_ms, on_end),
			 0);
}

static int begin_and_wait(struct hf_node *node, struct request *r,
			  const char *name, uint32_t timeout_ms)
{
	begin(node, r, name, timeout_ms);
	ck_assert(live_wait(is_called, r));
	return r->rc;
}

static int unlock_and_wait(struct request *r)
{
	r->calls = 0;
	ck_assert_int_eq(hf_unlock_start(&r->lock, LIVE_WAIT_MS, on_end), 0);
	ck_assert(live_wait(is_called, r));
	return r->rc;
}

START_TEST(a_lock_is_taken_validated_and_given_back_by_callbacks)
{
	struct cluster c;
	struct request r;

	cluster_make(&c, 3);
	cluster_open(&c);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(
			begin_and_wait(c.nodes[i], &r, "a", LIVE_WAIT_MS), 0);
		ck_assert_uint_gt(r.lock.token, 0);
		r.calls = 0;
		ck_assert_int_eq(
			hf_lock_validate_start(&r.lock, LIVE_WAIT_MS, on_end),
			0);
		ck_assert(live_wait(is_called, &r));
		ck_assert_int_eq(r.rc, 0);
		ck_assert_int_eq(unlock_and_wait(&r), 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(close_ends_every_request_in_flight_with_one_callback)
{
	static struct request requests[REQUESTS];
	struct cluster c;
	char name[16];

	cluster_make(&c, 3);
	cluster_open(&c);
	size_t node = cluster_follower(&c);
	for (size_t i = 0; i < REQUESTS; i++) {
		snprintf(name, sizeof(name), "%zu", i % NAMES);
		begin(c.nodes[node], &requests[i], name, HF_FOREVER);
	}
	cluster_close_node(&c, node);
	for (size_t i = 0; i < REQUESTS; i++) {
		int rc = requests[i].rc;

		ck_assert_int_eq(requests[i].calls, 1);
		ck_assert_msg(rc == 0 || rc == HF_ECLOSED || rc == HF_EUNKNOWN,
			      "request %zu: %s", i, hf_strerror(rc));
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(close_without_a_majority_is_bounded_and_calls_everybody)
{
	static struct request requests[REQUESTS];
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open_node(&c, 0);
	for (size_t i = 0; i < REQUESTS; i++)
		begin(c.nodes[0], &requests[i], "a", HF_FOREVER);
	uint64_t before = live_now_ms();
	ck_assert_int_eq(hf_close(c.nodes[0], 200), 0);
	c.nodes[0] = NULL;
	ck_assert_uint_lt(live_now_ms() - before, 10000);
	for (size_t i = 0; i < REQUESTS; i++) {
		ck_assert_int_eq(requests[i].calls, 1);
		ck_assert_int_lt(requests[i].rc, 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(a_cancelled_request_is_called_once_and_holds_nothing)
{
	struct cluster c;
	struct request held, waiting, next;

	cluster_make(&c, 3);
	cluster_open(&c);
	struct hf_node *node = c.nodes[cluster_follower(&c)];
	ck_assert_int_eq(begin_and_wait(node, &held, "a", LIVE_WAIT_MS), 0);
	begin(node, &waiting, "a", HF_FOREVER);
	ck_assert_int_eq(hf_lock_cancel(&waiting.lock), 0);
	ck_assert(live_wait(is_called, &waiting));
	ck_assert_int_eq(waiting.rc, HF_ECANCELED);
	ck_assert_int_eq(hf_lock_cancel(&waiting.lock), HF_ENOTHELD);
	ck_assert_int_eq(hf_lock_cancel(&held.lock), HF_ENOTHELD);
	ck_assert_int_eq(unlock_and_wait(&held), 0);
	ck_assert_int_eq(begin_and_wait(node, &next, "a", LIVE_WAIT_MS), 0);
	ck_assert_int_eq(waiting.calls, 1);
	ck_assert_int_eq(unlock_and_wait(&next), 0);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_grant_that_races_a_cancel_has_one_outcome)
{
	struct cluster c;
	struct request r, after;

	cluster_make(&c, 1);
	cluster_open(&c);
	for (int i = 0; i < 100; i++) {
		begin(c.nodes[0], &r, "a", HF_FOREVER);
		if (i % 3)
			usleep((useconds_t)i * 20); /* any moment will do */
		hf_lock_cancel(&r.lock);
		ck_assert(live_wait(is_called, &r));
		ck_assert_msg(r.rc == 0 || r.rc == HF_ECANCELED, "%s",
			      hf_strerror(r.rc));
		int held = r.rc;
		if (held == 0)
			ck_assert_int_eq(unlock_and_wait(&r), 0);
		ck_assert_int_eq(
			begin_and_wait(c.nodes[0], &after, "a", LIVE_WAIT_MS),
			0);
		ck_assert_int_eq(unlock_and_wait(&after), 0);
	}
	cluster_remove(&c);
}
END_TEST

START_TEST(a_refused_start_calls_nobody)
{
	struct hf_lock_options wrong = { .size = 0 };
	char name[HF_NAME_MAX + 1] = "";
	struct cluster c;
	struct request r = { 0 };

	cluster_make(&c, 1);
	cluster_open(&c);
	struct hf_node *node = c.nodes[0];
	r.lock.data = &r;
	ck_assert_int_eq(hf_lock_start(node, &r.lock, name, 0, NULL, 0, on_end),
			 HF_EINVAL);
	ck_assert_int_eq(hf_lock_start(node, &r.lock, name, sizeof(name), NULL,
				       0, on_end),
			 HF_EINVAL);
	ck_assert_int_eq(hf_lock_start(node, &r.lock, NULL, 1, NULL, 0, on_end),
			 HF_EINVAL);
	ck_assert_int_eq(hf_lock_start(node, &r.lock, "a", 1, NULL, 0, NULL),
			 HF_EINVAL);
	ck_assert_int_eq(
		hf_lock_start(node, &r.lock, "a", 1, &wrong, 0, on_end),
		HF_EINVAL);
	/* The longest name, of any bytes, is none of these. */
	ck_assert_int_eq(hf_lock_start(node, &r.lock, name, HF_NAME_MAX, NULL,
				       LIVE_WAIT_MS, on_end),
			 0);
	ck_assert(live_wait(is_called, &r));
	ck_assert_int_eq(r.rc, 0);
	ck_assert_int_eq(r.calls, 1);
	cluster_remove(&c);
}
END_TEST

/* What each blocking call answers inside a callback. */
struct inside {
	struct request request; /* first: it is the lock's data */
	struct hf_lock other;
	int lock, trylock, unlock, validate, close;
};

static void on_inside(struct hf_lock *lock, int rc)
{
	struct inside *in = lock->data;

	in->lock = hf_lock(lock->node, &in->other, "b", NULL, 1000);
	in->trylock = hf_trylock(lock->node, &in->other, "b", NULL);
	in->unlock = hf_unlock(lock, 1000);
	in->validate = hf_lock_validate(lock, 1000);
	in->close = hf_close(lock->node, 1000);
	on_end(lock, rc);
}

START_TEST(a_blocking_call_inside_a_callback_is_refused)
{
	struct cluster c;
	struct inside in = { 0 };

	cluster_make(&c, 1);
	cluster_open(&c);
	in.request.lock.data = &in;
	ck_assert_int_eq(hf_lock_start(c.nodes[0], &in.request.lock, "a", 1,
				       NULL, LIVE_WAIT_MS, on_inside),
			 0);
	ck_assert(live_wait(is_called, &in.request));
	ck_assert_int_eq(in.request.rc, 0);
	ck_assert_int_eq(in.lock, HF_EINCALLBACK);
	ck_assert_int_eq(in.trylock, HF_EINCALLBACK);
	ck_assert_int_eq(in.unlock, HF_EINCALLBACK);
	ck_assert_int_eq(in.validate, HF_EINCALLBACK);
	ck_assert_int_eq(in.close, HF_EINCALLBACK);
	/* None of them has harmed the hold. */
	ck_assert_int_eq(hf_lock_validate(&in.request.lock, LIVE_WAIT_MS), 0);
	ck_assert_int_eq(hf_unlock(&in.request.lock, LIVE_WAIT_MS), 0);
	cluster_remove(&c);
}
END_TEST

/* A chain: each callback starts the next request in the same memory. */
struct chain {
	struct hf_lock lock;
	atomic_int left;
	uint64_t token;
	bool rising;
};

static void on_chain_locked(struct hf_lock *lock, int rc);

static void on_chain_unlocked(struct hf_lock *lock, int rc)
{
	struct chain *chain = lock->data;

	chain->rising = chain->rising && rc == 0;
	if (--chain->left > 0)
		hf_lock_start(lock->node, lock, "a", 1, NULL, LIVE_WAIT_MS,
			      on_chain_locked);
}

static void on_chain_locked(struct hf_lock *lock, int rc)
{
	struct chain *chain = lock->data;

	chain->rising = chain->rising && rc == 0 && lock->token > chain->token;
	chain->token = lock->token;
	hf_unlock_start(lock, LIVE_WAIT_MS, on_chain_unlocked);
}

START_TEST(a_callback_may_start_the_next_request_in_the_same_memory)
{
	struct chain chain = { .left = 100, .rising = true };
	struct cluster c;

	cluster_make(&c, 3);
	cluster_open(&c);
	chain.lock.data = &chain;
	ck_assert_int_eq(hf_lock_start(c.nodes[0], &chain.lock, "a", 1, NULL,
				       LIVE_WAIT_MS, on_chain_locked),
			 0);
	ck_assert(live_wait(all_done, &chain.left));
	ck_assert(chain.rising);
	cluster_remove(&c);
}
END_TEST

START_TEST(a_deadline_ends_each_of_many_waits)
{
	static struct request requests[REQUESTS];
	atomic_int left = REQUESTS;
	struct cluster c;
	struct request held;

	cluster_make(&c, 3);
	cluster_open(&c);
	ck_assert_int_eq(begin_and_wait(c.nodes[0], &held, "a", LIVE_WAIT_MS),
			 0);
	for (size_t i = 0; i < REQUESTS; i++) {
		begin(c.nodes[i % 3], &requests[i], "a", HF_FOREVER);
		requests[i].left = &left;
	}
	for (size_t i = 0; i < REQUESTS; i++)
		ck_assert_int_eq(hf_lock_cancel(&requests[i].lock), 0);
	ck_assert(live_wait(all_done, &left));
	for (size_t i = 0; i < REQUESTS; i++) {
		begin(c.nodes[i % 3], &requests[i], "a", 100 + (uint32_t)i);
		ck_assert_int_eq(requests[i].calls, 0);
	}
	for (size_t i = 0; i < REQUESTS; i++) {
		ck_assert(live_wait(is_called, &requests[i]));
		ck_assert_int_eq(requests[i].rc, HF_ETIMEDOUT);
	}
	ck_assert_int_eq(unlock_and_wait(&held), 0);
	cluster_remove(&c);
}
END_TEST

LIVE_SUITE(a_lock_is_taken_validated_and_given_back_by_callbacks,
	   close_ends_every_request_in_flight_with_one_callback,
	   close_without_a_majority_is_bounded_and_calls_everybody,
	   a_cancelled_request_is_called_once_and_holds_nothing,
	   a_grant_that_races_a_cancel_has_one_outcome,
	   a_refused_start_calls_nobody,
	   a_blocking_call_inside_a_callback_is_refused,
	   a_callback_may_start_the_next_request_in_the_same_memory,
	   a_deadline_ends_each_of_many_waits)
