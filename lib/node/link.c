/* Links: dialing, handshake, frames in, frames out.
 *
 * Of two members the one with the larger id dials. A link counts from the
 * moment that both have said hello; a newer one of the same peer replaces it.
 * Links of an older boot than one seen before are refused: their process is
 * dead, or a copy. */
#include "node/internal.h"

#include <stdio.h>
#include <string.h>

struct peer *peer_of(struct node *n, uint64_t id)
{
	for (size_t i = 0; i < n->peers_len; i++)
		if (n->peers[i].id == id)
			return &n->peers[i];
	return NULL;
}

void link_close(struct link *l)
{
	struct node *n = l->owner;
	struct peer *peer = l->peer;

	if (!l->conn)
		return;
	n->env->conn_close(n->env, l->conn);
	l->conn = NULL;
	timer_stop(n, &l->deadline);
	if (l->incoming && !peer)
		n->strangers--;
	if (!peer)
		return;
	if (peer->dialing == l)
		peer->dialing = NULL;
	if (peer->link == l) {
		peer->link = NULL;
		buf_clear(&peer->requests);
		buf_clear(&peer->outputs);
		route_lost(n, peer->id);
	}
}

static void link_free(struct link *l)
{
	list_remove(&l->node);
	for (int i = 0; i < LANES; i++)
		joiner_free(&l->joiners[i]);
	buf_free(&l->in);
	buf_free(&l->out[0]);
	buf_free(&l->out[1]);
	buf_free(&l->bulk);
	mem_free(&l->owner->mem, l);
}

static void link_too_late(struct node *n, struct timer *t)
{
	struct link *l = container_of(t, struct link, deadline);
	struct peer *peer = l->peer;

	(void)n;
	if (peer && peer->dialing == l && !l->refused)
		peer->handshake_us = peer->handshake_us < HANDSHAKE_US / 2
					     ? peer->handshake_us * 2
					     : HANDSHAKE_US;
	link_close(l);
}

static struct link *link_new(struct node *n, struct peer *peer, bool incoming)
{
	struct link *l = (struct link *)mem_zalloc(&n->mem, sizeof(*l));

	if (!l)
		return NULL;
	l->owner = n;
	l->peer = peer;
	l->incoming = incoming;
	l->in.mem = l->out[0].mem = l->out[1].mem = l->bulk.mem = &n->mem;
	for (int i = 0; i < LANES; i++)
		l->joiners[i].message.mem = &n->mem;
	list_push(&n->links, &l->node);
	timer_set(n, &l->deadline,
		  later(n->now.monotonic,
			incoming ? HANDSHAKE_US : peer->handshake_us),
		  link_too_late);
	return l;
}

static void link_put(struct link *l, enum frame_type type, enum lane lane,
		     const uint8_t *message, size_t len)
{
	frame_encode(&l->out[lane != LANE_CONTROL], type, lane, 1,
		     l->owner->config.checksum, message, len);
	if (l->out[lane != LANE_CONTROL].failed)
		link_close(l);
}

static void say_hello(struct link *l, uint64_t to)
{
	const struct node_config *c = &l->owner->config;
	struct hello h = { .protocol = PROTOCOL_VERSION,
			   .cluster = c->cluster,
			   .incarnation = c->incarnation,
			   .node = c->repl.id,
			   .to = to,
			   .boot = c->boot,
			   .member = true };
	struct buf b = { .mem = &l->owner->mem };

	hello_encode(&b, &h);
	link_put(l, FRAME_HELLO, LANE_CONTROL, b.base, b.len);
	buf_free(&b);
}

static void refuse(struct link *l, int rc, const char *text)
{
	struct node *n = l->owner;
	struct buf b = { .mem = &n->mem };

	refuse_encode(&b, rc, text);
	link_put(l, FRAME_REFUSE, LANE_CONTROL, b.base, b.len);
	buf_free(&b);
	l->refused = true;
	if (l->conn) /* else memory ran out */
		timer_set(n, &l->deadline, later(n->now.monotonic, REFUSE_US),
			  link_too_late);
}

/* NULL: welcome. Else why not. */
static const char *judge(const struct node *n, const struct link *l,
			 const struct hello *h, const struct peer *peer)
{
	if (h->protocol != PROTOCOL_VERSION)
		return "another version of the protocol";
	if (h->cluster != n->config.cluster)
		return "another cluster: compare the option `cluster`";
	if (h->incarnation != n->config.incarnation)
		return "another incarnation of the cluster";
	if (h->to != n->config.repl.id)
		return "another member listens at this address";
	if (!peer || !h->member)
		return "not a member: compare the option `members`";
	if (l->peer && l->peer != peer)
		return "another member answered at this address";
	if (h->boot < peer->boot)
		return "a newer process of this member has been seen";
	return NULL;
}

static void link_up(struct link *l, struct peer *peer, uint64_t boot)
{
	struct node *n = l->owner;

	if (peer->link)
		link_close(peer->link);
	if (peer->dialing == l)
		peer->dialing = NULL;
	if (l->incoming && !l->peer)
		n->strangers--;
	l->peer = peer;
	l->up = true;
	timer_stop(n, &l->deadline);
	peer->link = l;
	peer->links++;
	peer->boot = boot;
	peer->redial_us = REDIAL_MIN_US;
	peer->handshake_us = HANDSHAKE_MIN_US;
}

static int on_hello(struct link *l, const uint8_t *message, size_t len)
{
	struct node *n = l->owner;
	struct hello h;
	int rc = hello_decode(message, len, &h);
	struct peer *peer = rc ? NULL : peer_of(n, h.node);
	const char *why;

	if (rc)
		return rc;
	why = judge(n, l, &h, peer);
	if (why) {
		refuse(l, HF_EIDENTITY, why);
		return 0;
	}
	link_up(l, peer, h.boot);
	if (l->incoming)
		say_hello(l, h.node);
	return 0;
}

static int link_message(struct link *l, enum frame_type type,
			const uint8_t *message, size_t len)
{
	if (!l->up)
		return type == FRAME_HELLO ? on_hello(l, message, len)
					   : HF_ECORRUPT;
	if (type == FRAME_HELLO)
		return HF_ECORRUPT;
	return dispatch(l->owner, l->peer, type, message, len);
}

static int link_frame(struct link *l, const struct frame *f)
{
	struct joiner *j = &l->joiners[f->lane];
	const uint8_t *message;
	size_t len;
	int rc;

	/* A stranger gets no memory for more than a hello. */
	if (!l->up && (!f->last || f->lane != LANE_CONTROL || f->group != 1))
		return HF_ECORRUPT;
	rc = joiner_add(j, f, &message, &len);
	if (rc <= 0)
		return rc;
	return link_message(l, f->type, message, len);
}

/* The bytes that are left over are kept until more come: less than a frame. */
static void link_read(struct link *l, const uint8_t *bytes, size_t len)
{
	struct reader r;
	struct frame f;
	int rc = 0;

	if (l->in.len > 0) {
		buf_put(&l->in, bytes, len);
		bytes = l->in.base;
		len = l->in.len;
	}
	r = reader_of(bytes, len);
	while (l->conn && !l->refused && !l->in.failed &&
	       (rc = frame_decode(&r, l->owner->config.checksum, &f)) > 0) {
		if (f.type == FRAME_REFUSE)
			rc = HF_ECORRUPT;
		else
			rc = link_frame(l, &f);
		if (rc < 0)
			break;
	}
	if (rc < 0 || l->in.failed) {
		link_close(l);
		return;
	}
	if (l->refused || !l->conn)
		return;
	if (l->in.len > 0)
		buf_drop(&l->in, (size_t)(r.at - bytes));
	else
		buf_put(&l->in, r.at, (size_t)(r.end - r.at));
}

void node_conn_data(struct node *n, void *owner, const uint8_t *bytes,
		    size_t len)
{
	struct link *l = (struct link *)owner;

	if (!l->conn || l->refused || n->failed)
		return;
	env_clocks(n->env, &n->now);
	link_read(l, bytes, len);
}

void node_conn_incoming(struct node *n, struct conn *conn)
{
	struct link *l = NULL;

	env_clocks(n->env, &n->now);
	if (n->strangers < STRANGERS_MAX && !n->failed && !n->repl_closing)
		l = link_new(n, NULL, true);
	if (!l) {
		n->env->conn_close(n->env, conn);
		return;
	}
	l->conn = conn;
	n->strangers++;
	n->env->conn_own(n->env, conn, l);
}

void node_conn_connected(struct node *n, void *owner)
{
	struct link *l = (struct link *)owner;

	if (!l->conn)
		return;
	env_clocks(n->env, &n->now);
	if (n->failed)
		link_close(l);
	else
		say_hello(l, l->peer->id);
}

void node_conn_closed(struct node *n, void *owner)
{
	env_clocks(n->env, &n->now);
	link_close((struct link *)owner);
}

static void dial(struct node *n, struct peer *peer)
{
	struct link *l = link_new(n, peer, false);

	if (!l)
		return;
	l->conn = n->env->connect(n->env, peer->address, l);
	if (l->conn)
		peer->dialing = l;
	else
		timer_stop(n, &l->deadline);
}

static void dial_again(struct node *n, struct timer *t)
{
	struct peer *peer = container_of(t, struct peer, redial);

	if (peer->link || peer->dialing || n->repl_closing || n->failed)
		return;
	dial(n, peer);
}

static void dial_later(struct node *n, struct peer *peer)
{
	if (peer->redial.node.queued || peer->link || peer->dialing)
		return;
	timer_set(n, &peer->redial,
		  later(n->now.monotonic, jitter(n, peer->redial_us)),
		  dial_again);
	peer->redial_us *= 2;
	if (peer->redial_us > REDIAL_MAX_US)
		peer->redial_us = REDIAL_MAX_US;
}

void links_turn(struct node *n)
{
	list_for_safe (it, &n->links) {
		struct link *l = container_of(it, struct link, node);

		if (!l->conn)
			link_free(l);
	}
	if (n->repl_closing || n->failed)
		return;
	for (size_t i = 0; i < n->peers_len; i++)
		if (n->peers[i].id < n->config.repl.id)
			dial_later(n, &n->peers[i]);
}

bool link_ready(struct node *n, uint64_t to)
{
	struct peer *peer = peer_of(n, to);

	return peer && peer->link &&
	       n->env->conn_queued(n->env, peer->link->conn) < LINK_QUEUE_MAX;
}

/* One bulk message at a time: a second one is dropped. Whoever wants it
 * (libraft, an attach) asks again. */
static void link_put_bulk(struct link *l, enum frame_type type,
			  const uint8_t *message, size_t len)
{
	if (l->bulk_open)
		return;
	buf_clear(&l->bulk);
	buf_put(&l->bulk, message, len);
	if (l->bulk.failed) {
		buf_free(&l->bulk);
		return;
	}
	l->bulk_type = type;
	l->bulk_sent = 0;
	l->bulk_open = true;
}

bool link_send(struct node *n, uint64_t to, enum frame_type type,
	       enum lane lane, const uint8_t *message, size_t len)
{
	struct peer *peer = peer_of(n, to);

	if (!peer || !peer->link)
		return false;
	if (lane == LANE_BULK)
		link_put_bulk(peer->link, type, message, len);
	else
		link_put(peer->link, type, lane, message, len);
	return peer->link != NULL;
}

static void put_message(struct node *n, struct peer *peer, enum frame_type type,
			struct buf *message)
{
	if (message->len > 0 && !message->failed)
		link_send(n, peer->id, type, LANE_REQUEST, message->base,
			  message->len);
	buf_clear(message);
}

static void link_flush(struct node *n, struct link *l)
{
	struct buf *control = &l->out[0], *request = &l->out[1];
	size_t queued;

	if (control->len == 0 && request->len == 0 && !l->bulk_open)
		return;
	buf_put(control, request->base, request->len);
	buf_clear(request);
	queued = n->env->conn_queued(n->env, l->conn);
	if (queued > LINK_QUEUE_END) {
		link_close(l);
		return;
	}
	while (l->bulk_open && queued + control->len < BULK_AHEAD &&
	       !control->failed)
		l->bulk_open = !frame_encode_next(
			control, l->bulk_type, LANE_BULK, 1, n->config.checksum,
			l->bulk.base, l->bulk.len, &l->bulk_sent);
	if (!l->bulk_open && l->bulk.cap > 0)
		buf_free(&l->bulk);
	if (control->failed) {
		link_close(l);
		return;
	}
	if (control->len > 0)
		n->env->conn_write(n->env, l->conn, control->base,
				   control->len);
	buf_clear(control);
}

void links_flush(struct node *n)
{
	for (size_t i = 0; i < n->peers_len; i++) {
		put_message(n, &n->peers[i], FRAME_REQUESTS,
			    &n->peers[i].requests);
		put_message(n, &n->peers[i], FRAME_OUTPUTS,
			    &n->peers[i].outputs);
	}
	list_for (it, &n->links) {
		struct link *l = container_of(it, struct link, node);

		if (l->conn)
			link_flush(n, l);
	}
}

uint64_t links_next(const struct node *n)
{
	uint64_t at = UINT64_MAX;

	for (struct list *it = n->links.next; it != &n->links; it = it->next) {
		const struct link *l = container_of(it, struct link, node);

		if (l->bulk_open || !l->conn)
			sooner(&at, later(n->now.monotonic, BULK_POLL_US));
	}
	return at;
}

void links_close(struct node *n)
{
	list_for (it, &n->links)
		link_close(container_of(it, struct link, node));
	for (size_t i = 0; i < n->peers_len; i++) {
		timer_stop(n, &n->peers[i].redial);
		buf_free(&n->peers[i].requests);
		buf_free(&n->peers[i].outputs);
	}
	links_turn(n);
}
