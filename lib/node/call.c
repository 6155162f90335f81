/* Sequenced operations: their numbers, their sending, their repetition.
 *
 * Numbers are given in the order of sending, what gives something back first,
 * and never beyond the session's replicated window. `low`, below which nothing
 * is asked again, goes with every operation. What isn't answered is repeated at
 * a pace that follows the measured round trip, and at once after an attach; the
 * window in the state machine makes each take effect once. */
#include "node/internal.h"

#include <assert.h>

void calls_init(struct node *n)
{
	list_init(&n->unsent[0]);
	list_init(&n->unsent[1]);
	list_init(&n->by_age);
	list_init(&n->outstanding);
	list_init(&n->answered);
	map_init(&n->calls_by_seq, &n->mem, env_random64(n->env));
	n->next_seq = 1;
	n->retry_us = 4 * RETRY_MIN_US;
}

void calls_free(struct node *n)
{
	map_free(&n->calls_by_seq);
}

void calls_reset(struct node *n)
{
	assert(list_empty(&n->outstanding) && list_empty(&n->answered));
	n->next_seq = 1;
}

uint64_t calls_low(const struct node *n)
{
	if (list_empty(&n->outstanding))
		return n->next_seq;
	return container_of(n->outstanding.next, struct call, order)->seq;
}

void call_queue(struct node *n, struct call *c, const struct call_kind *kind)
{
	*c = (struct call){ .kind = kind };
	list_init(&c->order);
	list_push(&n->unsent[!kind->gives], &c->queue);
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

/* Which attempt is an answer to, if there were several? (P. Karn) */
static void measure(struct node *n, const struct call *c)
{
	uint64_t took = n->now.monotonic - c->sent_at;

	if (c->tries > 1)
		return;
	n->srtt_us = n->srtt_us ? (7 * n->srtt_us + took) / 8 : took + 1;
	n->retry_us = 4 * n->srtt_us;
	if (n->retry_us < RETRY_MIN_US)
		n->retry_us = RETRY_MIN_US;
	if (n->retry_us > RETRY_MAX_US)
		n->retry_us = RETRY_MAX_US;
}

void call_answered(struct node *n, struct call *c)
{
	if (!c->outstanding)
		return;
	c->outstanding = false;
	list_remove(&c->queue);
	list_remove(&c->order);
	list_push(&n->answered, &c->order);
	measure(n, c);
}

void call_forget(struct node *n, struct call *c)
{
	if (!c->kind)
		return;
	list_remove(&c->queue);
	list_remove(&c->order);
	timer_stop(n, &c->cancel);
	if (c->seq)
		map_remove(&n->calls_by_seq, &c->by_seq);
	*c = (struct call){ 0 };
}

void call_move(struct node *n, struct call *to, struct call *from)
{
	struct call moved;

	assert(from->seq && !from->outstanding);
	timer_stop(n, &from->cancel);
	moved = *from;
	moved.canceling = false;
	call_forget(n, from);
	call_forget(n, to);
	*to = moved;
	list_init(&to->queue);
	list_push(&n->answered, &to->order);
	map_insert(&n->calls_by_seq, &to->by_seq,
		   map_hash64(&n->calls_by_seq, to->seq));
}

void calls_lost(struct node *n)
{
	struct list *lists[] = { &n->outstanding, &n->answered };

	for (int i = 0; i < 2; i++)
		while (!list_empty(lists[i])) {
			struct call *c = container_of(lists[i]->next,
						      struct call, order);
			const struct call_kind *kind = c->kind;

			call_forget(n, c);
			kind->lost(n, c);
		}
}

static void cancel_again(struct node *n, struct timer *t)
{
	struct call *c = container_of(t, struct call, cancel);
	struct op op = { .kind = OP_CANCEL,
			 .node = n->config.repl.id,
			 .session = n->keeper.id,
			 .seq = c->seq,
			 .cancel = { .flags = c->cancel_flags } };

	if (n->route.attached && !n->keeper.closing)
		route_op(n, &op);
	timer_set(n, t, later(n->now.monotonic, jitter(n, c->cancel_us)),
		  cancel_again);
	c->cancel_us *= 2;
	if (c->cancel_us > RETRY_MAX_US)
		c->cancel_us = RETRY_MAX_US;
}

void call_cancel(struct node *n, struct call *c, uint32_t flags)
{
	assert(c->seq);
	c->canceling = true;
	c->cancel_flags = flags;
	c->cancel_us = n->retry_us;
	timer_set(n, &c->cancel, n->now.monotonic, cancel_again);
}

static void describe(struct node *n, const struct call *c, struct op *op)
{
	*op = (struct op){ .kind = c->kind->op,
			   .node = n->config.repl.id,
			   .session = n->keeper.id,
			   .seq = c->seq,
			   .low = calls_low(n) };
	c->kind->describe(n, c, op);
}

static bool call_send(struct node *n, struct call *c)
{
	struct op op;

	c->sent_at = n->now.monotonic;
	list_remove(&c->queue);
	list_push(&n->by_age, &c->queue);
	if (c->tries == 0)
		c->first = n->now;
	describe(n, c, &op);
	if (!route_op(n, &op)) {
		c->busy = n->busy_us > 0;
		return false; /* again at the pace of repetitions */
	}
	c->tries++;
	return true;
}

/* Releases may use all of the window, others leave an eighth to them: nobody
 * waits for a release that waits behind acquires. */
static bool has_room(const struct node *n, bool gives)
{
	uint64_t window = core_limits(repl_core(n->repl))->window;

	if (!gives)
		window -= window / 8;
	return n->next_seq < later(calls_low(n), window ? window : 1);
}

/* A number once given is used, even if it can't be sent now. */
static bool call_number(struct node *n, struct call *c)
{
	if (!has_room(n, c->kind->gives))
		return false;
	if (map_reserve(&n->calls_by_seq, 1)) {
		n->number_at = later(n->now.monotonic, MEMORY_RETRY_US);
		return false;
	}
	c->seq = n->next_seq++;
	c->outstanding = true;
	map_insert(&n->calls_by_seq, &c->by_seq,
		   map_hash64(&n->calls_by_seq, c->seq));
	list_push(&n->outstanding, &c->order);
	if (c->kind->numbered)
		c->kind->numbered(n, c);
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

/* What is being undone isn't repeated: its cancel is. */
static bool call_repeat(struct node *n, struct call *c)
{
	if (c->canceling) {
		c->sent_at = n->now.monotonic;
		list_remove(&c->queue);
		list_push(&n->by_age, &c->queue);
		return true;
	}
	return call_send(n, c);
}

/* How long to wait for an answer. A leader that has too much to do has said how
 * long that will take. */
static uint64_t patience(const struct node *n)
{
	return n->busy_us > n->retry_us ? n->busy_us : n->retry_us;
}

static void repeat_due(struct node *n)
{
	uint64_t before = n->now.monotonic;
	bool any = false;

	for (int i = 0; i < RESEND_MAX && !list_empty(&n->by_age); i++) {
		struct call *c =
			container_of(n->by_age.next, struct call, queue);

		if (later(c->sent_at, patience(n)) > before ||
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

static void cancel_now(struct node *n, struct list *calls)
{
	list_for (it, calls) {
		struct call *c = container_of(it, struct call, order);

		if (c->canceling)
			timer_set(n, &c->cancel, n->now.monotonic,
				  cancel_again);
	}
}

void calls_resend(struct node *n)
{
	list_for (it, &n->by_age)
		container_of(it, struct call, queue)->sent_at = 0;
	cancel_now(n, &n->outstanding);
	cancel_now(n, &n->answered);
	n->retry_us =
		RETRY_MIN_US > 4 * n->srtt_us ? RETRY_MIN_US : 4 * n->srtt_us;
}

static bool could_send(const struct node *n)
{
	return may_send(n) &&
	       ((!list_empty(&n->unsent[0]) && has_room(n, true)) ||
		(!list_empty(&n->unsent[1]) && has_room(n, false)));
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
			     patience(n)));
	return at;
}
