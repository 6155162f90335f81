/* The blocking calls on locks: each starts its asynchronous twin and waits for
 * it. */
#include "api/lock.h"

#include <string.h>

static int on_node(struct hf_node *node, struct wait *w)
{
	int rc = api_check_blocking(node);

	if (!rc)
		wait_init(w);
	return rc;
}

static int on_lock(const struct hf_lock *lock, struct wait *w)
{
	return lock && lock->node ? on_node(lock->node, w) : HF_EINVAL;
}

static int end(struct wait *w, int rc)
{
	if (rc)
		wait_done(w, rc);
	return wait_for(w);
}

int hf_lock(struct hf_node *node, struct hf_lock *lock, const char *name,
	    const struct hf_lock_options *options, uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_node(node, &w);

	if (rc)
		return rc;
	return end(&w, lock_start(node, lock, name, name ? strlen(name) : 0,
				  options, timeout_ms, NULL, &w));
}

int hf_trylock(struct hf_node *node, struct hf_lock *lock, const char *name,
	       const struct hf_lock_options *options)
{
	return hf_lock(node, lock, name, options, 0);
}

int hf_lock_many(struct hf_node *node, struct hf_lock *lock,
		 const struct hf_part *parts, size_t parts_len,
		 const struct hf_lock_options *options, uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_node(node, &w);

	if (rc)
		return rc;
	return end(&w, lock_many_start(node, lock, parts, parts_len, options,
				       timeout_ms, NULL, &w));
}

int hf_campaign(struct hf_node *node, struct hf_lock *lock, const char *name,
		const void *shown, size_t shown_len, int32_t priority,
		uint32_t timeout_ms)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .priority = priority,
					   .shown = shown,
					   .shown_len = shown_len };

	return hf_lock(node, lock, name, &options, timeout_ms);
}

int hf_join(struct hf_node *node, struct hf_lock *lock, const char *name,
	    const void *shown, size_t shown_len, uint32_t timeout_ms)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .mode = HF_SHARED,
					   .shown = shown,
					   .shown_len = shown_len };

	return hf_lock(node, lock, name, &options, timeout_ms);
}

int hf_barrier_enter(struct hf_node *node, struct hf_lock *lock,
		     const char *name, uint32_t parties, uint32_t timeout_ms)
{
	struct hf_lock_options options = { .size = sizeof(options),
					   .mode = HF_BARRIER,
					   .limit = parties };

	return hf_lock(node, lock, name, &options, timeout_ms);
}

static int end_wait(struct hf_lock *lock, enum lock_end how, uint64_t to,
		    uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_lock(lock, &w);

	if (rc)
		return rc;
	return end(&w, end_start(lock, how, to, timeout_ms, NULL, &w));
}

int hf_unlock(struct hf_lock *lock, uint32_t timeout_ms)
{
	return end_wait(lock, END_RELEASE, 0, timeout_ms);
}

int hf_handover(struct hf_lock *lock, uint64_t to, uint32_t timeout_ms)
{
	return end_wait(lock, END_HAND_OVER, to, timeout_ms);
}

int hf_barrier_leave(struct hf_lock *lock, uint32_t timeout_ms)
{
	return end_wait(lock, END_LEAVE, 0, timeout_ms);
}

int hf_lock_validate(struct hf_lock *lock, uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_lock(lock, &w);

	return rc ? rc : end(&w, validate_start(lock, timeout_ms, NULL, &w));
}

int hf_lock_convert(struct hf_lock *lock, enum hf_mode mode, uint32_t permits,
		    uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_lock(lock, &w);

	if (rc)
		return rc;
	return end(&w,
		   convert_start(lock, mode, permits, timeout_ms, NULL, &w));
}

int hf_lock_renew(struct hf_lock *lock, uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_lock(lock, &w);

	return rc ? rc : end(&w, renew_start(lock, timeout_ms, NULL, &w));
}

int hf_lock_show(struct hf_lock *lock, const void *shown, size_t shown_len,
		 uint32_t timeout_ms)
{
	struct wait w;
	int rc = on_lock(lock, &w);

	if (rc)
		return rc;
	return end(&w,
		   show_start(lock, shown, shown_len, timeout_ms, NULL, &w));
}
