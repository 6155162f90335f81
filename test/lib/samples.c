#include "lib/samples.h"

#include "lib/suite.h"

#include <string.h>

#define SLOTS 40

static const uint8_t name_bytes[LOCK_NAME_MAX] = "jobs/nightly\0\xff";

uint64_t sample_number(struct random *r)
{
	return random_width(r) >> 1;
}

uint64_t sample_id(struct random *r)
{
	uint64_t id = sample_number(r);

	return id ? id : 1;
}

int sample_status(struct random *r)
{
	return 1 - (int)random_below(r, 1001);
}

static uint64_t sample_duration(struct random *r)
{
	return random_below(r, 4) ? random_width(r) % (DURATION_MAX + 1)
				  : DURATION_MAX;
}

static uint64_t sample_from_1(struct random *r)
{
	uint64_t v = random_width(r);

	return v ? v : 1;
}

static void sample_nonce(struct random *r, uint8_t *nonce)
{
	for (size_t i = 0; i < NONCE_LEN; i++)
		nonce[i] = (uint8_t)random_next(r);
}

static size_t sample_name_len(struct random *r)
{
	return 1 + random_below(r, random_below(r, 8) ? 30 : LOCK_NAME_MAX);
}

static void sample_limits(struct random *r, struct limits *limits)
{
#define X(name, first, least, greatest) \
	limits->name = least + random_width(r) % (greatest - least + 1);
	LIMITS(X)
#undef X
}

static void sample_acquire(struct random *r, struct op *op)
{
	op->acquire.owner = random_width(r);
	op->acquire.name = name_bytes;
	op->acquire.name_len = sample_name_len(r);
	op->acquire.mode = (enum mode)random_below(r, MODE_PERMITS + 1);
	if (op->acquire.mode == MODE_PERMITS) {
		uint32_t limit = (uint32_t)random_width(r);

		op->acquire.limit = limit ? limit : 1;
		op->acquire.permits =
			1 + (uint32_t)random_below(r, op->acquire.limit);
	}
	op->acquire.wait =
		random_below(r, 3) ? sample_duration(r) : WAIT_FOREVER;
	op->acquire.delay = sample_duration(r);
}

struct op sample_op(struct random *r, enum op_kind kind)
{
	struct op op = { .kind = kind };

	op.node = sample_from_1(r);
	op.seq = sample_from_1(r);
	if (kind != OP_OPEN && kind != OP_LIMITS)
		op.session = sample_id(r);
	if (kind == OP_RENEW || kind == OP_ACQUIRE || kind == OP_RELEASE)
		op.low = random_width(r);
	if (kind == OP_OPEN) {
		sample_nonce(r, op.open.nonce);
		op.open.boot = random_width(r);
		op.open.nth = random_width(r);
		op.open.ttl = sample_duration(r);
		op.open.flags = (uint32_t)random_below(r, 2);
	} else if (kind == OP_ACQUIRE) {
		sample_acquire(r, &op);
	} else if (kind == OP_RELEASE) {
		op.release.token = sample_id(r);
	} else if (kind == OP_LIMITS) {
		sample_limits(r, &op.limits);
	}
	return op;
}

struct op sample_any_op(struct random *r)
{
	return sample_op(r, (enum op_kind)(1 + random_below(r, OP_LIMITS)));
}

struct output sample_output(struct random *r)
{
	struct output o = { 0 };

	o.kind = (enum output_kind)(1 + random_below(r, OUTPUT_SESSION_ENDED));
	if (o.kind == OUTPUT_ANSWER)
		o.op = (enum op_kind)(1 + random_below(r, OP_LIMITS));
	o.status = sample_status(r);
	o.node = sample_from_1(r);
	o.session = sample_number(r);
	o.seq = random_width(r);
	o.token = sample_number(r);
	o.stamp = sample_number(r);
	o.deadline = sample_number(r);
	o.index = random_width(r);
	return o;
}

static void sample_state(struct random *r, struct record *rec)
{
	rec->state.now = sample_number(r);
	rec->state.wall = sample_number(r);
	rec->state.index = random_width(r);
	rec->state.counter = sample_number(r);
	rec->state.arrivals = random_width(r);
	rec->state.term = random_width(r);
	rec->state.skew = sample_number(r);
	rec->state.hash = random_next(r);
	rec->state.version = SEMANTICS_VERSION;
	sample_limits(r, &rec->state.limits);
}

static void sample_session(struct random *r, struct record *rec)
{
	static struct slot slots[SLOTS];

	rec->session.id = sample_id(r);
	rec->session.node = sample_from_1(r);
	rec->session.boot = random_width(r);
	rec->session.nth = random_width(r);
	rec->session.ttl = sample_duration(r);
	rec->session.deadline = sample_number(r);
	rec->session.opened = sample_number(r);
	sample_nonce(r, rec->session.nonce);
	rec->session.flags = (uint32_t)random_below(r, 2);
	rec->session.low = random_width(r);
	rec->session.slots_len = random_below(r, SLOTS);
	if (rec->session.slots_len > 0)
		rec->session.slots = slots;
	for (size_t i = 0; i < rec->session.slots_len; i++)
		slots[i] = (struct slot){ .seq = sample_from_1(r),
					  .status = sample_status(r),
					  .token = sample_number(r),
					  .stamp = sample_number(r) };
}

static void sample_request(struct random *r, struct record *rec)
{
	rec->request.session = sample_id(r);
	rec->request.seq = sample_from_1(r);
	rec->request.owner = random_width(r);
	rec->request.lock = sample_id(r);
	rec->request.state =
		(enum request_state)(1 + random_below(r, REQUEST_ENDED));
	rec->request.mode = (enum mode)random_below(r, MODE_PERMITS + 1);
	rec->request.permits = (uint32_t)random_width(r);
	rec->request.token = sample_id(r);
	rec->request.stamp = sample_number(r);
	rec->request.index = random_width(r);
	rec->request.place = random_width(r);
	rec->request.deadline = sample_number(r);
	rec->request.delay = sample_duration(r);
	rec->request.status = sample_status(r);
}

struct record sample_record(struct random *r, enum record_kind kind)
{
	struct record rec = { .kind = kind };

	if (kind == RECORD_STATE) {
		sample_state(r, &rec);
	} else if (kind == RECORD_PEER) {
		rec.peer.node = sample_from_1(r);
		rec.peer.boot = random_width(r);
		rec.peer.nth = random_width(r);
		rec.peer.session = sample_number(r);
	} else if (kind == RECORD_SESSION) {
		sample_session(r, &rec);
	} else if (kind == RECORD_LOCK) {
		rec.lock.id = sample_id(r);
		rec.lock.name = name_bytes;
		rec.lock.name_len = sample_name_len(r);
		rec.lock.limit = (uint32_t)random_width(r);
		rec.lock.delay_until = sample_number(r);
	} else {
		sample_request(r, &rec);
	}
	return rec;
}

#define SAME(field) ck_assert_uint_eq((uint64_t)a->field, (uint64_t)b->field)

static void check_same_limits(const struct limits *a, const struct limits *b)
{
#define X(name, first, least, greatest) SAME(name);
	LIMITS(X)
#undef X
}

static void check_same_acquire(const struct op *a, const struct op *b)
{
	SAME(acquire.owner);
	SAME(acquire.name_len);
	ck_assert_mem_eq(a->acquire.name, b->acquire.name, a->acquire.name_len);
	SAME(acquire.mode);
	SAME(acquire.permits);
	SAME(acquire.limit);
	SAME(acquire.wait);
	SAME(acquire.delay);
}

void check_same_op(const struct op *a, const struct op *b)
{
	SAME(kind);
	SAME(node);
	SAME(session);
	SAME(seq);
	SAME(low);
	if (a->kind == OP_OPEN) {
		ck_assert_mem_eq(a->open.nonce, b->open.nonce, NONCE_LEN);
		SAME(open.boot);
		SAME(open.nth);
		SAME(open.ttl);
		SAME(open.flags);
	} else if (a->kind == OP_ACQUIRE) {
		check_same_acquire(a, b);
	} else if (a->kind == OP_RELEASE) {
		SAME(release.token);
	} else if (a->kind == OP_LIMITS) {
		check_same_limits(&a->limits, &b->limits);
	}
}

void check_same_output(const struct output *a, const struct output *b)
{
	SAME(kind);
	SAME(op);
	SAME(status);
	SAME(node);
	SAME(session);
	SAME(seq);
	SAME(token);
	SAME(stamp);
	SAME(deadline);
	SAME(index);
}

static void check_same_state(const struct record *a, const struct record *b)
{
	SAME(state.now);
	SAME(state.wall);
	SAME(state.index);
	SAME(state.counter);
	SAME(state.arrivals);
	SAME(state.term);
	SAME(state.skew);
	SAME(state.hash);
	SAME(state.version);
	check_same_limits(&a->state.limits, &b->state.limits);
}

static void check_same_session(const struct record *a, const struct record *b)
{
	ck_assert_mem_eq(a->session.nonce, b->session.nonce, NONCE_LEN);
	SAME(session.id);
	SAME(session.node);
	SAME(session.boot);
	SAME(session.nth);
	SAME(session.ttl);
	SAME(session.deadline);
	SAME(session.opened);
	SAME(session.flags);
	SAME(session.low);
	SAME(session.slots_len);
	for (size_t i = 0; i < a->session.slots_len; i++) {
		SAME(session.slots[i].seq);
		SAME(session.slots[i].status);
		SAME(session.slots[i].token);
		SAME(session.slots[i].stamp);
	}
}

static void check_same_request(const struct record *a, const struct record *b)
{
	SAME(request.session);
	SAME(request.seq);
	SAME(request.owner);
	SAME(request.lock);
	SAME(request.state);
	SAME(request.mode);
	SAME(request.permits);
	SAME(request.token);
	SAME(request.stamp);
	SAME(request.index);
	SAME(request.place);
	SAME(request.deadline);
	SAME(request.delay);
	SAME(request.status);
}

void check_same_record(const struct record *a, const struct record *b)
{
	SAME(kind);
	if (a->kind == RECORD_STATE) {
		check_same_state(a, b);
	} else if (a->kind == RECORD_PEER) {
		SAME(peer.node);
		SAME(peer.boot);
		SAME(peer.nth);
		SAME(peer.session);
	} else if (a->kind == RECORD_SESSION) {
		check_same_session(a, b);
	} else if (a->kind == RECORD_LOCK) {
		SAME(lock.id);
		SAME(lock.name_len);
		ck_assert_mem_eq(a->lock.name, b->lock.name, a->lock.name_len);
		SAME(lock.limit);
		SAME(lock.delay_until);
	} else {
		check_same_request(a, b);
	}
}
