/* Leaders that don't last: handed over, or ousted as soon as they serve,
 * several in a row. */
#include "sim/lib/fault_kind.h"

#define LOOK_US (2 * MS)         /* for the next leader */
#define PATIENCE_US (8 * SECOND) /* until it is there */
#define MOMENT_US (30 * MS)      /* that a short reign lasts, at most */
#define LEADERS 3

bool inject_transfer(struct world *w)
{
	struct process *p = fault_leader(w);

	if (!p || w->plan.members == 1)
		return false;
	world_say(w, "member %u hands over", p->machine->number + 1);
	repl_transfer(node_repl(p->node));
	process_poke(p);
	return true;
}

static uint64_t some_elections(struct world *w)
{
	uint64_t election = w->plan.election_ms * MS;

	return dice_between(fault_dice(w), 2 * election, 4 * election);
}

/* True: it has been ousted, or will be. */
static void oust(struct world *w, struct process *p)
{
	uint64_t us = some_elections(w);

	switch (w->reign.moments ? 1 : random_below(fault_dice(w), 4)) {
	case 0:
		inject_transfer(w);
		break;
	case 1:
		fault_isolate(w, p->machine->number, us);
		break;
	case 2:
		fault_pause(p, us);
		break;
	default:
		process_crash(p, false);
		break;
	}
}

static void look(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	struct process *p = fault_leader(w);
	uint64_t term = p ? repl_term(node_repl(p->node)) : 0;

	if (w->phase != PHASE_CHAOS || world_now(w) > w->reign.give_up_at)
		w->reign.left = 0;
	if (!w->reign.left)
		return;
	if (p && arg == term) { /* seen before: its time is over */
		oust(w, p);
		w->reign.ousted = term;
		w->reign.left--;
		w->counters.faults[FAULT_short_reign] += w->reign.moments;
		w->counters.faults[FAULT_three_leaders] +=
			!w->reign.left && !w->reign.moments;
		term = 0;
	}
	bool fresh = term > w->reign.ousted;
	uint64_t wait = LOOK_US;
	if (fresh)
		wait = dice_between(fault_dice(w), 1,
				    w->reign.moments ? MOMENT_US
						     : some_elections(w));
	agenda_add(&w->agenda, world_now(w) + wait, NULL, look, w,
		   fresh ? term : 0);
}

static bool begin(struct world *w, unsigned leaders, bool moments)
{
	if (w->reign.left || w->plan.members == 1)
		return false;
	w->reign.left = leaders;
	w->reign.moments = moments;
	w->reign.ousted = 0;
	w->reign.give_up_at = world_now(w) + PATIENCE_US;
	agenda_add(&w->agenda, world_now(w), NULL, look, w, 0);
	return false; /* counted when they have been ousted */
}

bool inject_three_leaders(struct world *w)
{
	return begin(w, LEADERS, false);
}

/* They lose their majority some milliseconds after they served: too soon to
 * expire anything. */
bool inject_short_reigns(struct world *w)
{
	return begin(w, (unsigned)dice_between(fault_dice(w), 2, 6), true);
}
