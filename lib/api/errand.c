/* What is asked for a hold while it is held: is it still one, to convert it, to
 * renew its lease, to change what it shows. */
#include "api/lock.h"

#include <stdlib.h>
#include <string.h>

struct errand {
	struct hf_task task;
	struct hf_lock *lock;
	void (*ask)(struct errand *e, struct node *node, struct claim *claim);
	uint64_t timeout_us;
	hf_lock_cb cb;
	struct wait *wait; /* instead of cb */
	int rc;
	enum hf_mode mode;
	uint32_t permits;
	size_t shown_len;
	uint8_t shown[];
};

static void tell(struct hf_task *task)
{
	struct errand e = *(struct errand *)task;

	free(task);
	e.cb(e.lock, e.rc);
}

static void on_done(void *arg, struct claim *claim, int rc)
{
	struct errand *e = (struct errand *)arg;
	struct wait *wait = e->wait;

	(void)claim;
	if (wait) {
		free(e);
		wait_done(wait, rc);
		return;
	}
	e->rc = rc;
	e->task.run = tell;
	api_deliver(e->lock->node, &e->task);
}

static void run(struct hf_task *task)
{
	struct errand *e = (struct errand *)task;

	if (lock_state(e->lock) != LOCK_HELD)
		on_done(e, NULL, HF_ENOTHELD);
	else
		e->ask(e, host_node(e->lock->node->host),
		       (struct claim *)e->lock->internal.claim);
}

/* NULL: `*rc` says why. */
static struct errand *begin(struct hf_lock *lock, size_t more,
			    uint32_t timeout_ms, hf_lock_cb cb,
			    struct wait *wait, int *rc)
{
	struct errand *e;

	*rc = !lock || (!cb && !wait) || !lock->node ? HF_EINVAL
						     : api_check(lock->node);
	if (!*rc && lock_state(lock) != LOCK_HELD)
		*rc = HF_ENOTHELD;
	if (*rc)
		return NULL;
	e = (struct errand *)malloc(sizeof(*e) + more);
	if (!e) {
		*rc = HF_ENOMEM;
		return NULL;
	}
	*e = (struct errand){ .task = { .run = run },
			      .lock = lock,
			      .timeout_us = api_us(timeout_ms),
			      .cb = cb,
			      .wait = wait };
	return e;
}

/* As acquires and releases on this thread: in their order. */
static int start(struct errand *e)
{
	int rc;

	if (host_on_thread(e->lock->node->host)) {
		run(&e->task);
		return 0;
	}
	rc = host_post(e->lock->node->host, &e->task);
	if (rc)
		free(e);
	return rc;
}

static void ask_validate(struct errand *e, struct node *n, struct claim *c)
{
	node_validate(n, c, e->timeout_us, on_done, e);
}

int validate_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb,
		   struct wait *wait)
{
	int rc;
	struct errand *e = begin(lock, 0, timeout_ms, cb, wait, &rc);

	if (!e)
		return rc;
	e->ask = ask_validate;
	return start(e);
}

static void ask_convert(struct errand *e, struct node *n, struct claim *c)
{
	node_convert(n, c, e->mode, e->permits, e->timeout_us, on_done, e);
}

int convert_start(struct hf_lock *lock, enum hf_mode mode, uint32_t permits,
		  uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait)
{
	int rc;
	struct errand *e = begin(lock, 0, timeout_ms, cb, wait, &rc);

	if (!e)
		return rc;
	e->ask = ask_convert;
	e->mode = mode;
	e->permits = permits;
	return start(e);
}

static void ask_renew(struct errand *e, struct node *n, struct claim *c)
{
	node_renew(n, c, e->timeout_us, on_done, e);
}

int renew_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb,
		struct wait *wait)
{
	int rc;
	struct errand *e = begin(lock, 0, timeout_ms, cb, wait, &rc);

	if (!e)
		return rc;
	e->ask = ask_renew;
	return start(e);
}

static void ask_show(struct errand *e, struct node *n, struct claim *c)
{
	node_show(n, c, e->shown, e->shown_len, e->timeout_us, on_done, e);
}

int show_start(struct hf_lock *lock, const void *shown, size_t shown_len,
	       uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait)
{
	bool fits = shown_len <= HF_SHOWN_MAX && (shown || shown_len == 0);
	int rc;
	struct errand *e =
		begin(lock, fits ? shown_len : 0, timeout_ms, cb, wait, &rc);

	if (e && !fits) {
		free(e);
		return HF_EINVAL;
	}
	if (!e)
		return rc;
	e->ask = ask_show;
	e->shown_len = shown_len;
	if (shown_len > 0)
		memcpy(e->shown, shown, shown_len);
	return start(e);
}

int hf_lock_validate_start(struct hf_lock *lock, uint32_t timeout_ms,
			   hf_lock_cb cb)
{
	return validate_start(lock, timeout_ms, cb, NULL);
}

int hf_lock_convert_start(struct hf_lock *lock, enum hf_mode mode,
			  uint32_t permits, uint32_t timeout_ms, hf_lock_cb cb)
{
	return convert_start(lock, mode, permits, timeout_ms, cb, NULL);
}

int hf_lock_renew_start(struct hf_lock *lock, uint32_t timeout_ms,
			hf_lock_cb cb)
{
	return renew_start(lock, timeout_ms, cb, NULL);
}

int hf_lock_show_start(struct hf_lock *lock, const void *shown,
		       size_t shown_len, uint32_t timeout_ms, hf_lock_cb cb)
{
	return show_start(lock, shown, shown_len, timeout_ms, cb, NULL);
}
