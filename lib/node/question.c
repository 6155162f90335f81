/* Questions to the leader: is this hold still one? Asked again until answered
 * or too late; the answer's truth is the leader's read index. */
#include "node/internal.h"

static void question_over(struct question *q, int rc)
{
	if (q->over)
		return;
	q->over = true;
	q->rc = rc;
	timer_stop(q->claim->owner, &q->deadline);
}

static void question_too_late(struct node *n, struct timer *t)
{
	question_over(container_of(t, struct question, deadline),
		      n->route.leader ? HF_ETIMEDOUT : HF_ENOLEADER);
}

void node_validate(struct node *n, struct claim *c, uint64_t timeout_us,
		   claim_cb cb, void *arg)
{
	struct question *q;

	if (n->over) { /* no turn will come */
		cb(arg, c, HF_ECLOSED);
		return;
	}
	env_clocks(n->env, &n->now);
	q = (struct question *)mem_zalloc(&n->mem, sizeof(*q));
	if (!q) {
		cb(arg, c, HF_ENOMEM);
		return;
	}
	q->claim = c;
	q->cb = cb;
	q->arg = arg;
	q->query = (struct query){ .kind = QUERY_VALIDATE,
				   .id = ++n->question_serial,
				   .session = c->session,
				   .token = c->token };
	list_push(&n->questions, &q->node);
	if (c->state == CLAIM_LOST)
		question_over(q, c->lost_rc);
	else if (c->state != CLAIM_HELD)
		question_over(q, HF_ENOTHELD);
	else if (n->failed)
		question_over(q, HF_EFAILED);
	else
		timer_set(n, &q->deadline, later(n->now.monotonic, timeout_us),
			  question_too_late);
}

static void question_ask(struct node *n, struct question *q)
{
	struct buf b = { .mem = &n->mem };

	q->sent_at = n->now.monotonic;
	if (n->route.leader == n->config.repl.id) {
		serve_query(n, n->route.leader, &q->query);
		return;
	}
	query_encode(&b, &q->query);
	if (!b.failed)
		link_send(n, n->route.leader, FRAME_QUERY, LANE_REQUEST, b.base,
			  b.len);
	buf_free(&b);
}

void questions_turn(struct node *n)
{
	if (!n->route.leader)
		return;
	list_for (it, &n->questions) {
		struct question *q = container_of(it, struct question, node);

		if (!q->over &&
		    (q->sent_at == 0 ||
		     later(q->sent_at, n->retry_us) <= n->now.monotonic))
			question_ask(n, q);
	}
}

void questions_resend(struct node *n)
{
	list_for (it, &n->questions)
		container_of(it, struct question, node)->sent_at = 0;
}

uint64_t questions_next(const struct node *n)
{
	uint64_t at = UINT64_MAX;

	if (!n->route.leader)
		return at;
	for (struct list *it = n->questions.next; it != &n->questions;
	     it = it->next) {
		const struct question *q =
			container_of(it, struct question, node);

		sooner(&at, q->over ? 0 : later(q->sent_at, n->retry_us));
	}
	return at;
}

void questions_reply(struct node *n, const struct reply *y)
{
	list_for (it, &n->questions) {
		struct question *q = container_of(it, struct question, node);

		if (q->query.id != y->id)
			continue;
		if (y->status == HF_EBUSY)
			return; /* asked again at the pace of repetitions */
		if (y->status == HF_ESESSION)
			keeper_lost(n, q->query.session);
		question_over(q, y->status);
		return;
	}
}

void questions_claim_gone(struct node *n, struct claim *c)
{
	list_for (it, &n->questions) {
		struct question *q = container_of(it, struct question, node);

		if (q->claim == c)
			question_over(q, HF_ENOTHELD);
	}
}

void questions_end(struct node *n, int rc)
{
	list_for (it, &n->questions)
		question_over(container_of(it, struct question, node), rc);
}

/* They run before the callbacks of claims, so that `claim` is there. */
void questions_callbacks(struct node *n)
{
	list_for_safe (it, &n->questions) {
		struct question *q = container_of(it, struct question, node);

		if (!q->over)
			continue;
		list_remove(&q->node);
		q->cb(q->arg, q->claim, q->rc);
		mem_free(&n->mem, q);
	}
}
