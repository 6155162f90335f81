/* See vnet.h.
 *
 * What travels to one end of a connection is a queue of parcels, of which each
 * has one event on the agenda; an event delivers whatever is first in the
 * queue, so that a stream keeps its order whatever becomes of its times. */
#include "sim/lib/vnet_conn.h"

#include <stdlib.h>
#include <string.h>

#define KNOCK_AGAIN_US 400000
#define KNOCKS_MAX 5
#define RESEND_US 200000 /* and up to twice as long */

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void conn_free_parcels(struct list *parcels)
{
	list_for_safe (it, parcels) {
		list_remove(it);
		free(container_of(it, struct parcel, link));
	}
}

void conn_release(struct conn *c)
{
	struct pair *p = c->pair;

	if (p->events || !p->ends[0].closed || !p->ends[1].closed)
		return;
	for (size_t i = 0; i < 2; i++) {
		conn_free_parcels(&p->ends[i].inbox);
		conn_free_parcels(&p->ends[i].stalled);
	}
	free(p);
}

void conn_done(struct conn *c)
{
	c->pair->events--;
	conn_release(c);
}

void conn_plan(struct conn *c, uint64_t at, event_run run, uint64_t arg)
{
	c->pair->events++;
	agenda_add(c->pair->net->agenda, at, NULL, run, c, arg);
}

void conn_shut(struct conn *c)
{
	c->closed = true;
	list_remove(&c->link);
}

static void deliver_data(struct conn *c, const struct parcel *p)
{
	struct vnet *net = c->pair->net;
	size_t first = p->len;

	if (c->deaf)
		return;
	if (p->len > 1 && dice_chance(net->random, net->split_ppm))
		first = 1 + random_below(net->random, p->len - 1);
	c->host->calls->data(c->host->ctx, c->owner, p->bytes, first);
	if (first < p->len && !c->closed)
		c->host->calls->data(c->host->ctx, c->owner, p->bytes + first,
				     p->len - first);
}

static void deliver(struct conn *c, const struct parcel *p)
{
	switch (p->kind) {
	case PARCEL_OPENED:
		c->known = true;
		c->host->calls->incoming(c->host->ctx, c);
		break;
	case PARCEL_CONNECTED:
		c->host->calls->connected(c->host->ctx, c->owner);
		break;
	case PARCEL_DATA:
		deliver_data(c, p);
		break;
	case PARCEL_CLOSED:
		conn_shut(c);
		c->host->calls->closed(c->host->ctx, c->owner);
		break;
	}
}

static void arrive(void *ctx, uint64_t arg)
{
	struct conn *c = ctx;
	struct agenda *agenda = c->pair->net->agenda;

	if (!c->closed && c->host->gate->shut_until > agenda->now) {
		agenda_put_off(agenda, c->host->gate, arrive, c, arg);
		return;
	}
	struct parcel *p = container_of(c->inbox.next, struct parcel, link);
	list_remove(&p->link);
	if (!c->closed && !c->host->gate->dead) {
		agenda_note(agenda, p->len << 8 | p->kind);
		deliver(c, p);
	}
	free(p);
	conn_done(c);
}

void conn_post(struct conn *c, struct parcel *p, uint64_t delay)
{
	uint64_t at = c->pair->net->agenda->now + delay;

	c->last_at = at > c->last_at ? at : c->last_at;
	list_push(&c->inbox, &p->link);
	conn_plan(c, c->last_at, arrive, 0);
}

struct parcel *conn_parcel(enum parcel_kind kind, const uint8_t *bytes,
			   size_t len)
{
	struct parcel *p = must(malloc(sizeof(*p) + len));

	p->kind = kind;
	p->len = len;
	if (len)
		memcpy(p->bytes, bytes, len);
	return p;
}

struct vnet_link *conn_link(const struct conn *c)
{
	return &c->pair->net->links[c->machine][c->peer->machine];
}

uint64_t conn_delay(const struct conn *c)
{
	struct vnet *net = c->pair->net;
	const struct vnet_link *link = conn_link(c);
	uint64_t delay =
		dice_between(net->random, link->delay_min, link->delay_max);

	if (dice_chance(net->random, net->loss_ppm)) {
		net->counts.losses++;
		delay += dice_between(net->random, RESEND_US, 2 * RESEND_US);
	}
	return delay;
}

static void broken(void *ctx, uint64_t arg)
{
	struct conn *c = ctx;
	struct agenda *agenda = c->pair->net->agenda;

	if (!c->closed && c->host->gate->shut_until > agenda->now) {
		agenda_put_off(agenda, c->host->gate, broken, c, arg);
		return;
	}
	if (!c->closed && !c->host->gate->dead) {
		conn_shut(c);
		if (c->known)
			c->host->calls->closed(c->host->ctx, c->owner);
	}
	conn_done(c);
}

void conn_break(struct conn *c, uint64_t delay)
{
	if (!c->closed)
		conn_plan(c, c->pair->net->agenda->now + delay, broken, 0);
}

void conn_send(struct conn *c, struct parcel *p)
{
	if (conn_link(c)->cut || conn_link(c)->clogged ||
	    !list_empty(&c->stalled))
		conn_stall(c, p);
	else
		conn_post(c->peer, p, conn_delay(c));
}

static void accept_end(struct conn *c, struct vnet_host *host)
{
	c->host = host;
	c->closed = false;
	list_push(&host->conns, &c->link);
	conn_post(c, conn_parcel(PARCEL_OPENED, NULL, 0), 0);
	conn_send(c, conn_parcel(PARCEL_CONNECTED, NULL, 0));
}

/* `tries` before this one weren't answered. */
static void knock(void *ctx, uint64_t tries)
{
	struct conn *c = ctx;
	struct vnet *net = c->pair->net;
	struct vnet_host *host = net->hosts[c->peer->machine];
	bool cut = conn_link(c)->cut || conn_link(c->peer)->cut;

	if (cut && tries < KNOCKS_MAX)
		conn_plan(c, net->agenda->now + KNOCK_AGAIN_US, knock,
			  tries + 1);
	else if (cut)
		conn_break(c, 0);
	else if (!host)
		conn_break(c, conn_delay(c->peer));
	else if (!c->closed)
		accept_end(c->peer, host);
	conn_done(c);
}

struct conn *vnet_connect(struct vnet_host *host, unsigned machine, void *owner)
{
	struct pair *p = must(calloc(1, sizeof(*p)));

	p->net = host->net;
	p->serial = ++host->net->counts.connects;
	for (size_t i = 0; i < 2; i++) {
		struct conn *c = &p->ends[i];
		c->pair = p;
		c->peer = &p->ends[1 - i];
		c->machine = i ? machine : host->machine;
		c->closed = i;
		list_init(&c->link);
		list_init(&c->inbox);
		list_init(&c->stalled);
	}
	p->ends[0].host = host;
	p->ends[0].owner = owner;
	p->ends[0].known = true;
	list_push(&host->conns, &p->ends[0].link);
	conn_plan(&p->ends[0], host->net->agenda->now + conn_delay(&p->ends[0]),
		  knock, 0);
	return &p->ends[0];
}

void vnet_own(struct conn *conn, void *owner)
{
	conn->owner = owner;
}

void vnet_write(struct conn *conn, const uint8_t *bytes, size_t len)
{
	struct vnet *net = conn->pair->net;

	if (conn->peer->closed) {
		/* Its machine, if it is up, doesn't know this connection. */
		if (!conn_link(conn)->cut && net->hosts[conn->peer->machine])
			conn_break(conn, 2 * conn_delay(conn));
		return;
	}
	struct parcel *p = conn_parcel(PARCEL_DATA, bytes, len);
	agenda_note_bytes(net->agenda, bytes, len);
	net->counts.parcels++;
	net->counts.bytes += len;
	conn_mess_up(conn, p);
	if (!p->len) {
		free(p);
		return;
	}
	if (dice_chance(net->random, net->corrupt_ppm)) {
		net->counts.corrupted++;
		size_t at = random_below(net->random, p->len);
		p->bytes[at] ^= (uint8_t)(1 << random_below(net->random, 8));
	}
	conn_send(conn, p);
}

size_t vnet_queued(const struct conn *conn)
{
	return conn->stalled_bytes;
}

void vnet_close(struct conn *conn)
{
	struct vnet *net = conn->pair->net;

	conn_shut(conn);
	if (!conn->peer->closed) {
		conn->peer->deaf |= dice_chance(net->random, 300000);
		conn_send(conn, conn_parcel(PARCEL_CLOSED, NULL, 0));
	}
	conn_release(conn);
}

void vnet_up(struct vnet_host *host)
{
	list_init(&host->conns);
	host->net->hosts[host->machine] = host;
}
