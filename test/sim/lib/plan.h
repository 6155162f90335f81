/* What a seed decides before the run begins. */
#ifndef HF_SIM_PLAN_H
#define HF_SIM_PLAN_H

#include "sim/lib/counters.h"
#include "sim/lib/vdisk_io.h"
#include "sim/lib/vnet.h"

#define NAMES_MAX 16
#define USERS_MAX 16 /* of one process */

struct options { /* what the command line decides; 0: the seed does */
	uint64_t seed;
	unsigned members;
	uint64_t chaos_us;
	bool calm; /* no faults */
	bool verbose;
	uint32_t guards_off;
};

struct plan {
	unsigned members, users, names;
	uint64_t chaos_us; /* how long faults are injected */
	uint64_t ttl_us, renew_us, margin_us;
	uint32_t drift_ppm;
	bool unsure_is_lost;
	uint32_t election_ms, inflight_max, image_slice;
	uint32_t snapshot_threshold, snapshot_trailing;
	uint64_t check_every, hash_every;
	uint64_t think_us;     /* a user's pause between two things, at most */
	uint64_t delay_max_us; /* lock delays */
	struct vdisk_timing disk;
	uint64_t link_min_us, link_max_us;
	uint64_t loss_ppm, corrupt_ppm, split_ppm;
	/* Mean time between two faults of a kind; 0: none. */
	uint64_t fault_every_us[FAULT_INJECTED];
};

void plan_draw(struct plan *plan, const struct options *options);

#endif
