/* Sequenced operations: their numbers, their sending, their repetition.
 *
 * Numbers are given in the order of sending, releases first, and never beyond
 * the session's replicated window. `low`, below which nothing is asked again,
 * goes with every operation. What isn't answered is repeated at a pace that
 * follows the measured round trip, and at once after an attach; the window in
 * the state machine makes each take effect once. */
#include "node/internal.h"

#include <assert.h>

void calls_init(struct node *n)
{
	list_init(&n->unsent[0]);
	list_init(&n->unsent[1]);
	list_init(&n->by_age);
	list_init(&n->outstanding);
	map_init(&n->calls_by_seq, &n->mem, env_random64(n->env));
	n->next_seq = 1;
	n->retry_us = 4 * RETRY_MIN_US;
}

void calls_reset(struct node *n)
{
	assert(list_empty(&n->outstanding));
	n->next_seq = 1;
}

uint64_t calls_low(const struct node *n)
{
	if (list_empty(&n->outstanding))
		return n->next_seq;
	return container_of(n->outstanding.next, struct call, order)->seq;
}

void call_queue(struct call *c, struct claim *claim, enum op_kind kind)
{
	*c = (struct call){ .claim = claim, .kind = kind };
	list_init(&c->order);
	list_push(&claim->owner->unsent[kind == OP_ACQUIRE], &c->queue);
}

struct call *call_find(struct node *n, uint64_t seq)
{
	uint64_t hash = map_hash64(&n->calls_by_seq, seq);

	for (struct map_node *m = map_first(&n->calls_by_seq, hash); m;
	     m = map_next(m, hash)) {
		struct call *c = container_of(m, struct call, by_seq);

		if (c->seq == seq)
			return c;
	}
	return NULL;
}

void call_answered(struct node *n, struct call *c)
{
	uint64_t took = n->now.monotonic - c->sent_at;

	if (!c->outstanding)
		return;
	c->outstanding = false;
	list_remove(&c->queue);
	list_remove(&c->order);
	if (c->tries > 1)
		return; /* of which attempt is this the answer? (P. Karn) */
	n->srtt_us = n->srtt_us ? (7 * n->srtt_us + took) / 8 : took + 1;
	n->retry_us = 4 * n->srtt_us;
	if (n->retry_us < RETRY_MIN_US)
		n->retry_us = RETRY_MIN_US;
	if (n->retry_us > RETRY_MAX_US)
		n->retry_us = RETRY_MAX_US;
}

void call_forget(struct node *n, struct call *c)
{
	if (!c->claim)
		return;
	list_remove(&c->queue);
	list_remove(&c->order);
	c->outstanding = false;
	if (c->seq)
		map_remove(&n->calls_by_seq, &c->by_seq);
	c->seq = 0;
}

static uint64_t wait_of(const struct node *n, const struct claim *c)
{
	uint64_t left;

	if (c->options.timeout_us == 0)
		return 0;
	if (c->give_up_at == UINT64_MAX)
		return WAIT_FOREVER;
	left = c->give_up_at > n->now.monotonic
		       ? c->give_up_at - n->now.monotonic
		       : 0;
	left += WAIT_SLACK_US;
	return left < DURATION_MAX ? left : DURATION_MAX;
}

static void describe(const struct node *n, const struct call *c, struct op *op)
{
	const struct acquire_options *o = &c->claim->options;

	*op = (struct op){ .kind = c->kind,
			   .node = n->config.repl.id,
			   .session = c->claim->session,
			   .seq = c->seq,
			   .low = calls_low(n) };
	if (c->kind == OP_RELEASE) {
		op->release.token = c->claim->token;
		return;
	}
	op->acquire.owner = o->owner;
	op->acquire.name = (const uint8_t *)o->name;
	op->acquire.name_len = o->name_len;
	op->acquire.mode = (enum mode)o->mode;
	op->acquire.permits = o->permits;
	op->acquire.limit = o->limit;
	op->acquire.wait = wait_of(n, c->claim);
	op->acquire.delay = o->delay_us;
}

static bool call_send(struct node *n, struct call *c)
{
	struct op op;

	c->sent_at = n->now.monotonic;
	list_remove(&c->queue);
	list_push(&n->by_age, &c->queue);
	describe(n, c, &op);
	if (!route_op(n, &op))
		return false; /* again at the pace of repetitions */
	c->tries++;
	return true;
}

/* Releases may use all of the window, acquires leave an eighth to them: nobody
 * waits for a release that waits behind acquires. */
static bool has_room(const struct node *n, enum op_kind kind)
{
	uint64_t window = core_limits(repl_core(n->repl))->window;

	if (kind == OP_ACQUIRE)
		window -= window / 8;
	return n->next_seq < later(calls_low(n), window ? window : 1);
}

/* A number once given is used, even if it can't be sent now. */
static bool call_number(struct node *n, struct call *c)
{
	if (!has_room(n, c->kind))
		return false;
	if (map_reserve(&n->calls_by_seq, 1)) {
		n->number_at = later(n->now.monotonic, MEMORY_RETRY_US);
		return false;
	}
	c->claim->session = n->keeper.id;
	c->seq = n->next_seq++;
	c->outstanding = true;
	map_insert(&n->calls_by_seq, &c->by_seq,
		   map_hash64(&n->calls_by_seq, c->seq));
	list_push(&n->outstanding, &c->order);
	if (c->kind == OP_ACQUIRE)
		c->claim->state = CLAIM_ASKED;
	return true;
}

static void send_unsent(struct node *n, struct list *queue)
{
	while (!list_empty(queue)) {
		struct call *c = container_of(queue->next, struct call, queue);

		if (!call_number(n, c))
			return;
		call_send(n, c);
	}
}

static bool may_send(const struct node *n)
{
	return n->route.attached && n->keeper.id && !n->keeper.closing;
}

/* An acquire that is being undone isn't repeated: its cancel is. */
static bool call_repeat(struct node *n, struct call *c)
{
	if (c->kind == OP_ACQUIRE && c->claim->state == CLAIM_UNDOING) {
		c->sent_at = n->now.monotonic;
		list_remove(&c->queue);
		list_push(&n->by_age, &c->queue);
		return true;
	}
	return call_send(n, c);
}

static void repeat_due(struct node *n)
{
	uint64_t before = n->now.monotonic;
	bool any = false;

	for (int i = 0; i < RESEND_MAX && !list_empty(&n->by_age); i++) {
		struct call *c =
			container_of(n->by_age.next, struct call, queue);

		if (later(c->sent_at, n->retry_us) > before ||
		    !call_repeat(n, c))
			break;
		any = true;
	}
	if (!any)
		return;
	n->retry_us = jitter(n, 2 * n->retry_us);
	if (n->retry_us > RETRY_MAX_US)
		n->retry_us = RETRY_MAX_US;
}

void calls_turn(struct node *n)
{
	if (!may_send(n))
		return;
	repeat_due(n);
	if (n->now.monotonic < n->number_at)
		return;
	send_unsent(n, &n->unsent[0]);
	send_unsent(n, &n->unsent[1]);
}

void calls_resend(struct node *n)
{
	list_for (it, &n->by_age)
		container_of(it, struct call, queue)->sent_at = 0;
	n->retry_us =
		RETRY_MIN_US > 4 * n->srtt_us ? RETRY_MIN_US : 4 * n->srtt_us;
}

static bool could_send(const struct node *n)
{
	return may_send(n) &&
	       ((!list_empty(&n->unsent[0]) && has_room(n, OP_RELEASE)) ||
		(!list_empty(&n->unsent[1]) && has_room(n, OP_ACQUIRE)));
}

/* Has something come up that could go out at once? */
bool calls_waiting(const struct node *n)
{
	return n->now.monotonic >= n->number_at && could_send(n);
}

uint64_t calls_next(const struct node *n)
{
	uint64_t at = could_send(n) ? n->number_at : UINT64_MAX;

	if (may_send(n) && !list_empty(&n->by_age))
		sooner(&at,
		       later(container_of(n->by_age.next, struct call, queue)
				     ->sent_at,
			     n->retry_us));
	return at;
}
