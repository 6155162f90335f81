/* See fault_machine.h. */
#include "sim/lib/fault_machine.h"
#include "sim/lib/process.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)
#define WRITES_MAX 30 /* before one fails */
#define ALLOCATIONS_MAX 1000
#define BURST_MAX 5

static struct random *dice(struct world *w)
{
	return &w->for_trouble;
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

static void fail_write(struct world *w)
{
	struct vdisk_trouble *t = &victim(w)->trouble;

	if (!t->fail_after)
		t->fail_after = dice_between(dice(w), 1, WRITES_MAX);
}

static void fill_disk(struct world *w)
{
	victim(w)->trouble.full_until =
		world_now(w) + dice_between(dice(w), 1 * MS, 2 * SECOND);
}

static void fail_reads(struct world *w)
{
	victim(w)->trouble.unread_until =
		world_now(w) + dice_between(dice(w), 1 * MS, 5 * SECOND);
}

static unsigned damaged(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->plan.members; i++)
		n += w->machines[i].damaged != NULL;
	return n;
}

/* What it had acknowledged is then on the other disks only. */
static void damage(struct world *w)
{
	struct machine *m = victim(w);

	if (m->damaged || damaged(w) >= (w->plan.members - 1) / 2)
		return;
	if (m->process)
		process_crash(m->process, false);
	m->damaged = vdisk_damage(&m->disk, dice(w));
	if (m->damaged)
		world_say(w, "member %u: damage to %s", m->number + 1,
			  m->damaged);
}

static void fail_memory(struct world *w)
{
	struct vmem *m = &victim(w)->memory;

	m->burst = random_below(dice(w), 2) * random_below(dice(w), BURST_MAX);
	m->fail_after = dice_between(dice(w), 1, ALLOCATIONS_MAX);
}

static void (*const injects[MACHINE_FAULTS])(struct world *w) = {
	[MACHINE_WRITE_ERROR] = fail_write, [MACHINE_DISK_FULL] = fill_disk,
	[MACHINE_READ_ERROR] = fail_reads,  [MACHINE_DAMAGE] = damage,
	[MACHINE_NO_MEMORY] = fail_memory,
};

static void plan_fault(struct world *w, uint64_t kind);

static void fault_happens(void *ctx, uint64_t kind)
{
	struct world *w = ctx;

	if (w->phase != PHASE_CHAOS)
		return;
	injects[kind](w);
	plan_fault(w, kind);
}

static void plan_fault(struct world *w, uint64_t kind)
{
	uint64_t us = dice_between(dice(w), 1,
				   2 * w->plan.machine_fault_every_us[kind]);

	agenda_add(&w->agenda, world_now(w) + us, NULL, fault_happens, w, kind);
}

void machine_faults_start(struct world *w)
{
	for (uint64_t kind = 0; kind < MACHINE_FAULTS; kind++)
		if (w->plan.machine_fault_every_us[kind])
			plan_fault(w, kind);
}

void machine_faults_stop(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct machine *m = &w->machines[i];
		m->trouble = (struct vdisk_trouble){ 0 };
		m->memory.fail_after = 0;
		if (m->process && m->process->failed)
			process_close(m->process);
	}
}
