/* Comparing; see samples.h. */
#include "lib/samples.h"

#include "lib/suite.h"

#define SAME(field) ck_assert_uint_eq((uint64_t)a->field, (uint64_t)b->field)
#define SAME_BYTES(bytes, len) same_bytes(a->bytes, a->len, b->bytes, b->len)

static void same_bytes(const uint8_t *a, size_t a_len, const uint8_t *b,
		       size_t b_len)
{
	ck_assert_uint_eq(a_len, b_len);
	if (a_len > 0)
		ck_assert_mem_eq(a, b, a_len);
}

static void check_same_limits(const struct limits *a, const struct limits *b)
{
#define X(name, first, least, greatest) SAME(name);
	LIMITS(X)
#undef X
}

static void check_same_parts(const struct op_part *a, const struct op_part *b,
			     size_t len)
{
	for (; len > 0; a++, b++, len--) {
		SAME_BYTES(name, name_len);
		SAME(mode);
		SAME(permits);
		SAME(limit);
	}
}

static void check_same_acquire(const struct op *a, const struct op *b)
{
	SAME(acquire.owner);
	SAME_BYTES(acquire.name, acquire.name_len);
	SAME(acquire.mode);
	SAME(acquire.permits);
	SAME(acquire.limit);
	SAME(acquire.wait);
	SAME(acquire.delay);
	SAME(acquire.more_len);
	check_same_parts(a->acquire.more, b->acquire.more, a->acquire.more_len);
	SAME(acquire.priority);
	SAME(acquire.line);
	SAME(acquire.hold);
	SAME(acquire.lease);
	SAME(acquire.from);
	SAME_BYTES(acquire.shown, acquire.shown_len);
}

static void check_same_value(const struct op *a, const struct op *b)
{
	SAME_BYTES(value.name, value.name_len);
	SAME_BYTES(value.bytes, value.bytes_len);
	SAME(value.expect);
	SAME(value.guard);
	SAME(value.delta);
	SAME(value.flags);
}

static void check_same_open(const struct op *a, const struct op *b)
{
	ck_assert_mem_eq(a->open.nonce, b->open.nonce, NONCE_LEN);
	SAME(open.boot);
	SAME(open.nth);
	SAME(open.ttl);
	SAME(open.flags);
}

static void check_same_body(const struct op *a, const struct op *b)
{
	switch (a->kind) {
	case OP_OPEN:
		check_same_open(a, b);
		break;
	case OP_RENEW:
	case OP_CLOSE:
		break;
	case OP_ACQUIRE:
		check_same_acquire(a, b);
		break;
	case OP_RELEASE:
		SAME(release.token);
		SAME(release.to);
		break;
	case OP_CANCEL:
		SAME(cancel.flags);
		break;
	case OP_LIMITS:
		check_same_limits(&a->limits, &b->limits);
		break;
	case OP_EXTEND:
		SAME(extend.token);
		break;
	case OP_REVOKE:
		SAME(revoke.token);
		SAME(revoke.grace);
		SAME_BYTES(revoke.reason, revoke.reason_len);
		break;
	case OP_NOTED:
		SAME(noted.token);
		SAME(noted.noted_at);
		break;
	case OP_PERMITS:
		SAME_BYTES(permits.name, permits.name_len);
		SAME(permits.limit);
		break;
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		check_same_value(a, b);
		break;
	case OP_AWAIT:
		SAME_BYTES(await.name, await.name_len);
		SAME(await.condition);
		SAME(await.number);
		SAME(await.wait);
		break;
	case OP_ANNOUNCE:
		SAME(announce.token);
		SAME_BYTES(announce.shown, announce.shown_len);
		break;
	}
}

void check_same_op(const struct op *a, const struct op *b)
{
	SAME(kind);
	SAME(node);
	SAME(session);
	SAME(seq);
	SAME(low);
	check_same_body(a, b);
}

void check_same_output(const struct output *a, const struct output *b)
{
	SAME(kind);
	SAME(op);
	SAME(change);
	SAME(status);
	SAME(node);
	SAME(session);
	SAME(seq);
	SAME(token);
	SAME(stamp);
	SAME(deadline);
	SAME(index);
	SAME(by);
	SAME(number);
	SAME_BYTES(name, name_len);
	SAME_BYTES(bytes, bytes_len);
}

void check_same_item(const struct resync_item *a, const struct resync_item *b)
{
	SAME(seq);
	SAME(token);
	SAME(status);
	SAME(deadline);
	SAME(stamp);
	SAME(revoked_at);
	SAME(noted_at);
	SAME(by);
	SAME_BYTES(reason, reason_len);
}

void check_same_query(const struct query *a, const struct query *b)
{
	SAME(kind);
	SAME(id);
	SAME(session);
	SAME(token);
	SAME_BYTES(name, name_len);
}

void check_same_reply(const struct reply *a, const struct reply *b)
{
	SAME(id);
	SAME(status);
	SAME(version);
	SAME(index);
	SAME(session);
	SAME(number);
	SAME(counter);
	SAME_BYTES(bytes, bytes_len);
}

static void check_same_state(const struct record *a, const struct record *b)
{
	SAME(state.now);
	SAME(state.wall);
	SAME(state.index);
	SAME(state.counter);
	SAME(state.arrivals);
	SAME(state.term);
	SAME(state.skew);
	SAME(state.hash);
	SAME(state.version);
	check_same_limits(&a->state.limits, &b->state.limits);
}

static void check_same_session(const struct record *a, const struct record *b)
{
	ck_assert_mem_eq(a->session.nonce, b->session.nonce, NONCE_LEN);
	SAME(session.id);
	SAME(session.node);
	SAME(session.boot);
	SAME(session.nth);
	SAME(session.ttl);
	SAME(session.deadline);
	SAME(session.opened);
	SAME(session.flags);
	SAME(session.low);
	SAME(session.slots_len);
	for (size_t i = 0; i < a->session.slots_len; i++) {
		SAME(session.slots[i].seq);
		SAME(session.slots[i].status);
		SAME(session.slots[i].token);
		SAME(session.slots[i].stamp);
	}
}

static void check_same_extras(const struct record *a, const struct record *b)
{
	SAME(request.more_len);
	for (size_t i = 0; i < a->request.more_len; i++) {
		SAME(request.more[i].lock);
		SAME(request.more[i].mode);
		SAME(request.more[i].permits);
	}
	SAME(request.priority);
	SAME(request.hold);
	SAME(request.lease);
	SAME(request.hold_until);
	SAME(request.lease_until);
	SAME(request.from);
	SAME_BYTES(request.shown, request.shown_len);
	SAME(request.revoke.at);
	SAME(request.revoke.noted_at);
	SAME(request.revoke.by);
	SAME(request.revoke.noted);
	SAME_BYTES(request.revoke.reason, request.revoke.reason_len);
	SAME(request.value);
	SAME(request.condition);
	SAME(request.number);
}

static void check_same_request(const struct record *a, const struct record *b)
{
	SAME(request.session);
	SAME(request.seq);
	SAME(request.owner);
	SAME(request.lock);
	SAME(request.state);
	SAME(request.mode);
	SAME(request.permits);
	SAME(request.token);
	SAME(request.stamp);
	SAME(request.index);
	SAME(request.place);
	SAME(request.deadline);
	SAME(request.delay);
	SAME(request.status);
	check_same_extras(a, b);
}

static void check_same_value_record(const struct record *a,
				    const struct record *b)
{
	SAME(value.id);
	SAME_BYTES(value.name, value.name_len);
	SAME(value.version);
	SAME(value.session);
	SAME(value.counter);
	SAME(value.number);
	SAME_BYTES(value.bytes, value.bytes_len);
}

void check_same_record(const struct record *a, const struct record *b)
{
	SAME(kind);
	if (a->kind == RECORD_STATE) {
		check_same_state(a, b);
	} else if (a->kind == RECORD_PEER) {
		SAME(peer.node);
		SAME(peer.boot);
		SAME(peer.nth);
		SAME(peer.session);
	} else if (a->kind == RECORD_SESSION) {
		check_same_session(a, b);
	} else if (a->kind == RECORD_LOCK) {
		SAME(lock.id);
		SAME_BYTES(lock.name, lock.name_len);
		SAME(lock.limit);
		SAME(lock.flags);
		SAME(lock.delay_until);
	} else if (a->kind == RECORD_REQUEST) {
		check_same_request(a, b);
	} else {
		check_same_value_record(a, b);
	}
}
