/* A hold's own lease, and what it shows.
 *
 * A renewal isn't sequenced: each attempt is an operation of its own with its
 * own time of sending, and the largest resulting belief counts. Its answer
 * brings back a number that is never given twice. */
#include "node/internal.h"

#include <string.h>

/* An attempt's number: the errand's, and which of its attempts it is. */
#define ATTEMPT_BITS 8
#define ATTEMPTS_MAX ((UINT64_C(1) << ATTEMPT_BITS) - 1)

static void errand_too_late(struct node *n, struct timer *t)
{
	struct errand *e = container_of(t, struct errand, deadline);

	if (e->call.seq)
		errand_due(e, HF_EUNKNOWN); /* goes on without its owner */
	else if (e->attempt)
		errand_over(e, HF_EUNKNOWN);
	else
		errand_over(e, why_too_late(n, &e->call));
}

/* NULL: it can't be, and that has been said. */
static struct errand *errand_begin(struct claim *c, size_t more, int rc,
				   uint64_t timeout_us, claim_cb cb, void *arg)
{
	struct errand *e = errand_new(c, more, cb, arg);
	struct node *n = c->owner;

	if (!e)
		return NULL;
	if (errand_judge(c))
		rc = errand_judge(c);
	if (rc) {
		errand_over(e, rc);
		return NULL;
	}
	timer_set(n, &e->deadline, later(n->now.monotonic, timeout_us),
		  errand_too_late);
	return e;
}

static void show_describe(struct node *n, const struct call *call,
			  struct op *op)
{
	const struct errand *e = container_of(call, struct errand, call);

	(void)n;
	/* Of a conversion since then, the new hold's. */
	op->announce.token = e->claim ? e->claim->token : e->token;
	op->announce.shown = e->shown;
	op->announce.shown_len = e->shown_len;
}

/* "No" about a token that isn't the hold's any more, or perhaps isn't. */
static bool outdated(const struct errand *e, uint64_t token, int status)
{
	return status == HF_ENOTHELD && e->claim &&
	       (e->claim->token != token || e->claim->converting);
}

static void show_numbered(struct node *n, struct call *call)
{
	struct errand *e = container_of(call, struct errand, call);

	(void)n;
	if (e->claim)
		e->token = e->claim->token;
}

static void show_output(struct node *n, struct call *call,
			const struct output *o)
{
	struct errand *e = container_of(call, struct errand, call);
	const struct call_kind *kind = call->kind;

	if (o->kind != OUTPUT_ANSWER)
		return;
	if (!outdated(e, e->token, o->status)) {
		errand_over(e, o->status);
		return;
	}
	call_forget(n, call); /* that number is answered: a new one */
	call_queue(n, call, kind);
}

static void show_lost(struct node *n, struct call *call)
{
	(void)n;
	errand_over(container_of(call, struct errand, call), HF_ESESSION);
}

static const struct call_kind show_kind = { .op = OP_ANNOUNCE,
					    .describe = show_describe,
					    .numbered = show_numbered,
					    .output = show_output,
					    .lost = show_lost };

void node_show(struct node *n, struct claim *c, const void *shown,
	       size_t shown_len, uint64_t timeout_us, claim_cb cb, void *arg)
{
	bool fits = shown_len <= SHOWN_MAX;
	struct errand *e =
		errand_begin(c, fits ? shown_len : 0, fits ? 0 : HF_EINVAL,
			     timeout_us, cb, arg);

	if (!e)
		return;
	e->shown_len = shown_len;
	if (shown_len > 0)
		memcpy(e->shown, shown, shown_len);
	call_queue(n, &e->call, &show_kind);
}

void renew_forget(struct errand *e)
{
	timer_stop(e->owner, &e->again);
	if (e->number)
		map_remove(&e->owner->renewing, &e->by_number);
	e->number = 0;
}

static int renew_number(struct errand *e)
{
	struct node *n = e->owner;

	if (map_reserve(&n->renewing, 1))
		return HF_ENOMEM;
	renew_forget(e);
	e->number = ++n->renewals;
	e->attempt = 0;
	map_insert(&n->renewing, &e->by_number,
		   map_hash64(&n->renewing, e->number));
	return 0;
}

static struct errand *renew_find(const struct node *n, uint64_t number)
{
	uint64_t hash = map_hash64(&n->renewing, number);

	for (struct map_node *m = map_first(&n->renewing, hash); m;
	     m = map_next(m, hash)) {
		struct errand *e = container_of(m, struct errand, by_number);

		if (e->number == number)
			return e;
	}
	return NULL;
}

static void renew_send(struct node *n, struct errand *e)
{
	uint64_t id = e->number << ATTEMPT_BITS | (e->attempt + 1);
	struct op op = { .kind = OP_EXTEND,
			 .node = n->config.repl.id,
			 .session = e->claim->session,
			 .seq = id,
			 .extend = { .token = e->claim->token } };

	if (!route_op(n, &op))
		return;
	e->attempt++;
	e->attempts[e->attempt % RENEWALS].id = id;
	e->attempts[e->attempt % RENEWALS].token = e->claim->token;
	e->attempts[e->attempt % RENEWALS].sent = n->now;
}

static void renew_again(struct node *n, struct timer *t)
{
	struct errand *e = container_of(t, struct errand, again);

	if (!n->keeper.closing &&
	    (e->attempt < ATTEMPTS_MAX || renew_number(e) == 0))
		renew_send(n, e);
	timer_set(n, t, later(n->now.monotonic, jitter(n, e->again_us)),
		  renew_again);
	e->again_us *= 2;
	if (e->again_us > RETRY_MAX_US)
		e->again_us = RETRY_MAX_US;
}

void renew_answered(struct node *n, const struct output *o)
{
	struct errand *e = renew_find(n, o->seq >> ATTEMPT_BITS);
	size_t i = (o->seq & ATTEMPTS_MAX) % RENEWALS;

	if (!e || e->attempts[i].id != o->seq || o->status == HF_EBUSY ||
	    outdated(e, e->attempts[i].token, o->status))
		return; /* asked again */
	if (o->status == 0 && o->token == e->claim->token)
		certain_granted(e->claim, &e->attempts[i].sent, o);
	errand_over(e, o->status);
}

void node_renew(struct node *n, struct claim *c, uint64_t timeout_us,
		claim_cb cb, void *arg)
{
	struct errand *e = errand_begin(
		c, 0, c->options.lease_us ? 0 : HF_EINVAL, timeout_us, cb, arg);

	if (!e)
		return;
	if (renew_number(e)) {
		errand_over(e, HF_ENOMEM);
		return;
	}
	e->again_us = n->retry_us;
	timer_set(n, &e->again, n->now.monotonic, renew_again);
}
