/* The simulated world: machines with their clocks and disks, the network, the
 * processes that run on the machines, the users in them, and what must be true
 * of it all. */
#ifndef HF_SIM_WORLD_H
#define HF_SIM_WORLD_H

#include "sim/lib/belief.h"
#include "sim/lib/oracle.h"
#include "sim/lib/plan.h"
#include "sim/lib/vclock.h"

#define VIOLATION_TEXT 512
#define TERMS_MAX 65536 /* that are looked at for two leaders */

struct process;

struct machine { /* outlives its processes */
	struct world *world;
	unsigned number; /* from 0; the member's id is one more */
	char address[24];
	struct vclock monotonic, raw, wall;
	struct vdisk disk;
	struct vdisk_timing timing;
	uint64_t boots;
	uint64_t restart; /* counts plans to boot; only the last one holds */
	struct process *process; /* NULL: down */
};

struct lock_name {
	char text[48];
	size_t len;
	uint32_t limit; /* of a semaphore; 0: exclusive and shared holds */
	struct hf_guard guard; /* the fenced resource's */
	struct list beliefs;
};

enum phase {
	PHASE_CHAOS,
	PHASE_HEAL,  /* no more faults; users finish what they hold */
	PHASE_PROBE, /* each lock must be free to be taken */
	PHASE_OVER
};

struct world {
	struct options options;
	struct plan plan;
	enum phase phase;
	struct agenda agenda;
	struct vnet net;
	struct random for_net, for_disk, for_faults, for_users, for_clocks;
	struct machine machines[MACHINES_MAX];
	struct lock_name names[NAMES_MAX];
	struct oracle oracle;
	struct history history;
	struct vdisk_counts disk_counts;
	struct counters counters;
	uint8_t leader_of[TERMS_MAX]; /* term to machine, from 1 */
	unsigned probes_left;
	bool stop;
	char violation[VIOLATION_TEXT]; /* empty: none */
};

void world_init(struct world *w, const struct options *options);
/* Run from the beginning to the end, or to the first violation. */
void world_run(struct world *w);

/* A user has taken a lock, and given it back, after all faults. */
void world_probed(struct world *w);

/* Something is not as it must be. The first one ends the run. */
void world_violation(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line about what happens, where it is asked for. */
void world_say(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline uint64_t world_now(const struct world *w)
{
	return w->agenda.now;
}

#endif
