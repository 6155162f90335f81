/* Records as bytes; see record.h. The same rules hold at both ends, as with
 * operations. What ties records to each other is the core's to check. */
#include "codec/record.h"

#include "codec/field.h"
#include "codec/limits.h"
#include "codec/record_request.h"

#include "holdfast.h"

#include <assert.h>
#include <stdlib.h>

#define SLOT_BYTES_MIN 4
#define SLOTS_CAP_MIN 64

static_assert(RECORD_FIXED_MAX + LOCK_NAME_MAX + VALUE_MAX <= RECORD_BYTES_MAX,
	      "a value is a record");

static bool state_valid(const struct record *r)
{
	return r->state.now <= NUMBER_MAX && r->state.wall <= NUMBER_MAX &&
	       r->state.counter <= NUMBER_MAX &&
	       r->state.version == SEMANTICS_VERSION &&
	       limits_in_bounds(&r->state.limits);
}

static bool session_valid(const struct record *r)
{
	return id_valid(r->session.id) && r->session.node > 0 &&
	       r->session.ttl <= DURATION_MAX &&
	       r->session.deadline <= NUMBER_MAX &&
	       r->session.opened <= NUMBER_MAX &&
	       (r->session.flags & ~(uint32_t)OPEN_MEMBER) == 0 &&
	       r->session.slots_len <= RECORD_SLOTS_MAX;
}

static bool slot_valid(const struct slot *s)
{
	return s->seq > 0 && status_valid(s->status) &&
	       s->token <= NUMBER_MAX && s->stamp <= NUMBER_MAX;
}

static bool lock_valid(const struct record *r)
{
	return name_valid(r->lock.name_len) &&
	       (r->lock.flags & ~(uint32_t)(LOCK_BARRIER | LOCK_PINNED)) == 0 &&
	       r->lock.delay_until <= NUMBER_MAX;
}

/* Without a version there is nothing: it is only waited for. */
static bool value_valid(const struct record *r)
{
	bool empty = !r->value.counter && r->value.number == 0 &&
		     r->value.bytes_len == 0;

	if (!id_valid(r->value.id) || !name_valid(r->value.name_len))
		return false;
	if (r->value.version == 0)
		return r->value.session == 0 && empty;
	return r->value.version <= NUMBER_MAX &&
	       r->value.session <= NUMBER_MAX &&
	       (r->value.counter ? r->value.bytes_len == 0
				 : r->value.number == 0) &&
	       count_valid(r->value.number) && r->value.bytes_len <= VALUE_MAX;
}

static bool record_valid(const struct record *r)
{
	switch (r->kind) {
	case RECORD_STATE:
		return state_valid(r);
	case RECORD_PEER:
		return r->peer.node > 0 && r->peer.session <= NUMBER_MAX;
	case RECORD_SESSION:
		return session_valid(r);
	case RECORD_LOCK:
		return lock_valid(r);
	case RECORD_REQUEST:
		return record_request_valid(r);
	case RECORD_VALUE:
		return value_valid(r);
	}
	return false;
}

static uint8_t *put_state(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->state.now);
	to = put_varint(to, r->state.wall);
	to = put_varint(to, r->state.index);
	to = put_varint(to, r->state.counter);
	to = put_varint(to, r->state.arrivals);
	to = put_varint(to, r->state.term);
	to = put_varint(to, r->state.skew);
	to = put64(to, r->state.hash);
	to = put_varint(to, r->state.version);
	return limits_put(to, &r->state.limits);
}

static void get_state(struct reader *r, struct record *rec)
{
	rec->state.now = get_varint(r);
	rec->state.wall = get_varint(r);
	rec->state.index = get_varint(r);
	rec->state.counter = get_varint(r);
	rec->state.arrivals = get_varint(r);
	rec->state.term = get_varint(r);
	rec->state.skew = get_varint(r);
	rec->state.hash = reader_get64(r);
	rec->state.version = (uint16_t)get_bounded(r, UINT16_MAX);
	limits_get(r, &rec->state.limits);
}

static uint8_t *put_peer(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->peer.node);
	to = put_varint(to, r->peer.boot);
	to = put_varint(to, r->peer.nth);
	return put_varint(to, r->peer.session);
}

static void get_peer(struct reader *r, struct record *rec)
{
	rec->peer.node = get_varint(r);
	rec->peer.boot = get_varint(r);
	rec->peer.nth = get_varint(r);
	rec->peer.session = get_varint(r);
}

static uint8_t *put_session(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->session.id);
	to = put_varint(to, r->session.node);
	to = put_varint(to, r->session.boot);
	to = put_varint(to, r->session.nth);
	to = put_varint(to, r->session.ttl);
	to = put_varint(to, r->session.deadline);
	to = put_varint(to, r->session.opened);
	to = put_bytes(to, r->session.nonce, NONCE_LEN);
	to = put_varint(to, r->session.flags);
	to = put_varint(to, r->session.low);
	return put_varint(to, r->session.slots_len);
}

static uint8_t *put_slots(uint8_t *to, const struct slot *slots, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const struct slot *s = &slots[i];

		assert(slot_valid(s));
		to = put_varint(to, s->seq);
		to = put_status(to, s->status);
		to = put_varint(to, s->token);
		to = put_varint(to, s->stamp);
	}
	return to;
}

static void get_session(struct reader *r, struct record *rec)
{
	rec->session.id = get_varint(r);
	rec->session.node = get_varint(r);
	rec->session.boot = get_varint(r);
	rec->session.nth = get_varint(r);
	rec->session.ttl = get_varint(r);
	rec->session.deadline = get_varint(r);
	rec->session.opened = get_varint(r);
	const uint8_t *nonce = reader_take(r, NONCE_LEN);
	if (nonce)
		memcpy(rec->session.nonce, nonce, NONCE_LEN);
	rec->session.flags = get_varint32(r);
	rec->session.low = get_varint(r);
	rec->session.slots_len = get_bounded(r, RECORD_SLOTS_MAX);
}

static int reserve_slots(struct record_room *room, size_t len)
{
	size_t cap = room->slots_cap ? room->slots_cap : SLOTS_CAP_MIN;

	if (len <= room->slots_cap)
		return 0;
	while (cap < len)
		cap *= 2;
	struct slot *slots = realloc(room->slots, cap * sizeof(*slots));
	if (!slots)
		return HF_ENOMEM;
	room->slots = slots;
	room->slots_cap = cap;
	return 0;
}

void record_room_free(struct record_room *room)
{
	if (!room)
		return;
	free(room->slots);
	*room = (struct record_room){ 0 };
}

static int get_slots(struct reader *r, struct record_room *room,
		     struct record *rec)
{
	size_t len = rec->session.slots_len;

	if (len > reader_left(r) / SLOT_BYTES_MIN)
		return HF_ECORRUPT;
	if (reserve_slots(room, len) != 0)
		return HF_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		struct slot *s = &room->slots[i];

		s->seq = get_varint(r);
		s->status = get_status(r);
		s->token = get_varint(r);
		s->stamp = get_varint(r);
		if (!slot_valid(s))
			return HF_ECORRUPT;
	}
	rec->session.slots = len > 0 ? room->slots : NULL;
	return 0;
}

static uint8_t *put_lock(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->lock.id);
	to = put_varint(to, r->lock.flags);
	to = put_varint(to, r->lock.limit);
	to = put_varint(to, r->lock.delay_until);
	return put_block(to, r->lock.name, r->lock.name_len);
}

static void get_lock(struct reader *r, struct record *rec)
{
	rec->lock.id = get_varint(r);
	rec->lock.flags = get_varint32(r);
	rec->lock.limit = get_varint32(r);
	rec->lock.delay_until = get_varint(r);
	rec->lock.name = get_block(r, LOCK_NAME_MAX, &rec->lock.name_len);
}

static uint8_t *put_value(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->value.id);
	to = put_varint(to, r->value.version);
	to = put_varint(to, r->value.session);
	to = put_block(to, r->value.name, r->value.name_len);
	*to++ = r->value.counter;
	if (r->value.counter)
		return put_varint(to, zigzag(r->value.number));
	return put_block(to, r->value.bytes, r->value.bytes_len);
}

static void get_value(struct reader *r, struct record *rec)
{
	rec->value.id = get_varint(r);
	rec->value.version = get_varint(r);
	rec->value.session = get_varint(r);
	rec->value.name = get_block(r, LOCK_NAME_MAX, &rec->value.name_len);
	rec->value.counter = get_bounded(r, 1);
	if (rec->value.counter)
		rec->value.number = unzigzag(get_varint(r));
	else
		rec->value.bytes =
			get_block(r, VALUE_MAX, &rec->value.bytes_len);
}

static size_t bytes_bound(const struct record *r)
{
	size_t len = RECORD_FIXED_MAX;

	switch (r->kind) {
	case RECORD_STATE:
	case RECORD_PEER:
		return len;
	case RECORD_SESSION:
		return len + r->session.slots_len * SLOT_BYTES_MAX;
	case RECORD_LOCK:
		return len + r->lock.name_len;
	case RECORD_REQUEST:
		return len + record_request_extent(r);
	case RECORD_VALUE:
		return len + r->value.name_len + r->value.bytes_len;
	}
	return len;
}

static uint8_t *put_fields(uint8_t *to, const struct record *r)
{
	switch (r->kind) {
	case RECORD_STATE:
		return put_state(to, r);
	case RECORD_PEER:
		return put_peer(to, r);
	case RECORD_SESSION:
		to = put_session(to, r);
		return put_slots(to, r->session.slots, r->session.slots_len);
	case RECORD_LOCK:
		return put_lock(to, r);
	case RECORD_REQUEST:
		return record_request_put(to, r);
	case RECORD_VALUE:
		return put_value(to, r);
	}
	return to;
}

static void get_fields(struct reader *r, struct record_room *room,
		       struct record *rec)
{
	switch (rec->kind) {
	case RECORD_STATE:
		get_state(r, rec);
		break;
	case RECORD_PEER:
		get_peer(r, rec);
		break;
	case RECORD_SESSION:
		get_session(r, rec);
		break;
	case RECORD_LOCK:
		get_lock(r, rec);
		break;
	case RECORD_REQUEST:
		record_request_get(r, room, rec);
		break;
	case RECORD_VALUE:
		get_value(r, rec);
		break;
	}
}

void record_encode(struct buf *b, const struct record *r)
{
	assert(record_valid(r));
	uint8_t *to = buf_reserve(b, bytes_bound(r));
	if (!to)
		return;
	*to++ = (uint8_t)r->kind;
	to = put_fields(to, r);
	b->len = (size_t)(to - b->base);
}

int record_decode(struct reader *r, struct record_room *room,
		  struct record *rec)
{
	memset(rec, 0, sizeof(*rec)); /* all of the union */
	rec->kind = (enum record_kind)reader_get8(r);
	get_fields(r, room, rec);
	if (r->failed || !record_valid(rec))
		return HF_ECORRUPT;
	if (rec->kind == RECORD_SESSION) {
		int rc = get_slots(r, room, rec);

		if (rc != 0)
			return rc;
	}
	return r->failed ? HF_ECORRUPT : 0;
}
