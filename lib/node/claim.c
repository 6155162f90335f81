/* Acquisitions, from the request to the end of the hold.
 *
 * A claim tells its owner one result of the acquire and one of the release.
 * What the owner was told last may be ahead of the cluster: a timed-out or
 * cancelled claim is "not held" at once and is undone until the cluster
 * confirms it.
 *
 * Facts about a claim carry the index at which they became true; one that is
 * older than what is known already is dropped. One entry can make several true
 * (a wait begins, and a release behind it in the same entry grants it), so an
 * equal index isn't older: a claim's states only go forward. */
#include "node/internal.h"

#include <string.h>

/* Tell the owner `rc` from this turn's end. */
static void claim_due(struct claim *c, int rc)
{
	if (c->due || !c->cb)
		return;
	c->due = true;
	c->rc = rc;
	list_push(&c->owner->due, &c->due_node);
}

static void claim_free(struct claim *c)
{
	struct node *n = c->owner;

	questions_claim_gone(n, c);
	call_forget(n, &c->acquire);
	call_forget(n, &c->release);
	timer_stop(n, &c->deadline);
	timer_stop(n, &c->undo);
	list_remove(&c->all);
	list_remove(&c->due_node);
	list_remove(&c->loss_node);
	mem_free(&n->mem, c);
}

/* No more to be asked of the cluster; only the owner may still have to hear. */
static void claim_over(struct claim *c)
{
	struct node *n = c->owner;

	c->state = CLAIM_OVER;
	call_forget(n, &c->acquire);
	call_forget(n, &c->release);
	timer_stop(n, &c->deadline);
	timer_stop(n, &c->undo);
	if (!c->due)
		claim_free(c);
}

static void claim_finish(struct claim *c, int rc)
{
	claim_due(c, rc);
	claim_over(c);
}

static void undo_again(struct node *n, struct timer *t)
{
	struct claim *c = container_of(t, struct claim, undo);
	struct op op = { .kind = OP_CANCEL,
			 .node = n->config.repl.id,
			 .session = c->session,
			 .seq = c->acquire.seq };

	if (n->route.attached && !n->keeper.closing)
		route_op(n, &op);
	timer_set(n, t, later(n->now.monotonic, jitter(n, c->undo_us)),
		  undo_again);
	c->undo_us *= 2;
	if (c->undo_us > RETRY_MAX_US)
		c->undo_us = RETRY_MAX_US;
}

static void claim_undo(struct claim *c, int rc)
{
	struct node *n = c->owner;

	claim_due(c, rc);
	timer_stop(n, &c->deadline);
	c->state = CLAIM_UNDOING;
	c->undo_us = n->retry_us;
	timer_set(n, &c->undo, n->now.monotonic, undo_again);
}

void claims_undo_now(struct node *n)
{
	list_for (it, &n->claims) {
		struct claim *c = container_of(it, struct claim, all);

		if (c->state == CLAIM_UNDOING)
			timer_set(n, &c->undo, n->now.monotonic, undo_again);
	}
}

static int why_too_late(const struct node *n)
{
	if (n->route.attached)
		return HF_ETIMEDOUT;
	return n->keeper.id || !n->keeper.refusal ? HF_ENOLEADER
						  : n->keeper.refusal;
}

static void acquire_too_late(struct node *n, struct timer *t)
{
	struct claim *c = container_of(t, struct claim, deadline);
	int rc = c->busy && n->route.attached ? HF_EBUSY : why_too_late(n);

	if (c->state == CLAIM_QUEUED)
		claim_finish(c, rc);
	else
		claim_undo(c, rc);
}

static void release_too_late(struct node *n, struct timer *t)
{
	struct claim *c = container_of(t, struct claim, deadline);

	(void)n;
	claim_due(c, HF_EUNKNOWN);
	/* The release goes on without its owner. */
}

static bool options_valid(const struct acquire_options *o)
{
	if (o->name_len < 1 || o->name_len > LOCK_NAME_MAX ||
	    o->delay_us > DURATION_MAX)
		return false;
	switch (o->mode) {
	case HF_EXCLUSIVE:
	case HF_SHARED:
		return o->permits == 0 && o->limit == 0;
	case HF_PERMITS:
		return o->permits >= 1 && o->permits <= o->limit;
	default:
		return false;
	}
}

int node_acquire(struct node *n, const struct acquire_options *options,
		 claim_cb cb, void *arg, struct claim **claim)
{
	uint64_t patience = options->timeout_us ? options->timeout_us : TRY_US;
	struct claim *c;

	*claim = NULL;
	if (!options_valid(options))
		return HF_EINVAL;
	if (n->closing)
		return HF_ECLOSED;
	if (n->failed)
		return HF_EFAILED;
	c = (struct claim *)mem_zalloc(&n->mem, sizeof(*c) + options->name_len);
	if (!c)
		return HF_ENOMEM;
	c->owner = n;
	c->state = CLAIM_QUEUED;
	c->options = *options;
	memcpy(c->name, options->name, options->name_len);
	c->options.name = c->name;
	c->cb = cb;
	c->arg = arg;
	env_clocks(n->env, &n->now);
	c->give_up_at = later(n->now.monotonic, patience);
	list_push(&n->claims, &c->all);
	list_init(&c->due_node);
	list_init(&c->loss_node);
	list_init(&c->release.queue);
	list_init(&c->release.order);
	call_queue(&c->acquire, c, OP_ACQUIRE);
	timer_set(n, &c->deadline, c->give_up_at, acquire_too_late);
	*claim = c;
	return 0;
}

int node_cancel(struct node *n, struct claim *c)
{
	env_clocks(n->env, &n->now);
	if (c->state == CLAIM_QUEUED)
		claim_finish(c, HF_ECANCELED);
	else if (c->state == CLAIM_ASKED || c->state == CLAIM_WAITING)
		claim_undo(c, HF_ECANCELED);
	else
		return HF_ENOTHELD;
	return 0;
}

void node_release(struct node *n, struct claim *c, uint64_t timeout_us,
		  claim_cb cb, void *arg)
{
	if (n->over) { /* no turn will come */
		cb(arg, c, HF_EUNKNOWN);
		return;
	}
	env_clocks(n->env, &n->now);
	c->cb = cb;
	c->arg = arg;
	c->lost = NULL;
	questions_claim_gone(n, c);
	if (c->state == CLAIM_LOST) {
		claim_finish(c, c->lost_rc);
		return;
	}
	if (n->failed) {
		claim_finish(c, HF_EUNKNOWN);
		return;
	}
	c->state = CLAIM_RELEASING;
	call_queue(&c->release, c, OP_RELEASE);
	timer_set(n, &c->deadline, later(n->now.monotonic, timeout_us),
		  release_too_late);
}

static void on_held(struct claim *c, uint64_t token)
{
	c->token = token;
	if (c->state != CLAIM_ASKED && c->state != CLAIM_WAITING)
		return; /* being undone: nobody is to hear of it */
	c->state = CLAIM_HELD;
	timer_stop(c->owner, &c->deadline);
	claim_due(c, 0);
}

static void on_hold_lost(struct claim *c, int rc)
{
	if (c->due) { /* its owner doesn't know yet that it was held */
		c->rc = rc;
		claim_over(c);
		return;
	}
	c->state = CLAIM_LOST;
	c->lost_rc = rc;
	call_forget(c->owner, &c->acquire);
	if (c->lost)
		__atomic_store_n(c->lost, 1, __ATOMIC_SEQ_CST);
	list_push(&c->owner->losses, &c->loss_node);
}

static void answer_acquire(struct node *n, struct call *call,
			   const struct output *o)
{
	struct claim *c = call->claim;

	if (!call->outstanding)
		return;
	c->busy = o->status == HF_EBUSY;
	if (c->busy)
		return; /* nothing happened; it is repeated later */
	call_answered(n, call);
	if (o->index > c->as_of)
		c->as_of = o->index;
	if (o->status == 0)
		on_held(c, o->token);
	else if (o->status == STATUS_WAITING && c->state == CLAIM_ASKED)
		c->state = CLAIM_WAITING;
	else if (o->status < 0 && c->state == CLAIM_ASKED)
		claim_finish(c, o->status);
	/* A claim that is being undone waits for the cancel's answer. */
}

static void answer_release(struct node *n, struct call *call,
			   const struct output *o)
{
	if (o->status == HF_EBUSY || !call->outstanding)
		return;
	call_answered(n, call);
	claim_finish(call->claim, o->status);
}

static void answer_cancel(struct node *n, struct call *call,
			  const struct output *o)
{
	struct claim *c = call->claim;

	/* Anything else than "cancelled" leaves it undecided: ask again. */
	if (c->state != CLAIM_UNDOING || o->status != HF_ECANCELED)
		return;
	call_answered(n, call);
	claim_over(c);
}

/* The wait or the hold ended by itself. What the state machine keeps of it is
 * dropped by the undo, which also confirms it. */
static void on_ended(struct claim *c, int status)
{
	if (c->state == CLAIM_ASKED || c->state == CLAIM_WAITING)
		claim_undo(c, status);
	else if (c->state == CLAIM_HELD)
		on_hold_lost(c, status);
}

/* Something of ours in the cluster that nobody here knows of. */
static void disown(struct node *n, uint64_t seq)
{
	struct op op = { .kind = OP_CANCEL,
			 .node = n->config.repl.id,
			 .session = n->keeper.id,
			 .seq = seq };

	route_op(n, &op);
}

static void claim_fact(struct node *n, const struct output *o)
{
	struct call *call = call_find(n, o->seq);
	struct claim *c = call ? call->claim : NULL;

	if (!c || call->kind != OP_ACQUIRE) {
		disown(n, o->seq);
		return;
	}
	if (o->index < c->as_of)
		return;
	c->as_of = o->index;
	call_answered(n, call);
	if (o->kind == OUTPUT_GRANTED)
		on_held(c, o->token);
	else
		on_ended(c, o->status);
}

void claim_output(struct node *n, const struct output *o)
{
	struct call *call;

	if (!n->keeper.id || o->session != n->keeper.id)
		return;
	if (o->kind != OUTPUT_ANSWER) {
		claim_fact(n, o);
		return;
	}
	if (o->status == HF_ESESSION) {
		keeper_lost(n, o->session);
		return;
	}
	call = call_find(n, o->seq);
	if (!call)
		return;
	if (o->op == OP_CANCEL && call->kind == OP_ACQUIRE)
		answer_cancel(n, call, o);
	else if (o->op == OP_ACQUIRE && call->kind == OP_ACQUIRE)
		answer_acquire(n, call, o);
	else if (o->op == OP_RELEASE && call->kind == OP_RELEASE)
		answer_release(n, call, o);
}

static void resync_claim(struct node *n, struct call *call,
			 const struct resync *s, const struct resync_item *item)
{
	struct claim *c = call->claim;

	c->mark = s->nonce;
	if (s->index < c->as_of)
		return;
	c->as_of = s->index;
	call_answered(n, call);
	if (item->token)
		on_held(c, item->token);
	else if (item->status == STATUS_WAITING && c->state == CLAIM_ASKED)
		c->state = CLAIM_WAITING;
	else if (item->status < 0)
		on_ended(c, item->status);
}

/* What waits or is held here and isn't there, although what we know is older,
 * has ended unheard. */
static void resync_missing(struct node *n, const struct resync *s)
{
	list_for_safe (it, &n->claims) {
		struct claim *c = container_of(it, struct claim, all);

		if (c->mark == s->nonce || c->as_of > s->index ||
		    c->session != s->session)
			continue;
		if (c->state == CLAIM_WAITING || c->state == CLAIM_HELD)
			on_ended(c, HF_ENOTHELD);
	}
}

void claims_resync(struct node *n, const struct resync *s,
		   struct resync_reader *it)
{
	struct resync_item item;
	struct call *call;

	while (resync_next(it, &item) > 0) {
		call = call_find(n, item.seq);
		if (call && call->kind == OP_ACQUIRE)
			resync_claim(n, call, s, &item);
		else
			disown(n, item.seq);
	}
	if (!it->r.failed)
		resync_missing(n, s);
}

static void lose(struct claim *c)
{
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

void claims_lost(struct node *n, uint64_t session)
{
	list_for_safe (it, &n->claims) {
		struct claim *c = container_of(it, struct claim, all);

		if (c->session == session)
			lose(c);
	}
}

void claims_end(struct node *n, int acquire_rc, int release_rc)
{
	list_for_safe (it, &n->claims) {
		struct claim *c = container_of(it, struct claim, all);

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
			      .name = (const char *)c->name,
			      .name_len = c->options.name_len,
			      .rc = c->lost_rc };

	node_tell(n, &e);
}

/* A callback may start, cancel and release claims, this one included. */
void claims_callbacks(struct node *n)
{
	while (!list_empty(&n->losses)) {
		struct claim *c =
			container_of(n->losses.next, struct claim, loss_node);

		list_remove(&c->loss_node);
		tell_loss(n, c);
	}
	while (!list_empty(&n->due)) {
		/* Of a claim that is going, the questions' come first. */
		questions_callbacks(n);
		struct claim *c =
			container_of(n->due.next, struct claim, due_node);
		claim_cb cb = c->cb;
		void *arg = c->arg;
		int rc = c->rc;
		bool over = c->state == CLAIM_OVER;

		list_remove(&c->due_node);
		c->due = false;
		c->cb = NULL;
		cb(arg, c, rc);
		if (over)
			claim_free(c);
	}
}

void claims_free(struct node *n)
{
	while (!list_empty(&n->claims))
		claim_free(container_of(n->claims.next, struct claim, all));
	map_free(&n->calls_by_seq);
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

void node_claim_watch(struct claim *c, uint32_t *lost)
{
	c->lost = lost;
	if (lost)
		__atomic_store_n(lost, c->state == CLAIM_LOST,
				 __ATOMIC_SEQ_CST);
}
