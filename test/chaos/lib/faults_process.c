/* Members that are killed and started again, or stopped for a while. */
#include "world.h"

static void kill_set(struct world *w, uint32_t set)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (set >> i & 1)
			crew_kill(&w->crew, i);
}

static void start_set(struct world *w, uint32_t set)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (set >> i & 1)
			crew_start(&w->crew, i);
}

static void kill_and_start(struct world *w, uint32_t set)
{
	kill_set(w, set);
	world_nap_ms(w, 0, 800);
	start_set(w, set);
}

static void pause_set(struct world *w, uint32_t set, uint64_t from_ms,
		      uint64_t to_ms)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (set >> i & 1)
			crew_stop(&w->crew, i);
	world_nap_ms(w, from_ms, to_ms);
	for (unsigned i = 0; i < w->mix->members; i++)
		crew_continue(&w->crew, i);
}

/* One mostly; sometimes so many that there is no majority. */
static unsigned draw_size(struct world *w)
{
	unsigned most = w->mix->members / 2 + 1;

	return random_below(&w->random, 3) ? 1 : most;
}

void act_process(struct world *w, enum fault fault)
{
	unsigned members = w->mix->members;
	uint32_t one = world_victims(w, 1);

	if (fault == FAULT_KILL_ONE) {
		kill_and_start(w, one);
	} else if (fault == FAULT_KILL_SOME) {
		kill_and_start(w, world_victims(w, members / 2 + 1));
	} else if (fault == FAULT_KILL_ALL) {
		kill_and_start(w, (UINT32_C(1) << members) - 1);
	} else if (fault == FAULT_KILL_STARTING) {
		kill_and_start(w, one);
		world_nap_ms(w, 0, 150);
		kill_and_start(w, one);
	} else if (fault == FAULT_PAUSE_SHORT) {
		pause_set(w, world_victims(w, draw_size(w)), 50, TTL_MS / 2);
	} else {
		pause_set(w, world_victims(w, draw_size(w)),
			  TTL_MS + TTL_MS / 4, 2 * TTL_MS);
	}
	w->done[fault]++;
}
