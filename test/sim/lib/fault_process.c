/* Processes that crash, pause, lag or are slow, and machines whose disks or
 * clocks are bad. */
#include "sim/lib/fault_kind.h"

#define EFFECTS_MAX 40 /* before a crash in a step */
#define TTLS_MAX 12    /* of a long pause */
#define PAUSE_MAX_US (12 * SECOND)
#define HANG_PPM 400000 /* pauses in which users go on */

static struct process *victim_process(struct world *w)
{
	return fault_victim(w)->process;
}

bool inject_crash(struct world *w)
{
	struct process *p = victim_process(w);
	bool silent = dice_chance(fault_dice(w), 300000);

	if (!p)
		return false;
	w->counters.faults[FAULT_silent_death] += silent;
	process_crash(p, silent);
	return true;
}

bool inject_crash_in_step(struct world *w)
{
	struct process *p = victim_process(w);

	if (!p || p->crash_after)
		return false;
	p->crash_after = dice_between(fault_dice(w), 1, EFFECTS_MAX);
	return false; /* counted when it comes */
}

bool inject_crash_all(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].process)
			process_crash(w->machines[i].process, false);
	return true;
}

bool inject_restart(struct world *w)
{
	struct process *p = victim_process(w);

	if (!p || p->closing)
		return false;
	process_close(p);
	return true;
}

/* It is away for so long that the others' logs begin after its end. */
bool inject_lag(struct world *w)
{
	struct process *p = victim_process(w);
	struct machine *m;

	if (!p)
		return false;
	m = p->machine;
	process_crash(p, false);
	machine_boot_later(m,
			   dice_between(fault_dice(w), 2 * SECOND, 8 * SECOND));
	return true;
}

/* Its loop stands still. */
static void hang(struct process *p, uint64_t us)
{
	struct world *w = p->world;
	uint64_t left = w->plan.chaos_us - world_now(w);

	us = us < left ? us : left; /* what waits for its end would come late */
	world_say(w, "member %u pauses for %llu us", p->machine->number + 1,
		  (unsigned long long)us);
	p->pauses++;
	if (world_now(w) + us > p->gate.shut_until)
		p->gate.shut_until = world_now(w) + us;
}

/* All of the process, or only its loop. */
void fault_pause(struct process *p, uint64_t us)
{
	struct world *w = p->world;

	hang(p, us);
	if (dice_chance(&w->for_users, HANG_PPM))
		w->counters.faults[FAULT_hang]++;
	else
		p->users_gate.shut_until = p->gate.shut_until;
}

bool inject_pause(struct world *w)
{
	struct process *p = victim_process(w);
	uint64_t us = dice_chance(fault_dice(w), 700000)
			      ? dice_between(fault_dice(w), 1 * MS, 500 * MS)
			      : dice_between(fault_dice(w), 1 * MS,
					     2 * w->plan.ttl_us);

	if (p)
		fault_pause(p, us);
	return p;
}

bool inject_pause_long(struct world *w)
{
	struct process *p = victim_process(w);
	uint64_t us = dice_between(fault_dice(w), w->plan.ttl_us,
				   TTLS_MAX * w->plan.ttl_us);

	if (p)
		fault_pause(p, us < PAUSE_MAX_US ? us : PAUSE_MAX_US);
	return p;
}

/* As when the host of all of them is stopped: their timers fire together. */
bool inject_pause_all(struct world *w)
{
	uint64_t us = dice_between(fault_dice(w), 1 * MS, 2 * w->plan.ttl_us);

	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].process)
			fault_pause(w->machines[i].process, us);
	return true;
}

/* Its machine sleeps: all but BOOTTIME and the wall clock stands still. */
bool inject_suspend(struct world *w)
{
	struct process *p = victim_process(w);
	uint64_t us = dice_between(fault_dice(w), 1 * MS, 4 * w->plan.ttl_us);
	uint64_t left = w->plan.chaos_us - world_now(w);

	if (!p || p->gate.shut_until > world_now(w))
		return false;
	us = us < left ? us : left;
	us -= us % w->plan.grain_us;
	if (!us)
		return false;
	hang(p, us);
	p->users_gate.shut_until = p->gate.shut_until;
	vclock_stop(&p->machine->monotonic, machine_tick(p->machine), us);
	vclock_stop(&p->machine->raw, machine_tick(p->machine), us);
	/* What it is told meanwhile is lost: it wakes as what it was. */
	if (random_below(fault_dice(w), 2))
		fault_isolate(w, p->machine->number,
			      us + random_below(fault_dice(w), 400 * MS));
	p->machine->slept += us;
	p->machine->wakes_at = machine_tick(p->machine) + us;
	return true;
}

/* Its turns come late, or take long, for a while. */
bool inject_slow_node(struct world *w)
{
	struct process *p = victim_process(w);
	uint64_t us = dice_between(fault_dice(w), 100, 30 * MS);

	if (!p)
		return false;
	p->slow_until = world_now(w) + fault_time(w);
	p->turn_takes = random_below(fault_dice(w), 2) ? us : 0;
	p->turn_waits = p->turn_takes ? 0 : us;
	return true;
}

static void disk_recovers(void *ctx, uint64_t arg)
{
	struct machine *m = ctx;

	(void)arg;
	m->timing = m->world->plan.disk;
}

bool inject_slow_disk(struct world *w)
{
	struct machine *m = fault_victim(w);

	m->timing.write_min = 1 * MS;
	m->timing.write_max = dice_between(fault_dice(w), 10 * MS, 1 * SECOND);
	agenda_add(&w->agenda, world_now(w) + fault_time(w), NULL,
		   disk_recovers, m, 0);
	return true;
}

bool inject_wall_jump(struct world *w)
{
	struct vclock *wall = &fault_victim(w)->wall;
	uint64_t bits = dice_between(fault_dice(w), 1, 40);
	uint64_t jump = random_next(fault_dice(w)) >> (64 - bits);

	*wall = (struct vclock){ world_now(w), vclock_at(wall, world_now(w)),
				 wall->ppm };
	if (random_below(fault_dice(w), 2) && wall->value > 2 * jump)
		wall->value -= jump;
	else
		wall->value += jump;
	return true;
}

bool inject_clock_rate(struct world *w)
{
	struct machine *m = fault_victim(w);
	struct vclock *clocks[] = { &m->monotonic, &m->raw };
	struct vclock *clock = clocks[random_below(fault_dice(w), 2)];
	bool beyond = w->plan.beyond_bound && random_below(fault_dice(w), 2);
	uint64_t bound = beyond ? BEYOND_PPM : w->plan.drift_ppm;
	int64_t ppm = (int64_t)dice_between(fault_dice(w), 0, 2 * bound) -
		      (int64_t)bound;

	w->counters.faults[FAULT_clock_beyond] += beyond;
	vclock_rate(clock, machine_tick(m), ppm);
	return !beyond;
}
