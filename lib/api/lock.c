/* Locks: how an acquisition begins, and what is to be seen of it. What holds
 * for all requests on a lock is in lock.h.
 *
 * What happens to a lock happens on the node's thread; other threads post it
 * there. */
#include "api/lock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void lock_set_state(struct hf_lock *lock, enum lock_state state)
{
	__atomic_store_n(&lock->internal.state, (uint32_t)state,
			 __ATOMIC_SEQ_CST);
}

enum lock_state lock_state(const struct hf_lock *lock)
{
	return (enum lock_state)__atomic_load_n(&lock->internal.state,
						__ATOMIC_SEQ_CST);
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
	struct acquire_options options; /* what they point to is behind */
};

/* The new state allows other threads to begin something new with the lock,
 * which changes who is to be told: so that is read first. */
static void tell(struct hf_task *task)
{
	struct hf_lock *lock =
		container_of(task, struct hf_lock, internal.task);
	hf_lock_cb cb = lock->internal.cb;
	int rc = lock->internal.rc;

	lock_set_state(lock, (enum lock_state)lock->internal.end);
	cb(lock, rc);
}

void lock_finish(struct hf_lock *lock, enum lock_state state, int rc)
{
	struct wait *wait = (struct wait *)lock->internal.wait;

	if (wait) {
		lock_set_state(lock, state);
		wait_done(wait, rc);
		return;
	}
	lock_set_state(lock, LOCK_ENDED);
	lock->internal.end = state;
	lock->internal.rc = rc;
	lock->internal.task.run = tell;
	api_deliver(lock->node, &lock->internal.task);
}

static void on_acquired(void *arg, struct claim *claim, int rc)
{
	struct hf_lock *lock = (struct hf_lock *)arg;
	struct hold_watch watch = { .lost = &lock->internal.lost,
				    .token = &lock->token,
				    .cap = lock->internal.cap };

	if (rc == 0) {
		lock->internal.session = node_claim_session(claim);
		node_claim_watch(claim, &watch);
		lock_finish(lock, LOCK_HELD, 0);
	} else {
		lock->internal.claim = NULL;
		lock_finish(lock, LOCK_NONE, rc);
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
		lock_finish(lock, LOCK_NONE, rc);
}

static uint64_t us_of(uint32_t ms)
{
	return ms * UINT64_C(1000);
}

/* `o` has defaults where the caller's options are shorter. */
static int fill_options(struct acquire_options *to,
			const struct hf_lock_options *from, bool blocking)
{
	struct hf_lock_options o = { 0 };

	if (from && (from->size < sizeof(from->size) || from->size > 4096))
		return HF_EINVAL;
	if (from)
		memcpy(&o, from,
		       from->size < sizeof(o) ? from->size : sizeof(o));
	if (o.shown_len > HF_SHOWN_MAX || (o.shown_len > 0 && !o.shown))
		return HF_EINVAL;
	to->mode = o.mode;
	to->permits = o.mode == HF_PERMITS && !o.permits ? 1 : o.permits;
	to->limit = o.limit;
	to->delay_us = us_of(o.delay_ms);
	to->owner = o.owner || !blocking ? o.owner : thread_owner();
	to->priority = o.priority;
	to->hold_us = us_of(o.hold_ms);
	to->lease_us = us_of(o.lease_ms);
	to->line_max = o.line_max;
	to->rank = o.rank;
	to->shown = o.shown;
	to->shown_len = o.shown_len;
	to->deadlock = o.deadlock;
	return 0;
}

static bool name_valid(const void *name, size_t len)
{
	return name && len >= 1 && len <= HF_NAME_MAX;
}

/* The first is in the options, the others in `more`, which has room. */
static int fill_parts(struct acquire_options *to, struct op_part *more,
		      const struct hf_part *parts, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const struct hf_part *p = &parts[i];
		uint32_t permits =
			p->mode == HF_PERMITS && !p->permits ? 1 : p->permits;

		if (!name_valid(p->name, p->name_len))
			return HF_EINVAL;
		if (i == 0) {
			to->name = p->name;
			to->name_len = p->name_len;
			to->mode = p->mode;
			to->permits = permits;
			to->limit = p->limit;
		} else {
			more[i - 1] = (struct op_part){
				.name = (const uint8_t *)p->name,
				.name_len = p->name_len,
				.mode = (enum mode)p->mode,
				.permits = permits,
				.limit = p->limit
			};
		}
	}
	to->more = more;
	to->more_len = len - 1;
	return 0;
}

static int post_acquire(struct hf_lock *lock, const struct acquire_options *o)
{
	struct acquire *a;
	int rc;

	if (host_on_thread(lock->node->host))
		return acquire_now(lock, o);
	a = (struct acquire *)malloc(sizeof(*a) + node_options_bytes(o));
	if (!a)
		return HF_ENOMEM;
	a->task.run = acquire_task;
	a->lock = lock;
	node_options_copy(&a->options, o, a + 1);
	rc = host_post(lock->node->host, &a->task);
	if (rc)
		free(a);
	return rc;
}

static int start(struct hf_node *node, struct hf_lock *lock,
		 const struct acquire_options *o, hf_lock_cb cb,
		 struct wait *wait)
{
	int rc;

	lock->node = node;
	lock->token = 0;
	memset(&lock->internal, 0, sizeof(lock->internal));
	lock->internal.cb = cb;
	lock->internal.wait = wait;
	lock_set_state(lock, LOCK_ASKED);
	rc = post_acquire(lock, o);
	if (rc)
		lock_set_state(lock, LOCK_NONE);
	return rc;
}

int lock_start(struct hf_node *node, struct hf_lock *lock, const void *name,
	       size_t name_len, const struct hf_lock_options *options,
	       uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait)
{
	struct acquire_options o = { .name = name,
				     .name_len = name_len,
				     .timeout_us = api_us(timeout_ms) };
	int rc = api_check(node);

	if (!rc && (!lock || (!cb && !wait) || !name_valid(name, name_len)))
		rc = HF_EINVAL;
	if (!rc)
		rc = fill_options(&o, options, wait != NULL);
	return rc ? rc : start(node, lock, &o, cb, wait);
}

int lock_many_start(struct hf_node *node, struct hf_lock *lock,
		    const struct hf_part *parts, size_t parts_len,
		    const struct hf_lock_options *options, uint32_t timeout_ms,
		    hf_lock_cb cb, struct wait *wait)
{
	struct acquire_options o = { .timeout_us = api_us(timeout_ms) };
	struct op_part more[HF_PARTS_MAX];
	int rc = api_check(node);

	if (!rc && (!lock || (!cb && !wait) || !parts || parts_len < 1 ||
		    parts_len > HF_PARTS_MAX))
		rc = HF_EINVAL;
	if (!rc)
		rc = fill_options(&o, options, wait != NULL);
	if (!rc)
		rc = fill_parts(&o, more, parts, parts_len);
	if (!rc && o.mode == HF_BARRIER)
		rc = HF_EINVAL;
	return rc ? rc : start(node, lock, &o, cb, wait);
}

int hf_lock_start(struct hf_node *node, struct hf_lock *lock, const void *name,
		  size_t name_len, const struct hf_lock_options *options,
		  uint32_t timeout_ms, hf_lock_cb cb)
{
	return lock_start(node, lock, name, name_len, options, timeout_ms, cb,
			  NULL);
}

int hf_lock_many_start(struct hf_node *node, struct hf_lock *lock,
		       const struct hf_part *parts, size_t parts_len,
		       const struct hf_lock_options *options,
		       uint32_t timeout_ms, hf_lock_cb cb)
{
	return lock_many_start(node, lock, parts, parts_len, options,
			       timeout_ms, cb, NULL);
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

struct place_query {
	struct hf_lock *lock;
	struct hf_place *place;
};

static int place_now(struct node *node, void *arg)
{
	struct place_query *q = (struct place_query *)arg;
	struct claim *claim = (struct claim *)q->lock->internal.claim;

	(void)node;
	*q->place = (struct hf_place){ .estimate_ms = HF_FOREVER };
	if (claim && lock_state(q->lock) != LOCK_ENDED)
		node_claim_place(claim, q->place);
	return 0;
}

int hf_lock_place(struct hf_lock *lock, struct hf_place *place)
{
	struct place_query q = { lock, place };

	if (!lock || !place || !lock->node)
		return HF_EINVAL;
	return api_run(lock->node, place_now, &q);
}

uint64_t hf_lock_token(const struct hf_lock *lock)
{
	enum lock_state state = lock ? lock_state(lock) : LOCK_NONE;

	if ((state != LOCK_HELD && state != LOCK_RELEASED) ||
	    api_check(lock->node))
		return 0;
	return __atomic_load_n(&lock->token, __ATOMIC_SEQ_CST);
}

uint32_t hf_lock_safe_ms(const struct hf_lock *lock)
{
	struct clocks now;
	struct bound cap;
	uint64_t left, own;

	if (!lock || lock_state(lock) != LOCK_HELD || api_check(lock->node) ||
	    __atomic_load_n(&lock->internal.lost, __ATOMIC_SEQ_CST))
		return 0;
	host_clocks(lock->node->host, &now);
	left = lease_left(node_lease(host_node(lock->node->host)),
			  lock->internal.session, &now);
	cap = bound_load(lock->internal.cap);
	own = bound_left(&cap, &now);
	left = (own < left ? own : left) / 1000;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}
