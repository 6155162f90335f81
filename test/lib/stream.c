/* Random streams of entries; see stream.h. The model knows which sessions,
 * numbers and tokens there are to hit, or to miss by a little. */
#include "lib/stream.h"

#include <string.h>

#define NODES 6
#define SECOND UINT64_C(1000000)

void stream_init(struct stream *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->random.state = seed;
	model_init(&s->model);
}

uint64_t stream_below(struct stream *s, uint64_t n)
{
	return random_below(&s->random, n);
}

bool stream_rarely(struct stream *s, uint64_t n)
{
	return stream_below(s, n) == 0;
}

static void make_open(struct stream *s, struct op *op)
{
	static const uint64_t ttls[] = { 100000, 2 * SECOND, 10 * SECOND,
					 60 * SECOND, 1 };

	op->kind = OP_OPEN;
	op->node = 1 + stream_below(s, NODES);
	op->seq = stream_below(s, 1000);
	op->open.boot =
		1 + s->opens / 40 - (stream_rarely(s, 10) && s->opens > 40);
	op->open.nth = ++s->opens;
	op->open.ttl = ttls[stream_below(s, stream_rarely(s, 20) ? 5 : 4)];
	op->open.flags = stream_rarely(s, 3) ? OPEN_MEMBER : 0;
	if (stream_rarely(s, 50))
		op->open.flags = 6;
	op->open.nonce[0] =
		(uint8_t)stream_below(s, stream_rarely(s, 3) ? 3 : 256);
	op->open.nonce[NONCE_LEN - 1] = (uint8_t)op->node;
}

struct model_session *stream_session(struct stream *s, struct op *op)
{
	struct model_session *session;

	op->node = 1 + stream_below(s, NODES);
	op->session = stream_below(s, s->model.counter + 3);
	if (s->model.sessions_len == 0 || stream_rarely(s, 30))
		return NULL;
	session = &s->model.sessions[stream_below(s, s->model.sessions_len)];
	op->session = session->id;
	if (!stream_rarely(s, 40))
		op->node = session->node;
	return session;
}

void stream_seq(struct stream *s, struct op *op,
		const struct model_session *session)
{
	if (!session) {
		op->seq = stream_below(s, 10);
		return;
	}
	op->seq = session->high + 1 +
		  (stream_rarely(s, 8) ? stream_below(s, 6) : 0);
	if (stream_rarely(s, 6))
		op->seq = session->low + stream_below(s, 12);
	if (stream_rarely(s, 40))
		op->seq = stream_below(s, session->low + 1);
	if (stream_rarely(s, 60))
		op->seq = random_width(&s->random);
	if (stream_rarely(s, 3))
		op->low = session->high + 1 -
			  stream_below(s, 8) % (session->high + 1);
	if (stream_rarely(s, 60))
		op->low = random_width(&s->random);
}

static void make_limits(struct stream *s, struct op *op)
{
	op->kind = OP_LIMITS;
	op->node = 1;
	op->limits = s->model.limits;
	op->limits.sessions = 2 + stream_below(s, 20);
	op->limits.locks = 3 + stream_below(s, 10);
	op->limits.requests = 5 + stream_below(s, 200);
	op->limits.line = 1 + stream_below(s, 8);
	op->limits.window = 1 + stream_below(s, 64);
	op->limits.delay_max_us = stream_below(s, 5 * SECOND);
	op->limits.step_max_us = SECOND + stream_below(s, 60 * SECOND);
	op->limits.values = stream_below(s, 8);
	op->limits.value_bytes = stream_below(s, 40);
	op->limits.bytes = stream_below(s, 120);
	if (stream_rarely(s, 20)) /* for good: some stay unseen */
		op->limits.search = 0;
	if (stream_rarely(s, 4))
		op->limits.line = 0;
	if (stream_rarely(s, 4))
		op->limits.ttl_min_us = op->limits.ttl_max_us + 1;
}

static void make_op(struct stream *s, size_t at)
{
	struct op *op = &s->ops[at];
	uint64_t dice = stream_below(s, 100);

	memset(op, 0, sizeof(*op));
	if (dice < 4 || (s->model.sessions_len < 3 && dice < 30)) {
		make_open(s, op);
	} else if (dice < 88) {
		stream_make_op(s, at);
	} else if (stream_rarely(s, 100)) {
		make_limits(s, op);
	} else {
		op->kind = stream_rarely(s, 20) ? OP_CLOSE : OP_RENEW;
		stream_seq(s, op, stream_session(s, op));
	}
}

/* A leader's clock: small steps, sometimes a jump, sometimes a new leader who
 * goes on from the cluster's time. */
static void move_clock(struct stream *s)
{
	if (stream_rarely(s, 100)) {
		s->term++;
		s->clock = s->model.now;
	}
	if (stream_rarely(s, 200))
		s->clock += stream_below(s, 300 * SECOND);
	s->clock += stream_below(s, stream_rarely(s, 10) ? 3 * SECOND
							 : SECOND / 10);
}

const struct entry *stream_next(struct stream *s)
{
	struct entry *entry = &s->entry;

	move_clock(s);
	memset(entry, 0, sizeof(*entry));
	entry->version = SEMANTICS_VERSION;
	entry->stamp =
		stream_rarely(s, 20) ? stream_below(s, s->clock + 1) : s->clock;
	entry->term = s->term;
	entry->wall = s->clock + 7;
	entry->ops = s->ops;
	entry->ops_len = stream_below(s, stream_rarely(s, 10) ? STREAM_OPS : 4);
	for (size_t i = 0; i < entry->ops_len; i++)
		make_op(s, i);
	s->index += 1 + stream_rarely(s, 5);
	model_apply(&s->model, s->index, entry);
	return entry;
}
