/* The digests of which the state's hash is made.
 *
 * The rule: a digest is over named fields of records, in a fixed order and
 * width, never over bytes of memory: padding, addresses and the machine's byte
 * order must not matter. It finds members that differ; it is no protection
 * against somebody who forges. */
#include "core/state.h"

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t fold(uint64_t h, uint64_t v)
{
	h = (h ^ v) * MULTIPLIER;
	return h ^ (h >> 32);
}

/* Murmur3's last mixing: each bit of the input changes half of the output. */
static uint64_t spread(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ (h >> 33);
}

static uint64_t fold_bytes(uint64_t h, const uint8_t *bytes, size_t len)
{
	h = fold(h, len);
	while (len > 0) {
		size_t n = len < 8 ? len : 8;
		uint64_t v = 0;

		for (size_t i = 0; i < n; i++)
			v |= (uint64_t)bytes[i] << (8 * i);
		h = fold(h, v);
		bytes += n;
		len -= n;
	}
	return h;
}

uint64_t core_slot_digest(const struct slot *slot)
{
	uint64_t h = fold(MULTIPLIER, slot->seq);

	h = fold(h, (uint64_t)slot->status);
	h = fold(h, slot->token);
	return spread(fold(h, slot->stamp));
}

static uint64_t digest_peer(uint64_t h, const struct record *r)
{
	h = fold(h, r->peer.node);
	h = fold(h, r->peer.boot);
	h = fold(h, r->peer.nth);
	return fold(h, r->peer.session);
}

static uint64_t digest_session(uint64_t h, const struct record *r,
			       const struct window *w)
{
	h = fold(h, r->session.id);
	h = fold(h, r->session.node);
	h = fold(h, r->session.boot);
	h = fold(h, r->session.nth);
	h = fold(h, r->session.ttl);
	h = fold(h, r->session.deadline);
	h = fold(h, r->session.opened);
	h = fold_bytes(h, r->session.nonce, NONCE_LEN);
	h = fold(h, r->session.flags);
	h = fold(h, r->session.low);
	h = fold(h, w->used);
	return fold(h, w->sum);
}

static uint64_t digest_lock(uint64_t h, const struct record *r)
{
	h = fold(h, r->lock.id);
	h = fold_bytes(h, r->lock.name, r->lock.name_len);
	h = fold(h, r->lock.limit);
	h = fold(h, r->lock.flags);
	return fold(h, r->lock.delay_until);
}

/* Of all but the first part. */
static uint64_t digest_parts(uint64_t h, const struct request *request)
{
	for (size_t i = 1; i < request->parts_len; i++) {
		const struct part *part = &request->parts[i];

		h = fold(h, part->lock ? part->lock->id : 0);
		h = fold(h, part->mode);
		h = fold(h, part->permits);
	}
	return h;
}

/* An extra with nothing in it is as none: whether there is one isn't state. */
static uint64_t digest_extra(uint64_t h, const struct record *r)
{
	const uint64_t fields[] = { r->request.hold,
				    r->request.lease,
				    r->request.hold_until,
				    r->request.lease_until,
				    r->request.from,
				    r->request.shown_len,
				    r->request.revoke.at,
				    r->request.revoke.noted_at,
				    r->request.revoke.by,
				    r->request.revoke.noted,
				    r->request.value,
				    (uint64_t)r->request.condition,
				    (uint64_t)r->request.number,
				    r->request.revoke.reason_len };
	uint64_t any = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		any |= fields[i];
	if (any == 0)
		return h;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		h = fold(h, fields[i]);
	h = fold_bytes(h, r->request.shown, r->request.shown_len);
	return fold_bytes(h, r->request.revoke.reason,
			  r->request.revoke.reason_len);
}

static uint64_t digest_request(uint64_t h, const struct record *r,
			       const struct request *request)
{
	h = fold(h, r->request.session);
	h = fold(h, r->request.seq);
	h = fold(h, r->request.owner);
	h = fold(h, r->request.lock);
	h = fold(h, (uint64_t)r->request.state);
	h = fold(h, (uint64_t)r->request.mode);
	h = fold(h, r->request.permits);
	h = fold(h, r->request.token);
	h = fold(h, r->request.stamp);
	h = fold(h, r->request.index);
	h = fold(h, r->request.place);
	h = fold(h, r->request.deadline);
	h = fold(h, r->request.delay);
	h = fold(h, (uint64_t)r->request.status);
	h = fold(h, (uint64_t)r->request.priority);
	h = fold(h, request->parts_len);
	if (request->parts_len > 1)
		h = digest_parts(h, request);
	return request->extra ? digest_extra(h, r) : h;
}

static uint64_t digest_value(uint64_t h, const struct record *r)
{
	h = fold(h, r->value.id);
	h = fold_bytes(h, r->value.name, r->value.name_len);
	h = fold(h, r->value.version);
	h = fold(h, r->value.session);
	h = fold(h, r->value.counter);
	h = fold(h, (uint64_t)r->value.number);
	return fold_bytes(h, r->value.bytes, r->value.bytes_len);
}

uint64_t core_digest(struct object *object)
{
	uint64_t h = fold(MULTIPLIER, object->kind);
	struct record r;

	core_record(NULL, object, &r, false);
	switch (r.kind) {
	case RECORD_PEER:
		h = digest_peer(h, &r);
		break;
	case RECORD_SESSION:
		h = digest_session(h, &r, &as_session(object)->window);
		break;
	case RECORD_LOCK:
		h = digest_lock(h, &r);
		break;
	case RECORD_REQUEST:
		h = digest_request(h, &r, as_request(object));
		break;
	case RECORD_VALUE:
		h = digest_value(h, &r);
		break;
	case RECORD_STATE:
		break;
	}
	return spread(h);
}

uint64_t core_state_digest(const struct core *core)
{
	uint64_t h = fold(MULTIPLIER, RECORD_STATE);
	struct record r;

	core_record_state(core, &r);
	h = fold(h, r.state.now);
	h = fold(h, r.state.term);
	h = fold(h, r.state.skew);
	h = fold(h, r.state.wall);
	h = fold(h, r.state.index);
	h = fold(h, r.state.counter);
	h = fold(h, r.state.arrivals);
	h = fold(h, r.state.version);
#define X(name, first, least, greatest) h = fold(h, r.state.limits.name);
	LIMITS(X)
#undef X
	return spread(h);
}
