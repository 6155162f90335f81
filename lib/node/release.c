/* Giving back: to the line, to a node that waits, or out of a barrier.
 *
 * The rule: the owner counts the hold as gone from the call on, and the node
 * goes on until the cluster has confirmed it, whether or not anybody waits for
 * that. A hand-over that is refused leaves the hold where it is, unless its
 * owner has been told already that it is rid of it: then it goes to the line.
 */
#include "node/internal.h"

/* The hold was gone before: what is kept of its end is dropped. */
static void release_vain(struct claim *c, int status)
{
	claim_due(c, c->lost_rc ? c->lost_rc : status);
	call_forget(c->owner, &c->release);
	claim_undo(c, status);
}

/* A hand-over was refused. */
static void release_stays(struct claim *c, int status)
{
	call_forget(c->owner, &c->release);
	c->to = 0;
	if (c->lost_rc) {
		release_vain(c, status);
	} else if (c->due || !c->cb) {
		release_queue(c);
	} else {
		c->state = CLAIM_HELD;
		timer_stop(c->owner, &c->deadline);
		claim_due(c, status);
	}
}

static void release_describe(struct node *n, const struct call *call,
			     struct op *op)
{
	const struct claim *c = container_of(call, struct claim, release);

	(void)n;
	op->release.token = c->token;
	op->release.to = c->to;
}

static void release_output(struct node *n, struct call *call,
			   const struct output *o)
{
	struct claim *c = container_of(call, struct claim, release);

	(void)n;
	if (o->kind != OUTPUT_ANSWER)
		return;
	if (o->status == HF_ENOTHELD)
		release_vain(c, o->status);
	else if (o->status < 0 && c->to)
		release_stays(c, o->status);
	else
		claim_finish(c, o->status);
}

static void release_lost(struct node *n, struct call *call)
{
	(void)n;
	claim_finish(container_of(call, struct claim, release), HF_ESESSION);
}

static const struct call_kind release_kind = { .op = OP_RELEASE,
					       .gives = true,
					       .describe = release_describe,
					       .output = release_output,
					       .lost = release_lost };

static void leave_describe(struct node *n, const struct call *call,
			   struct op *op)
{
	const struct claim *c = container_of(call, struct claim, release);

	op->acquire.name = (const uint8_t *)c->options.name;
	op->acquire.name_len = c->options.name_len;
	op->acquire.mode = MODE_LEAVE;
	op->acquire.from = c->token;
	op->acquire.wait = wait_until(n, c->give_up_at);
}

/* It is out, and waits for nobody any more. */
static void leave_settle(struct claim *c)
{
	timer_stop(c->owner, &c->deadline);
	c->state = CLAIM_UNDOING;
	call_forget(c->owner, &c->acquire);
	call_cancel(c->owner, &c->release, 0);
}

static void leave_answered(struct claim *c, const struct output *o)
{
	if (o->op == OP_CANCEL)
		claim_over(c);
	else if (o->status == 0)
		claim_finish(c, 0);
	else if (o->status < 0)
		release_vain(c, o->status);
	else if (!c->cb)
		leave_settle(c); /* it was too late for its owner */
}

static void leave_output(struct node *n, struct call *call,
			 const struct output *o)
{
	struct claim *c = container_of(call, struct claim, release);

	(void)n;
	if (o->kind == OUTPUT_ANSWER) {
		leave_answered(c, o);
	} else if (o->kind == OUTPUT_ENDED && c->state == CLAIM_RELEASING) {
		claim_due(c, o->status);
		leave_settle(c);
	}
}

static const struct call_kind leave_kind = { .op = OP_ACQUIRE,
					     .gives = true,
					     .request = true,
					     .describe = leave_describe,
					     .output = leave_output,
					     .lost = release_lost };

static bool leaves(const struct claim *c)
{
	return c->release.kind == &leave_kind;
}

static void release_too_late(struct node *n, struct timer *t)
{
	struct claim *c = container_of(t, struct claim, deadline);
	bool left = leaves(c) && c->release.seq && !c->release.outstanding;

	(void)n;
	claim_due(c, left ? HF_ETIMEDOUT : HF_EUNKNOWN);
	if (left)
		leave_settle(c);
	/* Else it goes on without its owner. */
}

/* The token is known once a conversion has settled. */
void release_queue(struct claim *c)
{
	if (!c->converting)
		call_queue(c->owner, &c->release, &release_kind);
}

/* What was asked for the hold ends first. A conversion must settle: which token
 * is to be given back? */
static void errands_release(struct claim *c)
{
	struct errand *converting = c->converting;

	if (converting) {
		list_remove(&converting->node);
		convert_give_up(converting, HF_ECANCELED);
	}
	errands_claim_gone(c, HF_ENOTHELD);
	if (c->converting)
		list_push(&c->errands, &converting->node);
}

/* false: there is nothing to give back, and that has been said. */
static bool release_begin(struct claim *c, uint64_t timeout_us, claim_cb cb,
			  void *arg)
{
	struct node *n = c->owner;

	if (n->over) { /* no turn will come */
		c->state = CLAIM_OVER;
		cb(arg, c, HF_EUNKNOWN);
		return false;
	}
	env_clocks(n->env, &n->now);
	c->cb = cb;
	c->arg = arg;
	questions_claim_gone(n, c);
	errands_release(c);
	if (c->state == CLAIM_LOST && c->acquire.seq)
		claim_undo(c, c->lost_rc);
	else if (c->state == CLAIM_LOST)
		claim_finish(c, c->lost_rc);
	else if (n->failed)
		claim_finish(c, HF_EUNKNOWN);
	if (c->state != CLAIM_HELD)
		return false;
	c->state = CLAIM_RELEASING;
	c->give_up_at = later(n->now.monotonic, timeout_us);
	timer_set(n, &c->deadline, c->give_up_at, release_too_late);
	return true;
}

void node_release(struct node *n, struct claim *c, uint64_t timeout_us,
		  claim_cb cb, void *arg)
{
	(void)n;
	c->watch = (struct hold_watch){ 0 };
	if (!release_begin(c, timeout_us, cb, arg))
		return;
	rank_leave(c);
	release_queue(c);
}

/* Nothing happens but that this is said. */
static void release_refuse(struct claim *c, claim_cb cb, void *arg)
{
	if (c->owner->over) { /* no turn will come */
		cb(arg, c, HF_EINVAL);
		return;
	}
	c->cb = cb;
	c->arg = arg;
	claim_due(c, HF_EINVAL);
}

void node_hand_over(struct node *n, struct claim *c, uint64_t to,
		    uint64_t timeout_us, claim_cb cb, void *arg)
{
	bool fits = to > 0 && c->options.mode == HF_EXCLUSIVE &&
		    c->options.more_len == 0;

	(void)n;
	if (c->state == CLAIM_HELD && !fits) {
		release_refuse(c, cb, arg);
		return;
	}
	c->to = to;
	if (release_begin(c, timeout_us, cb, arg))
		release_queue(c);
}

void node_leave(struct node *n, struct claim *c, uint64_t timeout_us,
		claim_cb cb, void *arg)
{
	if (c->state == CLAIM_HELD && c->options.mode != HF_BARRIER) {
		release_refuse(c, cb, arg);
		return;
	}
	if (!release_begin(c, timeout_us, cb, arg))
		return;
	c->watch = (struct hold_watch){ 0 };
	rank_leave(c);
	call_queue(n, &c->release, &leave_kind);
}
