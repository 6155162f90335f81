/* What a seed decides before the run begins. */
#ifndef HF_SIM_PLAN_H
#define HF_SIM_PLAN_H

#include "sim/lib/counters.h"
#include "sim/lib/fault_machine.h"
#include "sim/lib/vdisk_io.h"
#include "sim/lib/vnet.h"

#define NAMES_MAX 32
#define USERS_MAX 48 /* of one process */
#define VALUES_MAX 12
#define CLERKS_MAX 6         /* of one process */
#define WATCHMEN_MAX 4       /* of one process */
#define BEYOND_PPM 300000    /* of clocks beyond the bound */
#define VOTE_AGAIN_FACTOR 30 /* of vote_crash_ppm, where a vote is repeated */

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
	unsigned clerks, values, watchmen;
	uint64_t rich_ppm; /* acquisitions with all that they may have */
	/* Of a process, which its users share: then they hold and wait for
	 * several locks as one. 0: each acquisition is its own owner's. */
	unsigned owners;
	uint64_t revoke_ppm; /* of what clerks do */
	size_t ring_bytes;   /* of changes for watches; 0: the default */
	uint64_t chaos_us;   /* how long faults are injected */
	uint64_t ttl_us, renew_us, margin_us;
	uint64_t grain_us; /* of the clocks that a process reads */
	bool edge_clocks;  /* all begin at the bound */
	uint32_t drift_ppm;
	bool former_dead; /* as the lock of a member's folder proves */
	bool unsure_is_lost;
	uint32_t election_ms, inflight_max, image_slice;
	uint32_t snapshot_threshold, snapshot_trailing;
	uint64_t check_every, hash_every;
	uint64_t think_us;     /* a user's pause between two things, at most */
	uint64_t delay_max_us; /* lock delays */
	uint64_t limits_every_us; /* between changes of the limits; 0: none */
	struct vdisk_timing disk;
	uint64_t link_min_us, link_max_us;
	uint64_t loss_ppm, corrupt_ppm, split_ppm;
	struct vnet_mess mess;
	bool rift;               /* fault_rift.c */
	uint64_t vote_crash_ppm; /* crashes before a vote is stored */
	/* Clocks run beyond what the nodes assume: nobody is certain of
	 * anything (process_certain), and only fencing counts. */
	bool beyond_bound;
	/* Mean time between two faults of a kind; 0: none. */
	uint64_t fault_every_us[FAULT_INJECTED];
	uint64_t machine_fault_every_us[MACHINE_FAULTS];
};

/* Within this time after the last fault there must be progress. */
uint64_t plan_recovery_us(const struct plan *plan);

void plan_draw(struct plan *plan, const struct options *options);

#endif
