/* What goes wrong with connections: cut links, resets, dead processes. */
#include "sim/lib/vnet_conn.h"

#include <stdlib.h>

#define STALL_US 1000000   /* and up to five times as long */
#define SILENCE_US 1000000 /* and up to five times as long */

/* Bytes have waited too long: the sender gives up, the receiver finds out. */
static void stalled_long(void *ctx, uint64_t arg)
{
	struct conn *c = ctx;
	struct vnet *net = c->pair->net;

	if (!list_empty(&c->stalled) && c->stalls == arg && conn_link(c)->cut) {
		net->counts.broken++;
		conn_free_parcels(&c->stalled);
		c->stalled_bytes = 0;
		conn_break(c, 0);
		conn_break(c->peer,
			   dice_between(net->random, 0, 5 * SILENCE_US));
	}
	conn_done(c);
}

void conn_stall(struct conn *c, struct parcel *p)
{
	struct vnet *net = c->pair->net;

	if (list_empty(&c->stalled))
		conn_plan(c,
			  net->agenda->now + dice_between(net->random, STALL_US,
							  5 * STALL_US),
			  stalled_long, ++c->stalls);
	list_push(&c->stalled, &p->link);
	c->stalled_bytes += p->len;
}

void vnet_down(struct vnet_host *host, bool silent)
{
	struct vnet *net = host->net;

	if (net->hosts[host->machine] == host)
		net->hosts[host->machine] = NULL;
	list_for_safe (it, &host->conns) {
		struct conn *c = container_of(it, struct conn, link);
		conn_shut(c);
		uint64_t late = silent ? dice_between(net->random, SILENCE_US,
						      5 * SILENCE_US)
				       : conn_delay(c);
		conn_break(c->peer, late);
		conn_release(c);
	}
}

void vnet_cut(struct vnet *net, unsigned from, unsigned to)
{
	net->links[from][to].cut = true;
}

static void resume(struct conn *c)
{
	c->stalled_bytes = 0;
	list_for_safe (it, &c->stalled) {
		list_remove(it);
		conn_post(c->peer, container_of(it, struct parcel, link),
			  conn_delay(c));
	}
}

static void flow(struct vnet *net, unsigned from, unsigned to)
{
	const struct vnet_link *link = &net->links[from][to];

	if (!net->hosts[from] || link->cut || link->clogged)
		return;
	list_for (it, &net->hosts[from]->conns) {
		struct conn *c = container_of(it, struct conn, link);
		if (c->peer->machine == to)
			resume(c);
	}
}

void vnet_mend(struct vnet *net, unsigned from, unsigned to)
{
	net->links[from][to].cut = false;
	flow(net, from, to);
}

void vnet_clog(struct vnet *net, unsigned from, unsigned to, bool clogged)
{
	net->links[from][to].clogged = clogged;
	flow(net, from, to);
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
		conn_break(c, 0);
		conn_break(c->peer, conn_delay(c));
	}
}
