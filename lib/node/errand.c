/* What is asked for a hold beside its acquire and its release, and how it ends.
 *
 * The rule: each is told once; what has reached the cluster is followed up
 * until that has answered, even if nobody waits for it any more and its claim
 * is gone. It is then a stray. */
#include "node/internal.h"

struct errand *errand_new(struct claim *c, size_t more, claim_cb cb, void *arg)
{
	struct node *n = c->owner;
	struct errand *e;

	if (n->over) { /* no turn will come */
		cb(arg, c, HF_ECLOSED);
		return NULL;
	}
	env_clocks(n->env, &n->now);
	e = (struct errand *)mem_zalloc(&n->mem, sizeof(*e) + more);
	if (!e) {
		cb(arg, c, HF_ENOMEM);
		return NULL;
	}
	e->owner = n;
	e->claim = c;
	e->cb = cb;
	e->arg = arg;
	e->token = c->token;
	list_init(&e->due_node);
	list_push(&c->errands, &e->node);
	return e;
}

int errand_judge(const struct claim *c)
{
	const struct node *n = c->owner;

	if (c->state == CLAIM_LOST)
		return c->lost_rc;
	if (c->state != CLAIM_HELD)
		return HF_ENOTHELD;
	if (n->closing)
		return HF_ECLOSED;
	return n->failed ? HF_EFAILED : 0;
}

void errand_due(struct errand *e, int rc)
{
	if (e->due || !e->cb)
		return;
	e->due = true;
	e->rc = rc;
	list_push(&e->owner->errands_due, &e->due_node);
}

static void errand_free(struct errand *e)
{
	struct node *n = e->owner;

	call_forget(n, &e->call);
	renew_forget(e);
	timer_stop(n, &e->deadline);
	list_remove(&e->due_node);
	list_remove(&e->node);
	mem_free(&n->mem, e);
}

void errand_leave(struct errand *e)
{
	struct claim *c = e->claim;

	list_remove(&e->node);
	list_push(&e->owner->strays, &e->node);
	if (c && c->converting == e)
		c->converting = NULL;
	e->claim = NULL;
}

void errand_over(struct errand *e, int rc)
{
	struct node *n = e->owner;

	errand_due(e, rc);
	errand_leave(e);
	call_forget(n, &e->call);
	renew_forget(e);
	timer_stop(n, &e->deadline);
	e->over = true;
	if (!e->due)
		errand_free(e);
}

void errands_claim_gone(struct claim *c, int rc)
{
	list_for_safe (it, &c->errands) {
		struct errand *e = container_of(it, struct errand, node);

		if (!e->call.seq) {
			errand_over(e, rc);
			continue;
		}
		errand_due(e, rc);
		if (e == c->converting)
			call_cancel(c->owner, &e->call, 0);
		errand_leave(e);
	}
}

void errands_end(struct claim *c, int rc)
{
	list_for_safe (it, &c->errands) {
		struct errand *e = container_of(it, struct errand, node);

		errand_over(e, e->call.seq ? HF_EUNKNOWN : rc);
	}
}

void errands_callbacks(struct node *n)
{
	while (!list_empty(&n->errands_due)) {
		struct errand *e = container_of(n->errands_due.next,
						struct errand, due_node);
		claim_cb cb = e->cb;
		bool over = e->over;

		list_remove(&e->due_node);
		e->due = false;
		e->cb = NULL;
		cb(e->arg, e->claim, e->rc);
		/* Else the callback may have ended it. */
		if (over)
			errand_free(e);
	}
}

/* Those of claims have gone with these. */
void errands_free(struct node *n)
{
	while (!list_empty(&n->strays))
		errand_free(container_of(n->strays.next, struct errand, node));
	map_free(&n->renewing);
}
