/* Random records; see samples.h. */
#include "lib/samples.h"

#include <string.h>

#define SLOTS 40

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

static bool rarely(struct random *r)
{
	return random_below(r, 4) == 0;
}

static void sample_parts(struct random *r, struct record *rec)
{
	static const struct record_part parts[PARTS_MAX - 1] = {
		{ 1, MODE_EXCLUSIVE, 0 },
		{ INT64_MAX, MODE_PERMITS, UINT32_MAX },
		{ 3, MODE_SHARED, 1 },
		{ 400, MODE_PERMITS, 2 }
	};

	rec->request.more = parts;
	rec->request.more_len = 1 + random_below(r, PARTS_MAX - 1);
}

static void sample_revoke(struct random *r, struct record *rec)
{
	rec->request.revoke.at = sample_id(r);
	rec->request.revoke.noted_at = sample_number(r);
	rec->request.revoke.by = random_width(r);
	rec->request.revoke.noted = random_below(r, 2);
	rec->request.revoke.reason =
		sample_bytes(r, REASON_MAX, &rec->request.revoke.reason_len);
}

static void sample_extras(struct random *r, struct record *rec)
{
	if (rarely(r))
		sample_parts(r, rec);
	if (rarely(r))
		rec->request.priority = (int32_t)random_below(r, 256) - 128;
	if (rarely(r))
		rec->request.hold = sample_duration(r);
	if (rarely(r))
		rec->request.lease = sample_duration(r);
	if (rarely(r))
		rec->request.hold_until = sample_number(r);
	if (rarely(r))
		rec->request.lease_until = sample_number(r);
	if (rarely(r))
		rec->request.from = sample_number(r);
	if (rarely(r))
		rec->request.shown =
			sample_bytes(r, SHOWN_MAX, &rec->request.shown_len);
	if (rarely(r))
		sample_revoke(r, rec);
}

static void sample_await(struct random *r, struct record *rec)
{
	rec->request.lock = 0;
	rec->request.value =
		rec->request.state == REQUEST_ENDED ? 0 : sample_id(r);
	rec->request.condition =
		(enum condition)(1 + random_below(r, AWAIT_AT_LEAST));
	rec->request.number = sample_awaited(r, rec->request.condition);
}

static void sample_request(struct random *r, struct record *rec)
{
	rec->request.session = sample_id(r);
	rec->request.seq = sample_from_1(r);
	rec->request.owner = random_width(r);
	rec->request.lock = sample_id(r);
	rec->request.state =
		(enum request_state)(1 + random_below(r, REQUEST_ENDED));
	rec->request.mode = (enum mode)random_below(r, MODE_LEAVE + 1);
	rec->request.permits = (uint32_t)random_width(r);
	rec->request.token = sample_id(r);
	rec->request.stamp = sample_number(r);
	rec->request.index = random_width(r);
	rec->request.place = random_width(r);
	rec->request.deadline = sample_number(r);
	rec->request.delay = sample_duration(r);
	rec->request.status = sample_status(r);
	if (rarely(r))
		sample_await(r, rec);
	else
		sample_extras(r, rec);
}

static void sample_lock(struct random *r, struct record *rec)
{
	rec->lock.id = sample_id(r);
	rec->lock.name = sample_name(r, &rec->lock.name_len);
	rec->lock.limit = (uint32_t)random_width(r);
	rec->lock.flags = (uint32_t)random_below(r, 4);
	rec->lock.delay_until = sample_number(r);
}

static void sample_value(struct random *r, struct record *rec)
{
	rec->value.id = sample_id(r);
	rec->value.name = sample_name(r, &rec->value.name_len);
	rec->value.version = rarely(r) ? 0 : sample_id(r);
	if (rec->value.version == 0)
		return;
	rec->value.session = rarely(r) ? sample_id(r) : 0;
	rec->value.counter = random_below(r, 2);
	if (rec->value.counter)
		rec->value.number = sample_count(r);
	else
		rec->value.bytes =
			sample_bytes(r, VALUE_MAX, &rec->value.bytes_len);
}

struct record sample_record(struct random *r, enum record_kind kind)
{
	struct record rec;

	memset(&rec, 0, sizeof(rec));
	rec.kind = kind;
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
		sample_lock(r, &rec);
	} else if (kind == RECORD_REQUEST) {
		sample_request(r, &rec);
	} else {
		sample_value(r, &rec);
	}
	return rec;
}
