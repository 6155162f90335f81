/* See crowd.h. */
#include "fuzz/lib/crowd.h"

#define SECOND UINT64_C(1000000)
#define LEN(array) (sizeof(array) / sizeof(*(array)))

static void make_open(struct crowd *w, struct reader *c, struct op *op,
		      bool sound)
{
	static const uint64_t ttls[] = { 100000, 2 * SECOND, 10 * SECOND,
					 DURATION_MAX, 1 };

	op->seq = choose(c, 4);
	op->open.nonce[0] = choose_byte(c);
	op->open.boot = 1 + w->opens / 16 - (choose_rarely(c, 16));
	op->open.nth = ++w->opens - choose_rarely(c, 8);
	op->open.ttl = ttls[choose(c, LEN(ttls))];
	op->open.flags = choose(c, sound ? 2 : 4);
}

/* A session that there is, mostly, and its node, mostly. */
static size_t pick_session(struct crowd *w, struct reader *c, struct op *op)
{
	size_t i = choose(c, CROWD_SESSIONS);

	if (w->sessions_len > 0)
		i %= w->sessions_len < CROWD_SESSIONS ? w->sessions_len
						      : CROWD_SESSIONS;
	op->session = w->sessions[i].id;
	op->node = w->sessions[i].node;
	if (op->session == 0 || choose_rarely(c, 32))
		op->session = 1 + choose(c, 64);
	if (op->node == 0 || choose_rarely(c, 32))
		op->node = 1 + choose(c, CROWD_NODES);
	return i;
}

static void pick_seq(struct crowd *w, struct reader *c, struct op *op, size_t i)
{
	unsigned how = choose(c, 16);

	if (how < 8)
		op->seq = ++w->sessions[i].seq;
	else if (how < 12)
		op->seq = 1 + choose(c, 8);
	else if (how < 14)
		op->seq = w->sessions[i].seq + choose_byte(c);
	else
		op->seq = w->sessions[i].seq | (uint64_t)how
						       << 8 * choose(c, 8);
	if (op->seq == 0)
		op->seq = 1;
}

static void pick_low(struct crowd *w, struct reader *c, struct op *op, size_t i)
{
	unsigned how = choose(c, 8);

	if (how == 1)
		op->low = w->sessions[i].seq;
	else if (how == 2)
		op->low = choose_byte(c);
	else if (how == 3)
		op->low = w->sessions[i].seq + choose_byte(c);
}

static void make_limits(struct reader *c, struct op *op)
{
	static const struct limits first = {
#define X(name, initial, least, greatest) .name = initial,
		LIMITS(X)
#undef X
	};

	op->session = 0;
	op->limits = first;
	op->limits.sessions = 1 + choose_byte(c);
	op->limits.locks = 1 + choose(c, 16);
	op->limits.requests = 1 + choose_byte(c);
	op->limits.line = 1 + choose(c, 8);
	op->limits.window = 1 + choose_byte(c);
	op->limits.delay_max_us = choose(c, 4) * SECOND;
	op->limits.step_max_us = SECOND * (1 + choose(c, 64));
	op->limits.values = choose(c, 16);
	op->limits.value_bytes = choose(c, 16);
	op->limits.bytes = choose_byte(c);
	if (choose_rarely(c, 8))
		op->limits.ttl_min_us = op->limits.ttl_max_us + 1;
}

struct op crowd_op(struct crowd *w, struct reader *c, bool sound)
{
	static const enum op_kind kinds[] = {
		OP_ACQUIRE, OP_ACQUIRE, OP_ACQUIRE, OP_ACQUIRE, OP_ACQUIRE,
		OP_ACQUIRE, OP_ACQUIRE, OP_ACQUIRE, OP_RELEASE, OP_RELEASE,
		OP_RELEASE, OP_OPEN,    OP_OPEN,    OP_RENEW,   OP_RENEW,
		OP_CANCEL,  OP_CLOSE,   OP_LIMITS,  OP_EXTEND,  OP_REVOKE,
		OP_NOTED,   OP_PERMITS, OP_PUT,     OP_PUT,     OP_DELETE,
		OP_ADD,     OP_AWAIT,   OP_ANNOUNCE
	};
	struct op op = { .kind = kinds[choose(c, LEN(kinds))] };
	size_t i = pick_session(w, c, &op);

	if (op.kind == OP_OPEN) {
		op.session = 0;
		make_open(w, c, &op, sound);
	} else if (op.kind == OP_LIMITS) {
		make_limits(c, &op);
	} else {
		pick_seq(w, c, &op, i);
		if (crowd_sequenced(op.kind) || op.kind == OP_RENEW)
			pick_low(w, c, &op, i);
		crowd_make(w, c, &op, sound);
	}
	return op;
}

/* A leader's clock: small steps, jumps, standing still, a new leader. */
static void move_clock(struct crowd *w, struct reader *c)
{
	static const uint64_t steps[] = { 1000,          0,
					  100000,        SECOND,
					  3 * SECOND,    30 * SECOND,
					  1000 * SECOND, 1 };
	unsigned how = choose(c, 64);

	w->now += steps[how % LEN(steps)];
	if (how >= 56 || w->term == 0)
		w->term++;
}

struct entry crowd_entry(struct crowd *w, struct reader *c, bool sound)
{
	struct entry e = { .version = SEMANTICS_VERSION, .ops = w->ops };

	move_clock(w, c);
	e.stamp = w->now;
	e.term = w->term;
	e.wall = w->now + 1;
	e.proposer = 1;
	e.serial = ++w->serial;
	if (choose_rarely(c, 32))
		e.stamp = w->now / 2;
	e.ops_len = choose(c, 16);
	e.ops_len = e.ops_len > CROWD_OPS ? 1 : e.ops_len;
	for (size_t i = 0; i < e.ops_len; i++)
		w->ops[i] = crowd_op(w, c, sound);
	return e;
}

void crowd_meet(struct crowd *w, uint64_t session, uint64_t node, uint64_t seq)
{
	size_t i = w->sessions_len++ % CROWD_SESSIONS;

	w->sessions[i].id = session;
	w->sessions[i].node = node;
	w->sessions[i].seq = seq;
}

void crowd_hear(struct crowd *w, const struct output *o)
{
	if (o->token > w->token && o->token < COUNT_BIAS / 2)
		w->token = o->token;
	if (o->kind == OUTPUT_REVOKED && o->number < COUNT_BIAS)
		w->noted_at = o->number;
	if (o->kind == OUTPUT_ANSWER && o->op == OP_OPEN && o->status == 0)
		crowd_meet(w, o->session, o->node, 0);
}
