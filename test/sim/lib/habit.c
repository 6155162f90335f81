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

/* Of one lock; who asks for permits says mostly how many there are. */
static void wish_mode(struct world *w, struct wish_part *part)
{
	const struct lock_name *name = &w->names[part->name];

	if (name->kind == NAME_SEMAPHORE && random_below(dice(w), 8)) {
		part->mode = HF_PERMITS;
		part->permits = (uint32_t)dice_between(dice(w), 1, name->limit);
		part->limit = name->moves && random_below(dice(w), 4)
				      ? 0
				      : name->limit;
	} else if (dice_chance(dice(w), 300000)) {
		part->mode = HF_SHARED;
	}
}

/* Other names than the first, each once; barriers are for themselves. */
static void wish_more(struct world *w, struct wish *wish)
{
	size_t wanted = random_below(dice(w), WISH_PARTS);

	for (unsigned i = 1; i < w->plan.names && wish->more_len < wanted;
	     i++) {
		unsigned name = (wish->name + i) % w->plan.names;
		struct wish_part *part = &wish->more[wish->more_len];
		if (w->names[name].kind == NAME_BARRIER ||
		    random_below(dice(w), 3))
			continue;
		*part = (struct wish_part){ .name = name };
		wish_mode(w, part);
		wish->more_len++;
	}
}

static void wish_terms(struct world *w, struct wish *wish)
{
	uint64_t ttl = w->plan.ttl_us;

	if (random_below(dice(w), 3) == 0)
		wish->priority = DICE_PICK(
			dice(w), ((const int32_t[]){ -128, -1, 0, 1, 127 }));
	if (random_below(dice(w), 8) == 0)
		wish->line_max = (uint32_t)dice_between(dice(w), 1, 4);
	if (random_below(dice(w), 4) == 0)
		wish->hold_us = dice_between(dice(w), 1 * MS, 2 * ttl);
	if (random_below(dice(w), 4) == 0)
		wish->lease_us = dice_between(dice(w), ttl / 8, 2 * ttl);
	wish->shows = random_below(dice(w), 3) == 0;
}

static void wish_barrier(struct world *w, struct wish *wish)
{
	wish->mode = HF_BARRIER;
	wish->limit = w->names[wish->name].limit;
	if (dice_chance(dice(w), 20000))
		wish->limit++; /* it has been told another number */
}

void habit_wish(struct world *w, struct wish *wish)
{
	uint64_t delay_max = w->plan.delay_max_us;
	struct wish_part first = { 0 };

	*wish = (struct wish){ 0 };
	wish->name = first.name =
		(unsigned)random_below(dice(w), w->plan.names);
	wish->timeout_us = habit_patience(w);
	if (delay_max && dice_chance(dice(w), 200000))
		wish->delay_us = random_below(dice(w), delay_max);
	if (w->names[wish->name].kind == NAME_BARRIER) {
		wish_barrier(w, wish);
		return;
	}
	wish_mode(w, &first);
	wish->mode = first.mode;
	wish->permits = first.permits;
	wish->limit = first.limit;
	if (!dice_chance(dice(w), w->plan.rich_ppm))
		return;
	wish_terms(w, wish);
	if (random_below(dice(w), 3) == 0)
		wish_more(w, wish);
}

uint64_t habit_grace(struct world *w)
{
	uint64_t ttl = w->plan.ttl_us;

	switch (random_below(dice(w), 4)) {
	case 0:
		return 0;
	case 1:
		return random_below(dice(w), 20 * MS);
	case 2:
		return random_below(dice(w), ttl);
	default:
		return random_below(dice(w), 4 * ttl);
	}
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
