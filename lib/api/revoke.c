/* Over other's heads: holds taken away, limits set; and when to try again. */
#include "api/request.h"

#include <string.h>

#define GRACE_MAX_MS (DURATION_MAX / 1000)
/* Without a node to ask. */
#define RETRY_MS 1000

static int revoke_start(struct hf_node *node, struct hf_request *request,
			uint64_t token, uint32_t grace_ms, const char *reason,
			uint32_t timeout_ms, hf_request_cb cb,
			struct wait *wait)
{
	size_t len = reason ? strnlen(reason, HF_REASON_MAX + 1) : 0;
	struct op op = { .kind = OP_REVOKE,
			 .revoke = { .token = token,
				     .grace = grace_ms * UINT64_C(1000),
				     .reason = (const uint8_t *)reason,
				     .reason_len = len } };
	int rc = request_begin(node, request, cb, wait);

	if (!rc && (token == 0 || token > INT64_MAX || len > HF_REASON_MAX ||
		    grace_ms > GRACE_MAX_MS))
		rc = HF_EINVAL;
	return rc ? rc : request_ask(request, &op, timeout_ms);
}

int hf_revoke_start(struct hf_node *node, struct hf_request *request,
		    uint64_t token, uint32_t grace_ms, const char *reason,
		    uint32_t timeout_ms, hf_request_cb cb)
{
	return revoke_start(node, request, token, grace_ms, reason, timeout_ms,
			    cb, NULL);
}

int hf_revoke(struct hf_node *node, uint64_t token, uint32_t grace_ms,
	      const char *reason, uint32_t timeout_ms)
{
	struct hf_request r = { 0 };
	struct wait w;
	int rc = request_wait_begin(node, &w);

	if (rc)
		return rc;
	return request_wait(&w, revoke_start(node, &r, token, grace_ms, reason,
					     timeout_ms, NULL, &w));
}

static int limit_start(struct hf_node *node, struct hf_request *request,
		       const void *name, size_t name_len, uint32_t limit,
		       uint32_t timeout_ms, hf_request_cb cb, struct wait *wait)
{
	struct op op = { .kind = OP_PERMITS,
			 .permits = { .name = (const uint8_t *)name,
				      .name_len = name_len,
				      .limit = limit } };
	int rc = request_begin(node, request, cb, wait);

	if (!rc && !request_name(name, name_len))
		rc = HF_EINVAL;
	return rc ? rc : request_ask(request, &op, timeout_ms);
}

int hf_set_limit_start(struct hf_node *node, struct hf_request *request,
		       const void *name, size_t name_len, uint32_t limit,
		       uint32_t timeout_ms, hf_request_cb cb)
{
	return limit_start(node, request, name, name_len, limit, timeout_ms, cb,
			   NULL);
}

int hf_set_limit(struct hf_node *node, const char *name, uint32_t limit,
		 uint32_t timeout_ms)
{
	struct hf_request r = { 0 };
	struct wait w;
	int rc = request_wait_begin(node, &w);

	if (rc)
		return rc;
	return request_wait(&w,
			    limit_start(node, &r, name, name ? strlen(name) : 0,
					limit, timeout_ms, NULL, &w));
}

struct retry {
	unsigned attempt;
	uint64_t us;
};

static int retry_now(struct node *node, void *arg)
{
	struct retry *r = (struct retry *)arg;

	r->us = node_retry_us(node, r->attempt);
	return 0;
}

uint32_t hf_retry_ms(struct hf_node *node, unsigned attempt)
{
	struct retry r = { .attempt = attempt };

	if (api_run(node, retry_now, &r))
		return RETRY_MS;
	return (uint32_t)((r.us + 999) / 1000);
}
