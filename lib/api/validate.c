/* Asking the leader about a hold. */
#include "api/api.h"

#include <stdlib.h>

struct validate {
	struct hf_task task;
	struct hf_lock *lock;
	uint64_t timeout_us;
	hf_lock_cb cb;
	struct wait *wait; /* instead of cb */
};

static void on_validated(void *arg, struct claim *claim, int rc)
{
	struct validate v = *(struct validate *)arg;

	(void)claim;
	free(arg);
	if (v.wait)
		wait_done(v.wait, rc);
	else
		v.cb(v.lock, rc);
}

static void validate_task(struct hf_task *task)
{
	struct validate *v = (struct validate *)task;

	if (lock_state(v->lock) != LOCK_HELD)
		on_validated(v, NULL, HF_ENOTHELD);
	else
		node_validate(host_node(v->lock->node->host),
			      (struct claim *)v->lock->internal.claim,
			      v->timeout_us, on_validated, v);
}

static int validate_start(struct hf_lock *lock, uint32_t timeout_ms,
			  hf_lock_cb cb, struct wait *wait)
{
	struct validate *v;
	int rc;

	if (lock_state(lock) != LOCK_HELD)
		return HF_ENOTHELD;
	v = (struct validate *)malloc(sizeof(*v));
	if (!v)
		return HF_ENOMEM;
	*v = (struct validate){ .task = { .run = validate_task },
				.lock = lock,
				.timeout_us =
					timeout_ms == HF_FOREVER
						? UINT64_MAX
						: timeout_ms * UINT64_C(1000),
				.cb = cb,
				.wait = wait };
	/* As acquires and releases on this thread: in their order. */
	if (host_on_thread(lock->node->host)) {
		validate_task(&v->task);
		return 0;
	}
	rc = host_post(lock->node->host, &v->task);
	if (rc)
		free(v);
	return rc;
}

int hf_lock_validate_start(struct hf_lock *lock, uint32_t timeout_ms,
			   hf_lock_cb cb)
{
	int rc;

	if (!lock || !cb || !lock->node)
		return HF_EINVAL;
	rc = api_check(lock->node);
	return rc ? rc : validate_start(lock, timeout_ms, cb, NULL);
}

int hf_lock_validate(struct hf_lock *lock, uint32_t timeout_ms)
{
	struct wait w;
	int rc;

	if (!lock || !lock->node)
		return HF_EINVAL;
	rc = api_check_blocking(lock->node);
	if (rc)
		return rc;
	wait_init(&w);
	rc = validate_start(lock, timeout_ms, NULL, &w);
	if (rc)
		wait_done(&w, rc);
	return wait_for(&w);
}
