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

void serve_message(struct node *n, uint64_t to, enum frame_type type,
		   enum lane lane)
{
	if (!n->message.failed)
		link_send(n, to, type, lane, n->message.base, n->message.len);
}

void serve_notleader(struct node *n, uint64_t to)
{
	struct notleader m = { .leader = repl_leader(n->repl),
			       .term = repl_term(n->repl) };

	/* Leading, but not serving yet: not to be recommended. */
	if (m.leader == n->config.repl.id)
		m.leader = 0;
	buf_clear(&n->message);
	notleader_encode(&n->message, &m);
	serve_message(n, to, FRAME_NOTLEADER, LANE_CONTROL);
}

static void tell_busy(struct node *n, const struct op *op)
{
	struct output o = { .kind = OUTPUT_ANSWER,
			    .op = op->kind,
			    .status = HF_EBUSY,
			    .node = op->node,
			    .session = op->session,
			    .seq = op->seq,
			    .deadline = repl_backlog_us(n->repl) };

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
		serve_notleader(n, from->id);
	return rc;
}

static void fill_hold(struct resync_item *item, const struct record *r)
{
	uint64_t hold = r->request.hold_until, lease = r->request.lease_until;

	item->token = r->request.token;
	item->stamp = r->request.stamp;
	item->deadline = !hold || (lease && lease < hold) ? lease : hold;
	if (!r->request.revoke.at || r->request.revoke.noted)
		return;
	item->revoked_at = r->request.revoke.at;
	item->noted_at = r->request.revoke.noted_at;
	item->by = r->request.revoke.by;
	item->reason = r->request.revoke.reason;
	item->reason_len = r->request.revoke.reason_len;
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
		fill_hold(&item, r);
		break;
	case REQUEST_ENDED:
		item.status = r->request.status;
		item.token = r->request.token; /* what an AWAIT has seen */
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
			serve_notleader(n, from);
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
	serve_message(n, from, FRAME_RESYNC,
		      n->message.len > RESYNC_URGENT_MAX ? LANE_BULK
							 : LANE_REQUEST);
	return 0;
}
