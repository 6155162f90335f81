/* The naive state machine: what is malformed in an acquire; see model.h. */
#include "lib/model_parts.h"

#include <string.h>

static bool part_valid(const uint8_t *name, size_t len, enum mode mode,
		       uint32_t permits, uint32_t limit)
{
	if (!name || len == 0 || len > LOCK_NAME_MAX || mode > MODE_LEAVE ||
	    (mode == MODE_PERMITS) != (permits > 0))
		return false;
	if (mode == MODE_BARRIER)
		return limit > 0;
	return mode == MODE_PERMITS || limit == 0;
}

static bool same_name(const uint8_t *a, size_t a_len, const uint8_t *b,
		      size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool parts_valid(const struct op *op)
{
	const struct op_part *more = op->acquire.more;

	if (op->acquire.more_len > PARTS_MAX - 1)
		return false;
	for (size_t i = 0; i < op->acquire.more_len; i++) {
		if (!part_valid(more[i].name, more[i].name_len, more[i].mode,
				more[i].permits, more[i].limit) ||
		    more[i].mode > MODE_PERMITS ||
		    same_name(more[i].name, more[i].name_len, op->acquire.name,
			      op->acquire.name_len))
			return false;
		for (size_t k = 0; k < i; k++) {
			if (same_name(more[i].name, more[i].name_len,
				      more[k].name, more[k].name_len))
				return false;
		}
	}
	return true;
}

bool model_acquire_valid(const struct op *op)
{
	return part_valid(op->acquire.name, op->acquire.name_len,
			  op->acquire.mode, op->acquire.permits,
			  op->acquire.limit) &&
	       parts_valid(op) && model_wait_valid(op->acquire.wait) &&
	       op->acquire.delay <= DURATION_MAX &&
	       op->acquire.hold <= DURATION_MAX &&
	       op->acquire.lease <= DURATION_MAX &&
	       op->acquire.shown_len <= SHOWN_MAX &&
	       op->acquire.priority >= -128 && op->acquire.priority <= 127 &&
	       (op->acquire.more_len == 0 ||
		(op->acquire.mode <= MODE_PERMITS && op->acquire.from == 0)) &&
	       (op->acquire.mode != MODE_BARRIER || op->acquire.from == 0) &&
	       (op->acquire.mode != MODE_LEAVE || op->acquire.from > 0);
}
