/* Random operations on locks; see stream.h. */
#include "lib/stream.h"

#include <string.h>

#define SECOND UINT64_C(1000000)

enum { NAMES = 5, BARRIERS = 2 };

static const char lock_names[NAMES + BARRIERS][4] = { "a", "b",  "c", "d",
						      "e", "b1", "b2" };

static const uint8_t *as_bytes(const char *text)
{
	return (const uint8_t *)text;
}

/* Barriers are called otherwise, mostly. */
static const char *lock_name(struct stream *s, enum mode mode)
{
	if (stream_rarely(s, 40))
		return lock_names[stream_below(s, NAMES + BARRIERS)];
	if (mode >= MODE_BARRIER)
		return lock_names[NAMES + stream_below(s, BARRIERS)];
	return lock_names[stream_below(s, NAMES)];
}

uint64_t stream_wait(struct stream *s)
{
	static const uint64_t waits[] = { 0,
					  SECOND / 2,
					  5 * SECOND,
					  20 * SECOND,
					  WAIT_FOREVER,
					  WAIT_FOREVER,
					  DURATION_MAX + 1 };

	return waits[stream_below(s, stream_rarely(s, 50) ? 7 : 6)];
}

size_t stream_bytes(struct stream *s, size_t at, uint64_t max)
{
	size_t len = stream_below(s, max + 1);

	for (size_t i = 0; i < len; i++)
		s->bytes[at][i] = (uint8_t)stream_below(s, 256);
	return len;
}

const struct model_request *
stream_hold(struct stream *s, const struct model_session *session, bool barrier)
{
	const struct model_request *hold = NULL;
	uint64_t id = session && !stream_rarely(s, 20) ? session->id : 0;

	for (size_t i = 0; i < s->model.requests_len; i++) {
		const struct model_request *r = &s->model.requests[i];

		if (r->record.request.state != REQUEST_HELD ||
		    (r->parts[0].mode == MODE_BARRIER) != barrier ||
		    (id > 0 && r->record.request.session != id))
			continue;
		if (!hold || stream_rarely(s, 3))
			hold = r;
	}
	return hold;
}

uint64_t stream_token(struct stream *s, const struct model_request *hold)
{
	if (!hold || stream_rarely(s, 40))
		return stream_below(s, s->model.counter + 2);
	return hold->record.request.token + stream_below(s, hold->parts_len);
}

/* Not the model's own, which moves. */
static const char *name_of(const struct model_request *hold)
{
	size_t i = 0;

	while (strcmp(lock_names[i], hold->parts[0].name) != 0)
		i++;
	return lock_names[i];
}

static void set_permits(struct stream *s, enum mode mode, uint32_t *permits,
			uint32_t *limit)
{
	if (mode == MODE_PERMITS || stream_rarely(s, 200)) {
		*permits = 1 + (uint32_t)stream_below(s, 3);
		*limit = stream_rarely(s, 12) ? 4 : 3;
		if (stream_rarely(s, 4))
			*limit = 0;
	}
	if (mode == MODE_BARRIER)
		*limit = stream_rarely(s, 20) ? 0 : 3;
}

static void set_parts(struct stream *s, struct op *op, size_t at)
{
	size_t len = 1 + stream_below(s, 3);

	if (stream_rarely(s, 60))
		len = PARTS_MAX;
	for (size_t i = 0; i < len; i++) {
		struct op_part *p = &s->parts[at][i];

		memset(p, 0, sizeof(*p));
		p->mode = (enum mode)stream_below(s, stream_rarely(s, 100) ? 5
									   : 3);
		p->name = as_bytes(lock_name(s, p->mode));
		p->name_len = strlen((const char *)p->name);
		set_permits(s, p->mode, &p->permits, &p->limit);
	}
	op->acquire.more = s->parts[at];
	op->acquire.more_len = len;
}

/* What few requests have. */
static void set_rest(struct stream *s, struct op *op, size_t at)
{
	if (stream_rarely(s, 3))
		op->acquire.delay = stream_below(s, 2 * SECOND);
	if (stream_rarely(s, 100))
		op->acquire.delay = random_width(&s->random);
	if (stream_rarely(s, 4))
		op->acquire.priority = (int32_t)stream_below(s, 3) - 1;
	if (stream_rarely(s, 200))
		op->acquire.priority = 128;
	if (stream_rarely(s, 10))
		op->acquire.line = 1 + (uint32_t)stream_below(s, 4);
	if (stream_rarely(s, 6))
		op->acquire.hold = stream_below(s, 20 * SECOND);
	if (stream_rarely(s, 6))
		op->acquire.lease = stream_below(s, 10 * SECOND);
	if (stream_rarely(s, 200))
		op->acquire.lease = DURATION_MAX + 1;
	if (stream_rarely(s, 5)) {
		op->acquire.shown_len = stream_bytes(s, at, 8);
		op->acquire.shown = s->bytes[at];
	}
}

static void set_name(struct stream *s, struct op *op, const char *name)
{
	op->acquire.name = as_bytes(name);
	op->acquire.name_len = stream_rarely(s, 200) ? 0 : strlen(name);
}

static void make_acquire(struct stream *s, struct op *op, size_t at)
{
	op->kind = OP_ACQUIRE;
	stream_seq(s, op, stream_session(s, op));
	op->acquire.owner = stream_below(s, 3);
	op->acquire.mode = (enum mode)stream_below(s, 3);
	if (stream_rarely(s, 8))
		op->acquire.mode = MODE_BARRIER;
	set_name(s, op, lock_name(s, op->acquire.mode));
	set_permits(s, op->acquire.mode, &op->acquire.permits,
		    &op->acquire.limit);
	op->acquire.wait = stream_wait(s);
	if (stream_rarely(s, 5) &&
	    (op->acquire.mode != MODE_BARRIER || stream_rarely(s, 10)))
		set_parts(s, op, at);
	set_rest(s, op, at);
}

static void make_conversion(struct stream *s, struct op *op, size_t at)
{
	const struct model_session *session = stream_session(s, op);
	bool leave = stream_rarely(s, 3);
	const struct model_request *hold = stream_hold(s, session, leave);
	enum mode mode = hold ? hold->parts[0].mode : MODE_EXCLUSIVE;

	if (!hold && !stream_rarely(s, 8)) {
		make_acquire(s, op, at);
		return;
	}
	op->kind = OP_ACQUIRE;
	stream_seq(s, op, session);
	op->acquire.from = stream_token(s, hold);
	op->acquire.owner = hold && !stream_rarely(s, 10)
				    ? hold->record.request.owner
				    : stream_below(s, 3);
	op->acquire.mode = leave ? MODE_LEAVE
			   : mode == MODE_PERMITS
				   ? MODE_PERMITS
				   : (enum mode)stream_below(s, 2);
	if (stream_rarely(s, 40))
		op->acquire.mode = (enum mode)stream_below(s, 6);
	set_permits(s, op->acquire.mode, &op->acquire.permits,
		    &op->acquire.limit);
	set_name(s, op,
		 hold && !stream_rarely(s, 40)
			 ? name_of(hold)
			 : lock_name(s, op->acquire.mode));
	op->acquire.wait = stream_wait(s);
	if (stream_rarely(s, 3))
		op->acquire.delay = stream_below(s, 2 * SECOND);
}

static void make_release(struct stream *s, struct op *op, size_t at)
{
	const struct model_session *session = stream_session(s, op);
	const struct model_request *hold =
		stream_hold(s, session, stream_rarely(s, 8));

	if (!hold && !stream_rarely(s, 8)) {
		make_acquire(s, op, at);
		return;
	}

	op->kind = OP_RELEASE;
	stream_seq(s, op, session);
	op->release.token = stream_token(s, hold);
	if (stream_rarely(s, 5))
		op->release.to = stream_below(s, 7);
}

static void make_cancel(struct stream *s, struct op *op)
{
	const struct record *r;

	op->kind = OP_CANCEL;
	if (stream_rarely(s, 3))
		op->cancel.flags = CANCEL_WAIT;
	if (s->model.requests_len == 0 || stream_rarely(s, 3)) {
		stream_seq(s, op, stream_session(s, op));
		return;
	}
	r = &s->model.requests[stream_below(s, s->model.requests_len)].record;
	op->session = r->request.session;
	op->seq = r->request.seq;
	op->node = model_session(&s->model, op->session)->node;
}

static void make_revoke(struct stream *s, struct op *op, size_t at)
{
	op->kind = OP_REVOKE;
	stream_seq(s, op, stream_session(s, op));
	op->revoke.token =
		stream_token(s, stream_hold(s, NULL, stream_rarely(s, 8)));
	op->revoke.grace = stream_below(s, 30 * SECOND);
	if (stream_rarely(s, 3))
		op->revoke.grace = 0;
	if (stream_rarely(s, 50))
		op->revoke.grace = random_width(&s->random);
	op->revoke.reason_len = stream_bytes(s, at, 6);
	op->revoke.reason = s->bytes[at];
}

static bool has_lease(const struct model_request *hold)
{
	return hold->record.request.lease > 0;
}

static bool is_revoked(const struct model_request *hold)
{
	return hold->record.request.revoke.at > 0;
}

/* A hold that is such, and its session, to ask for something of it. */
static const struct model_request *
aim(struct stream *s, struct op *op,
    bool (*such)(const struct model_request *hold))
{
	const struct model_request *found = NULL;

	stream_session(s, op);
	for (size_t i = 0; i < s->model.requests_len; i++) {
		const struct model_request *r = &s->model.requests[i];

		if (r->record.request.state == REQUEST_HELD && such(r) &&
		    (!found || stream_rarely(s, 3)))
			found = r;
	}
	if (found && !stream_rarely(s, 10)) {
		op->session = found->record.request.session;
		op->node = model_session(&s->model, op->session)->node;
	}
	return found;
}

static void make_extend(struct stream *s, struct op *op)
{
	op->kind = OP_EXTEND;
	op->seq = stream_below(s, 1000);
	op->extend.token = stream_token(s, aim(s, op, has_lease));
	if (stream_rarely(s, 4))
		op->extend.token = stream_token(s, stream_hold(s, NULL, false));
}

static void make_noted(struct stream *s, struct op *op)
{
	const struct model_request *hold = aim(s, op, is_revoked);

	op->kind = OP_NOTED;
	op->seq = stream_below(s, 1000);
	op->noted.token = stream_token(s, hold);
	op->noted.noted_at = stream_below(s, s->clock + 1);
	if (hold && !stream_rarely(s, 5))
		op->noted.noted_at = hold->record.request.revoke.noted_at;
}

static void make_announce(struct stream *s, struct op *op, size_t at)
{
	const struct model_session *session = stream_session(s, op);

	op->kind = OP_ANNOUNCE;
	stream_seq(s, op, session);
	op->announce.token =
		stream_token(s, stream_hold(s, session, stream_rarely(s, 8)));
	op->announce.shown_len = stream_bytes(s, at, 8);
	op->announce.shown = s->bytes[at];
}

static void make_permits(struct stream *s, struct op *op)
{
	const char *name = lock_name(s, MODE_PERMITS);

	op->kind = OP_PERMITS;
	stream_seq(s, op, stream_session(s, op));
	op->permits.name = as_bytes(name);
	op->permits.name_len = stream_rarely(s, 60) ? 0 : strlen(name);
	op->permits.limit =
		(uint32_t)(stream_rarely(s, 2) ? 0 : stream_below(s, 6));
}

void stream_make_op(struct stream *s, size_t at)
{
	struct op *op = &s->ops[at];
	uint64_t dice = stream_below(s, 100);

	if (dice < 36)
		make_acquire(s, op, at);
	else if (dice < 46)
		make_conversion(s, op, at);
	else if (dice < 66)
		make_release(s, op, at);
	else if (dice < 75)
		make_cancel(s, op);
	else if (dice < 78)
		make_revoke(s, op, at);
	else if (dice < 80)
		make_extend(s, op);
	else if (dice < 82)
		make_noted(s, op);
	else if (dice < 84)
		make_announce(s, op, at);
	else if (dice < 87)
		make_permits(s, op);
	else if (dice < 95)
		stream_make_write(s, op, at);
	else
		stream_make_await(s, op);
}
