/* Operations as bytes: kind, node, sequence number, session and `low` where the
 * kind has them, then what only this kind has; see op_valid.c for what each may
 * be. */
#include "codec/entry.h"
#include "codec/field.h"
#include "codec/limits.h"

#include "holdfast.h"

#include <assert.h>

static_assert(OP_FIXED_MAX + SHOWN_MAX + LOCK_NAME_MAX +
			      (PARTS_MAX - 1) *
				      (PART_FIXED_MAX + LOCK_NAME_MAX) <=
		      OP_BYTES_MAX,
	      "what is asked of all locks at once is no larger than a value");

/* What an acquire mostly doesn't have, by bit. */
enum {
	ACQUIRE_HAS_MORE = 1,
	ACQUIRE_HAS_PRIORITY = 2,
	ACQUIRE_HAS_LINE = 4,
	ACQUIRE_HAS_HOLD = 8,
	ACQUIRE_HAS_LEASE = 16,
	ACQUIRE_HAS_FROM = 32,
	ACQUIRE_HAS_SHOWN = 64,
	ACQUIRE_HAS_ALL = 127
};

bool op_in_session(enum op_kind kind)
{
	return kind != OP_OPEN && kind != OP_LIMITS;
}

static bool has_low(enum op_kind kind)
{
	return op_sequenced(kind) || kind == OP_RENEW;
}

static uint8_t *put_open(uint8_t *to, const struct op *op)
{
	to = put_bytes(to, op->open.nonce, NONCE_LEN);
	to = put_varint(to, op->open.boot);
	to = put_varint(to, op->open.nth);
	to = put_varint(to, op->open.ttl);
	return put_varint(to, op->open.flags);
}

static void get_open(struct reader *r, struct op *op)
{
	const uint8_t *nonce = reader_take(r, NONCE_LEN);

	if (nonce)
		memcpy(op->open.nonce, nonce, NONCE_LEN);
	op->open.boot = get_varint(r);
	op->open.nth = get_varint(r);
	op->open.ttl = get_varint(r);
	op->open.flags = get_varint32(r);
}

static uint8_t *put_part(uint8_t *to, const struct op_part *p)
{
	*to++ = (uint8_t)p->mode;
	if (p->mode == MODE_PERMITS)
		to = put_varint(to, p->permits);
	if (p->mode == MODE_PERMITS || p->mode == MODE_BARRIER)
		to = put_varint(to, p->limit);
	return put_block(to, p->name, p->name_len);
}

static void get_part(struct reader *r, struct op_part *p)
{
	*p = (struct op_part){ .mode = (enum mode)get_bounded(r, MODE_LEAVE) };
	if (p->mode == MODE_PERMITS)
		p->permits = get_varint32(r);
	if (p->mode == MODE_PERMITS || p->mode == MODE_BARRIER)
		p->limit = get_varint32(r);
	p->name = get_block(r, LOCK_NAME_MAX, &p->name_len);
}

static uint8_t *put_first(uint8_t *to, const struct op *op)
{
	const struct op_part first = { .name = op->acquire.name,
				       .name_len = op->acquire.name_len,
				       .mode = op->acquire.mode,
				       .permits = op->acquire.permits,
				       .limit = op->acquire.limit };

	return put_part(to, &first);
}

static void get_first(struct reader *r, struct op *op)
{
	struct op_part first;

	get_part(r, &first);
	op->acquire.name = first.name;
	op->acquire.name_len = first.name_len;
	op->acquire.mode = first.mode;
	op->acquire.permits = first.permits;
	op->acquire.limit = first.limit;
}

static uint8_t *put_more(uint8_t *to, const struct op *op)
{
	to = put_present(to, op->acquire.more_len);
	for (size_t i = 0; i < op->acquire.more_len; i++)
		to = put_part(to, &op->acquire.more[i]);
	return to;
}

static void get_more(struct reader *r, bool present, struct op_part *room,
		     struct op *op)
{
	op->acquire.more_len = get_present(r, present, PARTS_MAX - 1);
	op->acquire.more = op->acquire.more_len > 0 ? room : NULL;
	for (size_t i = 0; i < op->acquire.more_len; i++)
		get_part(r, &room[i]);
}

static uint8_t extras_of(const struct op *op)
{
	unsigned mask = 0;

	mask |= op->acquire.more_len > 0 ? ACQUIRE_HAS_MORE : 0;
	mask |= op->acquire.priority ? ACQUIRE_HAS_PRIORITY : 0;
	mask |= op->acquire.line > 0 ? ACQUIRE_HAS_LINE : 0;
	mask |= op->acquire.hold > 0 ? ACQUIRE_HAS_HOLD : 0;
	mask |= op->acquire.lease > 0 ? ACQUIRE_HAS_LEASE : 0;
	mask |= op->acquire.from > 0 ? ACQUIRE_HAS_FROM : 0;
	mask |= op->acquire.shown_len > 0 ? ACQUIRE_HAS_SHOWN : 0;
	return (uint8_t)mask;
}

static uint8_t *put_acquire(uint8_t *to, const struct op *op)
{
	to = put_varint(to, op->acquire.owner);
	to = put_varint(to, op->acquire.wait);
	to = put_varint(to, op->acquire.delay);
	*to++ = extras_of(op);
	to = put_first(to, op);
	to = put_more(to, op);
	to = put_present(to, zigzag(op->acquire.priority));
	to = put_present(to, op->acquire.line);
	to = put_present(to, op->acquire.hold);
	to = put_present(to, op->acquire.lease);
	to = put_present(to, op->acquire.from);
	return put_present_block(to, op->acquire.shown, op->acquire.shown_len);
}

static void get_acquire(struct reader *r, struct op_part *room, struct op *op)
{
	op->acquire.owner = get_varint(r);
	op->acquire.wait = get_varint(r);
	op->acquire.delay = get_varint(r);
	uint64_t has = get_bounded(r, ACQUIRE_HAS_ALL);
	get_first(r, op);
	get_more(r, has & ACQUIRE_HAS_MORE, room, op);
	op->acquire.priority = (int32_t)unzigzag(
		get_present(r, has & ACQUIRE_HAS_PRIORITY, UINT8_MAX));
	op->acquire.line =
		(uint32_t)get_present(r, has & ACQUIRE_HAS_LINE, UINT32_MAX);
	op->acquire.hold = get_present(r, has & ACQUIRE_HAS_HOLD, DURATION_MAX);
	op->acquire.lease =
		get_present(r, has & ACQUIRE_HAS_LEASE, DURATION_MAX);
	op->acquire.from = get_present(r, has & ACQUIRE_HAS_FROM, NUMBER_MAX);
	op->acquire.shown = get_present_block(
		r, has & ACQUIRE_HAS_SHOWN, SHOWN_MAX, &op->acquire.shown_len);
}

static uint8_t *put_revoke(uint8_t *to, const struct op *op)
{
	to = put_varint(to, op->revoke.token);
	to = put_varint(to, op->revoke.grace);
	return put_block(to, op->revoke.reason, op->revoke.reason_len);
}

static void get_revoke(struct reader *r, struct op *op)
{
	op->revoke.token = get_varint(r);
	op->revoke.grace = get_varint(r);
	op->revoke.reason = get_block(r, REASON_MAX, &op->revoke.reason_len);
}

/* The version expected goes as one more, so that "any" is short. */
static uint8_t *put_value(uint8_t *to, const struct op *op)
{
	to = put_block(to, op->value.name, op->value.name_len);
	to = put_varint(to, op->value.guard);
	to = put_varint(to, op->value.expect + 1);
	if (op->kind != OP_DELETE)
		to = put_varint(to, op->value.flags);
	if (op->kind == OP_ADD)
		to = put_varint(to, zigzag(op->value.delta));
	if (op->kind == OP_PUT)
		to = put_block(to, op->value.bytes, op->value.bytes_len);
	return to;
}

static void get_value(struct reader *r, struct op *op)
{
	op->value.name = get_block(r, LOCK_NAME_MAX, &op->value.name_len);
	op->value.guard = get_varint(r);
	op->value.expect = get_varint(r) - 1;
	if (op->kind != OP_DELETE)
		op->value.flags = get_varint32(r);
	if (op->kind == OP_ADD)
		op->value.delta = unzigzag(get_varint(r));
	if (op->kind == OP_PUT)
		op->value.bytes = get_block(r, VALUE_MAX, &op->value.bytes_len);
}

static uint8_t *put_await(uint8_t *to, const struct op *op)
{
	to = put_block(to, op->await.name, op->await.name_len);
	to = put_varint(to, op->await.wait);
	*to++ = (uint8_t)op->await.condition;
	if (op->await.condition >= AWAIT_NEWER)
		to = put_varint(to, zigzag(op->await.number));
	return to;
}

static void get_await(struct reader *r, struct op *op)
{
	op->await.name = get_block(r, LOCK_NAME_MAX, &op->await.name_len);
	op->await.wait = get_varint(r);
	op->await.condition = (enum condition)get_bounded(r, AWAIT_AT_LEAST);
	if (op->await.condition >= AWAIT_NEWER)
		op->await.number = unzigzag(get_varint(r));
}

static uint8_t *put_body(uint8_t *to, const struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		return put_open(to, op);
	case OP_RENEW:
	case OP_CLOSE:
		return to;
	case OP_ACQUIRE:
		return put_acquire(to, op);
	case OP_RELEASE:
		to = put_varint(to, op->release.token);
		return put_varint(to, op->release.to);
	case OP_CANCEL:
		return put_varint(to, op->cancel.flags);
	case OP_LIMITS:
		return limits_put(to, &op->limits);
	case OP_EXTEND:
		return put_varint(to, op->extend.token);
	case OP_REVOKE:
		return put_revoke(to, op);
	case OP_NOTED:
		to = put_varint(to, op->noted.token);
		return put_varint(to, op->noted.noted_at);
	case OP_PERMITS:
		to = put_block(to, op->permits.name, op->permits.name_len);
		return put_varint(to, op->permits.limit);
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		return put_value(to, op);
	case OP_AWAIT:
		return put_await(to, op);
	case OP_ANNOUNCE:
		to = put_varint(to, op->announce.token);
		return put_block(to, op->announce.shown,
				 op->announce.shown_len);
	}
	return to;
}

static void get_body(struct reader *r, struct op_part *room, struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		get_open(r, op);
		break;
	case OP_RENEW:
	case OP_CLOSE:
		break;
	case OP_ACQUIRE:
		get_acquire(r, room, op);
		break;
	case OP_RELEASE:
		op->release.token = get_varint(r);
		op->release.to = get_varint(r);
		break;
	case OP_CANCEL:
		op->cancel.flags = get_varint32(r);
		break;
	case OP_LIMITS:
		limits_get(r, &op->limits);
		break;
	case OP_EXTEND:
		op->extend.token = get_varint(r);
		break;
	case OP_REVOKE:
		get_revoke(r, op);
		break;
	case OP_NOTED:
		op->noted.token = get_varint(r);
		op->noted.noted_at = get_varint(r);
		break;
	case OP_PERMITS:
		op->permits.name =
			get_block(r, LOCK_NAME_MAX, &op->permits.name_len);
		op->permits.limit = get_varint32(r);
		break;
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		get_value(r, op);
		break;
	case OP_AWAIT:
		get_await(r, op);
		break;
	case OP_ANNOUNCE:
		op->announce.token = get_varint(r);
		op->announce.shown =
			get_block(r, SHOWN_MAX, &op->announce.shown_len);
		break;
	}
}

size_t op_bytes_bound(const struct op *op)
{
	size_t len = OP_FIXED_MAX;

	switch (op->kind) {
	case OP_ACQUIRE:
		len += op->acquire.name_len + op->acquire.shown_len;
		for (size_t i = 0; i < op->acquire.more_len; i++)
			len += PART_FIXED_MAX + op->acquire.more[i].name_len;
		return len;
	case OP_REVOKE:
		return len + op->revoke.reason_len;
	case OP_PERMITS:
		return len + op->permits.name_len;
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		return len + op->value.name_len + op->value.bytes_len;
	case OP_AWAIT:
		return len + op->await.name_len;
	case OP_ANNOUNCE:
		return len + op->announce.shown_len;
	default:
		return len;
	}
}

void op_encode(struct buf *b, const struct op *op)
{
	assert(op_valid(op));
	uint8_t *to = buf_reserve(b, op_bytes_bound(op));
	if (!to)
		return;
	*to++ = (uint8_t)op->kind;
	to = put_varint(to, op->node);
	to = put_varint(to, op->seq);
	if (op_in_session(op->kind))
		to = put_varint(to, op->session);
	if (has_low(op->kind))
		to = put_varint(to, op->low);
	to = put_body(to, op);
	b->len = (size_t)(to - b->base);
}

int op_decode(struct reader *r, struct op_part *room, struct op *op)
{
	memset(op, 0, sizeof(*op)); /* all of the union */
	op->kind = (enum op_kind)reader_get8(r);
	op->node = get_varint(r);
	op->seq = get_varint(r);
	if (op_in_session(op->kind))
		op->session = get_varint(r);
	if (has_low(op->kind))
		op->low = get_varint(r);
	get_body(r, room, op);
	return !r->failed && op_valid(op) ? 0 : HF_ECORRUPT;
}
