/* What goes on all the time, beside the acts: bad links, resets, corruption,
 * and wall clocks that jump. */
#include "clocks.h"
#include "world.h"

#define WEATHER_US 700000
#define RESET_EVERY_US 200000
#define CLOCK_EVERY_US 500000
#define CORRUPT_PPM 2000
#define FORGE_PPM 1000
#define DAY_S 86400

static uint32_t draw(struct world *w, uint32_t below)
{
	return (uint32_t)random_below(&w->random, below);
}

/* Each link gets weather of its own; one in eight is clogged. */
static void change_weather(struct world *w, struct link_rules *r)
{
	if (world_has(w, FAULT_LOSS))
		r->loss_ppm = draw(w, 3) ? draw(w, 10000) : 0;
	if (world_has(w, FAULT_DUPLICATE))
		r->duplicate_ppm = draw(w, 30000);
	if (world_has(w, FAULT_DELAY))
		r->delay_us = draw(w, 3) ? draw(w, 3000) : draw(w, 30000);
	if (world_has(w, FAULT_REORDER))
		r->jitter_us = draw(w, 3) ? draw(w, 2000) : draw(w, 20000);
	if (world_has(w, FAULT_CLOG))
		r->bytes_per_s = draw(w, 8) ? 0 : 50000 + draw(w, 500000);
	if (world_has(w, FAULT_CORRUPT))
		r->corrupt_ppm = CORRUPT_PPM;
	if (world_has(w, FAULT_FORGE))
		r->forge_ppm = FORGE_PPM;
}

static struct link_rules *any_link(struct world *w)
{
	unsigned from = draw(w, w->mix->members);
	unsigned to =
		(from + 1 + draw(w, w->mix->members - 1)) % w->mix->members;

	return &w->wire->links[from][to];
}

/* Seconds, hours or days off. */
static void jump(struct world *w)
{
	static const int spans[] = { 5, 3600, 30 * DAY_S };
	int span = spans[draw(w, 3)];

	clocks_set(draw(w, w->mix->members),
		   (int)draw(w, 2 * (uint32_t)span) - span);
}

static bool is_due(uint64_t *next, uint64_t now, uint64_t every)
{
	if (now < *next)
		return false;
	*next = now + every;
	return true;
}

void beside(struct world *w)
{
	uint64_t now = now_us();

	if (is_due(&w->next_weather, now, WEATHER_US))
		for (unsigned i = 0; i < w->mix->members; i++)
			for (unsigned k = 0; k < w->mix->members; k++)
				change_weather(w, &w->wire->links[i][k]);
	if (world_has(w, FAULT_RESET) &&
	    is_due(&w->next_reset, now, RESET_EVERY_US))
		any_link(w)->resets = 1;
	if (world_has(w, FAULT_CLOCK) &&
	    is_due(&w->next_clock, now, CLOCK_EVERY_US))
		jump(w);
}

void beside_count(struct world *w)
{
	_Atomic(uint64_t) *c = w->wire->counts;

	w->done[FAULT_LOSS] = c[WIRE_LOST];
	w->done[FAULT_DELAY] = c[WIRE_DELAYED];
	w->done[FAULT_REORDER] = c[WIRE_REORDERED];
	w->done[FAULT_DUPLICATE] = c[WIRE_DUPLICATED];
	w->done[FAULT_CLOG] = c[WIRE_CLOGGED];
	w->done[FAULT_RESET] = c[WIRE_RESET];
	w->done[FAULT_CORRUPT] = c[WIRE_CORRUPTED];
	w->done[FAULT_FORGE] = c[WIRE_FORGED];
	for (unsigned i = 0; i < w->mix->members; i++) {
		w->done[FAULT_CLOCK] += w->shared->members[i].clock_jumps;
	}
}
