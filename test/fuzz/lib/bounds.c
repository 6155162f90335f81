/* See bounds.h. */
#include "fuzz/lib/bounds.h"
#include "fuzz/lib/target.h"

#define NUMBER_MAX INT64_MAX
#define MICROSECONDS_MAX (UINT64_C(1) << 40)
#define FRAME_BYTES 65536
#define HANDSHAKE_BYTES 512
#define NAME_BYTES 512
#define SLOTS 65536
#define SHOWN_BYTES 1024
#define REASON_BYTES 128
#define VALUE_BYTES 262144
#define FURTHER_LOCKS 15
#define COUNT (INT64_C(1) << 61)

static bool id(uint64_t v)
{
	return v >= 1 && v <= NUMBER_MAX;
}

static bool status(int v)
{
	return v >= -999 && v <= 1;
}

static void bounds_limits(const struct limits *limits)
{
#define X(name, first, least, greatest)                  \
	must(limits->name + 1 >= (least) + UINT64_C(1)); \
	must(limits->name <= (greatest));
	LIMITS(X)
#undef X
}

static bool name(size_t len)
{
	return len >= 1 && len <= NAME_BYTES;
}

static bool count(int64_t v)
{
	return v >= -COUNT && v <= COUNT;
}

static bool wait(uint64_t v)
{
	return v <= MICROSECONDS_MAX || v == UINT64_MAX;
}

static void bounds_permits(enum mode mode, uint32_t permits, uint32_t limit)
{
	must(mode <= MODE_LEAVE);
	must((mode == MODE_PERMITS) == (permits >= 1));
	must(limit == 0 || mode == MODE_PERMITS || mode == MODE_BARRIER);
	must(limit >= 1 || mode != MODE_BARRIER);
	must(limit == 0 || permits <= limit);
}

static void bounds_extras(const struct op *op)
{
	must(op->acquire.more_len <= FURTHER_LOCKS);
	must(op->acquire.more_len == 0 || op->acquire.mode <= MODE_PERMITS);
	must(op->acquire.more_len == 0 || op->acquire.from == 0);
	for (size_t i = 0; i < op->acquire.more_len; i++) {
		const struct op_part *p = &op->acquire.more[i];

		must(name(p->name_len) && p->mode <= MODE_PERMITS);
		bounds_permits(p->mode, p->permits, p->limit);
	}
	must(op->acquire.priority >= -128 && op->acquire.priority <= 127);
	must(op->acquire.hold <= MICROSECONDS_MAX);
	must(op->acquire.lease <= MICROSECONDS_MAX);
	must(op->acquire.from <= NUMBER_MAX);
	must(op->acquire.from > 0 || op->acquire.mode != MODE_LEAVE);
	must(op->acquire.shown_len <= SHOWN_BYTES);
}

static void bounds_acquire(const struct op *op)
{
	bounds_permits(op->acquire.mode, op->acquire.permits,
		       op->acquire.limit);
	must(wait(op->acquire.wait));
	must(op->acquire.delay <= MICROSECONDS_MAX);
	must(name(op->acquire.name_len));
	bounds_extras(op);
}

static void bounds_value(const struct op *op)
{
	bool put = op->kind == OP_PUT, add = op->kind == OP_ADD;

	must(name(op->value.name_len) && op->value.guard <= NUMBER_MAX);
	must(op->value.bytes_len <= (put ? VALUE_BYTES : 0));
	must(op->value.expect <= NUMBER_MAX || op->value.expect == UINT64_MAX);
	must(add ? count(op->value.delta) : op->value.delta == 0);
	must(op->value.flags <= (put || add));
}

static bool condition(enum condition condition, int64_t number)
{
	if (condition < 1 || condition > 5)
		return false;
	if (condition < AWAIT_NEWER)
		return number == 0;
	return condition == AWAIT_NEWER ? number >= 0 : count(number);
}

static void bounds_await(const struct op *op)
{
	must(name(op->await.name_len) && wait(op->await.wait));
	must(condition(op->await.condition, op->await.number));
}

static void bounds_body(const struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		must(op->open.ttl <= MICROSECONDS_MAX && op->open.flags <= 1);
		break;
	case OP_RENEW:
	case OP_CLOSE:
		break;
	case OP_ACQUIRE:
		bounds_acquire(op);
		break;
	case OP_RELEASE:
		must(id(op->release.token));
		break;
	case OP_CANCEL:
		must(op->cancel.flags <= 1);
		break;
	case OP_LIMITS:
		bounds_limits(&op->limits);
		break;
	case OP_EXTEND:
		must(id(op->extend.token));
		break;
	case OP_REVOKE:
		must(id(op->revoke.token));
		must(op->revoke.grace <= MICROSECONDS_MAX);
		must(op->revoke.reason_len <= REASON_BYTES);
		break;
	case OP_NOTED:
		must(id(op->noted.token) && op->noted.noted_at <= NUMBER_MAX);
		break;
	case OP_PERMITS:
		must(name(op->permits.name_len));
		break;
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		bounds_value(op);
		break;
	case OP_AWAIT:
		bounds_await(op);
		break;
	case OP_ANNOUNCE:
		must(id(op->announce.token));
		must(op->announce.shown_len <= SHOWN_BYTES);
		break;
	}
}

void bounds_op(const struct op *op)
{
	bool sequenced = op->kind == OP_ACQUIRE || op->kind == OP_RELEASE ||
			 op->kind == OP_REVOKE || op->kind >= OP_PERMITS;

	must(op->kind >= 1 && op->kind <= 16 && op->node >= 1);
	if (op->kind == OP_OPEN || op->kind == OP_LIMITS)
		must(op->session == 0);
	else
		must(id(op->session));
	must(op->seq >= 1 || (!sequenced && op->kind != OP_CANCEL));
	must(op->low == 0 || sequenced || op->kind == OP_RENEW);
	bounds_body(op);
}

void bounds_output(const struct output *o)
{
	must(o->kind >= OUTPUT_ANSWER && o->kind <= OUTPUT_DEADLOCK);
	must(o->op <= 16 && (o->op >= 1 || o->kind != OUTPUT_ANSWER));
	must(o->change == 0 && status(o->status) && o->node >= 1);
	must(o->session <= NUMBER_MAX && o->token <= NUMBER_MAX);
	must(o->stamp <= NUMBER_MAX && o->deadline <= NUMBER_MAX);
	must(o->number <= NUMBER_MAX || o->kind == OUTPUT_DEADLOCK);
	must(o->name_len <= NAME_BYTES && o->bytes_len <= REASON_BYTES);
}

void bounds_item(const struct resync_item *item)
{
	must(item->seq >= 1 && item->token <= NUMBER_MAX);
	must(status(item->status));
	must(item->deadline <= NUMBER_MAX && item->stamp <= NUMBER_MAX);
	must(item->revoked_at <= NUMBER_MAX && item->noted_at <= NUMBER_MAX);
	must(item->reason_len <= REASON_BYTES);
	if (item->token == 0 || item->status != 0)
		must(item->deadline == 0 && item->stamp == 0 &&
		     item->revoked_at == 0);
	if (item->revoked_at == 0)
		must(item->noted_at == 0 && item->by == 0 &&
		     item->reason_len == 0);
}

void bounds_query(const struct query *q)
{
	if (q->kind == QUERY_VALIDATE)
		must(id(q->session) && id(q->token) && q->name_len == 0);
	else
		must(q->kind == QUERY_VALUE && q->session == 0 &&
		     q->token == 0 && name(q->name_len));
}

void bounds_reply(const struct reply *y)
{
	must(status(y->status));
	must(y->version <= NUMBER_MAX && y->session <= NUMBER_MAX);
	must(y->index > 0 || y->version == 0);
	must(count(y->number) && y->bytes_len <= VALUE_BYTES);
	if (y->version == 0)
		must(!y->counter && y->session == 0 && y->bytes_len == 0);
	must(y->counter ? y->bytes_len == 0 : y->number == 0);
}

void bounds_frame(const struct frame *f)
{
	must(f->type >= FRAME_HELLO && f->type <= FRAME_NOTLEADER);
	must((unsigned)f->lane < LANES && f->len <= FRAME_BYTES);
	must(f->len > 0 || f->last);
	if (f->type == FRAME_HELLO || f->type == FRAME_REFUSE)
		must(f->last && f->lane == LANE_CONTROL &&
		     f->len <= HANDSHAKE_BYTES);
}

static void bounds_session(const struct record *r)
{
	must(id(r->session.id) && r->session.node >= 1);
	must(r->session.ttl <= MICROSECONDS_MAX && r->session.flags <= 1);
	must(r->session.deadline <= NUMBER_MAX);
	must(r->session.opened <= NUMBER_MAX && r->session.slots_len <= SLOTS);
	for (size_t i = 0; i < r->session.slots_len; i++) {
		const struct slot *s = &r->session.slots[i];

		must(s->seq >= 1 && status(s->status));
		must(s->token <= NUMBER_MAX && s->stamp <= NUMBER_MAX);
	}
}

static void bounds_revocation(const struct record *r)
{
	must(r->request.revoke.at <= NUMBER_MAX);
	must(r->request.revoke.noted_at <= NUMBER_MAX);
	must(r->request.revoke.reason_len <= REASON_BYTES);
	if (r->request.revoke.at == 0)
		must(r->request.revoke.noted_at == 0 &&
		     r->request.revoke.by == 0 && !r->request.revoke.noted &&
		     r->request.revoke.reason_len == 0);
}

/* One that has ended keeps only what it has waited for. */
static void bounds_awaits(const struct record *r)
{
	must(r->request.value > 0 || r->request.state == REQUEST_ENDED);
	must(r->request.lock == 0);
	must(condition(r->request.condition, r->request.number));
}

static void bounds_request_extras(const struct record *r)
{
	must(r->request.more_len <= FURTHER_LOCKS);
	for (size_t i = 0; i < r->request.more_len; i++)
		must(r->request.more[i].mode <= MODE_PERMITS);
	must(r->request.priority >= -128 && r->request.priority <= 127);
	must(r->request.hold <= MICROSECONDS_MAX);
	must(r->request.lease <= MICROSECONDS_MAX);
	must(r->request.hold_until <= NUMBER_MAX);
	must(r->request.lease_until <= NUMBER_MAX);
	must(r->request.from <= NUMBER_MAX);
	must(r->request.shown_len <= SHOWN_BYTES);
	must(r->request.value <= NUMBER_MAX);
	if (r->request.condition == 0)
		must(r->request.value == 0 && r->request.number == 0);
	else
		bounds_awaits(r);
	bounds_revocation(r);
}

static void bounds_request(const struct record *r)
{
	must(id(r->request.session) && r->request.seq >= 1);
	must(r->request.state >= REQUEST_WAITING &&
	     r->request.state <= REQUEST_ENDED);
	must(r->request.mode <= MODE_LEAVE && status(r->request.status));
	must(r->request.token <= NUMBER_MAX);
	must(r->request.token > 0 || r->request.state != REQUEST_HELD);
	must(r->request.stamp <= NUMBER_MAX);
	must(r->request.deadline <= NUMBER_MAX);
	must(r->request.delay <= MICROSECONDS_MAX);
	bounds_request_extras(r);
}

static void bounds_value_record(const struct record *r)
{
	must(id(r->value.id) && name(r->value.name_len));
	must(r->value.version <= NUMBER_MAX && r->value.session <= NUMBER_MAX);
	must(count(r->value.number) && r->value.bytes_len <= VALUE_BYTES);
	if (r->value.version == 0)
		must(!r->value.counter && r->value.session == 0 &&
		     r->value.bytes_len == 0);
	must(r->value.counter ? r->value.bytes_len == 0 : r->value.number == 0);
}

void bounds_record(const struct record *r)
{
	must(r->kind >= RECORD_STATE && r->kind <= RECORD_VALUE);
	if (r->kind == RECORD_STATE) {
		must(r->state.now <= NUMBER_MAX && r->state.wall <= NUMBER_MAX);
		must(r->state.counter <= NUMBER_MAX);
		must(r->state.version == 2);
		bounds_limits(&r->state.limits);
	} else if (r->kind == RECORD_PEER) {
		must(r->peer.node >= 1 && r->peer.session <= NUMBER_MAX);
	} else if (r->kind == RECORD_SESSION) {
		bounds_session(r);
	} else if (r->kind == RECORD_LOCK) {
		must(name(r->lock.name_len) && r->lock.flags <= 3);
		must(r->lock.delay_until <= NUMBER_MAX);
	} else if (r->kind == RECORD_REQUEST) {
		bounds_request(r);
	} else {
		bounds_value_record(r);
	}
}
