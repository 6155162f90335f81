/* Asks: ask.h.
 *
 * An ask ends once for its caller and once for the cluster. For the caller with
 * the answer, or too late. For the cluster when its number is settled: with the
 * answer, or, where the caller has given up a wait, when its cancel is
 * confirmed; until then it goes on without a caller. A write that may have
 * reached a log can't be taken back: so it is asked until it is answered. */
#include "node/internal.h"

#include "node/ask.h"

#include <string.h>

struct ask {
	struct node *owner;
	struct list all;  /* node->asks */
	struct list due;  /* node->asks_due: its callback */
	struct list held; /* node->asks_held: not to be sent yet */
	struct call call;
	struct timer deadline;
	uint64_t give_up_at;
	struct op op; /* names and bytes: those below */
	size_t len;   /* of them */
	bool sent;    /* counts among them, until it is answered */
	bool waiting; /* AWAIT: the cluster keeps it */
	bool over;    /* for the cluster */
	ask_cb cb;    /* NULL: the caller has been told */
	void *arg;
	int rc;
	uint64_t token;
	uint8_t bytes[];
};

void asks_init(struct node *n)
{
	list_init(&n->asks);
	list_init(&n->asks_due);
	list_init(&n->asks_held);
}

static void send_held(struct node *n);

/* It is answered, or won't be: the next may go. */
static void settled(struct ask *a)
{
	struct node *n = a->owner;

	list_remove(&a->held);
	if (!a->sent)
		return;
	a->sent = false;
	n->asks_sent -= a->len;
	send_held(n);
}

static void ask_free(struct ask *a)
{
	struct node *n = a->owner;

	call_forget(n, &a->call);
	timer_stop(n, &a->deadline);
	list_remove(&a->all);
	list_remove(&a->due);
	list_remove(&a->held);
	n->asks_bytes -= sizeof(*a) + a->len;
	mem_free(&n->mem, a);
}

void asks_free(struct node *n)
{
	while (!list_empty(&n->asks))
		ask_free(container_of(n->asks.next, struct ask, all));
}

/* Tell the caller from this turn's end; only the first counts. */
static void ask_due(struct ask *a, int rc)
{
	struct node *n = a->owner;

	timer_stop(n, &a->deadline);
	if (!a->cb || !list_empty(&a->due))
		return;
	a->rc = rc;
	list_push(&n->asks_due, &a->due);
}

/* The number is settled. */
static void ask_over(struct ask *a)
{
	call_forget(a->owner, &a->call);
	settled(a);
	a->over = true;
	if (list_empty(&a->due))
		ask_free(a);
}

static void ask_end(struct ask *a, int rc)
{
	ask_due(a, rc);
	ask_over(a);
}

/* Can any attempt have reached a log, or reach it yet? Each that the leader
 * refused for want of room has not. Its number isn't just given up, but
 * cancelled: the cluster's window goes on from the last that it has seen, and
 * would be left behind for good by as many as it is long. */
static bool reached(const struct ask *a)
{
	return a->waiting || a->call.tries > a->call.refusals;
}

static int why_not_sent(const struct ask *a)
{
	if (a->call.busy && a->owner->route.attached)
		return HF_EBUSY;
	return node_why_late(a->owner);
}

static void too_late(struct node *n, struct timer *t)
{
	struct ask *a = container_of(t, struct ask, deadline);

	if (!a->call.seq) {
		ask_end(a, why_not_sent(a));
		return;
	}
	if (reached(a) && a->op.kind != OP_AWAIT) {
		ask_due(a, HF_EUNKNOWN);
		return;
	}
	ask_due(a, reached(a) ? HF_ETIMEDOUT : why_not_sent(a));
	call_cancel(n, &a->call, 0);
}

static void describe(struct node *n, const struct call *call, struct op *op)
{
	const struct ask *a = container_of(call, struct ask, call);
	uint64_t left = WAIT_FOREVER;
	struct op head = *op;

	*op = a->op;
	op->node = head.node;
	op->session = head.session;
	op->seq = head.seq;
	op->low = head.low;
	if (op->kind != OP_AWAIT || op->await.wait == 0)
		return;
	if (a->give_up_at != UINT64_MAX) {
		left = a->give_up_at > n->now.monotonic
			       ? a->give_up_at - n->now.monotonic
			       : 0;
		left += WAIT_SLACK_US;
		left = left < DURATION_MAX ? left : DURATION_MAX;
	}
	op->await.wait = left;
}

/* A wait that has ended is kept in the cluster until it is cancelled. One that
 * a resync misses has ended unheard, how isn't known. */
static void await_ended(struct node *n, struct ask *a, const struct output *o)
{
	a->waiting = true;
	a->token = o->token;
	ask_due(a, o->status == HF_ENOTHELD ? HF_EUNKNOWN : o->status);
	if (!a->call.canceling)
		call_cancel(n, &a->call, 0);
}

static void on_output(struct node *n, struct call *call, const struct output *o)
{
	struct ask *a = container_of(call, struct ask, call);

	if (o->kind == OUTPUT_GRANTED || o->kind == OUTPUT_ENDED) {
		await_ended(n, a, o);
	} else if (o->kind == OUTPUT_ANSWER && o->op == OP_CANCEL) {
		ask_over(a);
	} else if (o->kind == OUTPUT_ANSWER && o->status == STATUS_WAITING) {
		a->waiting = true;
		settled(a);
	} else if (o->kind == OUTPUT_ANSWER && !call->canceling) {
		a->token = o->token;
		ask_end(a, o->status);
	}
}

/* The session has ended. A write may have been applied before, or not; what has
 * no number yet is asked in the next session. */
static void on_lost(struct node *n, struct call *call)
{
	struct ask *a = container_of(call, struct ask, call);

	(void)n;
	ask_end(a, a->op.kind == OP_AWAIT ? HF_ESESSION : HF_EUNKNOWN);
}

#define KIND(kind, keeps)                \
	[kind] = { .op = kind,           \
		   .request = (keeps),   \
		   .describe = describe, \
		   .output = on_output,  \
		   .lost = on_lost }

static const struct call_kind kinds[] = {
	KIND(OP_REVOKE, false), KIND(OP_PERMITS, false), KIND(OP_PUT, false),
	KIND(OP_DELETE, false), KIND(OP_ADD, false),     KIND(OP_AWAIT, true)
};

/* In the order in which they came. One alone may be larger. */
static void send_held(struct node *n)
{
	while (!list_empty(&n->asks_held)) {
		struct ask *a =
			container_of(n->asks_held.next, struct ask, held);

		if (n->asks_sent > 0 && n->asks_sent + a->len > ASKS_SENT_MAX)
			return;
		list_remove(&a->held);
		a->sent = true;
		n->asks_sent += a->len;
		call_queue(n, &a->call, &kinds[a->op.kind]);
	}
}

/* The names and bytes that an operation points to, at most two. */
struct fields {
	const uint8_t **at[2];
	size_t len[2];
};

static struct fields fields_of(struct op *op)
{
	switch (op->kind) {
	case OP_REVOKE:
		return (struct fields){ { &op->revoke.reason },
					{ op->revoke.reason_len } };
	case OP_PERMITS:
		return (struct fields){ { &op->permits.name },
					{ op->permits.name_len } };
	case OP_AWAIT:
		return (struct fields){ { &op->await.name },
					{ op->await.name_len } };
	default:
		return (struct fields){ { &op->value.name, &op->value.bytes },
					{ op->value.name_len,
					  op->value.bytes_len } };
	}
}

size_t ask_bytes(const struct op *op)
{
	struct op o = *op;
	struct fields f = fields_of(&o);

	return f.len[0] + f.len[1];
}

void ask_copy(struct op *op, uint8_t *to)
{
	struct fields f = fields_of(op);

	for (int i = 0; i < 2; i++) {
		if (f.len[i] == 0)
			continue;
		memcpy(to, *f.at[i], f.len[i]);
		*f.at[i] = to;
		to += f.len[i];
	}
}

/* As it will be once it has what it gets later. */
static bool valid(const struct op *op)
{
	struct op o = *op;

	if ((size_t)o.kind >= sizeof(kinds) / sizeof(*kinds) ||
	    !kinds[o.kind].op)
		return false;
	o.node = o.session = o.seq = o.low = 1;
	return op_valid(&o);
}

static struct ask *ask_new(struct node *n, const struct op *op)
{
	size_t len = ask_bytes(op);
	struct ask *a = (struct ask *)mem_zalloc(&n->mem, sizeof(*a) + len);

	if (!a)
		return NULL;
	a->owner = n;
	a->len = len;
	a->op = *op;
	ask_copy(&a->op, a->bytes);
	n->asks_bytes += sizeof(*a) + len;
	list_push(&n->asks, &a->all);
	list_init(&a->due);
	list_init(&a->held);
	return a;
}

int node_ask(struct node *n, const struct op *op, uint64_t timeout_us,
	     ask_cb cb, void *arg)
{
	struct ask *a;

	if (!valid(op))
		return HF_EINVAL;
	if (n->closing)
		return HF_ECLOSED;
	if (n->failed)
		return HF_EFAILED;
	if (n->asks_bytes >= ASKS_BYTES_MAX)
		return HF_EBUSY;
	a = ask_new(n, op);
	if (!a)
		return HF_ENOMEM;
	a->cb = cb;
	a->arg = arg;
	env_clocks(n->env, &n->now);
	/* One that only looks waits for the leader's answer, as a try does. */
	if (op->kind == OP_AWAIT && op->await.wait == 0)
		timeout_us = TRY_US;
	a->give_up_at = later(n->now.monotonic, timeout_us);
	list_push(&n->asks_held, &a->held);
	send_held(n);
	timer_set(n, &a->deadline, a->give_up_at, too_late);
	return 0;
}

void asks_end(struct node *n, int rc, bool all)
{
	list_for_safe (it, &n->asks) {
		struct ask *a = container_of(it, struct ask, all);

		if (a->over)
			continue;
		if (!reached(a) || a->op.kind == OP_AWAIT)
			ask_end(a, rc);
		else if (all)
			ask_end(a, HF_EUNKNOWN);
	}
}

/* A callback may ask for more. */
void asks_callbacks(struct node *n)
{
	while (!list_empty(&n->asks_due)) {
		struct ask *a = container_of(n->asks_due.next, struct ask, due);
		ask_cb cb = a->cb;

		list_remove(&a->due);
		a->cb = NULL;
		cb(a->arg, a->rc, a->token);
		if (a->over)
			ask_free(a);
	}
}

bool asks_waiting(const struct node *n)
{
	return !list_empty(&n->asks_due);
}
