/* Locks: the asynchronous calls, and the blocking ones a few lines over them.
 *
 * What happens to a lock happens on the node's thread; other threads post it
 * there. */
#include "api/api.h"
#include "base/list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void set_state(struct hf_lock *lock, enum lock_state state)
{
	__atomic_store_n(&lock->internal.state, (uint32_t)state,
			 __ATOMIC_SEQ_CST);
}

enum lock_state lock_state(const struct hf_lock *lock)
{
	return (enum lock_state)__atomic_load_n(&lock->internal.state,
						__ATOMIC_SEQ_CST);
}

static uint64_t us_of(uint32_t ms)
{
	return ms == HF_FOREVER ? UINT64_MAX : ms * UINT64_C(1000);
}

/* Two threads with the same id don't begin within the same microsecond; the
 * microseconds come again after seven weeks, the whole number practically
 * never. */
static uint64_t thread_owner(void)
{
	static _Thread_local uint64_t owner;
	struct timespec t;

	if (owner)
		return owner;
	clock_gettime(CLOCK_BOOTTIME, &t);
	owner = ((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000)
			<< 22 |
		((uint64_t)syscall(SYS_gettid) & 0x3fffff);
	return owner;
}

struct acquire {
	struct hf_task task;
	struct hf_lock *lock;
	struct acquire_options options;
	uint8_t name[];
};

/* The new state allows other threads to begin something new with the lock,
 * which changes who is to be told: so that is read first. */
static void finish(struct hf_lock *lock, enum lock_state state, int rc)
{
	hf_lock_cb cb = lock->internal.cb;
	struct wait *wait = (struct wait *)lock->internal.wait;

	set_state(lock, state);
	if (wait)
		wait_done(wait, rc);
	else
		cb(lock, rc);
}

static void on_acquired(void *arg, struct claim *claim, int rc)
{
	struct hf_lock *lock = (struct hf_lock *)arg;

	if (rc == 0) {
		lock->token = node_claim_token(claim);
		lock->internal.session = node_claim_session(claim);
		node_claim_watch(claim, &lock->internal.lost);
		finish(lock, LOCK_HELD, 0);
	} else {
		lock->internal.claim = NULL;
		finish(lock, LOCK_NONE, rc);
	}
}

static int acquire_now(struct hf_lock *lock, const struct acquire_options *o)
{
	struct claim *claim;
	int rc;

	if (lock->internal.lost)
		return HF_ECANCELED; /* before it came here */
	rc = node_acquire(host_node(lock->node->host), o, on_acquired, lock,
			  &claim);
	lock->internal.claim = claim;
	return rc;
}

static void acquire_task(struct hf_task *task)
{
	struct acquire *a = (struct acquire *)task;
	struct hf_lock *lock = a->lock;
	int rc = acquire_now(lock, &a->options);

	free(a);
	if (rc)
		finish(lock, LOCK_NONE, rc);
}

static int fill_options(struct acquire_options *to,
			const struct hf_lock_options *from)
{
	struct hf_lock_options o = { 0 };

	if (from && (from->size < sizeof(from->size) || from->size > 4096))
		return HF_EINVAL;
	if (from)
		memcpy(&o, from,
		       from->size < sizeof(o) ? from->size : sizeof(o));
	if (o.mode == HF_PERMITS && o.permits == 0)
		o.permits = 1;
	to->mode = o.mode;
	to->permits = o.permits;
	to->limit = o.limit;
	to->delay_us = o.delay_ms * UINT64_C(1000);
	to->owner = o.owner ? o.owner : thread_owner();
	return 0;
}

static int post_acquire(struct hf_lock *lock, const struct acquire_options *o)
{
	struct acquire *a;
	int rc;

	if (host_on_thread(lock->node->host))
		return acquire_now(lock, o);
	a = (struct acquire *)malloc(sizeof(*a) + o->name_len);
	if (!a)
		return HF_ENOMEM;
	a->task.run = acquire_task;
	a->lock = lock;
	a->options = *o;
	memcpy(a->name, o->name, o->name_len);
	a->options.name = a->name;
	rc = host_post(lock->node->host, &a->task);
	if (rc)
		free(a);
	return rc;
}

int lock_start(struct hf_node *node, struct hf_lock *lock, const void *name,
	       size_t name_len, const struct hf_lock_options *options,
	       uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait)
{
	struct acquire_options o = { .name = name,
				     .name_len = name_len,
				     .timeout_us = us_of(timeout_ms) };
	int rc = api_check(node);

	if (!rc && (!lock || (!cb && !wait) || !name || name_len < 1 ||
		    name_len > HF_NAME_MAX))
		rc = HF_EINVAL;
	if (!rc)
		rc = fill_options(&o, options);
	if (rc)
		return rc;
	lock->node = node;
	lock->token = 0;
	memset(&lock->internal, 0, sizeof(lock->internal));
	lock->internal.cb = cb;
	lock->internal.wait = wait;
	set_state(lock, LOCK_ASKED);
	rc = post_acquire(lock, &o);
	if (rc)
		set_state(lock, LOCK_NONE);
	return rc;
}

int hf_lock_start(struct hf_node *node, struct hf_lock *lock, const void *name,
		  size_t name_len, const struct hf_lock_options *options,
		  uint32_t timeout_ms, hf_lock_cb cb)
{
	return lock_start(node, lock, name, name_len, options, timeout_ms, cb,
			  NULL);
}

static int cancel_now(struct node *node, void *arg)
{
	struct hf_lock *lock = (struct hf_lock *)arg;

	if (lock_state(lock) != LOCK_ASKED)
		return HF_ENOTHELD;
	if (!lock->internal.claim) { /* still on its way to this thread */
		lock->internal.lost = 1;
		return 0;
	}
	return node_cancel(node, (struct claim *)lock->internal.claim);
}

int hf_lock_cancel(struct hf_lock *lock)
{
	if (!lock || !lock->node)
		return HF_EINVAL;
	return api_run(lock->node, cancel_now, lock);
}

static void on_released(void *arg, struct claim *claim, int rc)
{
	struct hf_lock *lock = (struct hf_lock *)arg;

	(void)claim;
	lock->internal.claim = NULL;
	lock->token = 0;
	finish(lock, LOCK_NONE, rc);
}

static void release_now(struct hf_lock *lock)
{
	node_release(host_node(lock->node->host),
		     (struct claim *)lock->internal.claim,
		     us_of(lock->internal.timeout_ms), on_released, lock);
}

/* A release needs no memory: its task lies in the lock. */
static void release_task(struct hf_task *task)
{
	release_now(container_of(task, struct hf_lock, internal.task));
}

int unlock_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb,
		 struct wait *wait)
{
	uint32_t held = LOCK_HELD;
	int rc;

	if (!lock || (!cb && !wait) || !lock->node)
		return HF_EINVAL;
	rc = api_check(lock->node);
	if (rc)
		return rc;
	/* One caller wins; from here on the hold counts as gone. */
	if (!__atomic_compare_exchange_n(&lock->internal.state, &held,
					 LOCK_RELEASED, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return HF_ENOTHELD;
	lock->internal.cb = cb;
	lock->internal.wait = wait;
	lock->internal.timeout_ms = timeout_ms;
	if (host_on_thread(lock->node->host)) {
		release_now(lock);
		return 0;
	}
	lock->internal.task.run = release_task;
	rc = host_post(lock->node->host, &lock->internal.task);
	if (rc)
		set_state(lock, LOCK_HELD);
	return rc;
}

int hf_unlock_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb)
{
	return unlock_start(lock, timeout_ms, cb, NULL);
}

uint64_t hf_lock_token(const struct hf_lock *lock)
{
	enum lock_state state = lock ? lock_state(lock) : LOCK_NONE;

	if (state == LOCK_NONE || api_check(lock->node))
		return 0;
	return state == LOCK_HELD || state == LOCK_RELEASED ? lock->token : 0;
}

uint32_t hf_lock_safe_ms(const struct hf_lock *lock)
{
	struct clocks now;
	uint64_t left;

	if (!lock || lock_state(lock) != LOCK_HELD || api_check(lock->node) ||
	    __atomic_load_n(&lock->internal.lost, __ATOMIC_SEQ_CST))
		return 0;
	host_clocks(lock->node->host, &now);
	left = lease_left(node_lease(host_node(lock->node->host)),
			  lock->internal.session, &now) /
	       1000;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}
