/* Operations as bytes.
 *
 * Kind, node and sequence number, then what the kind has. The same rules hold
 * at both ends: an operation that isn't valid is our own mistake where it is
 * encoded, and damage or malice where it is decoded. */
#include "codec/entry.h"
#include "codec/field.h"
#include "codec/limits.h"

#include "holdfast.h"

#include <assert.h>

static bool open_valid(const struct op *op)
{
	return op->session == 0 && op->low == 0 &&
	       op->open.ttl <= DURATION_MAX &&
	       (op->open.flags & ~(uint32_t)OPEN_MEMBER) == 0;
}

static bool permits_valid(const struct op *op)
{
	uint32_t permits = op->acquire.permits, limit = op->acquire.limit;

	if (op->acquire.mode == MODE_PERMITS)
		return permits >= 1 && permits <= limit;
	return permits == 0 && limit == 0;
}

static bool acquire_valid(const struct op *op)
{
	uint64_t wait = op->acquire.wait;
	unsigned mode = (unsigned)op->acquire.mode;

	return op->seq > 0 && mode <= MODE_PERMITS && permits_valid(op) &&
	       op->acquire.name_len >= 1 &&
	       op->acquire.name_len <= LOCK_NAME_MAX &&
	       (wait <= DURATION_MAX || wait == WAIT_FOREVER) &&
	       op->acquire.delay <= DURATION_MAX;
}

static bool limits_valid(const struct op *op)
{
	return op->session == 0 && op->low == 0 &&
	       limits_in_bounds(&op->limits);
}

static bool op_valid(const struct op *op)
{
	bool session = op->session > 0 && op->session <= NUMBER_MAX;

	if (op->node == 0)
		return false;
	switch (op->kind) {
	case OP_OPEN:
		return open_valid(op);
	case OP_RENEW:
		return session;
	case OP_CLOSE:
		return session && op->low == 0;
	case OP_ACQUIRE:
		return session && acquire_valid(op);
	case OP_RELEASE:
		return session && op->seq > 0 && op->release.token > 0 &&
		       op->release.token <= NUMBER_MAX;
	case OP_CANCEL:
		return session && op->seq > 0 && op->low == 0;
	case OP_LIMITS:
		return limits_valid(op);
	}
	return false;
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

static uint8_t *put_acquire(uint8_t *to, const struct op *op)
{
	to = put_varint(to, op->acquire.owner);
	*to++ = (uint8_t)op->acquire.mode;
	if (op->acquire.mode == MODE_PERMITS) {
		to = put_varint(to, op->acquire.permits);
		to = put_varint(to, op->acquire.limit);
	}
	to = put_varint(to, op->acquire.wait);
	to = put_varint(to, op->acquire.delay);
	to = put_varint(to, op->acquire.name_len);
	return put_bytes(to, op->acquire.name, op->acquire.name_len);
}

static void get_acquire(struct reader *r, struct op *op)
{
	op->acquire.owner = get_varint(r);
	op->acquire.mode = (enum mode)get_bounded(r, MODE_PERMITS);
	if (op->acquire.mode == MODE_PERMITS) {
		op->acquire.permits = get_varint32(r);
		op->acquire.limit = get_varint32(r);
	}
	op->acquire.wait = get_varint(r);
	op->acquire.delay = get_varint(r);
	op->acquire.name_len = get_bounded(r, LOCK_NAME_MAX);
	op->acquire.name = reader_take(r, op->acquire.name_len);
}

static bool has_low(enum op_kind kind)
{
	return kind == OP_RENEW || kind == OP_ACQUIRE || kind == OP_RELEASE;
}

static bool has_session(enum op_kind kind)
{
	return kind != OP_OPEN && kind != OP_LIMITS;
}

void op_encode(struct buf *b, const struct op *op)
{
	uint8_t *to = buf_reserve(b, OP_BYTES_MAX);

	assert(op_valid(op));
	if (!to)
		return;
	*to++ = (uint8_t)op->kind;
	to = put_varint(to, op->node);
	to = put_varint(to, op->seq);
	if (has_session(op->kind))
		to = put_varint(to, op->session);
	if (has_low(op->kind))
		to = put_varint(to, op->low);
	if (op->kind == OP_OPEN)
		to = put_open(to, op);
	else if (op->kind == OP_ACQUIRE)
		to = put_acquire(to, op);
	else if (op->kind == OP_RELEASE)
		to = put_varint(to, op->release.token);
	else if (op->kind == OP_LIMITS)
		to = limits_put(to, &op->limits);
	b->len = (size_t)(to - b->base);
}

int op_decode(struct reader *r, struct op *op)
{
	*op = (struct op){ .kind = (enum op_kind)reader_get8(r) };
	op->node = get_varint(r);
	op->seq = get_varint(r);
	if (has_session(op->kind))
		op->session = get_varint(r);
	if (has_low(op->kind))
		op->low = get_varint(r);
	if (op->kind == OP_OPEN)
		get_open(r, op);
	else if (op->kind == OP_ACQUIRE)
		get_acquire(r, op);
	else if (op->kind == OP_RELEASE)
		op->release.token = get_varint(r);
	else if (op->kind == OP_LIMITS)
		limits_get(r, &op->limits);
	return !r->failed && op_valid(op) ? 0 : HF_ECORRUPT;
}
