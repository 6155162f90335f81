/* See fault.h. */
#include "sim/lib/fault.h"
#include "sim/lib/fault_kind.h"

struct process *fault_leader(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct process *p = w->machines[i].process;
		if (p && node_serving(p->node))
			return p;
	}
	return NULL;
}

struct machine *fault_victim(struct world *w)
{
	if (dice_chance(fault_dice(w), 500000)) {
		struct process *p = fault_leader(w);
		if (p)
			return p->machine;
	}
	return &w->machines[random_below(fault_dice(w), w->plan.members)];
}

uint64_t fault_time(struct world *w)
{
	return dice_between(fault_dice(w), 10 * MS, 4 * SECOND);
}

static const inject injects[FAULT_INJECTED] = {
	[FAULT_crash] = inject_crash,
	[FAULT_crash_in_step] = inject_crash_in_step,
	[FAULT_crash_all] = inject_crash_all,
	[FAULT_restart] = inject_restart,
	[FAULT_lag] = inject_lag,
	[FAULT_pause] = inject_pause,
	[FAULT_pause_long] = inject_pause_long,
	[FAULT_pause_all] = inject_pause_all,
	[FAULT_suspend] = inject_suspend,
	[FAULT_slow_node] = inject_slow_node,
	[FAULT_cut_pair] = inject_cut_pair,
	[FAULT_cut_one_way] = inject_cut_one_way,
	[FAULT_isolate] = inject_isolate,
	[FAULT_split] = inject_split,
	[FAULT_bridge] = inject_bridge,
	[FAULT_rivals] = inject_rivals,
	[FAULT_ring] = inject_ring,
	[FAULT_clog] = inject_clog,
	[FAULT_reset] = inject_reset,
	[FAULT_slow_link] = inject_slow_link,
	[FAULT_slow_disk] = inject_slow_disk,
	[FAULT_wall_jump] = inject_wall_jump,
	[FAULT_clock_rate] = inject_clock_rate,
	[FAULT_transfer] = inject_transfer,
	[FAULT_three_leaders] = inject_three_leaders,
	[FAULT_short_reign] = inject_short_reigns,
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
	uint64_t us = dice_between(fault_dice(w), 1,
				   2 * w->plan.fault_every_us[kind]);

	agenda_add(&w->agenda, world_now(w) + us, NULL, fault_happens, w, kind);
}

void faults_start(struct world *w)
{
	w->net.loss_ppm = w->plan.loss_ppm;
	w->net.corrupt_ppm = w->plan.corrupt_ppm;
	w->net.split_ppm = w->plan.split_ppm;
	w->net.mess = w->plan.mess;
	for (uint64_t kind = 0; kind < FAULT_INJECTED; kind++)
		if (w->plan.fault_every_us[kind])
			plan_fault(w, kind);
	rift_start(w);
	machine_faults_start(w);
}

/* Clocks that ran beyond the bound run within it again. */
static void heal_clocks(struct machine *m)
{
	struct vclock *clocks[] = { &m->monotonic, &m->raw };
	int64_t bound = m->world->plan.drift_ppm;

	for (int i = 0; i < 2; i++)
		if (clocks[i]->ppm > bound || clocks[i]->ppm < -bound)
			vclock_rate(clocks[i], machine_tick(m), 0);
}

void faults_stop(struct world *w)
{
	machine_faults_stop(w);
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct machine *m = &w->machines[i];
		m->timing = w->plan.disk;
		heal_clocks(m);
		if (m->process) {
			m->process->crash_after = 0;
			m->process->slow_until = 0;
			process_wake(m->process);
		} else {
			machine_boot_later(m, 1);
		}
	}
	w->net.mute_votes = w->net.mute_questions = 0;
	fault_heal_net(w);
}
