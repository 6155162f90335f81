/* Looking at the cluster through this member's replica, on its thread; at locks
 * see claims.c. */
#include "api/api.h"

#include <string.h>

static int status_now(struct node *node, void *arg)
{
	node_status(node, (struct hf_status *)arg);
	return 0;
}

int hf_status(struct hf_node *node, struct hf_status *status)
{
	struct hf_status s = { 0 };
	size_t size = status ? status->size : 0;
	int rc;

	if (size < sizeof(status->size) || size > 65536)
		return HF_EINVAL;
	rc = api_run(node, status_now, &s);
	if (rc)
		return rc;
	s.size = size;
	if (size > sizeof(s)) /* fields that only a newer header has */
		memset((uint8_t *)status + sizeof(s), 0, size - sizeof(s));
	memcpy(status, &s, size < sizeof(s) ? size : sizeof(s));
	return 0;
}

struct sessions {
	const struct core *core;
	struct hf_session_info *sessions;
	size_t len, max;
};

static bool count_request(void *ctx, const struct record *r)
{
	struct hf_session_info *s = (struct hf_session_info *)ctx;

	s->holds += r->request.state == REQUEST_HELD;
	s->waits += r->request.state == REQUEST_WAITING;
	return true;
}

static bool add_session(void *ctx, const struct record *r)
{
	struct sessions *q = (struct sessions *)ctx;
	struct hf_session_info *s = &q->sessions[q->len];

	if (q->len++ >= q->max)
		return true;
	*s = (struct hf_session_info){
		.session = r->session.id,
		.node = r->session.node,
		.ttl_ms = (uint32_t)(r->session.ttl / 1000),
		.left_ms = (int64_t)(r->session.deadline - core_now(q->core)) /
			   1000
	};
	core_visit_session(q->core, r->session.id, count_request, s);
	return true;
}

static int sessions_now(struct node *node, void *arg)
{
	struct sessions *q = (struct sessions *)arg;

	q->core = node_core(node);
	core_visit_sessions(q->core, add_session, q);
	return 0;
}

int hf_sessions(struct hf_node *node, struct hf_session_info *sessions,
		size_t sessions_len, size_t *total)
{
	struct sessions q = { .sessions = sessions, .max = sessions_len };
	int rc;

	if (!total || (sessions_len > 0 && !sessions))
		return HF_EINVAL;
	rc = api_run(node, sessions_now, &q);
	*total = q.len;
	return rc;
}
