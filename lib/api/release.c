/* How a hold ends: released, handed over, or left with others.
 *
 * It needs no memory: its task lies in the lock. */
#include "api/lock.h"

/* A hand-over that is refused leaves the hold as it was. */
static void on_ended(void *arg, struct claim *claim, int rc)
{
	struct hf_lock *lock = (struct hf_lock *)arg;

	if (node_claim_held(claim)) {
		lock_finish(lock, LOCK_HELD, rc);
		return;
	}
	lock->internal.claim = NULL;
	__atomic_store_n(&lock->token, 0, __ATOMIC_SEQ_CST);
	lock_finish(lock, LOCK_NONE, rc);
}

static void end_now(struct hf_lock *lock)
{
	struct node *node = host_node(lock->node->host);
	struct claim *claim = (struct claim *)lock->internal.claim;
	uint64_t us = api_us(lock->internal.timeout_ms);

	switch ((enum lock_end)lock->internal.how) {
	case END_RELEASE:
		node_release(node, claim, us, on_ended, lock);
		break;
	case END_HAND_OVER:
		node_hand_over(node, claim, lock->internal.to, us, on_ended,
			       lock);
		break;
	case END_LEAVE:
		node_leave(node, claim, us, on_ended, lock);
		break;
	}
}

static void end_task(struct hf_task *task)
{
	end_now(container_of(task, struct hf_lock, internal.task));
}

int end_start(struct hf_lock *lock, enum lock_end end, uint64_t to,
	      uint32_t timeout_ms, hf_lock_cb cb, struct wait *wait)
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
	lock->internal.how = end;
	lock->internal.to = to;
	if (host_on_thread(lock->node->host)) {
		end_now(lock);
		return 0;
	}
	lock->internal.task.run = end_task;
	rc = host_post(lock->node->host, &lock->internal.task);
	if (rc)
		lock_set_state(lock, LOCK_HELD);
	return rc;
}

int hf_unlock_start(struct hf_lock *lock, uint32_t timeout_ms, hf_lock_cb cb)
{
	return end_start(lock, END_RELEASE, 0, timeout_ms, cb, NULL);
}

int hf_handover_start(struct hf_lock *lock, uint64_t to, uint32_t timeout_ms,
		      hf_lock_cb cb)
{
	return end_start(lock, END_HAND_OVER, to, timeout_ms, cb, NULL);
}

int hf_barrier_leave_start(struct hf_lock *lock, uint32_t timeout_ms,
			   hf_lock_cb cb)
{
	return end_start(lock, END_LEAVE, 0, timeout_ms, cb, NULL);
}
