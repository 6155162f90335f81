/* Until when a hold is certain by itself, beside its session.
 *
 * The rule: what its holder is told never exceeds what the state machine
 * guarantees. That is the earliest of the hold's own deadline (a limit, a lease
 * of its own), which later answers only move on, and of what a revocation
 * leaves, which never rises. README here says why a revocation can't be missed
 * by who goes on to believe.
 *
 * A revocation lowers the belief at once, is told as an event, and is then
 * confirmed to the cluster until that has heard it. Where memory for the event
 * is missing it isn't confirmed: the cluster tells of it again. */
#include "node/internal.h"

#include <string.h>

static bool has_deadline(const struct claim *c)
{
	return c->options.hold_us > 0 || c->options.lease_us > 0;
}

/* A hold that must have a deadline is certain of nothing until it is known. */
void certain_begin(struct claim *c)
{
	c->own = BOUND_NONE;
	if (has_deadline(c))
		c->own = (struct bound){ 0 };
	c->taken = BOUND_NONE;
}

static struct bound certain(const struct claim *c)
{
	struct bound b = c->own;

	bound_lower(&b, c->taken);
	return b;
}

void certain_publish(const struct claim *c)
{
	if (c->watch.token)
		__atomic_store_n(c->watch.token, c->token, __ATOMIC_SEQ_CST);
	if (c->watch.cap)
		bound_store(c->watch.cap, certain(c));
}

void certain_granted(struct claim *c, const struct clocks *sent,
		     const struct output *o)
{
	struct caution caution = node_caution(c->owner);

	if (has_deadline(c) && o->deadline > 0) {
		bound_raise(&c->own, anchors_bound(&c->owner->anchors,
						   o->deadline, caution));
		if (sent)
			bound_raise(&c->own, bound_of(sent, o->stamp,
						      o->deadline, caution));
	}
	certain_publish(c);
}

static void revocation_free(struct claim *c)
{
	struct revocation *r = c->revoked;

	if (!r)
		return;
	timer_stop(c->owner, &r->again);
	list_remove(&r->node);
	mem_free(&c->owner->mem, r);
	c->revoked = NULL;
}

void certain_end(struct claim *c)
{
	revocation_free(c);
}

static void revocation_new(struct claim *c, const struct output *o)
{
	struct node *n = c->owner;
	struct revocation *r = (struct revocation *)mem_zalloc(
		&n->mem, sizeof(*r) + o->bytes_len + 1);

	if (!r)
		return; /* it will be told again */
	revocation_free(c);
	r->claim = c;
	r->until = o->number;
	r->by = o->by;
	if (o->bytes_len > 0)
		memcpy(r->text, o->bytes, o->bytes_len);
	list_push(&n->notices, &r->node);
	c->revoked = r;
}

/* Also of what isn't known to be held yet: the grant may be on its way. */
void certain_revoked(struct claim *c, const struct output *o)
{
	struct node *n = c->owner;

	if (c->state == CLAIM_UNDOING || c->state == CLAIM_OVER ||
	    c->state == CLAIM_LOST)
		return;
	bound_lower(&c->taken,
		    anchors_bound(&n->anchors, o->number, node_caution(n)));
	certain_publish(c);
	/* A second one counts only if it comes to an earlier time. */
	if (!c->revoked || o->number < c->revoked->until)
		revocation_new(c, o);
}

void certain_noted(struct claim *c, const struct output *o)
{
	/* It may be about the revocation before this one; and "no" about the
	 * token before a conversion. */
	if (c->revoked && c->revoked->sent && o->status == 0)
		timer_stop(c->owner, &c->revoked->again);
}

static void note_again(struct node *n, struct timer *t)
{
	struct revocation *r = container_of(t, struct revocation, again);
	struct op op = { .kind = OP_NOTED,
			 .node = n->config.repl.id,
			 .session = r->claim->session,
			 .seq = r->claim->acquire.seq,
			 .noted = { .token = r->claim->token,
				    .noted_at = r->until } };

	if (!n->keeper.closing && route_op(n, &op))
		r->sent = true;
	timer_set(n, t, later(n->now.monotonic, jitter(n, r->again_us)),
		  note_again);
	r->again_us *= 2;
	if (r->again_us > RETRY_MAX_US)
		r->again_us = RETRY_MAX_US;
}

static void tell(struct node *n, struct revocation *r)
{
	const struct claim *c = r->claim;
	uint64_t left = bound_left(&c->taken, &n->now) / MS;
	struct hf_event e = { .type = HF_EVENT_REVOKED,
			      .token = c->token,
			      .name = (const char *)c->options.name,
			      .name_len = c->options.name_len,
			      .rc = HF_EREVOKED,
			      .text = r->text,
			      .by = r->by,
			      .left_ms = left < UINT32_MAX ? (uint32_t)left
							   : UINT32_MAX };

	r->again_us = n->retry_us;
	timer_set(n, &r->again, n->now.monotonic, note_again);
	node_tell(n, &e);
}

static bool told_held(const struct claim *c)
{
	return c->state == CLAIM_HELD && !c->due;
}

/* Of a hold that its owner knows of; of others when it does. What is given back
 * needs no event. */
void certain_events(struct node *n)
{
	struct list later;

	if (n->quiet)
		return;
	list_init(&later);
	while (!list_empty(&n->notices) && !n->quiet) {
		struct revocation *r =
			container_of(n->notices.next, struct revocation, node);

		list_remove(&r->node);
		if (told_held(r->claim))
			tell(n, r);
		else if (r->claim->state == CLAIM_RELEASING)
			revocation_free(r->claim);
		else
			list_push(&later, &r->node);
	}
	while (!list_empty(&later)) {
		struct list *it = later.next;

		list_remove(it);
		list_push(&n->notices, it);
	}
}

void node_claim_watch(struct claim *c, const struct hold_watch *watch)
{
	c->watch = *watch;
	if (c->watch.lost)
		__atomic_store_n(c->watch.lost, c->state == CLAIM_LOST,
				 __ATOMIC_SEQ_CST);
	certain_publish(c);
}

uint64_t node_claim_left(const struct claim *c, const struct clocks *now)
{
	uint64_t left = lease_left(&c->owner->lease, c->session, now);
	struct bound b = certain(c);
	uint64_t own = bound_left(&b, now);

	if (c->state != CLAIM_HELD)
		return 0;
	return own < left ? own : left;
}
