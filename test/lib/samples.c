#include "lib/samples.h"

#include "codec/entry.h"

#include <string.h>

#define SHIFT 8 /* where in the bytes something begins */

static const uint8_t all_bytes[SHIFT + SAMPLE_BYTES_MAX] =
	"jobs/nightly\0\xff and what they need";

uint64_t sample_number(struct random *r)
{
	return random_width(r) >> 1;
}

uint64_t sample_id(struct random *r)
{
	uint64_t id = sample_number(r);

	return id ? id : 1;
}

uint64_t sample_from_1(struct random *r)
{
	uint64_t v = random_width(r);

	return v ? v : 1;
}

uint64_t sample_duration(struct random *r)
{
	return random_below(r, 4) ? random_width(r) % (DURATION_MAX + 1)
				  : DURATION_MAX;
}

int64_t sample_count(struct random *r)
{
	int64_t count = random_below(r, 8) ? (int64_t)(random_width(r) >> 3)
					   : COUNT_MAX;

	return random_below(r, 2) ? count : -count;
}

int sample_status(struct random *r)
{
	return 1 - (int)random_below(r, 1001);
}

void sample_nonce(struct random *r, uint8_t *nonce)
{
	for (size_t i = 0; i < NONCE_LEN; i++)
		nonce[i] = (uint8_t)random_next(r);
}

const uint8_t *sample_bytes(struct random *r, size_t max, size_t *len)
{
	if (max > SAMPLE_BYTES_MAX)
		max = SAMPLE_BYTES_MAX;
	*len = random_below(r, random_below(r, 16) ? 30 : max + 1);
	return all_bytes + random_below(r, SHIFT);
}

const uint8_t *sample_name(struct random *r, size_t *len)
{
	const uint8_t *name = sample_bytes(r, LOCK_NAME_MAX - 1, len);

	++*len;
	return name;
}

void sample_limits(struct random *r, struct limits *limits)
{
#define X(name, first, least, greatest) \
	limits->name = (least) + random_width(r) % ((greatest) - (least) + 1);
	LIMITS(X)
#undef X
}

static bool rarely(struct random *r)
{
	return random_below(r, 4) == 0;
}

static void sample_mode(struct random *r, struct op *op)
{
	uint32_t some = 1 + (uint32_t)random_width(r) / 2;

	op->acquire.mode = (enum mode)random_below(r, MODE_LEAVE + 1);
	if (op->acquire.mode == MODE_BARRIER)
		op->acquire.limit = some;
	if (op->acquire.mode == MODE_PERMITS) {
		op->acquire.permits = some;
		op->acquire.limit =
			rarely(r) ? 0 : some + (uint32_t)random_below(r, some);
	}
}

#define PARTS(at)                                            \
	{ all_bytes + (at), 4, MODE_EXCLUSIVE, 0, 0 },       \
		{ all_bytes, 5 + (at), MODE_SHARED, 0, 0 },  \
		{ all_bytes + (at), 1, MODE_PERMITS, 1, 0 }, \
	{                                                    \
		all_bytes + 2 * (at), 12, MODE_PERMITS, 300, \
			300 + 1000000 * (at)                 \
	}

/* They live as long as the operation, so they are always the same ones. */
static const struct op_part all_parts[2 * PARTS_MAX] = { PARTS(0), PARTS(1),
							 PARTS(2), PARTS(3),
							 PARTS(4), PARTS(5),
							 PARTS(6), PARTS(7) };

static void sample_more(struct random *r, struct op *op)
{
	op->acquire.more = all_parts + random_below(r, PARTS_MAX);
	op->acquire.more_len = 1 + random_below(r, PARTS_MAX - 1);
}

static void sample_acquire(struct random *r, struct op *op)
{
	sample_mode(r, op);
	op->acquire.owner = random_width(r);
	op->acquire.name = sample_name(r, &op->acquire.name_len);
	op->acquire.wait =
		random_below(r, 3) ? sample_duration(r) : WAIT_FOREVER;
	op->acquire.delay = sample_duration(r);
	if (rarely(r))
		op->acquire.priority = (int32_t)random_below(r, 256) - 128;
	if (rarely(r))
		op->acquire.line = (uint32_t)random_width(r);
	if (rarely(r))
		op->acquire.hold = sample_duration(r);
	if (rarely(r))
		op->acquire.lease = sample_duration(r);
	if (rarely(r) || op->acquire.mode == MODE_LEAVE)
		op->acquire.from = sample_id(r);
	else if (rarely(r) && op->acquire.mode <= MODE_PERMITS)
		sample_more(r, op);
	if (rarely(r))
		op->acquire.shown =
			sample_bytes(r, SHOWN_MAX, &op->acquire.shown_len);
}

static void sample_value(struct random *r, struct op *op)
{
	op->value.name = sample_name(r, &op->value.name_len);
	if (rarely(r))
		op->value.guard = sample_id(r);
	if (op->kind == OP_ADD)
		op->value.delta = sample_count(r);
	if (random_below(r, 2))
		op->value.expect = sample_number(r);
	else
		op->value.expect = EXPECT_ANY;
	if (op->kind == OP_PUT)
		op->value.bytes =
			sample_bytes(r, VALUE_MAX, &op->value.bytes_len);
	if (op->kind != OP_DELETE)
		op->value.flags = (uint32_t)random_below(r, 2);
}

int64_t sample_awaited(struct random *r, enum condition condition)
{
	if (condition < AWAIT_NEWER)
		return 0;
	return condition == AWAIT_NEWER ? (int64_t)sample_number(r)
					: sample_count(r);
}

static void sample_await(struct random *r, struct op *op)
{
	op->await.name = sample_name(r, &op->await.name_len);
	op->await.condition =
		(enum condition)(1 + random_below(r, AWAIT_AT_LEAST));
	op->await.number = sample_awaited(r, op->await.condition);
	op->await.wait = random_below(r, 3) ? sample_duration(r) : WAIT_FOREVER;
}

static void sample_open(struct random *r, struct op *op)
{
	sample_nonce(r, op->open.nonce);
	op->open.boot = random_width(r);
	op->open.nth = random_width(r);
	op->open.ttl = sample_duration(r);
	op->open.flags = (uint32_t)random_below(r, 2);
}

static void sample_body(struct random *r, struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		sample_open(r, op);
		break;
	case OP_RENEW:
	case OP_CLOSE:
		break;
	case OP_ACQUIRE:
		sample_acquire(r, op);
		break;
	case OP_RELEASE:
		op->release.token = sample_id(r);
		op->release.to = rarely(r) ? random_width(r) : 0;
		break;
	case OP_CANCEL:
		op->cancel.flags = (uint32_t)random_below(r, 2);
		break;
	case OP_LIMITS:
		sample_limits(r, &op->limits);
		break;
	case OP_EXTEND:
		op->extend.token = sample_id(r);
		break;
	case OP_REVOKE:
		op->revoke.token = sample_id(r);
		op->revoke.grace = sample_duration(r);
		op->revoke.reason =
			sample_bytes(r, REASON_MAX, &op->revoke.reason_len);
		break;
	case OP_NOTED:
		op->noted.token = sample_id(r);
		op->noted.noted_at = sample_number(r);
		break;
	case OP_PERMITS:
		op->permits.name = sample_name(r, &op->permits.name_len);
		op->permits.limit = (uint32_t)random_width(r);
		break;
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		sample_value(r, op);
		break;
	case OP_AWAIT:
		sample_await(r, op);
		break;
	case OP_ANNOUNCE:
		op->announce.token = sample_id(r);
		op->announce.shown =
			sample_bytes(r, SHOWN_MAX, &op->announce.shown_len);
		break;
	}
}

struct op sample_op(struct random *r, enum op_kind kind)
{
	struct op op;

	memset(&op, 0, sizeof(op));
	op.kind = kind;
	op.node = sample_from_1(r);
	op.seq = sample_from_1(r);
	if (op_in_session(kind))
		op.session = sample_id(r);
	if (op_sequenced(kind) || kind == OP_RENEW)
		op.low = random_width(r);
	sample_body(r, &op);
	return op;
}

struct op sample_any_op(struct random *r)
{
	return sample_op(r, (enum op_kind)(1 + random_below(r, OP_ANNOUNCE)));
}

struct output sample_output(struct random *r)
{
	struct output o = { 0 };

	o.kind = (enum output_kind)(1 + random_below(r, OUTPUT_DEADLOCK));
	if (o.kind == OUTPUT_ANSWER)
		o.op = (enum op_kind)(1 + random_below(r, OP_ANNOUNCE));
	o.status = sample_status(r);
	o.node = sample_from_1(r);
	o.session = sample_number(r);
	o.seq = random_width(r);
	o.token = sample_number(r);
	o.stamp = sample_number(r);
	o.deadline = random_below(r, 2) ? sample_number(r) : 0;
	o.index = random_width(r);
	if (rarely(r))
		o.by = random_width(r);
	if (rarely(r))
		o.number = o.kind == OUTPUT_DEADLOCK ? random_width(r)
						     : sample_number(r);
	if (rarely(r))
		o.name = sample_name(r, &o.name_len);
	if (rarely(r))
		o.bytes = sample_bytes(r, REASON_MAX, &o.bytes_len);
	return o;
}

struct resync_item sample_item(struct random *r)
{
	struct resync_item item = { .seq = sample_from_1(r),
				    .token = sample_number(r) };

	if (random_below(r, 2))
		item.status = sample_status(r);
	if (item.token == 0 || item.status != 0)
		return item;
	item.deadline = rarely(r) ? sample_number(r) : 0;
	item.stamp = sample_number(r);
	if (random_below(r, 2))
		return item;
	item.revoked_at = sample_id(r);
	item.noted_at = sample_number(r);
	item.by = random_width(r);
	item.reason = sample_bytes(r, REASON_MAX, &item.reason_len);
	return item;
}

struct query sample_query(struct random *r)
{
	struct query q = { .kind = QUERY_VALIDATE, .id = random_next(r) };

	if (random_below(r, 2)) {
		q.session = sample_id(r);
		q.token = sample_id(r);
	} else {
		q.kind = QUERY_VALUE;
		q.name = sample_name(r, &q.name_len);
	}
	return q;
}

struct reply sample_reply(struct random *r)
{
	struct reply y = { .id = random_next(r), .status = sample_status(r) };

	if (rarely(r))
		return y;
	y.index = sample_from_1(r);
	if (rarely(r))
		return y;
	y.version = sample_id(r);
	y.session = rarely(r) ? sample_id(r) : 0;
	y.counter = random_below(r, 2);
	if (y.counter)
		y.number = sample_count(r);
	else
		y.bytes = sample_bytes(r, VALUE_MAX, &y.bytes_len);
	return y;
}
