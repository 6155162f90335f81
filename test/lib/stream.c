/* Random streams of entries; see stream.h. The model knows which sessions,
 * numbers and tokens there are to hit, or to miss by a little. */
#include "lib/stream.h"

#include <string.h>

#define NODES 6
#define NAMES 7
#define SECOND UINT64_C(1000000)

void stream_init(struct stream *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->random.state = seed;
	model_init(&s->model);
}

static uint64_t below(struct stream *s, uint64_t n)
{
	return random_below(&s->random, n);
}

/* Once in n times. */
static bool rarely(struct stream *s, uint64_t n)
{
	return below(s, n) == 0;
}

static void make_open(struct stream *s, struct op *op)
{
	static const uint64_t ttls[] = { 100000, 2 * SECOND, 10 * SECOND,
					 60 * SECOND, 1 };

	op->kind = OP_OPEN;
	op->node = 1 + below(s, NODES);
	op->seq = below(s, 1000);
	op->open.boot = 1 + s->opens / 40 - (rarely(s, 10) && s->opens > 40);
	op->open.nth = ++s->opens;
	op->open.ttl = ttls[below(s, rarely(s, 20) ? 5 : 4)];
	op->open.flags = rarely(s, 3) ? OPEN_MEMBER : 0;
	if (rarely(s, 50))
		op->open.flags = 6;
	op->open.nonce[0] = (uint8_t)below(s, rarely(s, 3) ? 3 : 256);
	op->open.nonce[NONCE_LEN - 1] = (uint8_t)op->node;
}

/* A session that lives, mostly, and its node, mostly. */
static struct model_session *pick_session(struct stream *s, struct op *op)
{
	struct model_session *session;

	op->node = 1 + below(s, NODES);
	op->session = below(s, s->model.counter + 3);
	if (s->model.sessions_len == 0 || rarely(s, 30))
		return NULL;
	session = &s->model.sessions[below(s, s->model.sessions_len)];
	op->session = session->id;
	if (!rarely(s, 40))
		op->node = session->node;
	return session;
}

static void pick_seq(struct stream *s, struct op *op,
		     const struct model_session *session)
{
	if (!session) {
		op->seq = below(s, 10);
		return;
	}
	op->seq = session->high + 1 + (rarely(s, 8) ? below(s, 6) : 0);
	if (rarely(s, 6))
		op->seq = session->low + below(s, 12);
	if (rarely(s, 40))
		op->seq = below(s, session->low + 1);
	if (rarely(s, 60))
		op->seq = random_width(&s->random);
	if (rarely(s, 3))
		op->low = session->high + 1 - below(s, 8) % (session->high + 1);
	if (rarely(s, 60))
		op->low = random_width(&s->random);
}

static void make_acquire(struct stream *s, struct op *op)
{
	static const char names[NAMES][4] = {
		"a", "b", "c", "d", "e", "f", "g"
	};
	static const uint64_t waits[] = { 0,
					  0,
					  SECOND / 2,
					  5 * SECOND,
					  WAIT_FOREVER,
					  WAIT_FOREVER,
					  DURATION_MAX + 1 };

	op->kind = OP_ACQUIRE;
	pick_seq(s, op, pick_session(s, op));
	op->acquire.owner = below(s, 4);
	op->acquire.name = (const uint8_t *)names[below(s, NAMES)];
	op->acquire.name_len = rarely(s, 100) ? 0 : 1;
	op->acquire.mode = (enum mode)below(s, rarely(s, 50) ? 4 : 3);
	if (op->acquire.mode == MODE_PERMITS || rarely(s, 100)) {
		op->acquire.limit = rarely(s, 20) ? 4 : 3;
		op->acquire.permits = 1 + (uint32_t)below(s, 4);
	}
	op->acquire.wait = waits[below(s, rarely(s, 50) ? 7 : 6)];
	if (rarely(s, 3))
		op->acquire.delay = below(s, 4 * SECOND);
	if (rarely(s, 100))
		op->acquire.delay = random_width(&s->random);
}

static void make_release(struct stream *s, struct op *op)
{
	const struct model_session *session = pick_session(s, op);

	op->kind = OP_RELEASE;
	pick_seq(s, op, session);
	op->release.token = below(s, s->model.counter + 2);
	for (size_t i = 0; i < s->model.requests_len; i++) {
		const struct record *r = &s->model.requests[i].record;

		if (r->request.token > 0 && rarely(s, 3))
			op->release.token = r->request.token;
		if (r->request.token > 0 && session &&
		    r->request.session == session->id && !rarely(s, 10)) {
			op->release.token = r->request.token;
			return;
		}
	}
}

static void make_cancel(struct stream *s, struct op *op)
{
	const struct record *r;

	op->kind = OP_CANCEL;
	if (s->model.requests_len == 0 || rarely(s, 3)) {
		pick_seq(s, op, pick_session(s, op));
		return;
	}
	r = &s->model.requests[below(s, s->model.requests_len)].record;
	op->session = r->request.session;
	op->seq = r->request.seq;
	op->node = model_session(&s->model, op->session)->node;
}

static void make_limits(struct stream *s, struct op *op)
{
	op->kind = OP_LIMITS;
	op->node = 1;
	op->limits = s->model.limits;
	op->limits.sessions = 2 + below(s, 20);
	op->limits.locks = 3 + below(s, 10);
	op->limits.requests = 5 + below(s, 200);
	op->limits.line = 1 + below(s, 8);
	op->limits.window = 1 + below(s, 64);
	op->limits.delay_max_us = below(s, 5 * SECOND);
	op->limits.step_max_us = SECOND + below(s, 60 * SECOND);
	if (rarely(s, 4))
		op->limits.line = 0;
	if (rarely(s, 4))
		op->limits.ttl_min_us = op->limits.ttl_max_us + 1;
}

static void make_op(struct stream *s, struct op *op)
{
	uint64_t dice = below(s, 100);

	memset(op, 0, sizeof(*op));
	if (dice < 4 || (s->model.sessions_len < 3 && dice < 30)) {
		make_open(s, op);
	} else if (dice < 50) {
		make_acquire(s, op);
	} else if (dice < 75) {
		make_release(s, op);
	} else if (dice < 83) {
		make_cancel(s, op);
	} else if (rarely(s, 100)) {
		make_limits(s, op);
	} else {
		op->kind = rarely(s, 20) ? OP_CLOSE : OP_RENEW;
		pick_seq(s, op, pick_session(s, op));
	}
}

/* A leader's clock: small steps, sometimes a jump, sometimes a new leader who
 * goes on from the cluster's time. */
static void move_clock(struct stream *s)
{
	if (rarely(s, 100)) {
		s->term++;
		s->clock = s->model.now;
	}
	if (rarely(s, 200))
		s->clock += below(s, 300 * SECOND);
	s->clock += below(s, rarely(s, 10) ? 3 * SECOND : SECOND / 10);
}

const struct entry *stream_next(struct stream *s)
{
	struct entry *entry = &s->entry;

	move_clock(s);
	memset(entry, 0, sizeof(*entry));
	entry->version = SEMANTICS_VERSION;
	entry->stamp = rarely(s, 20) ? below(s, s->clock + 1) : s->clock;
	entry->term = s->term;
	entry->wall = s->clock + 7;
	entry->ops = s->ops;
	entry->ops_len = below(s, rarely(s, 10) ? STREAM_OPS : 4);
	for (size_t i = 0; i < entry->ops_len; i++)
		make_op(s, &s->ops[i]);
	s->index += 1 + rarely(s, 5);
	model_apply(&s->model, s->index, entry);
	return entry;
}
