/* The end of a node. */
#include "api/api.h"

#include "base/list.h"

#include <stdlib.h>

/* The host is closed. With dispatching, this thread is the one who does, until
 * the end. */
static void end(struct hf_node *node)
{
	hf_close_cb cb = node->on_closed;
	void *arg = node->closed_arg;

	if (node->dispatch)
		events_rest(dispatch_events(node->dispatch));
	host_free(node->host);
	if (node->dispatch)
		dispatch_give(node->dispatch);
	dispatch_free(node->dispatch);
	free(node);
	if (cb)
		cb(arg);
}

static void end_task(struct hf_task *task)
{
	end(container_of(task, struct hf_node, closed));
}

static void on_host_closed(void *arg)
{
	struct hf_node *node = (struct hf_node *)arg;

	api_deliver(node, &node->closed);
}

/* Who closes it, closes it alone. */
static int begin(struct hf_node *node)
{
	enum node_phase phase = NODE_OPEN;

	if (atomic_compare_exchange_strong(&node->phase, &phase, NODE_CLOSING))
		return 0;
	return phase == NODE_OPENING ? HF_EBUSY : HF_ECLOSED;
}

int hf_close_start(struct hf_node *node, uint32_t timeout_ms, hf_close_cb cb,
		   void *arg)
{
	int rc = cb ? api_check(node) : HF_EINVAL;

	if (!rc)
		rc = begin(node);
	if (rc)
		return rc;
	node->on_closed = cb;
	node->closed_arg = arg;
	node->closed.run = end_task;
	host_close_start(node->host, timeout_ms * UINT64_C(1000),
			 on_host_closed, node);
	return 0;
}

static void wake(void *arg)
{
	wait_done((struct wait *)arg, 0);
}

int hf_close(struct hf_node *node, uint32_t timeout_ms)
{
	struct wait w;
	int rc;

	if (!node)
		return 0;
	rc = api_check_blocking(node);
	if (!rc && node->dispatch && dispatch_runs_here(node->dispatch))
		rc = HF_EINCALLBACK;
	if (!rc)
		rc = begin(node);
	if (rc)
		return rc;
	wait_init(&w);
	host_close_start(node->host, timeout_ms * UINT64_C(1000), wake, &w);
	wait_for(&w);
	if (node->dispatch)
		dispatch_take(node->dispatch);
	end(node);
	return 0;
}
