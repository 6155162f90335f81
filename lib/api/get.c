/* Reading values: through the leader, or from this member's replica. */
#include "api/request.h"

#include "base/list.h"
#include "node/question.h"

#include <stdlib.h>
#include <string.h>

/* Where what is read goes. */
struct target {
	void *bytes;
	size_t bytes_max;
	struct hf_value *value; /* or NULL */
};

static void copy_out(const struct target *to, const struct reply *y)
{
	size_t len =
		y->bytes_len < to->bytes_max ? y->bytes_len : to->bytes_max;

	if (len)
		memcpy(to->bytes, y->bytes, len);
	if (to->value)
		*to->value = (struct hf_value){ .version = y->version,
						.index = y->index,
						.session = y->session,
						.counter = y->counter,
						.number = y->number,
						.len = y->bytes_len };
}

static struct target target_of(const struct hf_request *r)
{
	return (struct target){ r->internal.bytes, r->internal.bytes_max,
				r->internal.value };
}

static int look(struct node *node, const void *name, size_t name_len,
		const struct target *to)
{
	struct reply y = { 0 };

	node_look(node_core(node), name, name_len, &y);
	copy_out(to, &y);
	return y.version ? 0 : HF_ENOVALUE;
}

static void on_taken(void *arg, const struct reply *y)
{
	struct hf_request *r = (struct hf_request *)arg;
	struct target to = target_of(r);

	copy_out(&to, y);
	r->version = y->version;
	r->number = y->number;
}

static void on_read(void *arg, int rc)
{
	request_end((struct hf_request *)arg, rc);
}

struct posted {
	struct hf_task task;
	struct hf_request *request;
	enum hf_read read;
	uint64_t timeout_us;
	size_t name_len;
	uint8_t name[];
};

static void local_task(struct hf_request *r, const struct posted *p)
{
	struct hf_value found = { 0 };
	struct target to = target_of(r);
	int rc;

	if (!to.value)
		to.value = &found;
	rc = look(host_node(r->node->host), p->name, p->name_len, &to);
	r->version = to.value->version;
	r->number = to.value->number;
	request_end(r, rc);
}

static void get_task(struct hf_task *task)
{
	struct posted *p = (struct posted *)task;
	struct hf_request *r = p->request;
	int rc = 0;

	if (p->read == HF_LOCAL)
		local_task(r, p);
	else
		rc = node_read(host_node(r->node->host), p->name, p->name_len,
			       p->timeout_us, on_taken, on_read, r);
	free(p);
	if (rc)
		request_end(r, rc);
}

/* Posted also on the node's thread, so that the callback comes later. */
static int get_start(struct hf_node *node, struct hf_request *r,
		     const void *name, size_t name_len, const struct target *to,
		     enum hf_read read, uint32_t timeout_ms, hf_request_cb cb,
		     struct wait *wait)
{
	int rc = request_begin(node, r, cb, wait);
	struct posted *p;

	if (!rc && (!request_name(name, name_len) ||
		    (to->bytes_max > 0 && !to->bytes) ||
		    (read != HF_LATEST && read != HF_LOCAL)))
		rc = HF_EINVAL;
	if (rc)
		return rc;
	p = (struct posted *)malloc(sizeof(*p) + name_len);
	if (!p)
		return HF_ENOMEM;
	r->internal.bytes = to->bytes;
	r->internal.bytes_max = to->bytes_max;
	r->internal.value = to->value;
	p->task.run = get_task;
	p->request = r;
	p->read = read;
	p->timeout_us = api_us(timeout_ms);
	p->name_len = name_len;
	memcpy(p->name, name, name_len);
	rc = host_post(node->host, &p->task);
	if (rc)
		free(p);
	return rc;
}

int hf_get_start(struct hf_node *node, struct hf_request *request,
		 const void *name, size_t name_len, void *bytes,
		 size_t bytes_max, struct hf_value *value, enum hf_read read,
		 uint32_t timeout_ms, hf_request_cb cb)
{
	struct target to = { bytes, bytes_max, value };

	return get_start(node, request, name, name_len, &to, read, timeout_ms,
			 cb, NULL);
}

struct local {
	const char *name;
	const struct target *to;
};

static int local_now(struct node *node, void *arg)
{
	const struct local *l = (const struct local *)arg;

	return look(node, l->name, strlen(l->name), l->to);
}

int hf_get(struct hf_node *node, const char *name, void *bytes,
	   size_t bytes_max, struct hf_value *value, enum hf_read read,
	   uint32_t timeout_ms)
{
	struct target to = { bytes, bytes_max, value };
	struct local local = { name, &to };
	struct hf_request r = { 0 };
	struct wait w;
	int rc;

	if (!name || !request_name(name, strlen(name)) ||
	    (bytes_max > 0 && !bytes))
		return HF_EINVAL;
	if (read == HF_LOCAL)
		return api_run(node, local_now, &local);
	rc = request_wait_begin(node, &w);
	if (rc)
		return rc;
	return request_wait(&w, get_start(node, &r, name, strlen(name), &to,
					  read, timeout_ms, NULL, &w));
}
