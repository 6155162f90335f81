/* Values and counters: writing, and waiting for them. */
#include "api/request.h"

#include <string.h>

/* What the options say, in the operation: 0, HF_EINVAL, HF_ENOTHELD. */
static int fill_options(struct op *op, struct hf_node *node,
			const struct hf_put_options *from)
{
	struct hf_put_options o = { 0 };

	if (from && (from->size < sizeof(from->size) || from->size > 4096))
		return HF_EINVAL;
	if (from)
		memcpy(&o, from,
		       from->size < sizeof(o) ? from->size : sizeof(o));
	op->value.expect = o.if_version ? o.version : EXPECT_ANY;
	if (o.ephemeral && op->kind != OP_DELETE)
		op->value.flags = PUT_EPHEMERAL;
	if (!o.guard)
		return 0;
	op->value.guard = hf_lock_token(o.guard);
	if (op->value.guard == 0)
		return HF_ENOTHELD;
	return o.guard->node == node ? 0 : HF_EINVAL;
}

static int ask_value(struct hf_node *node, struct hf_request *request,
		     struct op *op, const void *name, size_t name_len,
		     const struct hf_put_options *options, uint32_t timeout_ms,
		     hf_request_cb cb, struct wait *wait)
{
	int rc = request_begin(node, request, cb, wait);

	if (!rc && !request_name(name, name_len))
		rc = HF_EINVAL;
	if (!rc)
		rc = fill_options(op, node, options);
	if (rc)
		return rc;
	op->value.name = (const uint8_t *)name;
	op->value.name_len = name_len;
	return request_ask(request, op, timeout_ms);
}

static int put_start(struct hf_node *node, struct hf_request *request,
		     const void *name, size_t name_len, const void *value,
		     size_t value_len, const struct hf_put_options *options,
		     uint32_t timeout_ms, hf_request_cb cb, struct wait *wait)
{
	struct op op = { .kind = OP_PUT,
			 .value = { .bytes = (const uint8_t *)value,
				    .bytes_len = value_len } };

	if (value_len > 0 && !value)
		return HF_EINVAL;
	if (value_len > HF_VALUE_MAX)
		return HF_ELIMIT;
	return ask_value(node, request, &op, name, name_len, options,
			 timeout_ms, cb, wait);
}

int hf_put_start(struct hf_node *node, struct hf_request *request,
		 const void *name, size_t name_len, const void *value,
		 size_t value_len, const struct hf_put_options *options,
		 uint32_t timeout_ms, hf_request_cb cb)
{
	return put_start(node, request, name, name_len, value, value_len,
			 options, timeout_ms, cb, NULL);
}

int hf_put(struct hf_node *node, const char *name, const void *value,
	   size_t value_len, const struct hf_put_options *options,
	   uint64_t *version, uint32_t timeout_ms)
{
	struct hf_request r = { 0 };
	struct wait w;
	int rc = request_wait_begin(node, &w);

	if (rc)
		return rc;
	rc = request_wait(&w, put_start(node, &r, name, name ? strlen(name) : 0,
					value, value_len, options, timeout_ms,
					NULL, &w));
	if (version)
		*version = r.version;
	return rc;
}

int hf_delete_start(struct hf_node *node, struct hf_request *request,
		    const void *name, size_t name_len,
		    const struct hf_put_options *options, uint32_t timeout_ms,
		    hf_request_cb cb)
{
	struct op op = { .kind = OP_DELETE };

	return ask_value(node, request, &op, name, name_len, options,
			 timeout_ms, cb, NULL);
}

int hf_delete(struct hf_node *node, const char *name,
	      const struct hf_put_options *options, uint32_t timeout_ms)
{
	struct op op = { .kind = OP_DELETE };
	struct hf_request r = { 0 };
	struct wait w;
	int rc = request_wait_begin(node, &w);

	if (rc)
		return rc;
	return request_wait(&w, ask_value(node, &r, &op, name,
					  name ? strlen(name) : 0, options,
					  timeout_ms, NULL, &w));
}

static int add_start(struct hf_node *node, struct hf_request *request,
		     const void *name, size_t name_len, int64_t delta,
		     const struct hf_put_options *options, uint32_t timeout_ms,
		     hf_request_cb cb, struct wait *wait)
{
	struct op op = { .kind = OP_ADD, .value = { .delta = delta } };

	if (delta > COUNT_MAX || delta < -COUNT_MAX)
		return HF_ERANGE;
	return ask_value(node, request, &op, name, name_len, options,
			 timeout_ms, cb, wait);
}

int hf_add_start(struct hf_node *node, struct hf_request *request,
		 const void *name, size_t name_len, int64_t delta,
		 const struct hf_put_options *options, uint32_t timeout_ms,
		 hf_request_cb cb)
{
	return add_start(node, request, name, name_len, delta, options,
			 timeout_ms, cb, NULL);
}

int hf_add(struct hf_node *node, const char *name, int64_t delta,
	   const struct hf_put_options *options, int64_t *number,
	   uint32_t timeout_ms)
{
	struct hf_request r = { 0 };
	struct wait w;
	int rc = request_wait_begin(node, &w);

	if (rc)
		return rc;
	rc = request_wait(&w, add_start(node, &r, name, name ? strlen(name) : 0,
					delta, options, timeout_ms, NULL, &w));
	if (number)
		*number = r.number;
	return rc;
}

static int await_start(struct hf_node *node, struct hf_request *request,
		       const void *name, size_t name_len,
		       enum hf_condition condition, int64_t number,
		       uint32_t timeout_ms, hf_request_cb cb, struct wait *wait)
{
	bool numbered = condition >= HF_NEWER;
	struct op op = { .kind = OP_AWAIT,
			 .await = { .name = (const uint8_t *)name,
				    .name_len = name_len,
				    .condition = (enum condition)condition,
				    .number = numbered ? number : 0,
				    .wait = timeout_ms ? WAIT_FOREVER : 0 } };
	int rc = request_begin(node, request, cb, wait);

	if (!rc && !request_name(name, name_len))
		rc = HF_EINVAL;
	return rc ? rc : request_ask(request, &op, timeout_ms);
}

int hf_await_start(struct hf_node *node, struct hf_request *request,
		   const void *name, size_t name_len,
		   enum hf_condition condition, int64_t number,
		   uint32_t timeout_ms, hf_request_cb cb)
{
	return await_start(node, request, name, name_len, condition, number,
			   timeout_ms, cb, NULL);
}

int hf_await(struct hf_node *node, const char *name,
	     enum hf_condition condition, int64_t number, uint32_t timeout_ms)
{
	struct hf_request r = { 0 };
	struct wait w;
	int rc = request_wait_begin(node, &w);

	if (rc)
		return rc;
	return request_wait(&w, await_start(node, &r, name,
					    name ? strlen(name) : 0, condition,
					    number, timeout_ms, NULL, &w));
}
