/* See bounds.h. */
#include "fuzz/lib/bounds.h"
#include "fuzz/lib/target.h"

#define NUMBER_MAX INT64_MAX
#define MICROSECONDS_MAX (UINT64_C(1) << 40)
#define FRAME_BYTES 65536
#define HANDSHAKE_BYTES 512
#define NAME_BYTES 512
#define SLOTS 65536

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

static void bounds_acquire(const struct op *op)
{
	bool counted = op->acquire.mode == MODE_PERMITS;

	must(op->acquire.mode <= MODE_PERMITS);
	must(counted == (op->acquire.permits >= 1));
	must(counted == (op->acquire.limit >= 1));
	must(op->acquire.permits <= op->acquire.limit);
	must(op->acquire.wait <= MICROSECONDS_MAX ||
	     op->acquire.wait == UINT64_MAX);
	must(op->acquire.delay <= MICROSECONDS_MAX);
	must(op->acquire.name_len >= 1 && op->acquire.name_len <= NAME_BYTES);
}

void bounds_op(const struct op *op)
{
	bool sequenced = op->kind == OP_ACQUIRE || op->kind == OP_RELEASE;

	must(op->kind >= OP_OPEN && op->kind <= OP_LIMITS && op->node >= 1);
	if (op->kind == OP_OPEN || op->kind == OP_LIMITS)
		must(op->session == 0);
	else
		must(id(op->session));
	must(op->seq >= 1 || (!sequenced && op->kind != OP_CANCEL));
	must(op->low == 0 || sequenced || op->kind == OP_RENEW);
	if (op->kind == OP_OPEN)
		must(op->open.ttl <= MICROSECONDS_MAX && op->open.flags <= 1);
	else if (op->kind == OP_ACQUIRE)
		bounds_acquire(op);
	else if (op->kind == OP_RELEASE)
		must(id(op->release.token));
	else if (op->kind == OP_LIMITS)
		bounds_limits(&op->limits);
}

void bounds_output(const struct output *o)
{
	must(o->kind >= OUTPUT_ANSWER && o->kind <= OUTPUT_SESSION_ENDED);
	must(o->op <= OP_LIMITS && (o->op >= 1 || o->kind != OUTPUT_ANSWER));
	must(status(o->status) && o->node >= 1);
	must(o->session <= NUMBER_MAX && o->token <= NUMBER_MAX);
	must(o->stamp <= NUMBER_MAX && o->deadline <= NUMBER_MAX);
}

void bounds_item(const struct resync_item *item)
{
	must(item->seq >= 1 && item->token <= NUMBER_MAX);
	must(status(item->status));
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

static void bounds_request(const struct record *r)
{
	must(id(r->request.session) && r->request.seq >= 1);
	must(r->request.state >= REQUEST_WAITING &&
	     r->request.state <= REQUEST_ENDED);
	must(r->request.mode <= MODE_PERMITS && status(r->request.status));
	must(r->request.token <= NUMBER_MAX);
	must(r->request.token > 0 || r->request.state != REQUEST_HELD);
	must(r->request.stamp <= NUMBER_MAX);
	must(r->request.deadline <= NUMBER_MAX);
	must(r->request.delay <= MICROSECONDS_MAX);
}

void bounds_record(const struct record *r)
{
	must(r->kind >= RECORD_STATE && r->kind <= RECORD_REQUEST);
	if (r->kind == RECORD_STATE) {
		must(r->state.now <= NUMBER_MAX && r->state.wall <= NUMBER_MAX);
		must(r->state.counter <= NUMBER_MAX && r->state.version == 1);
		bounds_limits(&r->state.limits);
	} else if (r->kind == RECORD_PEER) {
		must(r->peer.node >= 1 && r->peer.session <= NUMBER_MAX);
	} else if (r->kind == RECORD_SESSION) {
		bounds_session(r);
	} else if (r->kind == RECORD_LOCK) {
		must(r->lock.name_len >= 1 && r->lock.name_len <= NAME_BYTES);
		must(r->lock.delay_until <= NUMBER_MAX);
	} else {
		bounds_request(r);
	}
}
