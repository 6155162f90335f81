/* Requests as records: what every one has, then what few have, each where a bit
 * says so. */
#include "codec/record_request.h"

#include "codec/field.h"

#define PART_BYTES_MAX 16

/* What a request mostly doesn't have, by bit. */
enum {
	REQUEST_HAS_MORE = 1,
	REQUEST_HAS_PRIORITY = 2,
	REQUEST_HAS_HOLD = 4,
	REQUEST_HAS_LEASE = 8,
	REQUEST_HAS_HOLD_UNTIL = 16,
	REQUEST_HAS_LEASE_UNTIL = 32,
	REQUEST_HAS_FROM = 64,
	REQUEST_HAS_SHOWN = 128,
	REQUEST_HAS_REVOKED = 256,
	REQUEST_HAS_VALUE = 512,
	REQUEST_HAS_ALL = 1023
};

static bool parts_valid(const struct record *r)
{
	if (r->request.more_len > PARTS_MAX - 1)
		return false;
	for (size_t i = 0; i < r->request.more_len; i++)
		if (r->request.more[i].mode > MODE_PERMITS)
			return false;
	return true;
}

static bool revoke_valid(const struct record *r)
{
	if (r->request.revoke.at == 0)
		return r->request.revoke.noted_at == 0 &&
		       r->request.revoke.by == 0 && !r->request.revoke.noted &&
		       r->request.revoke.reason_len == 0;
	return r->request.revoke.at <= NUMBER_MAX &&
	       r->request.revoke.noted_at <= NUMBER_MAX &&
	       r->request.revoke.reason_len <= REASON_MAX;
}

/* It is for a value or for a lock. */
static bool await_valid(const struct record *r)
{
	if (r->request.condition == 0)
		return r->request.value == 0 && r->request.number == 0;
	return (r->request.value > 0 || r->request.state == REQUEST_ENDED) &&
	       r->request.value <= NUMBER_MAX && r->request.lock == 0 &&
	       await_number_valid(r->request.condition, r->request.number);
}

static bool extras_valid(const struct record *r)
{
	return parts_valid(r) && r->request.priority >= INT8_MIN &&
	       r->request.priority <= INT8_MAX &&
	       r->request.hold <= DURATION_MAX &&
	       r->request.lease <= DURATION_MAX &&
	       r->request.hold_until <= NUMBER_MAX &&
	       r->request.lease_until <= NUMBER_MAX &&
	       r->request.from <= NUMBER_MAX &&
	       r->request.shown_len <= SHOWN_MAX && revoke_valid(r) &&
	       await_valid(r);
}

bool record_request_valid(const struct record *r)
{
	unsigned state = (unsigned)r->request.state;

	return id_valid(r->request.session) && r->request.seq > 0 &&
	       state >= REQUEST_WAITING && state <= REQUEST_ENDED &&
	       (unsigned)r->request.mode <= MODE_LEAVE &&
	       r->request.token <= NUMBER_MAX &&
	       (state != REQUEST_HELD || r->request.token > 0) &&
	       r->request.stamp <= NUMBER_MAX &&
	       r->request.deadline <= NUMBER_MAX &&
	       r->request.delay <= DURATION_MAX &&
	       status_valid(r->request.status) && extras_valid(r);
}

size_t record_request_extent(const struct record *r)
{
	return r->request.more_len * PART_BYTES_MAX + r->request.shown_len +
	       r->request.revoke.reason_len;
}

static uint8_t *put_parts(uint8_t *to, const struct record *r)
{
	to = put_present(to, r->request.more_len);
	for (size_t i = 0; i < r->request.more_len; i++) {
		const struct record_part *p = &r->request.more[i];

		to = put_varint(to, p->lock);
		*to++ = (uint8_t)p->mode;
		to = put_varint(to, p->permits);
	}
	return to;
}

static void get_parts(struct reader *r, bool present, struct record_room *room,
		      struct record *rec)
{
	size_t len = get_present(r, present, PARTS_MAX - 1);

	for (size_t i = 0; i < len; i++) {
		struct record_part *p = &room->parts[i];

		p->lock = get_varint(r);
		p->mode = (enum mode)reader_get8(r);
		p->permits = get_varint32(r);
	}
	rec->request.more = len > 0 ? room->parts : NULL;
	rec->request.more_len = len;
}

static uint8_t *put_revoke(uint8_t *to, const struct record *r)
{
	if (r->request.revoke.at == 0)
		return to;
	to = put_varint(to, r->request.revoke.at);
	to = put_varint(to, r->request.revoke.noted_at);
	to = put_varint(to, r->request.revoke.by);
	*to++ = r->request.revoke.noted;
	return put_block(to, r->request.revoke.reason,
			 r->request.revoke.reason_len);
}

static void get_revoke(struct reader *r, bool present, struct record *rec)
{
	if (!present)
		return;
	rec->request.revoke.at = get_present(r, true, NUMBER_MAX);
	rec->request.revoke.noted_at = get_varint(r);
	rec->request.revoke.by = get_varint(r);
	rec->request.revoke.noted = get_bounded(r, 1);
	rec->request.revoke.reason =
		get_block(r, REASON_MAX, &rec->request.revoke.reason_len);
}

/* What has ended waits for no value any more, and says what it waited for. */
static uint8_t *put_await(uint8_t *to, const struct record *r)
{
	if (r->request.condition == 0)
		return to;
	to = put_varint(to, r->request.value);
	to = put_varint(to, (uint64_t)r->request.condition);
	return put_varint(to, zigzag(r->request.number));
}

static void get_await(struct reader *r, bool present, struct record *rec)
{
	if (!present)
		return;
	rec->request.value = get_bounded(r, NUMBER_MAX);
	rec->request.condition =
		(enum condition)get_present(r, true, AWAIT_AT_LEAST);
	rec->request.number = unzigzag(get_varint(r));
}

static uint64_t extras_of(const struct record *r)
{
	unsigned mask = 0;

	mask |= r->request.more_len > 0 ? REQUEST_HAS_MORE : 0;
	mask |= r->request.priority ? REQUEST_HAS_PRIORITY : 0;
	mask |= r->request.hold > 0 ? REQUEST_HAS_HOLD : 0;
	mask |= r->request.lease > 0 ? REQUEST_HAS_LEASE : 0;
	mask |= r->request.hold_until > 0 ? REQUEST_HAS_HOLD_UNTIL : 0;
	mask |= r->request.lease_until > 0 ? REQUEST_HAS_LEASE_UNTIL : 0;
	mask |= r->request.from > 0 ? REQUEST_HAS_FROM : 0;
	mask |= r->request.shown_len > 0 ? REQUEST_HAS_SHOWN : 0;
	mask |= r->request.revoke.at > 0 ? REQUEST_HAS_REVOKED : 0;
	mask |= r->request.condition ? REQUEST_HAS_VALUE : 0;
	return mask;
}

static uint8_t *put_extras(uint8_t *to, const struct record *r)
{
	to = put_varint(to, extras_of(r));
	to = put_parts(to, r);
	to = put_present(to, zigzag(r->request.priority));
	to = put_present(to, r->request.hold);
	to = put_present(to, r->request.lease);
	to = put_present(to, r->request.hold_until);
	to = put_present(to, r->request.lease_until);
	to = put_present(to, r->request.from);
	to = put_present_block(to, r->request.shown, r->request.shown_len);
	to = put_revoke(to, r);
	return put_await(to, r);
}

static void get_extras(struct reader *r, struct record_room *room,
		       struct record *rec)
{
	uint64_t has = get_bounded(r, REQUEST_HAS_ALL);

	get_parts(r, has & REQUEST_HAS_MORE, room, rec);
	rec->request.priority = (int32_t)unzigzag(
		get_present(r, has & REQUEST_HAS_PRIORITY, UINT8_MAX));
	rec->request.hold =
		get_present(r, has & REQUEST_HAS_HOLD, DURATION_MAX);
	rec->request.lease =
		get_present(r, has & REQUEST_HAS_LEASE, DURATION_MAX);
	rec->request.hold_until =
		get_present(r, has & REQUEST_HAS_HOLD_UNTIL, NUMBER_MAX);
	rec->request.lease_until =
		get_present(r, has & REQUEST_HAS_LEASE_UNTIL, NUMBER_MAX);
	rec->request.from = get_present(r, has & REQUEST_HAS_FROM, NUMBER_MAX);
	rec->request.shown = get_present_block(
		r, has & REQUEST_HAS_SHOWN, SHOWN_MAX, &rec->request.shown_len);
	get_revoke(r, has & REQUEST_HAS_REVOKED, rec);
	get_await(r, has & REQUEST_HAS_VALUE, rec);
}

uint8_t *record_request_put(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->request.session);
	to = put_varint(to, r->request.seq);
	to = put_varint(to, r->request.owner);
	to = put_varint(to, r->request.lock);
	*to++ = (uint8_t)r->request.state;
	*to++ = (uint8_t)r->request.mode;
	to = put_varint(to, r->request.permits);
	to = put_varint(to, r->request.token);
	to = put_varint(to, r->request.stamp);
	to = put_varint(to, r->request.index);
	to = put_varint(to, r->request.place);
	to = put_varint(to, r->request.deadline);
	to = put_varint(to, r->request.delay);
	to = put_status(to, r->request.status);
	return put_extras(to, r);
}

void record_request_get(struct reader *r, struct record_room *room,
			struct record *rec)
{
	rec->request.session = get_varint(r);
	rec->request.seq = get_varint(r);
	rec->request.owner = get_varint(r);
	rec->request.lock = get_varint(r);
	rec->request.state = (enum request_state)reader_get8(r);
	rec->request.mode = (enum mode)reader_get8(r);
	rec->request.permits = get_varint32(r);
	rec->request.token = get_varint(r);
	rec->request.stamp = get_varint(r);
	rec->request.index = get_varint(r);
	rec->request.place = get_varint(r);
	rec->request.deadline = get_varint(r);
	rec->request.delay = get_varint(r);
	rec->request.status = get_status(r);
	get_extras(r, room, rec);
}
