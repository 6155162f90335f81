/* See vnet.h.
 *
 * What travels to one end of a connection is a queue of parcels, of which each
 * has one event on the agenda; an event delivers whatever is first in the
 * queue, so that a stream keeps its order whatever becomes of its times. */
#include "sim/lib/vnet.h"

#include <stdlib.h>
#include <string.h>

#define KNOCK_AGAIN_US 400000
#define KNOCKS_MAX 5
#define STALL_US 1000000   /* and up to five times as long */
#define SILENCE_US 1000000 /* and up to five times as long */
#define RESEND_US 200000   /* and up to twice as long */

enum parcel_kind {
	PARCEL_OPENED,
	PARCEL_CONNECTED,
	PARCEL_DATA,
	PARCEL_CLOSED
};

struct parcel {
	struct list link;
	enum parcel_kind kind;
	size_t len;
	uint8_t bytes[];
};

struct conn {             /* one end */
	struct list link; /* of its host's */
	struct pair *pair;
	struct conn *peer;
	struct vnet_host *host; /* NULL: nobody has accepted yet */
	unsigned machine;
	void *owner;
	struct list inbox;   /* parcels on the way to this end */
	struct list stalled; /* parcels that can't leave this end */
	size_t stalled_bytes;
	uint64_t stalls;
	uint64_t last_at; /* when the last parcel on the way arrives */
	bool closed;      /* nothing is reported here any more */
	bool deaf;        /* data on the way here is lost */
	bool known;       /* its process has heard of it */
};

struct pair {
	struct vnet *net;
	struct conn ends[2];
	size_t events; /* on the agenda */
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void free_parcels(struct list *parcels)
{
	list_for_safe(it, parcels)
	{
		list_remove(it);
		free(container_of(it, struct parcel, link));
	}
}

static void release(struct pair *p)
{
	if (p->events || !p->ends[0].closed || !p->ends[1].closed)
		return;
	for (size_t i = 0; i < 2; i++) {
		free_parcels(&p->ends[i].inbox);
		free_parcels(&p->ends[i].stalled);
	}
	free(p);
}

static void plan(struct conn *c, uint64_t at, event_run run, uint64_t arg)
{
	c->pair->events++;
	agenda_add(c->pair->net->agenda, at, NULL, run, c, arg);
}

static void shut_end(struct conn *c)
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
		shut_end(c);
		c->host->calls->closed(c->host->ctx, c->owner);
		break;
	}
}

static void arrive(void *ctx, uint64_t arg)
{
	struct conn *c = ctx;
	struct agenda *agenda = c->pair->net->agenda;

	if (!c->closed && c->host->gate->shut_until > agenda->now) {
		agenda_add(agenda, c->host->gate->shut_until, NULL, arrive, c,
			   arg);
		return;
	}
	struct parcel *p = container_of(c->inbox.next, struct parcel, link);
	list_remove(&p->link);
	if (!c->closed && !c->host->gate->dead) {
		agenda_note(agenda, p->len << 8 | p->kind);
		deliver(c, p);
	}
	free(p);
	c->pair->events--;
	release(c->pair);
}

/* Put a parcel on its way to `c`, to arrive not before those before it. */
static void post(struct conn *c, struct parcel *p, uint64_t delay)
{
	uint64_t at = c->pair->net->agenda->now + delay;

	c->last_at = at > c->last_at ? at : c->last_at;
	list_push(&c->inbox, &p->link);
	plan(c, c->last_at, arrive, 0);
}

static struct parcel *parcel(enum parcel_kind kind, const uint8_t *bytes,
			     size_t len)
{
	struct parcel *p = must(malloc(sizeof(*p) + len));

	p->kind = kind;
	p->len = len;
	if (len)
		memcpy(p->bytes, bytes, len);
	return p;
}

static struct vnet_link *link_from(const struct conn *c)
{
	return &c->pair->net->links[c->machine][c->peer->machine];
}

static uint64_t delay_from(const struct conn *c)
{
	struct vnet *net = c->pair->net;
	const struct vnet_link *link = link_from(c);
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
		agenda_add(agenda, c->host->gate->shut_until, NULL, broken, c,
			   arg);
		return;
	}
	if (!c->closed && !c->host->gate->dead) {
		shut_end(c);
		if (c->known)
			c->host->calls->closed(c->host->ctx, c->owner);
	}
	c->pair->events--;
	release(c->pair);
}

/* One end finds out later that the connection is over. What is on the way to it
 * until then may still arrive. */
static void break_end(struct conn *c, uint64_t delay)
{
	if (!c->closed)
		plan(c, c->pair->net->agenda->now + delay, broken, 0);
}

/* Bytes have waited too long: the sender gives up, the receiver finds out. */
static void stalled_long(void *ctx, uint64_t arg)
{
	struct conn *c = ctx;
	struct vnet *net = c->pair->net;

	if (!list_empty(&c->stalled) && c->stalls == arg) {
		net->counts.broken++;
		free_parcels(&c->stalled);
		c->stalled_bytes = 0;
		break_end(c, 0);
		break_end(c->peer,
			  dice_between(net->random, 0, 5 * SILENCE_US));
	}
	c->pair->events--;
	release(c->pair);
}

static void stall(struct conn *c, struct parcel *p)
{
	struct vnet *net = c->pair->net;

	if (list_empty(&c->stalled))
		plan(c,
		     net->agenda->now +
			     dice_between(net->random, STALL_US, 5 * STALL_US),
		     stalled_long, ++c->stalls);
	list_push(&c->stalled, &p->link);
	c->stalled_bytes += p->len;
}

static void send_parcel(struct conn *c, struct parcel *p)
{
	if (link_from(c)->cut || !list_empty(&c->stalled))
		stall(c, p);
	else
		post(c->peer, p, delay_from(c));
}

static void accept_end(struct conn *c, struct vnet_host *host)
{
	c->host = host;
	c->closed = false;
	list_push(&host->conns, &c->link);
	post(c, parcel(PARCEL_OPENED, NULL, 0), 0);
	send_parcel(c, parcel(PARCEL_CONNECTED, NULL, 0));
}

/* `tries` before this one weren't answered. */
static void knock(void *ctx, uint64_t tries)
{
	struct conn *c = ctx;
	struct vnet *net = c->pair->net;
	struct vnet_host *host = net->hosts[c->peer->machine];
	bool cut = link_from(c)->cut || link_from(c->peer)->cut;

	if (cut && tries < KNOCKS_MAX)
		plan(c, net->agenda->now + KNOCK_AGAIN_US, knock, tries + 1);
	else if (cut)
		break_end(c, 0);
	else if (!host)
		break_end(c, delay_from(c->peer));
	else if (!c->closed)
		accept_end(c->peer, host);
	c->pair->events--;
	release(c->pair);
}

struct conn *vnet_connect(struct vnet_host *host, unsigned machine, void *owner)
{
	struct pair *p = must(calloc(1, sizeof(*p)));

	p->net = host->net;
	host->net->counts.connects++;
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
	plan(&p->ends[0], host->net->agenda->now + delay_from(&p->ends[0]),
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
		if (!link_from(conn)->cut && net->hosts[conn->peer->machine])
			break_end(conn, 2 * delay_from(conn));
		return;
	}
	struct parcel *p = parcel(PARCEL_DATA, bytes, len);
	agenda_note_bytes(net->agenda, bytes, len);
	net->counts.parcels++;
	net->counts.bytes += len;
	if (dice_chance(net->random, net->corrupt_ppm)) {
		net->counts.corrupted++;
		size_t at = random_below(net->random, len);
		p->bytes[at] ^= (uint8_t)(1 << random_below(net->random, 8));
	}
	send_parcel(conn, p);
}

size_t vnet_queued(const struct conn *conn)
{
	return conn->stalled_bytes;
}

void vnet_close(struct conn *conn)
{
	struct vnet *net = conn->pair->net;

	shut_end(conn);
	if (!conn->peer->closed) {
		conn->peer->deaf |= dice_chance(net->random, 300000);
		send_parcel(conn, parcel(PARCEL_CLOSED, NULL, 0));
	}
	release(conn->pair);
}

void vnet_up(struct vnet_host *host)
{
	list_init(&host->conns);
	host->net->hosts[host->machine] = host;
}

void vnet_down(struct vnet_host *host, bool silent)
{
	struct vnet *net = host->net;

	if (net->hosts[host->machine] == host)
		net->hosts[host->machine] = NULL;
	list_for_safe(it, &host->conns)
	{
		struct conn *c = container_of(it, struct conn, link);
		shut_end(c);
		uint64_t late = silent ? dice_between(net->random, SILENCE_US,
						      5 * SILENCE_US)
				       : delay_from(c);
		break_end(c->peer, late);
		release(c->pair);
	}
}

void vnet_cut(struct vnet *net, unsigned from, unsigned to)
{
	net->links[from][to].cut = true;
}

static void resume(struct conn *c)
{
	c->stalled_bytes = 0;
	list_for_safe(it, &c->stalled)
	{
		list_remove(it);
		post(c->peer, container_of(it, struct parcel, link),
		     delay_from(c));
	}
}

void vnet_mend(struct vnet *net, unsigned from, unsigned to)
{
	net->links[from][to].cut = false;
	if (!net->hosts[from])
		return;
	list_for (it, &net->hosts[from]->conns) {
		struct conn *c = container_of(it, struct conn, link);
		if (c->peer->machine == to)
			resume(c);
	}
}

void vnet_reset(struct vnet *net, unsigned a, unsigned b)
{
	if (!net->hosts[a])
		return;
	list_for (it, &net->hosts[a]->conns) {
		struct conn *c = container_of(it, struct conn, link);
		if (c->peer->machine != b || c->peer->closed)
			continue;
		net->counts.resets++;
		c->deaf = c->peer->deaf = true;
		break_end(c, 0);
		break_end(c->peer, delay_from(c));
	}
}
