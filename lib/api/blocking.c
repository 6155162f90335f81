/* The blocking calls: each starts its asynchronous twin and waits for it. */
#include "api/api.h"

#include <string.h>

int hf_lock(struct hf_node *node, struct hf_lock *lock, const char *name,
	    const struct hf_lock_options *options, uint32_t timeout_ms)
{
	int rc = api_check_blocking(node);
	struct wait w;

	if (!rc && !name)
		rc = HF_EINVAL;
	if (rc)
		return rc;
	wait_init(&w);
	rc = lock_start(node, lock, name, strlen(name), options, timeout_ms,
			NULL, &w);
	if (rc)
		wait_done(&w, rc);
	return wait_for(&w);
}

int hf_trylock(struct hf_node *node, struct hf_lock *lock, const char *name,
	       const struct hf_lock_options *options)
{
	return hf_lock(node, lock, name, options, 0);
}

int hf_unlock(struct hf_lock *lock, uint32_t timeout_ms)
{
	struct wait w;
	int rc;

	if (!lock || !lock->node)
		return HF_EINVAL;
	rc = api_check_blocking(lock->node);
	if (rc)
		return rc;
	wait_init(&w);
	rc = unlock_start(lock, timeout_ms, NULL, &w);
	if (rc)
		wait_done(&w, rc);
	return wait_for(&w);
}
