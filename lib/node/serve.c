/* The leader's side: other nodes' requests in, their answers out. A member that
 * doesn't serve says so, and who might. */
#include "node/internal.h"

#include <string.h>

void serve_output(struct node *n, const struct output *o)
{
	struct peer *peer;

	if (o->node == n->config.repl.id) {
		node_output(n, o);
		return;
	}
	peer = peer_of(n, o->node);
	if (!peer || !peer->link)
		return; /* it will learn by a resync */
	if (peer->outputs.len == 0)
		outputs_begin(&peer->outputs);
	outputs_add(&peer->outputs, o);
	if (peer->outputs.failed) {
		buf_clear(&peer->outputs);
		link_close(peer->link);
	} else if (peer->outputs.len > MESSAGE_REQUEST_MAX / 2) {
		link_send(n, peer->id, FRAME_OUTPUTS, LANE_REQUEST,
			  peer->outputs.base, peer->outputs.len);
		buf_clear(&peer->outputs);
	}
}

/* What n->message holds. One that memory ran out for is lost, as on a link: it
 * is asked for again. */
static void send_message(struct node *n, uint64_t to, enum frame_type type,
			 enum lane lane)
{
	if (!n->message.failed)
		link_send(n, to, type, lane, n->message.base, n->message.len);
}

static void tell_notleader(struct node *n, uint64_t to)
{
	struct notleader m = { .leader = repl_leader(n->repl),
			       .term = repl_term(n->repl) };

	/* Leading, but not serving yet: not to be recommended. */
	if (m.leader == n->config.repl.id)
		m.leader = 0;
	buf_clear(&n->message);
	notleader_encode(&n->message, &m);
	send_message(n, to, FRAME_NOTLEADER, LANE_CONTROL);
}

static void tell_busy(struct node *n, const struct op *op)
{
	struct output o = { .kind = OUTPUT_ANSWER,
			    .op = op->kind,
			    .status = HF_EBUSY,
			    .node = op->node,
			    .session = op->session,
			    .seq = op->seq };

	serve_output(n, &o);
}

/* A node speaks for itself only: operations for another are corrupt. */
int serve_requests(struct node *n, struct peer *from, const uint8_t *message,
		   size_t len)
{
	struct requests_reader it;
	const uint8_t *bytes;
	struct op op;
	size_t bytes_len;
	bool refused = false;
	int rc = requests_open(&it, message, len);

	while (!rc && (rc = requests_next(&it, &op, &bytes, &bytes_len)) > 0) {
		if (op.node != from->id || op.kind == OP_LIMITS)
			return HF_ECORRUPT;
		rc = repl_submit(n->repl, &op, bytes, bytes_len);
		if (rc == HF_EBUSY)
			tell_busy(n, &op);
		refused = refused || rc == HF_ENOLEADER;
		rc = 0;
	}
	if (!rc && refused)
		tell_notleader(n, from->id);
	return rc;
}

static bool add_item(void *ctx, const struct record *r)
{
	struct buf *b = (struct buf *)ctx;
	struct resync_item item = { .seq = r->request.seq };

	switch (r->request.state) {
	case REQUEST_WAITING:
		item.status = STATUS_WAITING;
		break;
	case REQUEST_HELD:
		item.token = r->request.token;
		break;
	case REQUEST_ENDED:
		item.status = r->request.status;
		break;
	}
	resync_add(b, &item);
	return !b->failed;
}

/* The applied state is a true prefix of history whoever leads, so a resync can
 * be late but never false: no read index is needed for it. */
int serve_attach(struct node *n, uint64_t from, const struct attach *a)
{
	const struct core *core = repl_core(n->repl);
	struct resync s = { .session = a->session, .nonce = a->nonce };
	struct record r;

	if (!repl_serving(n->repl)) {
		if (from != n->config.repl.id)
			tell_notleader(n, from);
		return 0;
	}
	s.index = core_index(core);
	s.term = repl_term(n->repl);
	s.alive = core_session(core, a->session, &r) && r.session.node == from;
	buf_clear(&n->message);
	resync_begin(&n->message, &s);
	if (s.alive)
		core_visit_session(core, a->session, add_item, &n->message);
	if (n->message.failed)
		return 0; /* it will ask again */
	if (from == n->config.repl.id)
		return route_resync(n, from, n->message.base, n->message.len);
	send_message(n, from, FRAME_RESYNC,
		     n->message.len > RESYNC_URGENT_MAX ? LANE_BULK
							: LANE_REQUEST);
	return 0;
}

/* A question on its way through a read index. */
struct served {
	struct repl_read read;
	struct node *node;
	uint64_t from;
	struct query query;
};

static int validate(const struct node *n, uint64_t from, const struct query *q)
{
	const struct core *core = repl_core(n->repl);
	struct record r;

	if (!core_session(core, q->session, &r) || r.session.node != from)
		return HF_ESESSION;
	if (!core_hold(core, q->token, &r) || r.request.session != q->session)
		return HF_ENOTHELD;
	return 0;
}

static void reply(struct node *n, uint64_t to, const struct reply *y)
{
	if (to == n->config.repl.id) {
		questions_reply(n, y);
		return;
	}
	buf_clear(&n->message);
	reply_encode(&n->message, y);
	send_message(n, to, FRAME_REPLY, LANE_REQUEST);
}

/* How many questions of this member are on their way; NULL: of nobody. */
static size_t *served_of(struct node *n, uint64_t from)
{
	struct peer *peer = peer_of(n, from);

	if (from == n->config.repl.id)
		return &n->served;
	return peer ? &peer->served : NULL;
}

static void on_read(struct repl_read *read, int rc)
{
	struct served *s = container_of(read, struct served, read);
	struct node *n = s->node;
	struct reply y = { .id = s->query.id };

	if (rc == 0) {
		y.status = validate(n, s->from, &s->query);
		reply(n, s->from, &y);
	} else if (s->from != n->config.repl.id) {
		tell_notleader(n, s->from);
	}
	--*served_of(n, s->from);
	mem_free(&n->mem, s);
}

/* What can't be kept is refused and asked again. */
void serve_query(struct node *n, uint64_t from, const struct query *q)
{
	struct served *s;

	if (!repl_serving(n->repl)) {
		if (from != n->config.repl.id)
			tell_notleader(n, from);
		return;
	}
	size_t *served = served_of(n, from);

	if (!served)
		return;
	s = *served < SERVED_MAX
		    ? (struct served *)mem_zalloc(&n->mem, sizeof(*s))
		    : NULL;
	if (!s) {
		reply(n, from,
		      &(struct reply){ .id = q->id, .status = HF_EBUSY });
		return;
	}
	++*served;
	s->node = n;
	s->from = from;
	s->query = *q;
	s->read.cb = on_read;
	repl_read(n->repl, &s->read);
}
