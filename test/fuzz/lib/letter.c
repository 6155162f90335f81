/* See letter.h. */
#include "fuzz/lib/letter.h"
#include "fuzz/lib/mend.h"
#include "fuzz/lib/target.h"

#define BYTES_MAX 2048

static void send(struct lone *l, struct conn *conn, enum frame_type type,
		 enum lane lane, const struct buf *b)
{
	must(!b->failed);
	lone_frame(l, conn, type, lane, b->base, b->len, b->len / 2);
}

void letter_hello(struct lone *l, struct conn *conn, struct reader *c,
		  bool right)
{
	struct hello h = { .protocol = PROTOCOL_VERSION,
			   .cluster = LONE_CLUSTER,
			   .incarnation = 1,
			   .node = conn->peer ? conn->peer : 1,
			   .to = LONE_ID,
			   .boot = 1 + choose(c, 3),
			   .member = true };
	struct buf b = { 0 };

	if (!right) {
		unsigned wrong = choose(c, 16);

		h.protocol += wrong == 1;
		h.cluster += wrong == 2;
		h.incarnation += wrong == 3;
		h.to += wrong == 4;
		h.node = 1 + choose(c, 4);
		h.member = wrong != 5;
	}
	hello_encode(&b, &h);
	send(l, conn, FRAME_HELLO, LANE_CONTROL, &b);
	buf_free(&b);
}

void letter_raw(struct lone *l, struct conn *conn, struct reader *c)
{
	size_t cut = choose_byte(c), len;
	const uint8_t *bytes = choose_bytes(c, BYTES_MAX, &len);

	l->may_fail = true;
	lone_data(l, conn, bytes, len, cut);
}

void letter_frame(struct lone *l, struct conn *conn, struct reader *c)
{
	enum frame_type type =
		(enum frame_type)(FRAME_HELLO + choose(c, FRAME_NOTLEADER));
	enum lane lane = (enum lane)choose(c, LANES);
	unsigned how = choose(c, 16);
	struct buf b = { 0 };
	size_t len;
	const uint8_t *bytes = choose_bytes(c, BYTES_MAX, &len);

	l->may_fail |= type == FRAME_REPL;
	frame_encode(&b, type, lane, how == 1 ? 2 : 1, l->checksum, bytes, len);
	must(!b.failed);
	if (how >= 12) /* there is more of it */
		b.base[4] &= (uint8_t)~1;
	if (how >= 12 && l->checksum)
		mend_frames(b.base, b.len);
	if (how == 2) /* no more than a promise */
		b.len -= b.len / 2;
	lone_data(l, conn, b.base, b.len, choose_byte(c));
	buf_free(&b);
}

static void send_requests(struct lone *l, struct conn *conn, struct reader *c)
{
	struct buf b = { 0 };

	requests_begin(&b);
	for (unsigned n = choose(c, 4) + 1; n > 0; n--) {
		struct op op = crowd_op(&l->crowd, c, true);

		if (!choose_rarely(c, 64))
			op.node = conn->peer ? conn->peer : 1;
		/* Small limits would refuse all that follows. */
		if (op.kind == OP_LIMITS && !choose_rarely(c, 16))
			continue;
		requests_add(&b, &op);
	}
	send(l, conn, FRAME_REQUESTS, LANE_REQUEST, &b);
	buf_free(&b);
}

static int choose_status(struct reader *c)
{
	static const int statuses[] = { 0,
					STATUS_WAITING,
					HF_ESESSION,
					HF_ETIMEDOUT,
					HF_ECANCELED,
					HF_EBUSY,
					HF_ENOTHELD,
					HF_EOLDBOOT,
					-999 };

	return statuses[choose(c, sizeof(statuses) / sizeof(*statuses))];
}

/* The node's own session, mostly. */
static uint64_t choose_session(struct lone *l, struct reader *c)
{
	struct hf_status status = { 0 };

	node_status(l->node, &status);
	return choose_rarely(c, 4) || !status.session ? 1 + choose(c, 8)
						      : status.session;
}

/* What else a revocation says, or a deadlock. */
static void choose_why(struct reader *c, struct output *o)
{
	static const uint8_t text[] = "maintenance";

	o->by = choose(c, 4);
	o->number = (uint64_t)choose_byte(c) << 20;
	if (o->kind == OUTPUT_REVOKED) {
		o->bytes = text;
		o->bytes_len = choose(c, sizeof(text));
	} else {
		o->name = text;
		o->name_len = choose(c, sizeof(text));
	}
}

static void send_outputs(struct lone *l, struct conn *conn, struct reader *c)
{
	unsigned n = choose(c, 4) + 1;
	struct buf b = { 0 };

	for (outputs_begin(&b); n > 0; n--) {
		struct output o = { .node = LONE_ID, .index = choose_byte(c) };

		o.kind = (enum output_kind)(1 + choose(c, OUTPUT_DEADLOCK));
		o.op = (enum op_kind)choose(c, OP_ANNOUNCE + 1);
		if (o.kind == OUTPUT_ANSWER && o.op == 0)
			o.op = OP_OPEN;
		o.status = choose_status(c);
		o.session = choose_session(l, c);
		o.seq = choose(c, 8);
		o.token = choose(c, 16);
		o.stamp = choose_byte(c);
		o.deadline = (uint64_t)choose_byte(c) << 20;
		if (o.kind >= OUTPUT_REVOKED)
			choose_why(c, &o);
		outputs_add(&b, &o);
	}
	send(l, conn, FRAME_OUTPUTS, LANE_REQUEST, &b);
	buf_free(&b);
}

static void choose_hold(struct reader *c, struct resync_item *item)
{
	unsigned how = choose(c, 4);

	item->stamp = choose_byte(c);
	if (how & 1)
		item->deadline = (uint64_t)choose_byte(c) << 20;
	if (how & 2) {
		item->revoked_at = 1 + choose_byte(c);
		item->noted_at = choose_byte(c);
		item->by = choose(c, 4);
		item->reason = (const uint8_t *)"why";
		item->reason_len = choose(c, 4);
	}
}

static void send_resync(struct lone *l, struct conn *conn, struct reader *c)
{
	struct resync s = { .session = choose_session(l, c),
			    .nonce = choose_byte(c),
			    .index = choose_byte(c),
			    .term = choose(c, 8),
			    .alive = !choose_rarely(c, 8) };
	struct buf b = { 0 };

	resync_begin(&b, &s);
	for (unsigned n = choose(c, 8); n > 0; n--) {
		struct resync_item item = { .seq = 1 + choose(c, 8),
					    .token = choose(c, 16),
					    .status = choose_status(c) };

		if (item.token > 0 && item.status == 0)
			choose_hold(c, &item);
		resync_add(&b, &item);
	}
	/* The nonce that is waited for is random: one that was asked for comes
	 * from what the helper saw. */
	if (l->attach_nonce && !choose_rarely(c, 8) && b.len >= 20)
		for (unsigned i = 0; i < 8; i++)
			b.base[12 + i] = (uint8_t)(l->attach_nonce >> 8 * i);
	send(l, conn, FRAME_RESYNC, LANE_REQUEST, &b);
	buf_free(&b);
}

static struct query choose_query(struct lone *l, struct reader *c)
{
	struct query q = { .kind = QUERY_VALIDATE, .id = choose_byte(c) };

	if (choose(c, 2)) {
		q.kind = QUERY_VALUE;
		q.name = (const uint8_t *)"abcdefgh";
		q.name_len = 1 + choose(c, 8);
	} else {
		q.session = choose_session(l, c);
		q.token = 1 + choose(c, 16);
	}
	return q;
}

static struct reply choose_reply(struct reader *c)
{
	struct reply y = { .id = choose(c, 4), .status = choose_status(c) };
	unsigned how = choose(c, 4);

	y.index = how > 0 ? 1 + choose_byte(c) : 0;
	y.version = how > 1 ? 1 + choose_byte(c) : 0;
	y.counter = how == 2;
	if (y.counter) {
		y.number = choose_byte(c) - 128;
	} else if (how == 3) {
		y.bytes = (const uint8_t *)"some value";
		y.bytes_len = choose(c, 11);
	}
	return y;
}

static void send_small(struct lone *l, struct conn *conn, struct reader *c,
		       unsigned which)
{
	struct attach a = { choose_session(l, c), choose_byte(c) };
	struct query q = choose_query(l, c);
	struct reply y = choose_reply(c);
	struct notleader n = { choose(c, 5), choose(c, 8) };
	struct buf b = { 0 };
	enum frame_type type = FRAME_ATTACH;

	if (which == 0) {
		attach_encode(&b, &a);
	} else if (which == 1) {
		type = FRAME_QUERY;
		query_encode(&b, &q);
	} else if (which == 2) {
		type = FRAME_REPLY;
		reply_encode(&b, &y);
	} else {
		type = FRAME_NOTLEADER;
		notleader_encode(&b, &n);
	}
	send(l, conn, type, LANE_REQUEST, &b);
	buf_free(&b);
}

void letter_message(struct lone *l, struct conn *conn, struct reader *c)
{
	unsigned which = choose(c, 16);

	if (which < 5)
		send_requests(l, conn, c);
	else if (which < 9)
		send_outputs(l, conn, c);
	else if (which < 12)
		send_resync(l, conn, c);
	else
		send_small(l, conn, c, which - 12);
}
