/* See plan.h. */
#include "sim/lib/plan.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* Mean times between faults where a kind is common. */
static const uint64_t common_us[FAULT_INJECTED] = {
	[FAULT_crash] = 2 * SECOND,       [FAULT_crash_in_step] = 2 * SECOND,
	[FAULT_crash_all] = 12 * SECOND,  [FAULT_restart] = 5 * SECOND,
	[FAULT_pause] = 2 * SECOND,       [FAULT_cut_pair] = 3 * SECOND,
	[FAULT_cut_one_way] = 3 * SECOND, [FAULT_isolate] = 4 * SECOND,
	[FAULT_reset] = 1 * SECOND,       [FAULT_slow_link] = 3 * SECOND,
	[FAULT_slow_disk] = 3 * SECOND,   [FAULT_wall_jump] = 2 * SECOND,
	[FAULT_clock_rate] = 2 * SECOND,
};

/* Half of the seeds have a kind not at all, so that others show. */
static void draw_faults(struct plan *p, struct random *r)
{
	for (int i = 0; i < FAULT_INJECTED; i++) {
		uint64_t rate = random_below(r, 4);
		p->fault_every_us[i] =
			rate < 2 ? 0 : common_us[i] * (rate == 2 ? 1 : 4);
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

void plan_draw(struct plan *p, const struct options *o)
{
	struct random r = dice_fork(o->seed, FOR_PLAN);

	*p = (struct plan){ 0 };
	p->members = DICE_PICK(
		&r, ((const unsigned[]){ 1, 3, 3, 3, 3, 3, 5, 5, 5, 7 }));
	if (o->members)
		p->members = o->members;
	p->users = (unsigned)dice_between(&r, 2, USERS_MAX);
	p->names = (unsigned)dice_between(&r, 1, NAMES_MAX);
	p->chaos_us = o->chaos_us ? o->chaos_us : 20 * SECOND;
	p->think_us = DICE_PICK(
		&r, ((const uint64_t[]){ 2 * MS, 20 * MS, 100 * MS }));
	p->delay_max_us =
		DICE_PICK(&r, ((const uint64_t[]){ 0, 300 * MS, SECOND }));
	draw_node(p, &r);
	draw_world(p, &r);
	draw_faults(p, &r);
	if (!o->calm)
		return;
	for (int i = 0; i < FAULT_INJECTED; i++)
		p->fault_every_us[i] = 0;
	p->loss_ppm = p->corrupt_ppm = 0;
}
