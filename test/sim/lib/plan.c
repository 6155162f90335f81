/* See plan.h. */
#include "sim/lib/plan.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* Mean times between faults where a kind is common. */
static const uint64_t common_us[FAULT_INJECTED] = {
	[FAULT_crash] = 2 * SECOND,         [FAULT_crash_in_step] = 2 * SECOND,
	[FAULT_crash_all] = 12 * SECOND,    [FAULT_restart] = 5 * SECOND,
	[FAULT_pause] = 2 * SECOND,         [FAULT_cut_pair] = 3 * SECOND,
	[FAULT_cut_one_way] = 3 * SECOND,   [FAULT_isolate] = 4 * SECOND,
	[FAULT_reset] = 1 * SECOND,         [FAULT_slow_link] = 3 * SECOND,
	[FAULT_slow_disk] = 3 * SECOND,     [FAULT_wall_jump] = 2 * SECOND,
	[FAULT_clock_rate] = 2 * SECOND,    [FAULT_lag] = 6 * SECOND,
	[FAULT_pause_long] = 8 * SECOND,    [FAULT_pause_all] = 6 * SECOND,
	[FAULT_slow_node] = 4 * SECOND,     [FAULT_split] = 5 * SECOND,
	[FAULT_bridge] = 5 * SECOND,        [FAULT_ring] = 6 * SECOND,
	[FAULT_rivals] = 4 * SECOND,        [FAULT_suspend] = 4 * SECOND,
	[FAULT_clog] = 3 * SECOND,          [FAULT_transfer] = 2 * SECOND,
	[FAULT_three_leaders] = 5 * SECOND, [FAULT_short_reign] = 5 * SECOND,
};

/* Two thirds of the seeds have a kind not at all, so that others show. */
static void draw_faults(struct plan *p, struct random *r)
{
	for (int i = 0; i < FAULT_INJECTED; i++) {
		uint64_t rate = random_below(r, 6);
		p->fault_every_us[i] =
			rate < 4 ? 0 : common_us[i] * (rate == 4 ? 1 : 4);
	}
	p->loss_ppm = DICE_PICK(r, ((const uint64_t[]){ 0, 0, 500, 10000 }));
	p->corrupt_ppm = DICE_PICK(r, ((const uint64_t[]){ 0, 0, 20, 200 }));
	p->split_ppm = DICE_PICK(r, ((const uint64_t[]){ 0, 20000, 300000 }));
}

static void draw_world(struct plan *p, struct random *r)
{
	static const struct vdisk_timing disks[] = {
		{ 50, 200, 1 * MS },
		{ 100, 5 * MS, 20 * MS },
		{ 1 * MS, 30 * MS, 200 * MS },
		{ 100, 2 * MS, SECOND },
	};
	static const uint64_t links[][2] = { { 20, 100 },
					     { 100, 2 * MS },
					     { 1 * MS, 20 * MS } };
	const uint64_t *link = DICE_PICK(r, links);

	p->disk = DICE_PICK(r, disks);
	p->link_min_us = link[0];
	p->link_max_us = link[1];
}

static void draw_node(struct plan *p, struct random *r)
{
	p->ttl_us = DICE_PICK(
		r, ((const uint64_t[]){ 500 * MS, SECOND, 3 * SECOND }));
	p->renew_us = p->ttl_us / dice_between(r, 3, 6);
	p->margin_us = DICE_PICK(r, ((const uint64_t[]){ 1 * MS, 20 * MS }));
	p->drift_ppm = DICE_PICK(r, ((const uint32_t[]){ 200, 1000, 20000 }));
	p->unsure_is_lost = random_below(r, 4) == 0;
	p->election_ms =
		DICE_PICK(r, ((const uint32_t[]){ 100, 200, 300, 300 }));
	p->inflight_max = DICE_PICK(r, ((const uint32_t[]){ 1, 2, 4 }));
	p->image_slice = DICE_PICK(r, ((const uint32_t[]){ 1, 5, 2000 }));
	p->snapshot_threshold =
		DICE_PICK(r, ((const uint32_t[]){ 20, 100, 500 }));
	p->snapshot_trailing =
		DICE_PICK(r, ((const uint32_t[]){ 16, 64, 1024 }));
	p->check_every = DICE_PICK(r, ((const uint64_t[]){ 1, 16, 64 }));
	p->hash_every = DICE_PICK(r, ((const uint64_t[]){ 1, 16, 256 }));
}

/* A stream of its own, so that what else a seed draws stays as it is. */
static void draw_machine_faults(struct plan *p, uint64_t seed)
{
	static const uint64_t common[MACHINE_FAULTS] = {
		[MACHINE_WRITE_ERROR] = 3 * SECOND,
		[MACHINE_DISK_FULL] = 5 * SECOND,
		[MACHINE_READ_ERROR] = 4 * SECOND,
		[MACHINE_DAMAGE] = 8 * SECOND,
		[MACHINE_NO_MEMORY] = 1 * SECOND,
	};
	struct random r = dice_fork(seed, FOR_TROUBLE);

	for (int i = 0; i < MACHINE_FAULTS; i++) {
		uint64_t rate = random_below(&r, 4);
		p->machine_fault_every_us[i] =
			rate < 2 ? 0 : common[i] * (rate == 2 ? 1 : 4);
	}
}

/* What becomes of whole messages. */
static void draw_messages(struct plan *p, struct random *r)
{
	p->mess.twice_ppm =
		DICE_PICK(r, ((const uint64_t[]){ 0, 0, 2000, 20000, 100000 }));
	p->mess.overtaken_ppm =
		DICE_PICK(r, ((const uint64_t[]){ 0, 0, 500, 5000, 30000 }));
	p->mess.late_us = DICE_PICK(
		r, ((const uint64_t[]){ 5 * MS, 300 * MS, 4 * SECOND }));
	p->mess.open_ppm = random_below(r, 2) ? 300000 : 0;
	/* Votes are forgotten where they are asked for again. */
	uint64_t old = random_below(r, 3);
	p->mess.stale_ppm = old ? 700000 : 0;
	p->vote_crash_ppm = old == 2 ? 30000 : 0;
}

/* What users do besides locks, and with them. */
static void draw_work(struct plan *p, uint64_t seed)
{
	struct random r = dice_fork(seed, FOR_PLAN_WORK);

	p->rich_ppm = DICE_PICK(
		&r, ((const uint64_t[]){ 0, 200000, 500000, 800000 }));
	p->owners = random_below(&r, 3) ? 0 : (unsigned)dice_between(&r, 1, 4);
	p->clerks = (unsigned)random_below(&r, CLERKS_MAX + 1);
	p->values = (unsigned)dice_between(&r, 3, VALUES_MAX);
	p->watchmen = (unsigned)random_below(&r, WATCHMEN_MAX + 1);
	p->revoke_ppm = DICE_PICK(&r, ((const uint64_t[]){ 0, 50000, 300000 }));
	p->ring_bytes =
		DICE_PICK(&r, ((const size_t[]){ 0, 0, 1024, 8192, 65536 }));
}

uint64_t plan_recovery_us(const struct plan *p)
{
	return p->ttl_us + p->delay_max_us + SECOND + 10 * p->election_ms * MS;
}

/* Nothing else disturbs it. */
static void draw_rift(struct plan *p)
{
	p->rift = true;
	for (int i = 0; i < FAULT_INJECTED; i++)
		p->fault_every_us[i] = 0;
	for (int i = 0; i < MACHINE_FAULTS; i++)
		p->machine_fault_every_us[i] = 0;
}

/* What of the bound of a lease is used up. */
enum edge { EDGE_DRIFT, EDGE_GRAIN, EDGE_BATCH };

/* A lease is over while the same one leads on: only pauses disturb it. */
static void draw_edge(struct plan *p)
{
	for (int i = 0; i < FAULT_INJECTED; i++)
		p->fault_every_us[i] = 0;
	for (int i = 0; i < MACHINE_FAULTS; i++)
		p->machine_fault_every_us[i] = 0;
	p->fault_every_us[FAULT_pause_long] = common_us[FAULT_pause] / 2;
}

/* The margin is for clocks that show less than they are: twice the grain. */
static void draw_clocks(struct plan *p, uint64_t seed)
{
	struct random r = dice_fork(seed, FOR_PLAN_CLOCKS);

	p->grain_us = random_below(&r, 2) ? 1 : p->margin_us / 2;
	p->former_dead = random_below(&r, 4) > 0;
	if (random_below(&r, 6))
		return;
	/* As little as possible besides the clocks: all of the bound is needed.
	 */
	p->edge_clocks = true;
	p->disk = (struct vdisk_timing){ 50, 200, 1 * MS };
	p->link_min_us = 20;
	p->link_max_us = 100;
	p->think_us = 1 * MS;
	uint64_t edge = random_below(&r, 3);
	p->drift_ppm = edge == EDGE_DRIFT ? 20000 : 200;
	p->margin_us = edge == EDGE_GRAIN ? 20 * MS : 1 * MS;
	p->grain_us = edge == EDGE_GRAIN ? 10 * MS : 1;
	if (edge != EDGE_BATCH)
		return;
	/* What is asked for waits until the entry before is stored. */
	p->inflight_max = 1;
	p->disk = (struct vdisk_timing){ 1 * MS, 30 * MS, 30 * MS };
}

void plan_draw(struct plan *p, const struct options *o)
{
	struct random r = dice_fork(o->seed, FOR_PLAN);

	*p = (struct plan){ 0 };
	p->members = DICE_PICK(
		&r, ((const unsigned[]){ 1, 3, 3, 3, 3, 3, 5, 5, 7, 7 }));
	if (o->members)
		p->members = o->members;
	p->users = (unsigned)dice_between(&r, 2, USERS_MAX);
	p->names = (unsigned)dice_between(&r, 1, NAMES_MAX);
	p->chaos_us = o->chaos_us ? o->chaos_us : 40 * SECOND;
	p->think_us = DICE_PICK(
		&r, ((const uint64_t[]){ 1 * MS, 5 * MS, 20 * MS, 50 * MS }));
	p->delay_max_us =
		DICE_PICK(&r, ((const uint64_t[]){ 0, 300 * MS, SECOND }));
	draw_node(p, &r);
	draw_work(p, o->seed);
	draw_world(p, &r);
	draw_clocks(p, o->seed);
	draw_faults(p, &r);
	struct random cluster = dice_fork(o->seed, FOR_PLAN_CLUSTER);
	draw_messages(p, &cluster);
	p->beyond_bound = random_below(&cluster, 8) == 0;
	if (!o->calm)
		draw_machine_faults(p, o->seed);
	struct random limits = dice_fork(o->seed, FOR_LIMITS);
	p->limits_every_us = random_below(&limits, 6) ? 0 : 3 * SECOND;
	if (p->edge_clocks)
		draw_edge(p);
	if (p->members == 3 && random_below(&cluster, 6) == 0)
		draw_rift(p);
	if (!o->calm)
		return;
	for (int i = 0; i < FAULT_INJECTED; i++)
		p->fault_every_us[i] = 0;
	p->loss_ppm = p->corrupt_ppm = 0;
	p->mess = (struct vnet_mess){ 0 };
	p->vote_crash_ppm = 0;
	p->rift = false;
	p->beyond_bound = false;
}
