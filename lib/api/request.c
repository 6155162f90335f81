/* Requests other than for locks, from the caller's thread to the node's and
 * back. */
#include "api/request.h"

#include "base/list.h"

#include <stdlib.h>
#include <string.h>

bool request_name(const void *name, size_t name_len)
{
	return name && name_len >= 1 && name_len <= HF_NAME_MAX;
}

int request_begin(struct hf_node *node, struct hf_request *request,
		  hf_request_cb cb, struct wait *wait)
{
	int rc = api_check(node);

	if (!rc && (!request || (!cb && !wait)))
		rc = HF_EINVAL;
	if (rc)
		return rc;
	request->node = node;
	request->version = 0;
	request->number = 0;
	memset(&request->internal, 0, sizeof(request->internal));
	request->internal.cb = cb;
	request->internal.wait = wait;
	return 0;
}

static void tell(struct hf_task *task)
{
	struct hf_request *r =
		container_of(task, struct hf_request, internal.task);

	r->internal.cb(r, r->internal.rc);
}

void request_end(struct hf_request *r, int rc)
{
	if (r->internal.wait) {
		wait_done((struct wait *)r->internal.wait, rc);
		return;
	}
	r->internal.rc = rc;
	r->internal.task.run = tell;
	api_deliver(r->node, &r->internal.task);
}

static bool counts(const struct hf_request *r)
{
	return r->internal.kind == OP_ADD;
}

static void on_answer(void *arg, int rc, uint64_t token)
{
	struct hf_request *r = (struct hf_request *)arg;

	if (rc == HF_EVERSION || !counts(r))
		r->version = token;
	else if (token)
		r->number = (int64_t)(token - COUNT_BIAS);
	request_end(r, rc);
}

struct posted {
	struct hf_task task;
	struct hf_request *request;
	struct op op;
	uint64_t timeout_us;
	uint8_t bytes[];
};

static void ask_task(struct hf_task *task)
{
	struct posted *p = (struct posted *)task;
	struct hf_request *r = p->request;
	int rc = node_ask(host_node(r->node->host), &p->op, p->timeout_us,
			  on_answer, r);

	free(p);
	if (rc)
		request_end(r, rc);
}

static int post(struct hf_request *r, const struct op *op, uint64_t timeout_us)
{
	struct posted *p = (struct posted *)malloc(sizeof(*p) + ask_bytes(op));
	int rc;

	if (!p)
		return HF_ENOMEM;
	p->task.run = ask_task;
	p->request = r;
	p->op = *op;
	p->timeout_us = timeout_us;
	ask_copy(&p->op, p->bytes);
	rc = host_post(r->node->host, &p->task);
	if (rc)
		free(p);
	return rc;
}

static enum op_kind result_kind(const struct op *op)
{
	bool counter =
		op->kind == OP_AWAIT && op->await.condition >= AWAIT_AT_MOST;

	return counter ? OP_ADD : op->kind;
}

int request_ask(struct hf_request *r, const struct op *op, uint32_t timeout_ms)
{
	r->internal.kind = (uint32_t)result_kind(op);
	if (host_on_thread(r->node->host))
		return node_ask(host_node(r->node->host), op,
				api_us(timeout_ms), on_answer, r);
	return post(r, op, api_us(timeout_ms));
}

int request_wait_begin(struct hf_node *node, struct wait *wait)
{
	int rc = api_check_blocking(node);

	if (!rc)
		wait_init(wait);
	return rc;
}

int request_wait(struct wait *wait, int rc)
{
	if (rc)
		wait_done(wait, rc);
	return wait_for(wait);
}
