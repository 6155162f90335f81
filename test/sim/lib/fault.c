/* See fault.h. */
#include "sim/lib/fault.h"
#include "sim/lib/process.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)
#define EFFECTS_MAX 40 /* before a crash in a step */

static struct random *dice(struct world *w)
{
	return &w->for_faults;
}

/* Any machine, half of the time the one that leads. */
static struct machine *victim(struct world *w)
{
	if (dice_chance(dice(w), 500000))
		for (unsigned i = 0; i < w->plan.members; i++) {
			struct process *p = w->machines[i].process;
			if (p && node_serving(p->node))
				return &w->machines[i];
		}
	return &w->machines[random_below(dice(w), w->plan.members)];
}

static struct process *victim_process(struct world *w)
{
	return victim(w)->process;
}

/* False: there was nothing to do it to. */
typedef bool (*inject)(struct world *w);

static bool inject_crash(struct world *w)
{
	struct process *p = victim_process(w);
	bool silent = dice_chance(dice(w), 300000);

	if (!p)
		return false;
	w->counters.faults[FAULT_silent_death] += silent;
	process_crash(p, silent);
	return true;
}

static bool inject_crash_in_step(struct world *w)
{
	struct process *p = victim_process(w);

	if (!p || p->crash_after)
		return false;
	p->crash_after = dice_between(dice(w), 1, EFFECTS_MAX);
	return false; /* counted when it comes */
}

static bool inject_crash_all(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].process)
			process_crash(w->machines[i].process, false);
	return true;
}

static bool inject_restart(struct world *w)
{
	struct process *p = victim_process(w);

	if (!p || p->closing)
		return false;
	process_close(p);
	return true;
}

static bool inject_pause(struct world *w)
{
	struct process *p = victim_process(w);
	uint64_t us =
		dice_chance(dice(w), 700000)
			? dice_between(dice(w), 1 * MS, 500 * MS)
			: dice_between(dice(w), 1 * MS, 2 * w->plan.ttl_us);

	if (!p)
		return false;
	world_say(w, "member %u pauses for %llu us", p->machine->number + 1,
		  (unsigned long long)us);
	p->pauses++;
	if (world_now(w) + us > p->gate.shut_until)
		p->gate.shut_until = world_now(w) + us;
	return true;
}

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

static uint64_t cut_time(struct world *w)
{
	return dice_between(dice(w), 10 * MS, 4 * SECOND);
}

static bool inject_cut_one_way(struct world *w)
{
	unsigned a = victim(w)->number;
	unsigned b = (unsigned)random_below(dice(w), w->plan.members);

	cut_link(w, a, b, cut_time(w));
	return a != b;
}

static bool inject_cut_pair(struct world *w)
{
	unsigned a = victim(w)->number;
	unsigned b = (unsigned)random_below(dice(w), w->plan.members);
	uint64_t us = cut_time(w);

	cut_link(w, a, b, us);
	cut_link(w, b, a, us);
	return a != b;
}

static bool inject_isolate(struct world *w)
{
	unsigned a = victim(w)->number;
	uint64_t us = cut_time(w);

	for (unsigned b = 0; b < w->plan.members; b++) {
		cut_link(w, a, b, us);
		cut_link(w, b, a, us);
	}
	world_say(w, "member %u is cut off", a + 1);
	return w->plan.members > 1;
}

static bool inject_reset(struct world *w)
{
	unsigned a = victim(w)->number;
	unsigned b = (unsigned)random_below(dice(w), w->plan.members);

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

static bool inject_slow_link(struct world *w)
{
	unsigned a = victim(w)->number;

	speed_links(w, a, dice_between(dice(w), 5, 50));
	agenda_add(&w->agenda, world_now(w) + cut_time(w), NULL, links_recover,
		   w, a);
	return w->plan.members > 1;
}

static void disk_recovers(void *ctx, uint64_t arg)
{
	struct machine *m = ctx;

	(void)arg;
	m->timing = m->world->plan.disk;
}

static bool inject_slow_disk(struct world *w)
{
	struct machine *m = victim(w);

	m->timing.write_min = 1 * MS;
	m->timing.write_max = dice_between(dice(w), 10 * MS, 1 * SECOND);
	agenda_add(&w->agenda, world_now(w) + cut_time(w), NULL, disk_recovers,
		   m, 0);
	return true;
}

static bool inject_wall_jump(struct world *w)
{
	struct vclock *wall = &victim(w)->wall;
	uint64_t bits = dice_between(dice(w), 1, 40);
	uint64_t jump = random_next(dice(w)) >> (64 - bits);

	*wall = (struct vclock){ world_now(w), vclock_at(wall, world_now(w)),
				 wall->ppm };
	if (random_below(dice(w), 2) && wall->value > 2 * jump)
		wall->value -= jump;
	else
		wall->value += jump;
	return true;
}

static bool inject_clock_rate(struct world *w)
{
	struct machine *m = victim(w);
	uint64_t bound = w->plan.drift_ppm;
	struct vclock *clocks[] = { &m->monotonic, &m->raw };
	int64_t ppm =
		(int64_t)dice_between(dice(w), 0, 2 * bound) - (int64_t)bound;

	vclock_rate(clocks[random_below(dice(w), 2)], world_now(w), ppm);
	return true;
}

static const inject injects[FAULT_INJECTED] = {
	[FAULT_crash] = inject_crash,
	[FAULT_crash_in_step] = inject_crash_in_step,
	[FAULT_crash_all] = inject_crash_all,
	[FAULT_restart] = inject_restart,
	[FAULT_pause] = inject_pause,
	[FAULT_cut_pair] = inject_cut_pair,
	[FAULT_cut_one_way] = inject_cut_one_way,
	[FAULT_isolate] = inject_isolate,
	[FAULT_reset] = inject_reset,
	[FAULT_slow_link] = inject_slow_link,
	[FAULT_slow_disk] = inject_slow_disk,
	[FAULT_wall_jump] = inject_wall_jump,
	[FAULT_clock_rate] = inject_clock_rate,
};

static void plan_fault(struct world *w, uint64_t kind);

static void fault_happens(void *ctx, uint64_t kind)
{
	struct world *w = ctx;

	if (w->phase != PHASE_CHAOS)
		return;
	w->counters.faults[kind] += injects[kind](w);
	plan_fault(w, kind);
}

static void plan_fault(struct world *w, uint64_t kind)
{
	uint64_t us =
		dice_between(dice(w), 1, 2 * w->plan.fault_every_us[kind]);

	agenda_add(&w->agenda, world_now(w) + us, NULL, fault_happens, w, kind);
}

void faults_start(struct world *w)
{
	w->net.loss_ppm = w->plan.loss_ppm;
	w->net.corrupt_ppm = w->plan.corrupt_ppm;
	w->net.split_ppm = w->plan.split_ppm;
	for (uint64_t kind = 0; kind < FAULT_INJECTED; kind++)
		if (w->plan.fault_every_us[kind])
			plan_fault(w, kind);
}

void faults_stop(struct world *w)
{
	w->net.loss_ppm = w->net.corrupt_ppm = 0;
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct machine *m = &w->machines[i];
		m->timing = w->plan.disk;
		speed_links(w, i, 1);
		for (unsigned j = 0; j < w->plan.members; j++)
			vnet_mend(&w->net, i, j);
		if (m->process) {
			m->process->crash_after = 0;
			process_wake(m->process);
		} else {
			machine_boot_later(m, 1);
		}
	}
}
