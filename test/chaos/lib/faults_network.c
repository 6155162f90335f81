/* Cuts: who can't reach whom, for a while. */
#include "world.h"

static void cut(struct world *w, unsigned from, unsigned to)
{
	w->wire->links[from][to].cut = true;
}

/* Nothing passes between the set and the others. */
static void cut_sets(struct world *w, uint32_t set)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		for (unsigned k = 0; k < w->mix->members; k++)
			if ((set >> i & 1) != (set >> k & 1))
				cut(w, i, k);
}

/* One of the two ways of a link, or of all links of a member. */
static void cut_one_way(struct world *w)
{
	unsigned victim = world_victim(w);
	bool out = random_below(&w->random, 2);
	bool all = random_below(&w->random, 2);

	for (unsigned i = 1; i < w->mix->members; i++) {
		unsigned other = (victim + i) % w->mix->members;
		if (out)
			cut(w, victim, other);
		else
			cut(w, other, victim);
		if (!all)
			return;
	}
}

static void join(struct world *w)
{
	for (unsigned i = 0; i < MEMBERS_MAX; i++)
		for (unsigned k = 0; k < MEMBERS_MAX; k++)
			w->wire->links[i][k].cut = false;
}

void act_network(struct world *w, enum fault fault)
{
	unsigned members = w->mix->members;

	if (fault == FAULT_SPLIT) {
		cut_sets(w, world_victims(w, members / 2));
	} else if (fault == FAULT_ISOLATE) {
		cut_sets(w, world_victims(w, 1));
	} else if (fault == FAULT_PARTIAL) {
		unsigned victim = world_victim(w);
		unsigned other = (victim + 1) % members;
		cut(w, victim, other);
		cut(w, other, victim);
	} else {
		cut_one_way(w);
	}
	w->done[fault]++;
	/* As often beyond the TTL as not. */
	if (random_below(&w->random, 2))
		world_nap_ms(w, 100, TTL_MS);
	else
		world_nap_ms(w, TTL_MS, 3 * TTL_MS);
	join(w);
}
