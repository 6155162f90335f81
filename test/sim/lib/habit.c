/* See habit.h. */
#include "sim/lib/habit.h"

#define MS UINT64_C(1000)

static struct random *dice(struct world *w)
{
	return &w->for_users;
}

uint64_t habit_patience(struct world *w)
{
	uint64_t kind = random_below(dice(w), 20);

	if (kind < 4)
		return 0;
	if (kind < 14)
		return dice_between(dice(w), 1, 200 * MS);
	if (kind < 18)
		return dice_between(dice(w), 1, 2 * w->plan.ttl_us);
	return UINT64_MAX;
}

void habit_wish(struct world *w, struct wish *wish)
{
	uint64_t delay_max = w->plan.delay_max_us;

	*wish = (struct wish){ 0 };
	wish->name = (unsigned)random_below(dice(w), w->plan.names);
	uint32_t limit = w->names[wish->name].limit;
	if (limit) {
		wish->mode = HF_PERMITS;
		wish->permits = (uint32_t)dice_between(dice(w), 1, limit);
	} else if (dice_chance(dice(w), 300000)) {
		wish->mode = HF_SHARED;
	}
	wish->timeout_us = habit_patience(w);
	if (delay_max && dice_chance(dice(w), 200000))
		wish->delay_us = random_below(dice(w), delay_max);
}

/* Just before or just after `at`. */
static uint64_t around(struct world *w, uint64_t at)
{
	uint64_t apart = DICE_PICK(
		dice(w), ((const uint64_t[]){ 1, 100, 1 * MS, 10 * MS }));

	if (random_below(dice(w), 2))
		return at + apart;
	return at > apart ? at - apart : 0;
}

uint64_t habit_think(struct world *w, uint64_t left_us)
{
	uint64_t ttl = w->plan.ttl_us;
	uint64_t kind = random_below(dice(w), 100);

	if (w->phase != PHASE_CHAOS || kind >= 6)
		return random_below(dice(w), w->plan.think_us + 1);
	if (kind < 2)
		return dice_between(dice(w), ttl / 2, 2 * ttl);
	return around(w, kind < 3 || !left_us ? ttl : left_us);
}

enum cancel_habit habit_cancel(struct world *w)
{
	uint64_t kind = random_below(dice(w), 100);

	if (kind < 12)
		return CANCEL_SOON;
	if (kind < 20)
		return CANCEL_RELEASE;
	return kind < 28 ? CANCEL_GRANT : CANCEL_NEVER;
}

uint64_t habit_cancel_us(struct world *w, enum cancel_habit habit)
{
	const struct plan *p = &w->plan;

	switch (habit) {
	case CANCEL_SOON:
		return random_below(dice(w), 5) == 0
			       ? random_below(dice(w), 30)
			       : random_below(dice(w), 50 * MS);
	case CANCEL_RELEASE: /* a message, a write to the disk, a message */
		return random_below(dice(w),
				    3 * p->link_max_us + 2 * p->disk.write_min);
	default:
		return random_below(dice(w), p->link_max_us);
	}
}
