/* One mix at work: its cluster, and the faults that were done to it. */
#ifndef CHAOS_WORLD_H
#define CHAOS_WORLD_H

#include "crew.h"
#include "resource.h"
#include "wire.h"

#include <signal.h>

/* Acts are done one after the other, each with its end; the rest goes on
 * beside them all the time. The number is how many a whole run of a mix must
 * have done at least. */
#define FAULTS_ACTS(X)                              \
	X(SPLIT, "splits", 1)                       \
	X(ISOLATE, "isolations", 1)                 \
	X(PARTIAL, "partial partitions", 1)         \
	X(ONE_WAY, "one-way losses", 1)             \
	X(KILL_ONE, "kills of one", 1)              \
	X(KILL_SOME, "kills of a majority", 1)      \
	X(KILL_ALL, "kills of all", 1)              \
	X(KILL_STARTING, "kills while starting", 1) \
	X(PAUSE_SHORT, "short pauses", 1)           \
	X(PAUSE_LONG, "pauses beyond the TTL", 1)   \
	X(FULL, "full disks", 1)                    \
	X(READ_ONLY, "read-only disks", 1)          \
	X(IO_ERROR, "I/O errors", 1)                \
	X(SLOW_DISK, "slow disk calls", 5)
#define FAULTS_BESIDE(X)                                \
	X(LOSS, "packets lost", 50)                     \
	X(DELAY, "delayed", 1000)                       \
	X(REORDER, "reordered", 100)                    \
	X(DUPLICATE, "duplicated", 50)                  \
	X(CLOG, "clogged", 20)                          \
	X(RESET, "connections reset", 10)               \
	X(CORRUPT, "packets corrupted", 10)             \
	X(FORGE, "corrupted with a right checksum", 10) \
	X(CLOCK, "clock jumps", 5)

enum fault {
#define X(name, text, minimum) FAULT_##name,
	FAULTS_ACTS(X) FAULT_ACTS,
	FAULT_BEFORE_BESIDE = FAULT_ACTS - 1,
	FAULTS_BESIDE(X) FAULTS
#undef X
};

extern const char *const fault_texts[FAULTS];

#define FAULT_BIT(fault) (UINT32_C(1) << (fault))

struct mix {
	const char *name;
	unsigned members;
	uint32_t faults; /* a set of FAULT_BIT */
	/* What must have come of it. */
	bool elections, stale_writes, disk_failures;
};

struct world {
	const struct mix *mix;
	struct wire *wire;
	const volatile sig_atomic_t *interrupted;
	bool verbose; /* say what is done, and when */
	struct shared *shared;
	struct crew crew;
	struct resource resource;
	struct random random;
	uint64_t next_weather, next_reset, next_clock;
	uint64_t done[FAULTS];
	/* Of the recovery. */
	uint64_t grants_before[MEMBERS_MAX];
	uint64_t began_at, healed_at, recovered_us;
};

/* Wait, while what happens beside goes on. Short if interrupted. */
void world_nap(struct world *world, uint64_t us);
static inline void world_nap_ms(struct world *world, uint64_t from, uint64_t to)
{
	world_nap(world,
		  (from + random_below(&world->random, to - from)) * 1000);
}

static inline bool world_has(const struct world *world, enum fault fault)
{
	return world->mix->faults >> fault & 1;
}

/* For people, if they asked for it. */
__attribute__((format(printf, 2, 3))) void world_say(const struct world *world,
						     const char *format, ...);

/* The leader, as often as not; any member otherwise. */
unsigned world_victim(struct world *world);
/* A set of members, `size` of them, the leader more often than others. */
uint32_t world_victims(struct world *world, unsigned size);

/* The acts, each with its end. */
void act_network(struct world *world, enum fault fault);
void act_process(struct world *world, enum fault fault);
void act_disk(struct world *world, enum fault fault);

/* What happens beside: called every few milliseconds. */
void beside(struct world *world);
/* Take in how often it happened. */
void beside_count(struct world *world);

#endif
