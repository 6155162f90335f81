/* What operations may be; see entry.h. The same rules hold at both ends: one
 * that isn't valid is our own mistake where it is encoded, and damage or malice
 * where it is decoded. What needs the state to be judged is the core's. */
#include "codec/entry.h"
#include "codec/field.h"
#include "codec/limits.h"

#define PRIORITY_LEAST (-128)
#define PRIORITY_GREATEST 127

static bool wait_valid(uint64_t wait)
{
	return wait <= DURATION_MAX || wait == WAIT_FOREVER;
}

static bool open_valid(const struct op *op)
{
	return op->session == 0 && op->low == 0 &&
	       op->open.ttl <= DURATION_MAX &&
	       (op->open.flags & ~(uint32_t)OPEN_MEMBER) == 0;
}

static bool lock_valid(size_t name_len, enum mode mode, uint32_t permits,
		       uint32_t limit)
{
	if (!name_valid(name_len))
		return false;
	switch (mode) {
	case MODE_EXCLUSIVE:
	case MODE_SHARED:
	case MODE_LEAVE:
		return permits == 0 && limit == 0;
	case MODE_PERMITS:
		return permits >= 1 && (limit == 0 || permits <= limit);
	case MODE_BARRIER:
		return permits == 0 && limit >= 1;
	}
	return false;
}

/* Barriers and conversions are about one lock. */
static bool more_valid(const struct op *op)
{
	size_t len = op->acquire.more_len;

	if (len > PARTS_MAX - 1)
		return false;
	if (len > 0 && (op->acquire.mode > MODE_PERMITS || op->acquire.from))
		return false;
	for (size_t i = 0; i < len; i++) {
		const struct op_part *p = &op->acquire.more[i];

		if (p->mode > MODE_PERMITS ||
		    !lock_valid(p->name_len, p->mode, p->permits, p->limit))
			return false;
	}
	return true;
}

static bool acquire_valid(const struct op *op)
{
	return lock_valid(op->acquire.name_len, op->acquire.mode,
			  op->acquire.permits, op->acquire.limit) &&
	       more_valid(op) && wait_valid(op->acquire.wait) &&
	       op->acquire.delay <= DURATION_MAX &&
	       op->acquire.priority >= PRIORITY_LEAST &&
	       op->acquire.priority <= PRIORITY_GREATEST &&
	       op->acquire.hold <= DURATION_MAX &&
	       op->acquire.lease <= DURATION_MAX &&
	       op->acquire.from <= NUMBER_MAX &&
	       (op->acquire.from > 0 || op->acquire.mode != MODE_LEAVE) &&
	       op->acquire.shown_len <= SHOWN_MAX;
}

static bool value_valid(const struct op *op)
{
	bool put = op->kind == OP_PUT, add = op->kind == OP_ADD;
	uint64_t expect = op->value.expect;

	if (!name_valid(op->value.name_len) ||
	    op->value.bytes_len > (put ? VALUE_MAX : 0) ||
	    op->value.guard > NUMBER_MAX)
		return false;
	if (expect > NUMBER_MAX && expect != EXPECT_ANY)
		return false;
	if (add ? !count_valid(op->value.delta) : op->value.delta != 0)
		return false;
	return (op->value.flags &
		~(put || add ? (uint32_t)PUT_EPHEMERAL : 0)) == 0;
}

static bool await_valid(const struct op *op)
{
	return name_valid(op->await.name_len) &&
	       await_number_valid(op->await.condition, op->await.number) &&
	       wait_valid(op->await.wait);
}

/* What only this kind has; its head is known to be valid. */
static bool body_valid(const struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		return open_valid(op);
	case OP_RENEW:
	case OP_CLOSE:
		return true;
	case OP_ACQUIRE:
		return acquire_valid(op);
	case OP_RELEASE:
		return id_valid(op->release.token);
	case OP_CANCEL:
		return (op->cancel.flags & ~(uint32_t)CANCEL_WAIT) == 0;
	case OP_LIMITS:
		return limits_in_bounds(&op->limits);
	case OP_EXTEND:
		return id_valid(op->extend.token);
	case OP_REVOKE:
		return id_valid(op->revoke.token) &&
		       op->revoke.grace <= DURATION_MAX &&
		       op->revoke.reason_len <= REASON_MAX;
	case OP_NOTED:
		return id_valid(op->noted.token) &&
		       op->noted.noted_at <= NUMBER_MAX;
	case OP_PERMITS:
		return name_valid(op->permits.name_len);
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		return value_valid(op);
	case OP_AWAIT:
		return await_valid(op);
	case OP_ANNOUNCE:
		return id_valid(op->announce.token) &&
		       op->announce.shown_len <= SHOWN_MAX;
	}
	return false;
}

bool op_valid(const struct op *op)
{
	bool sequenced = op_sequenced(op->kind);

	if (op->node == 0)
		return false;
	if (op_in_session(op->kind) ? !id_valid(op->session) : op->session > 0)
		return false;
	if (op->seq == 0 && (sequenced || op->kind == OP_CANCEL))
		return false;
	if (op->low > 0 && !sequenced && op->kind != OP_RENEW)
		return false;
	return body_valid(op);
}
