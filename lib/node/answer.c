/* What the cluster says, to whom it is of use: outputs and resyncs, each to the
 * owner of its call.
 *
 * Facts about a request carry the index at which they became true; one that is
 * older than what is known already is dropped. One entry can make several true
 * (a wait begins, and a release behind it in the same entry grants it), so an
 * equal index isn't older: a request's states only go forward.
 *
 * A resync is told as the outputs that it stands for. */
#include "node/internal.h"

/* Something of ours in the cluster that nobody here knows of. */
static void disown(struct node *n, uint64_t seq)
{
	struct op op = { .kind = OP_CANCEL,
			 .node = n->config.repl.id,
			 .session = n->keeper.id,
			 .seq = seq };

	route_op(n, &op);
}

/* Anything but a decision leaves it undecided: it is asked again. HF_ELIMIT is
 * none, unless it is what has become of the request: the number lies beyond the
 * window as yet, and an attempt that comes late may still have its effect. */
static void on_canceled(struct node *n, struct call *c, const struct output *o)
{
	bool stays = c->cancel_flags & CANCEL_WAIT && o->status <= 0 &&
		     o->status != HF_EBUSY &&
		     (o->status != HF_ELIMIT || o->number == 1);

	if (!c->canceling || (o->status != HF_ECANCELED && !stays))
		return;
	call_answered(n, c);
	c->canceling = false;
	timer_stop(n, &c->cancel);
	c->kind->output(n, c, o);
}

static void on_answer(struct node *n, struct call *c, const struct output *o)
{
	if (!c->outstanding)
		return;
	c->busy = o->status == HF_EBUSY;
	if (c->busy) {
		c->refusals++;
		node_busy(n, o->deadline);
		return; /* nothing happened; it is repeated later */
	}
	/* Of a release: its number, not what it is about. */
	if (o->status == HF_ELIMIT && c->kind->op == OP_RELEASE)
		return;
	n->busy_us = 0;
	call_answered(n, c);
	if (o->index > c->as_of)
		c->as_of = o->index;
	c->kind->output(n, c, o);
}

static void on_fact(struct node *n, struct call *c, const struct output *o)
{
	if (o->index < c->as_of)
		return;
	c->as_of = o->index;
	call_answered(n, c);
	c->kind->output(n, c, o);
}

static void route_answer(struct node *n, const struct output *o)
{
	struct call *c;

	if (o->status == HF_ESESSION) {
		keeper_lost(n, o->session);
		return;
	}
	if (o->op == OP_EXTEND) { /* not a number of ours */
		renew_answered(n, o);
		return;
	}
	c = call_find(n, o->seq);
	if (!c)
		return;
	if (o->op == OP_NOTED && c->kind == &acquire_kind)
		c->kind->output(n, c, o);
	else if (o->op == OP_CANCEL)
		on_canceled(n, c, o);
	else if (o->op == c->kind->op)
		on_answer(n, c, o);
}

void calls_output(struct node *n, const struct output *o)
{
	struct call *c;

	if (!n->keeper.id || o->session != n->keeper.id)
		return;
	if (o->kind == OUTPUT_ANSWER) {
		route_answer(n, o);
		return;
	}
	c = call_find(n, o->seq);
	if (o->kind == OUTPUT_REVOKED || o->kind == OUTPUT_DEADLOCK) {
		/* True whatever is known: a revocation only lowers what may
		 * be believed. */
		if (c)
			c->kind->output(n, c, o);
	} else if (c && c->kind->request) {
		on_fact(n, c, o);
	} else {
		disown(n, o->seq);
	}
}

/* What an item of a resync stands for. */
static struct output output_of(const struct resync *s,
			       const struct resync_item *item, enum op_kind op)
{
	struct output o = { .kind = OUTPUT_ENDED,
			    .op = op,
			    .status = item->status,
			    .session = s->session,
			    .seq = item->seq,
			    .token = item->token,
			    .index = s->index };

	if (item->status == STATUS_WAITING) {
		o.kind = OUTPUT_ANSWER;
	} else if (item->status == 0 && op == OP_ACQUIRE && item->token > 0) {
		o.kind = OUTPUT_GRANTED;
		o.stamp = item->stamp;
		o.deadline = item->deadline;
	}
	return o;
}

static void resync_revoked(struct node *n, const struct resync *s,
			   const struct resync_item *item)
{
	struct output o = { .kind = OUTPUT_REVOKED,
			    .session = s->session,
			    .seq = item->seq,
			    .token = item->token,
			    .deadline = item->revoked_at,
			    .number = item->noted_at,
			    .by = item->by,
			    .bytes = item->reason,
			    .bytes_len = item->reason_len,
			    .index = s->index };

	calls_output(n, &o);
}

static void resync_item(struct node *n, struct call *c, const struct resync *s,
			const struct resync_item *item)
{
	struct output o = output_of(s, item, c->kind->op);

	c->mark = s->nonce;
	if (o.kind == OUTPUT_ANSWER)
		on_answer(n, c, &o);
	else
		on_fact(n, c, &o);
}

/* What waits or is held here and isn't there, although what we know is older,
 * has ended unheard. */
static void resync_missing(struct node *n, const struct resync *s)
{
	struct list seen;

	list_init(&seen);
	while (!list_empty(&n->answered)) {
		struct call *c =
			container_of(n->answered.next, struct call, order);
		struct output o = { .kind = OUTPUT_ENDED,
				    .status = HF_ENOTHELD,
				    .session = s->session,
				    .seq = c->seq,
				    .index = s->index };

		list_remove(&c->order);
		list_push(&seen, &c->order);
		if (c->kind->request && c->mark != s->nonce)
			on_fact(n, c, &o);
	}
	while (!list_empty(&seen)) {
		struct list *it = seen.next;

		list_remove(it);
		list_push(&n->answered, it);
	}
}

void calls_resync(struct node *n, const struct resync *s,
		  struct resync_reader *it)
{
	struct resync_item item;
	struct call *c;

	while (resync_next(it, &item) > 0) {
		c = call_find(n, item.seq);
		if (c && c->kind->request)
			resync_item(n, c, s, &item);
		else
			disown(n, item.seq);
		if (item.revoked_at > 0)
			resync_revoked(n, s, &item);
	}
	if (!it->r.failed)
		resync_missing(n, s);
}
