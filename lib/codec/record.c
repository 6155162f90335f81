/* Records as bytes; see record.h. The same rules hold at both ends, as with
 * operations. What ties records to each other is the core's to check. */
#include "codec/record.h"

#include "codec/field.h"
#include "codec/limits.h"

#include "holdfast.h"

#include <assert.h>
#include <stdlib.h>

#define SLOT_BYTES_MIN 4
#define ARRAY_CAP_MIN 64

static bool id_valid(uint64_t id)
{
	return id > 0 && id <= NUMBER_MAX;
}

static bool state_valid(const struct record *r)
{
	return r->state.now <= NUMBER_MAX && r->state.wall <= NUMBER_MAX &&
	       r->state.counter <= NUMBER_MAX && r->state.version > 0 &&
	       r->state.version <= SEMANTICS_VERSION &&
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

static bool request_valid(const struct record *r)
{
	unsigned state = (unsigned)r->request.state;

	return id_valid(r->request.session) && r->request.seq > 0 &&
	       state >= REQUEST_WAITING && state <= REQUEST_ENDED &&
	       (unsigned)r->request.mode <= MODE_PERMITS &&
	       r->request.token <= NUMBER_MAX &&
	       (state != REQUEST_HELD || r->request.token > 0) &&
	       r->request.stamp <= NUMBER_MAX &&
	       r->request.deadline <= NUMBER_MAX &&
	       r->request.delay <= DURATION_MAX &&
	       status_valid(r->request.status);
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
		return r->lock.name_len >= 1 &&
		       r->lock.name_len <= LOCK_NAME_MAX &&
		       r->lock.delay_until <= NUMBER_MAX;
	case RECORD_REQUEST:
		return request_valid(r);
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

static int slot_array_reserve(struct slot_array *a, size_t len)
{
	size_t cap = a->cap ? a->cap : ARRAY_CAP_MIN;

	if (len <= a->cap)
		return 0;
	while (cap < len)
		cap *= 2;
	struct slot *slots = realloc(a->slots, cap * sizeof(*slots));
	if (!slots)
		return HF_ENOMEM;
	a->slots = slots;
	a->cap = cap;
	return 0;
}

void slot_array_free(struct slot_array *a)
{
	if (!a)
		return;
	free(a->slots);
	*a = (struct slot_array){ 0 };
}

static int get_slots(struct reader *r, struct slot_array *a, struct record *rec)
{
	size_t len = rec->session.slots_len;

	if (len > reader_left(r) / SLOT_BYTES_MIN)
		return HF_ECORRUPT;
	if (slot_array_reserve(a, len) != 0)
		return HF_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		struct slot *s = &a->slots[i];

		s->seq = get_varint(r);
		s->status = get_status(r);
		s->token = get_varint(r);
		s->stamp = get_varint(r);
		if (!slot_valid(s))
			return HF_ECORRUPT;
	}
	rec->session.slots = len > 0 ? a->slots : NULL;
	return 0;
}

static uint8_t *put_lock(uint8_t *to, const struct record *r)
{
	to = put_varint(to, r->lock.id);
	to = put_varint(to, r->lock.limit);
	to = put_varint(to, r->lock.delay_until);
	to = put_varint(to, r->lock.name_len);
	return put_bytes(to, r->lock.name, r->lock.name_len);
}

static void get_lock(struct reader *r, struct record *rec)
{
	rec->lock.id = get_varint(r);
	rec->lock.limit = get_varint32(r);
	rec->lock.delay_until = get_varint(r);
	rec->lock.name_len = get_bounded(r, LOCK_NAME_MAX);
	rec->lock.name = reader_take(r, rec->lock.name_len);
}

static uint8_t *put_request(uint8_t *to, const struct record *r)
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
	return put_status(to, r->request.status);
}

static void get_request(struct reader *r, struct record *rec)
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
}

void record_encode(struct buf *b, const struct record *r)
{
	bool session = r->kind == RECORD_SESSION;
	size_t slots = session ? r->session.slots_len : 0;
	uint8_t *to = buf_reserve(b, RECORD_HEAD_MAX + slots * SLOT_BYTES_MAX);

	assert(record_valid(r));
	if (!to)
		return;
	*to++ = (uint8_t)r->kind;
	if (r->kind == RECORD_STATE)
		to = put_state(to, r);
	else if (r->kind == RECORD_PEER)
		to = put_peer(to, r);
	else if (r->kind == RECORD_LOCK)
		to = put_lock(to, r);
	else if (r->kind == RECORD_REQUEST)
		to = put_request(to, r);
	else
		to = put_slots(put_session(to, r), r->session.slots, slots);
	b->len = (size_t)(to - b->base);
}

int record_decode(struct reader *r, struct slot_array *a, struct record *rec)
{
	*rec = (struct record){ .kind = (enum record_kind)reader_get8(r) };
	if (rec->kind == RECORD_STATE)
		get_state(r, rec);
	else if (rec->kind == RECORD_PEER)
		get_peer(r, rec);
	else if (rec->kind == RECORD_SESSION)
		get_session(r, rec);
	else if (rec->kind == RECORD_LOCK)
		get_lock(r, rec);
	else if (rec->kind == RECORD_REQUEST)
		get_request(r, rec);
	if (r->failed || !record_valid(rec))
		return HF_ECORRUPT;
	if (rec->kind == RECORD_SESSION) {
		int rc = get_slots(r, a, rec);

		if (rc != 0)
			return rc;
	}
	return r->failed ? HF_ECORRUPT : 0;
}
