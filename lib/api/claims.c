/* Looking at locks through this member's replica, on its thread: who holds, who
 * waits, for whom. */
#include "api/api.h"

#include <string.h>

struct look {
	const struct core *core;
	const void *name;
	size_t name_len;
	uint64_t lock; /* its id */
	hf_claim_visit visit;
	void *arg;
};

static void sooner(uint64_t *at, uint64_t other)
{
	if (other > 0 && (*at == 0 || other < *at))
		*at = other;
}

/* -1: it doesn't end by itself. */
static int64_t left_ms(const struct core *core, const struct record *r)
{
	uint64_t now = core_now(core), at = 0;

	if (r->request.state == REQUEST_WAITING) {
		at = r->request.deadline;
	} else {
		sooner(&at, r->request.hold_until);
		sooner(&at, r->request.lease_until);
		sooner(&at, r->request.revoke.at);
	}
	if (at == 0)
		return -1;
	return at > now ? (int64_t)((at - now) / 1000) : 0;
}

/* What the request has or wants of this lock, of several. */
static void fill_part(const struct look *q, const struct record *r,
		      struct hf_claim *c)
{
	c->mode = (enum hf_mode)r->request.mode;
	c->permits = r->request.permits;
	c->token = r->request.token;
	for (size_t i = 0; i < r->request.more_len; i++) {
		const struct record_part *p = &r->request.more[i];

		if (r->request.lock == q->lock || p->lock != q->lock)
			continue;
		c->mode = (enum hf_mode)p->mode;
		c->permits = p->permits;
		if (c->token)
			c->token += i + 1;
		return;
	}
}

static bool on_request(void *ctx, const struct record *r)
{
	struct look *q = (struct look *)ctx;
	struct hf_claim c = { .session = r->request.session,
			      .owner = r->request.owner,
			      .priority = r->request.priority,
			      .left_ms = left_ms(q->core, r),
			      .revoked_by = r->request.revoke.by,
			      .shown = r->request.shown,
			      .shown_len = r->request.shown_len,
			      .reason = (const char *)r->request.revoke.reason,
			      .reason_len = r->request.revoke.reason_len };
	struct record session;

	fill_part(q, r, &c);
	if (core_session(q->core, c.session, &session))
		c.node = session.session.node;
	return q->visit(q->arg, &c);
}

static int look_now(struct node *node, void *arg)
{
	struct look *q = (struct look *)arg;
	struct record lock;

	q->core = node_core(node);
	if (!core_lock(q->core, q->name, q->name_len, &lock))
		return 0;
	q->lock = lock.lock.id;
	core_visit_lock(q->core, q->name, q->name_len, on_request, q);
	return 0;
}

int hf_claims(struct hf_node *node, const void *name, size_t name_len,
	      hf_claim_visit visit, void *arg)
{
	struct look q = {
		.name = name, .name_len = name_len, .visit = visit, .arg = arg
	};

	if (!name || name_len < 1 || name_len > HF_NAME_MAX || !visit)
		return HF_EINVAL;
	return api_run(node, look_now, &q);
}

struct list_of_claims {
	struct hf_claim *claims;
	size_t len, max;
};

/* What it shows lives during the call only. */
static bool add_claim(void *arg, const struct hf_claim *claim)
{
	struct list_of_claims *l = (struct list_of_claims *)arg;

	if (l->len < l->max) {
		struct hf_claim *c = &l->claims[l->len];

		*c = *claim;
		c->shown = c->reason = NULL;
		c->shown_len = c->reason_len = 0;
	}
	l->len++;
	return true;
}

int hf_lock_status(struct hf_node *node, const void *name, size_t name_len,
		   struct hf_claim *claims, size_t claims_len, size_t *total)
{
	struct list_of_claims l = { .claims = claims, .max = claims_len };
	int rc;

	if (!total || (claims_len > 0 && !claims))
		return HF_EINVAL;
	rc = hf_claims(node, name, name_len, add_claim, &l);
	*total = l.len;
	return rc;
}

struct look_at_waits {
	hf_wait_visit visit;
	void *arg;
};

static bool on_edge(void *ctx, const struct wait_edge *edge)
{
	struct look_at_waits *q = (struct look_at_waits *)ctx;
	struct hf_wait w = {
		.waiter = { edge->waiter.node, edge->waiter.session,
			    edge->waiter.owner },
		.blocker = { edge->blocker.node, edge->blocker.session,
			     edge->blocker.owner },
		.token = edge->token,
		.name = edge->name,
		.name_len = edge->name_len
	};

	return q->visit(q->arg, &w);
}

static int waits_now(struct node *node, void *arg)
{
	core_visit_waits(node_core(node), on_edge, arg);
	return 0;
}

int hf_waits(struct hf_node *node, hf_wait_visit visit, void *arg)
{
	struct look_at_waits q = { visit, arg };

	if (!visit)
		return HF_EINVAL;
	return api_run(node, waits_now, &q);
}
