/* Where requests go: to the leader, here or over a link.
 *
 * Sequenced requests go out only after the leader has sent a resync of our
 * session (attach), so that nothing is missed that another leader had to say.
 */
#include "node/internal.h"

static void route_set(struct node *n, uint64_t leader, uint64_t term,
		      uint64_t links)
{
	struct route *r = &n->route;

	if (r->leader == leader && r->term == term && r->links == links)
		return;
	r->leader = leader;
	r->term = term;
	r->links = links;
	r->nonce = n->resyncs;
	r->attached = false;
	r->retry_us = ATTACH_MIN_US;
	r->next_at = n->now.monotonic;
	n->keeper.early.any = false;
	if (leader)
		keeper_hurry(n);
}

/* Who could be asked now. Our own leading counts once it serves. */
static void route_find(struct node *n)
{
	uint64_t leader = repl_leader(n->repl), term = repl_term(n->repl);
	struct peer *peer = peer_of(n, leader);

	if (n->failed)
		route_set(n, 0, 0, 0);
	else if (leader == n->config.repl.id)
		route_set(n, repl_serving(n->repl) ? leader : 0, term, 0);
	else if (peer && peer->link)
		route_set(n, leader, term, peer->links);
	else
		route_set(n, 0, 0, 0);
}

static void attached(struct node *n)
{
	n->route.attached = true;
	n->route.retry_us = ATTACH_MIN_US;
	keeper_attached(n);
	calls_resend(n);
	questions_resend(n);
}

void route_gap(struct node *n)
{
	struct route *r = &n->route;

	if (r->attached) {
		r->retry_us = ATTACH_MIN_US;
		r->next_at = later(n->now.monotonic, ATTACH_MIN_US);
	}
	r->attached = false;
	r->nonce = n->resyncs;
}

static void attach(struct node *n)
{
	struct route *r = &n->route;
	struct attach a = { .session = n->keeper.id };
	struct buf b = { .mem = &n->mem };

	a.nonce = ++n->resyncs;
	r->next_at = later(n->now.monotonic, jitter(n, r->retry_us));
	r->retry_us *= 2;
	if (r->retry_us > RETRY_MAX_US)
		r->retry_us = RETRY_MAX_US;
	if (r->leader == n->config.repl.id) {
		serve_attach(n, r->leader, &a);
		return;
	}
	attach_encode(&b, &a);
	if (!b.failed)
		link_send(n, r->leader, FRAME_ATTACH, LANE_REQUEST, b.base,
			  b.len);
	buf_free(&b);
}

void route_turn(struct node *n)
{
	struct route *r = &n->route;

	route_find(n);
	if (!r->leader || r->attached || !n->keeper.id)
		return;
	if (n->now.monotonic >= r->next_at)
		attach(n);
}

uint64_t route_next(const struct node *n)
{
	const struct route *r = &n->route;

	if (!r->leader || r->attached || !n->keeper.id)
		return UINT64_MAX;
	return r->next_at;
}

void route_lost(struct node *n, uint64_t peer)
{
	if (n->route.leader == peer)
		route_set(n, 0, 0, 0);
}

static bool put_op(struct node *n, struct peer *peer, const struct op *op)
{
	if (!peer || !peer->link)
		return false;
	if (peer->requests.len == 0)
		requests_begin(&peer->requests);
	requests_add(&peer->requests, op);
	if (peer->requests.failed) {
		buf_clear(&peer->requests);
		link_close(peer->link);
		return false;
	}
	if (peer->requests.len > MESSAGE_REQUEST_MAX / 2) {
		link_send(n, peer->id, FRAME_REQUESTS, LANE_REQUEST,
			  peer->requests.base, peer->requests.len);
		buf_clear(&peer->requests);
	}
	return true;
}

bool route_op(struct node *n, const struct op *op)
{
	int rc;

	if (!n->route.leader)
		return false;
	if (n->route.leader != n->config.repl.id)
		return put_op(n, peer_of(n, n->route.leader), op);
	buf_clear(&n->scratch);
	op_encode(&n->scratch, op);
	if (n->scratch.failed)
		return false;
	rc = repl_submit(n->repl, op, n->scratch.base, n->scratch.len);
	if (rc == HF_EBUSY)
		node_busy(n, repl_backlog_us(n->repl));
	return rc == 0;
}

int route_resync(struct node *n, uint64_t from, const uint8_t *message,
		 size_t len)
{
	struct resync_reader it;
	struct resync s;
	int rc = resync_open(&it, message, len, &s);

	if (rc)
		return rc;
	/* The answer to any attach will do: the newest may be far behind. */
	if (from != n->route.leader || s.nonce <= n->route.nonce ||
	    s.nonce > n->resyncs || s.session != n->keeper.id ||
	    n->route.attached)
		return 0;
	if (!s.alive) {
		/* Not there yet, or no more: the renewal's answer tells. */
		keeper_hurry(n);
		n->keeper.next_at = n->now.monotonic;
		return 0;
	}
	calls_resync(n, &s, &it);
	if (it.r.failed)
		return HF_ECORRUPT;
	attached(n);
	return 0;
}

/* It was asked too early, or too late. Our own replica learns by itself who
 * leads; one that is about to serve does so within a write. */
int route_notleader(struct node *n, uint64_t from, const uint8_t *message,
		    size_t len)
{
	struct route *r = &n->route;
	struct notleader m;
	int rc = notleader_decode(message, len, &m);

	if (rc)
		return rc;
	if (from != r->leader)
		return 0;
	if (r->attached) {
		r->attached = false;
		r->retry_us = ATTACH_MIN_US;
		r->next_at = later(n->now.monotonic, ATTACH_MIN_US);
	}
	keeper_refused(n);
	return 0;
}
