/* The simulated world: machines with their clocks and disks, the network, the
 * processes that run on the machines, the users in them, and what must be true
 * of it all. */
#ifndef HF_SIM_WORLD_H
#define HF_SIM_WORLD_H

#include "sim/lib/belief.h"
#include "sim/lib/oracle.h"
#include "sim/lib/plan.h"
#include "sim/lib/reigns.h"
#include "sim/lib/vclock.h"
#include "sim/lib/vmem.h"

#define VIOLATION_TEXT 512
#define TERMS_MAX 65536 /* that are looked at for two leaders */

struct process;

struct watch_memory { /* where a watch was, for one after it */
	char name[48];
	size_t name_len;
	unsigned flags;
	uint64_t index;
};

struct machine { /* outlives its processes */
	struct world *world;
	unsigned number; /* from 0; the member's id is one more */
	char address[24];
	struct vclock monotonic, raw, wall;
	uint64_t slept; /* what only BOOTTIME and the wall clock have seen once
			   it has woken */
	uint64_t wakes_at;
	struct vdisk disk;
	struct vdisk_timing timing;
	struct vdisk_trouble trouble;
	struct vmem memory;
	const char *damaged; /* what of its disk; NULL: nothing */
	bool out;            /* it has refused its damaged disk, for good */
	uint64_t boots;
	uint64_t vote_term, vote; /* the last one that it stored */
	uint64_t restart; /* counts plans to boot; only the last one holds */
	struct watch_memory watches[WATCHMEN_MAX];
	struct process *process; /* NULL: down */
};

enum name_kind {
	NAME_LOCK,
	NAME_SEMAPHORE, /* of `limit` permits, at first */
	NAME_BARRIER    /* `limit` come */
};

struct lock_name {
	char text[48];
	size_t len;
	enum name_kind kind;
	uint32_t limit;
	bool moves;            /* its limit is set anew now and then */
	struct hf_guard guard; /* the fenced resource's */
	struct list beliefs;
};

enum phase {
	PHASE_CHAOS,
	PHASE_HEAL, /* no more faults; users finish what they hold, and each
		       lock must be free to be taken */
	PHASE_OVER
};

/* Leaders that are being ousted one after the other: fault_reign.c. */
struct reign {
	unsigned left;   /* to oust; 0: none */
	bool moments;    /* as soon as they serve */
	uint64_t ousted; /* the last one's term */
	uint64_t give_up_at;
};

struct rift {           /* fault_rift.c */
	unsigned first; /* of its members */
};

struct value_name { /* of a value, or a counter */
	char text[24];
	size_t len;
	bool counter;
	bool sums;        /* it is only ever added to */
	uint64_t version; /* that somebody was told of last */
	/* Of a counter that sums: what is known to be added, and what may be.
	 */
	int64_t added;
	int64_t *unknown;
	size_t unknown_len, unknown_cap;
};

struct world {
	struct options options;
	struct plan plan;
	enum phase phase;
	struct agenda agenda;
	struct vnet net;
	struct random for_net, for_disk, for_faults, for_users, for_clocks;
	struct random for_trouble;
	struct random for_messages;
	struct random for_clerks;
	struct machine machines[MACHINES_MAX];
	struct lock_name names[NAMES_MAX];
	struct value_name values[VALUES_MAX];
	struct line_name value_names[VALUES_MAX];
	struct oracle oracle;
	struct history history;
	struct vdisk_counts disk_counts;
	struct counters counters;
	struct reigns reigns;
	uint8_t leader_of[TERMS_MAX]; /* term to machine, from 1 */
	struct reign reign;
	struct rift rift;
	struct random for_limits;
	unsigned probes_left, probes_waiting; /* at the end: see ending.h */
	uint64_t recovered_at, cluster_then;  /* true time, cluster time */
	bool stop;
	const char *checker;            /* that found the violation */
	char violation[VIOLATION_TEXT]; /* empty: none */
};

void world_init(struct world *w, const struct options *options);
/* Run from the beginning to the end, or to the first violation. */
void world_run(struct world *w);

/* A user has taken a lock, and given it back, after all faults. */
void world_probed(struct world *w);

/* Something is not as it must be. The first one ends the run. `checker`: who
 * found it, one of the short names in README. */
void world_violation(struct world *w, const char *checker, const char *format,
		     ...) __attribute__((format(printf, 3, 4)));
/* A line about what happens, where it is asked for. */
void world_say(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline uint64_t world_now(const struct world *w)
{
	return w->agenda.now;
}

/* Machines don't tick together: so much earlier than the first one. */
static inline uint64_t machine_phase(const struct machine *m)
{
	return m->world->plan.grain_us * m->number / m->world->plan.members;
}

/* When its clocks moved on last. */
static inline uint64_t machine_tick(const struct machine *m)
{
	uint64_t now = m->world->agenda.now;
	uint64_t since = (now + machine_phase(m)) % m->world->plan.grain_us;

	return now > since ? now - since : 0;
}

#endif
