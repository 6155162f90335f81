/* Conversions: what is held becomes another hold.
 *
 * In place it keeps its request and its token. Else the cluster makes a request
 * of its own of it, under the number of the conversion; once that is granted it
 * is the claim's: number and token change, the claim stays. A conversion that
 * comes too late is ended by a cancel that leaves alone what has been granted,
 * so that its answer says which of the two it was. */
#include "node/internal.h"

/* What the cluster would refuse as never right isn't asked. */
static bool convertible(const struct claim *c, enum hf_mode mode,
			uint32_t permits)
{
	enum hf_mode from = c->options.mode;

	if (c->options.more_len > 0 || c->converting)
		return false;
	if (from == HF_PERMITS)
		return mode == HF_PERMITS && permits >= 1;
	return permits == 0 && (from == HF_EXCLUSIVE || from == HF_SHARED) &&
	       (mode == HF_EXCLUSIVE || mode == HF_SHARED);
}

static void convert_describe(struct node *n, const struct call *call,
			     struct op *op)
{
	const struct errand *e = container_of(call, struct errand, call);
	const struct claim *c = e->claim;

	op->acquire.owner = c->options.owner;
	op->acquire.name = (const uint8_t *)c->options.name;
	op->acquire.name_len = c->options.name_len;
	op->acquire.mode = (enum mode)e->mode;
	op->acquire.permits = e->permits;
	op->acquire.wait = e->tries ? 0 : wait_until(n, e->give_up_at);
	op->acquire.delay = c->options.delay_us;
	op->acquire.from = c->token;
}

/* The conversion has ended, one way or the other. */
static void convert_over(struct errand *e, int rc)
{
	struct claim *c = e->claim;

	errand_over(e, rc);
	if (c && c->state == CLAIM_RELEASING && !c->release.kind)
		release_queue(c);
}

static void convert_done(struct node *n, struct errand *e,
			 const struct output *o)
{
	struct claim *c = e->claim;

	if (!c)
		return; /* it is being undone */
	c->options.mode = e->mode;
	c->options.permits = e->permits;
	if (o->token != c->token) {
		call_move(n, &c->acquire, &e->call);
		c->acquire.kind = &acquire_kind;
		c->token = o->token;
		questions_claim_moved(n, c);
		certain_granted(
			c, o->kind == OUTPUT_ANSWER ? &c->acquire.first : NULL,
			o);
	}
	convert_over(e, 0);
}

/* The request has ended, and is kept with its reason until it is cancelled. */
static void convert_ended(struct node *n, struct errand *e, int status)
{
	struct claim *c = e->claim;

	if (!c)
		return;
	/* A resync doesn't name what our own cancel has ended. */
	if (status == HF_ENOTHELD && e->call.canceling &&
	    c->state == CLAIM_HELD)
		status = e->settled_rc;
	errand_due(e, status);
	timer_stop(n, &e->deadline);
	call_cancel(n, &e->call, 0);
	errand_leave(e);
	if (c->state == CLAIM_RELEASING && !c->release.kind)
		release_queue(c);
}

static void convert_answered(struct node *n, struct errand *e,
			     const struct output *o)
{
	if (o->status == 0)
		convert_done(n, e, o);
	else if (o->op == OP_CANCEL && o->status == HF_ECANCELED)
		convert_over(e, e->settled_rc);
	else if (o->status < 0)
		convert_over(e, o->status);
}

static void convert_output(struct node *n, struct call *call,
			   const struct output *o)
{
	struct errand *e = container_of(call, struct errand, call);

	if (!e->claim) { /* whatever became of it */
		if (o->kind == OUTPUT_ANSWER && o->op == OP_CANCEL)
			errand_over(e, 0);
		return;
	}
	switch (o->kind) {
	case OUTPUT_ANSWER:
		convert_answered(n, e, o);
		break;
	case OUTPUT_GRANTED:
		convert_done(n, e, o);
		break;
	case OUTPUT_ENDED:
		convert_ended(n, e, ended_status(o));
		break;
	case OUTPUT_REVOKED:
		certain_revoked(e->claim, o);
		break;
	case OUTPUT_SESSION_ENDED:
	case OUTPUT_DEADLOCK:
	case OUTPUT_CHANGED:
		break;
	}
}

static void convert_lost(struct node *n, struct call *call)
{
	(void)n;
	errand_over(container_of(call, struct errand, call), HF_ESESSION);
}

static const struct call_kind convert_kind = { .op = OP_ACQUIRE,
					       .request = true,
					       .describe = convert_describe,
					       .output = convert_output,
					       .lost = convert_lost };

static void convert_too_late(struct node *n, struct timer *t)
{
	struct errand *e = container_of(t, struct errand, deadline);
	int rc = why_too_late(n, &e->call);

	if (!e->call.seq) {
		convert_over(e, rc);
	} else if (e->call.canceling) {
		errand_due(e, HF_EUNKNOWN); /* goes on without its owner */
	} else {
		e->settled_rc = rc;
		call_cancel(n, &e->call, CANCEL_WAIT);
		timer_set(n, t, later(n->now.monotonic, SETTLE_US),
			  convert_too_late);
	}
}

void convert_give_up(struct errand *e, int rc)
{
	struct node *n = e->owner;

	errand_due(e, rc);
	timer_stop(n, &e->deadline);
	if (!e->call.seq)
		errand_over(e, rc);
	else if (!e->call.canceling)
		call_cancel(n, &e->call, CANCEL_WAIT);
}

void node_convert(struct node *n, struct claim *c, enum hf_mode mode,
		  uint32_t permits, uint64_t timeout_us, claim_cb cb, void *arg)
{
	struct errand *e = errand_new(c, 0, cb, arg);
	int rc = errand_judge(c);

	if (!e)
		return;
	if (!rc && !convertible(c, mode, permits))
		rc = HF_EINVAL;
	if (rc) {
		errand_over(e, rc);
		return;
	}
	e->mode = mode;
	e->permits = permits;
	e->tries = timeout_us == 0;
	e->give_up_at =
		later(n->now.monotonic, timeout_us ? timeout_us : TRY_US);
	c->converting = e;
	call_queue(n, &e->call, &convert_kind);
	timer_set(n, &e->deadline, e->give_up_at, convert_too_late);
}
