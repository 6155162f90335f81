/* A claim's life, from the request to the end of the hold.
 *
 * A claim tells its owner one result of the acquire and one of the release.
 * What the owner was told last may be ahead of the cluster: a timed-out or
 * cancelled claim is "not held" at once and is undone until the cluster
 * confirms it. What the state machine keeps of a wait or a hold that ended by
 * itself is dropped in the same way. */
#include "node/internal.h"

#include <string.h>

void claim_due(struct claim *c, int rc)
{
	if (c->due || !c->cb)
		return;
	c->due = true;
	c->rc = rc;
	c->options.deadlock = NULL;
	list_push(&c->owner->due, &c->due_node);
}

static void claim_free(struct claim *c)
{
	struct node *n = c->owner;

	questions_claim_gone(n, c);
	errands_claim_gone(c, HF_ENOTHELD);
	call_forget(n, &c->acquire);
	call_forget(n, &c->release);
	timer_stop(n, &c->deadline);
	rank_leave(c);
	certain_end(c);
	list_remove(&c->all);
	list_remove(&c->due_node);
	list_remove(&c->loss_node);
	mem_free(&n->mem, c);
}

/* Not held any more, as far as its owner is concerned. */
static void claim_leave(struct claim *c)
{
	struct node *n = c->owner;

	timer_stop(n, &c->deadline);
	rank_leave(c);
	certain_end(c);
	errands_claim_gone(c, c->lost_rc ? c->lost_rc : HF_ENOTHELD);
}

void claim_over(struct claim *c)
{
	claim_leave(c);
	c->state = CLAIM_OVER;
	call_forget(c->owner, &c->acquire);
	call_forget(c->owner, &c->release);
	if (!c->due)
		claim_free(c);
}

void claim_finish(struct claim *c, int rc)
{
	claim_due(c, rc);
	claim_over(c);
}

void claim_undo(struct claim *c, int rc)
{
	claim_due(c, rc);
	claim_leave(c);
	c->state = CLAIM_UNDOING;
	call_cancel(c->owner, &c->acquire, 0);
}

static void on_held(struct claim *c, const struct clocks *sent,
		    const struct output *o)
{
	bool asked = c->state == CLAIM_ASKED || c->state == CLAIM_WAITING;

	if (!asked && (c->state != CLAIM_HELD || o->token != c->token))
		return; /* being undone: nobody is to hear of it */
	if (asked) {
		c->token = o->token;
		c->state = CLAIM_HELD;
		timer_stop(c->owner, &c->deadline);
	}
	certain_granted(c, sent, o);
	if (asked)
		claim_due(c, 0);
}

/* The cluster has ended the hold, and keeps the reason until it is cancelled,
 * unless the whole session is gone. */
static void on_hold_lost(struct claim *c, int rc)
{
	struct node *n = c->owner;
	bool kept = c->acquire.seq > 0;

	c->lost_rc = rc;
	if (c->due) { /* its owner doesn't know yet that it was held */
		c->rc = rc;
		if (kept)
			claim_undo(c, rc);
		else
			claim_over(c);
		return;
	}
	claim_leave(c);
	c->state = CLAIM_LOST;
	if (kept)
		call_cancel(n, &c->acquire, 0);
	if (c->watch.lost)
		__atomic_store_n(c->watch.lost, 1, __ATOMIC_SEQ_CST);
	list_push(&n->losses, &c->loss_node);
}

void claim_ended(struct claim *c, int status)
{
	switch (c->state) {
	case CLAIM_ASKED:
	case CLAIM_WAITING:
		claim_undo(c, status);
		break;
	case CLAIM_HELD:
		on_hold_lost(c, status);
		break;
	case CLAIM_RELEASING:
		/* The release's answer will say that it came too late; what was
		 * to be handed over may not be believed in again. */
		if (!c->lost_rc)
			c->lost_rc = status;
		break;
	case CLAIM_QUEUED:
	case CLAIM_LOST:
	case CLAIM_UNDOING:
	case CLAIM_OVER:
		break;
	}
}

static void answer_acquire(struct claim *c, const struct output *o)
{
	if (o->status == 0)
		on_held(c, &c->acquire.first, o);
	else if (o->status == STATUS_WAITING && c->state == CLAIM_ASKED)
		c->state = CLAIM_WAITING;
	else if (o->status < 0 && c->state == CLAIM_ASKED)
		claim_finish(c, o->status);
	/* A claim that is being undone waits for the cancel's answer. */
}

/* Nothing is left of it in the cluster. */
static void on_undone(struct claim *c)
{
	if (c->state == CLAIM_UNDOING)
		claim_over(c);
	else if (c->state == CLAIM_LOST)
		call_forget(c->owner, &c->acquire);
}

/* One of those that wait for each other; the refusal comes next. */
static void add_deadlock(struct claim *c, const struct output *o)
{
	struct hf_deadlock *d = c->options.deadlock;
	size_t i = d ? d->len++ : HF_DEADLOCK_MAX;

	if (i >= HF_DEADLOCK_MAX || o->name_len > HF_NAME_MAX)
		return;
	d->waits[i].owner = (struct hf_owner){ .node = o->by,
					       .session = o->token,
					       .owner = o->number };
	d->waits[i].name_len = o->name_len;
	memcpy(d->waits[i].name, o->name, o->name_len);
}

static void on_answer(struct claim *c, const struct output *o)
{
	switch (o->op) {
	case OP_ACQUIRE:
		answer_acquire(c, o);
		break;
	case OP_CANCEL:
		on_undone(c);
		break;
	case OP_NOTED:
		certain_noted(c, o);
		break;
	default:
		break;
	}
}

void acquire_output(struct node *n, struct call *call, const struct output *o)
{
	struct claim *c = container_of(call, struct claim, acquire);

	(void)n;
	switch (o->kind) {
	case OUTPUT_ANSWER:
		on_answer(c, o);
		break;
	case OUTPUT_GRANTED:
		on_held(c, NULL, o);
		break;
	case OUTPUT_ENDED:
		claim_ended(c, ended_status(o));
		break;
	case OUTPUT_REVOKED:
		certain_revoked(c, o);
		break;
	case OUTPUT_DEADLOCK:
		add_deadlock(c, o);
		break;
	case OUTPUT_SESSION_ENDED:
	case OUTPUT_CHANGED:
		break;
	}
}

void acquire_lost(struct node *n, struct call *call)
{
	struct claim *c = container_of(call, struct claim, acquire);

	(void)n;
	switch (c->state) {
	case CLAIM_ASKED:
	case CLAIM_WAITING:
	case CLAIM_RELEASING:
		claim_finish(c, HF_ESESSION);
		break;
	case CLAIM_HELD:
		on_hold_lost(c, HF_ESESSION);
		break;
	case CLAIM_UNDOING:
		claim_over(c); /* the session's end undid it */
		break;
	case CLAIM_QUEUED:
	case CLAIM_LOST:
	case CLAIM_OVER:
		break;
	}
}

void claims_end(struct node *n, int acquire_rc, int release_rc)
{
	list_for_safe (it, &n->claims) {
		struct claim *c = container_of(it, struct claim, all);

		errands_end(c, acquire_rc);
		switch (c->state) {
		case CLAIM_QUEUED:
		case CLAIM_ASKED:
		case CLAIM_WAITING:
			claim_finish(c, acquire_rc);
			break;
		case CLAIM_RELEASING:
			if (release_rc <= 0)
				claim_finish(c, release_rc);
			break;
		case CLAIM_UNDOING:
			claim_over(c);
			break;
		case CLAIM_HELD:
		case CLAIM_LOST:
		case CLAIM_OVER:
			break;
		}
	}
}

static void tell_loss(struct node *n, const struct claim *c)
{
	struct hf_event e = { .type = HF_EVENT_LOST,
			      .token = c->token,
			      .name = (const char *)c->options.name,
			      .name_len = c->options.name_len,
			      .rc = c->lost_rc };

	node_tell(n, &e);
}

static void claim_callback(struct claim *c)
{
	claim_cb cb = c->cb;
	bool over = c->state == CLAIM_OVER;

	list_remove(&c->due_node);
	c->due = false;
	c->cb = NULL;
	if (c->state != CLAIM_HELD) /* the memory is the owner's again */
		c->watch = (struct hold_watch){ 0 };
	cb(c->arg, c, c->rc);
	if (over)
		claim_free(c);
}

/* A callback may start, cancel and release claims, this one included. */
void claims_callbacks(struct node *n)
{
	certain_events(n);
	while (!list_empty(&n->losses) && !n->quiet) {
		struct claim *c =
			container_of(n->losses.next, struct claim, loss_node);

		list_remove(&c->loss_node);
		tell_loss(n, c);
	}
	while (!list_empty(&n->due)) {
		/* Of a claim that is going, what was asked for it comes first.
		 */
		questions_callbacks(n);
		errands_callbacks(n);
		claim_callback(
			container_of(n->due.next, struct claim, due_node));
	}
	errands_callbacks(n);
	certain_events(n); /* of what is known to be held only now */
}

void claims_free(struct node *n)
{
	while (!list_empty(&n->claims))
		claim_free(container_of(n->claims.next, struct claim, all));
	errands_free(n);
	map_free(&n->ranked);
}

uint64_t node_claim_token(const struct claim *c)
{
	return c->token;
}

uint64_t node_claim_session(const struct claim *c)
{
	return c->session;
}

void *node_claim_arg(const struct claim *c)
{
	return c->arg;
}

bool node_claim_held(const struct claim *c)
{
	return c->state == CLAIM_HELD;
}

void node_claim_place(const struct claim *c, struct hf_place *p)
{
	const struct node *n = c->owner;
	const struct call *call =
		c->converting ? &c->converting->call : &c->acquire;
	uint64_t pace = 0, estimate;

	*p = (struct hf_place){ .estimate_ms = HF_FOREVER };
	if (!call->seq || !core_place(repl_core(n->repl), c->session, call->seq,
				      &p->place, &p->line, &pace))
		return;
	estimate = pace > 0 && p->place <= UINT32_MAX ? p->place * pace / 1000
						      : UINT64_MAX;
	if (estimate < HF_FOREVER)
		p->estimate_ms = (uint32_t)estimate;
}
