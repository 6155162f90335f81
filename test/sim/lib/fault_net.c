/* Links that are cut, one way or in shapes, clogged, reset or slow. */
#include "sim/lib/fault_kind.h"

static void mend_link(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	vnet_mend(&w->net, (unsigned)(arg >> 8), (unsigned)(arg & 255));
}

static void cut_link(struct world *w, unsigned from, unsigned to, uint64_t us)
{
	if (from == to || w->net.links[from][to].cut)
		return;
	vnet_cut(&w->net, from, to);
	agenda_add(&w->agenda, world_now(w) + us, NULL, mend_link, w,
		   from << 8 | to);
}

static unsigned any(struct world *w)
{
	return (unsigned)random_below(fault_dice(w), w->plan.members);
}

bool inject_cut_one_way(struct world *w)
{
	unsigned a = fault_victim(w)->number, b = any(w);

	cut_link(w, a, b, fault_time(w));
	return a != b;
}

bool inject_cut_pair(struct world *w)
{
	unsigned a = fault_victim(w)->number, b = any(w);
	uint64_t us = fault_time(w);

	cut_link(w, a, b, us);
	cut_link(w, b, a, us);
	return a != b;
}

void fault_isolate(struct world *w, unsigned machine, uint64_t us)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		cut_link(w, machine, i, us);
		cut_link(w, i, machine, us);
	}
	world_say(w, "member %u is cut off", machine + 1);
}

bool inject_isolate(struct world *w)
{
	unsigned a = fault_victim(w)->number;

	fault_isolate(w, a, fault_time(w));
	return w->plan.members > 1;
}

/* Cut every link between members whose bits differ, except a hub's. */
static void part(struct world *w, uint64_t sides, unsigned hub, uint64_t us)
{
	unsigned n = w->plan.members;

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			if (i != hub && j != hub &&
			    ((sides >> i ^ sides >> j) & 1))
				cut_link(w, i, j, us);
	world_say(w, "the network is parted: %llx, hub %u",
		  (unsigned long long)sides, hub + 1);
}

/* Two parts that don't reach each other. */
bool inject_split(struct world *w)
{
	uint64_t all = (UINT64_C(1) << w->plan.members) - 1;

	if (w->plan.members < 3)
		return false;
	part(w, dice_between(fault_dice(w), 1, all - 1), w->plan.members,
	     fault_time(w));
	return true;
}

/* Two parts, neither of them empty, and a member that reaches both. */
static unsigned bridge(struct world *w, uint64_t us)
{
	unsigned n = w->plan.members, hub = any(w);
	unsigned a = (hub + 1) % n, b = (hub + 2) % n;
	uint64_t sides = random_next(fault_dice(w));

	sides |= UINT64_C(1) << a;
	sides &= ~(UINT64_C(1) << b);
	part(w, sides, hub, us);
	return hub;
}

bool inject_bridge(struct world *w)
{
	if (w->plan.members < 3)
		return false;
	bridge(w, fault_time(w));
	return true;
}

/* Candidates in both parts at the same time, for whom the bridge decides. */
bool inject_rivals(struct world *w)
{
	uint64_t election = w->plan.election_ms * MS;

	if (w->plan.members < 3)
		return false;
	bridge(w, dice_between(fault_dice(w), 4 * election, 10 * election));
	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].process)
			fault_pause(w->machines[i].process, 2 * election);
	return true;
}

/* Each member reaches its neighbours only, or only the next one. */
bool inject_ring(struct world *w)
{
	unsigned n = w->plan.members;
	uint64_t us = fault_time(w);
	bool one_way = n == 3 || random_below(fault_dice(w), 4) == 0;

	if (n < 3)
		return false;
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < n; j++)
			if (j != (i + 1) % n && (one_way || i != (j + 1) % n))
				cut_link(w, i, j, us);
	world_say(w, "the network is a ring%s", one_way ? ", one way" : "");
	return true;
}

static void unclog(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	vnet_clog(&w->net, (unsigned)(arg >> 8), (unsigned)(arg & 255), false);
}

/* Bytes pile up, and then come all at once. */
bool inject_clog(struct world *w)
{
	unsigned a = fault_victim(w)->number, b = any(w);

	if (a == b || w->net.links[a][b].clogged)
		return false;
	vnet_clog(&w->net, a, b, true);
	agenda_add(&w->agenda, world_now(w) + fault_time(w), NULL, unclog, w,
		   a << 8 | b);
	return true;
}

bool inject_reset(struct world *w)
{
	unsigned a = fault_victim(w)->number, b = any(w);

	vnet_reset(&w->net, a, b);
	return a != b;
}

static void speed_links(struct world *w, unsigned machine, uint64_t times)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct vnet_link *links[] = { &w->net.links[machine][i],
					      &w->net.links[i][machine] };
		for (int j = 0; j < 2; j++) {
			links[j]->delay_min = w->plan.link_min_us * times;
			links[j]->delay_max = w->plan.link_max_us * times;
		}
	}
}

static void links_recover(void *ctx, uint64_t arg)
{
	speed_links(ctx, (unsigned)arg, 1);
}

bool inject_slow_link(struct world *w)
{
	unsigned a = fault_victim(w)->number;

	speed_links(w, a, dice_between(fault_dice(w), 5, 50));
	agenda_add(&w->agenda, world_now(w) + fault_time(w), NULL,
		   links_recover, w, a);
	return w->plan.members > 1;
}

void fault_heal_net(struct world *w)
{
	w->net.loss_ppm = w->net.corrupt_ppm = 0;
	for (unsigned i = 0; i < w->plan.members; i++) {
		speed_links(w, i, 1);
		for (unsigned j = 0; j < w->plan.members; j++) {
			vnet_mend(&w->net, i, j);
			vnet_clog(&w->net, i, j, false);
		}
	}
	vnet_flush(&w->net);
}
