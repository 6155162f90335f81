#include "mixes.h"

#include "disks.h"
#include "report.h"
#include "stages.h"

#include <stdio.h>

#define NETWORK_CUTS                                         \
	(FAULT_BIT(FAULT_SPLIT) | FAULT_BIT(FAULT_ISOLATE) | \
	 FAULT_BIT(FAULT_PARTIAL) | FAULT_BIT(FAULT_ONE_WAY))
#define NETWORK_WEATHER                                          \
	(FAULT_BIT(FAULT_LOSS) | FAULT_BIT(FAULT_DELAY) |        \
	 FAULT_BIT(FAULT_REORDER) | FAULT_BIT(FAULT_DUPLICATE) | \
	 FAULT_BIT(FAULT_CLOG))
#define NETWORK_DAMAGE                                       \
	(FAULT_BIT(FAULT_RESET) | FAULT_BIT(FAULT_CORRUPT) | \
	 FAULT_BIT(FAULT_FORGE))
#define KILLS                                                     \
	(FAULT_BIT(FAULT_KILL_ONE) | FAULT_BIT(FAULT_KILL_SOME) | \
	 FAULT_BIT(FAULT_KILL_ALL) | FAULT_BIT(FAULT_KILL_STARTING))
#define PAUSES (FAULT_BIT(FAULT_PAUSE_SHORT) | FAULT_BIT(FAULT_PAUSE_LONG))
#define DISK_ROOM (FAULT_BIT(FAULT_FULL) | FAULT_BIT(FAULT_READ_ONLY))
#define DISK_ERRORS (FAULT_BIT(FAULT_IO_ERROR) | FAULT_BIT(FAULT_SLOW_DISK))

const struct mix mixes[MIXES] = {
	{ .name = "partitions",
	  .members = 5,
	  .faults = NETWORK_CUTS,
	  .elections = true,
	  .stale_writes = true },
	{ .name = "weather", .members = 3, .faults = NETWORK_WEATHER },
	{ .name = "resets", .members = 3, .faults = NETWORK_DAMAGE },
	{ .name = "kills", .members = 3, .faults = KILLS, .elections = true },
	{ .name = "pauses",
	  .members = 3,
	  .faults = PAUSES,
	  .elections = true,
	  .stale_writes = true },
	{ .name = "disks",
	  .members = 3,
	  .faults = DISK_ROOM | DISK_ERRORS,
	  .elections = true,
	  .disk_failures = true },
	{ .name = "clocks",
	  .members = 3,
	  .faults = FAULT_BIT(FAULT_CLOCK) | FAULT_BIT(FAULT_KILL_ONE) |
		    FAULT_BIT(FAULT_ISOLATE),
	  .elections = true },
	{ .name = "storm",
	  .members = 5,
	  .faults = NETWORK_CUTS | NETWORK_DAMAGE | KILLS | PAUSES |
		    DISK_ERRORS | FAULT_BIT(FAULT_CLOCK) |
		    FAULT_BIT(FAULT_LOSS) | FAULT_BIT(FAULT_DUPLICATE),
	  .elections = true,
	  .stale_writes = true },
};

static bool prepare(struct world *w, char *error, size_t error_len)
{
	w->shared = shared_make(&w->crew.shared_fd);
	if (!w->shared) {
		snprintf(error, error_len, "no shared memory");
		return false;
	}
	w->crew.members = w->mix->members;
	w->crew.shared = w->resource.shared = w->shared;
	w->crew.wire = w->wire;
	w->resource.members = w->mix->members;
	if (!crew_init(&w->crew, world_has(w, FAULT_CLOCK))) {
		snprintf(error, error_len,
			 "libfaketime can't be found: install faketime");
		return false;
	}
	for (unsigned i = 0; i < w->mix->members; i++)
		if (disk_make(i, error, error_len) < 0)
			return false;
	return true;
}

static bool run_stages(struct world *w, const struct run *run)
{
	uint64_t end = now_us() + run->faults_ms * 1000;

	return stage_begin(w) && stage_faults(w, end, run->operations) &&
	       stage_recover(w) && stage_rest(w);
}

bool mix_run(const struct mix *mix, struct run *run, char *error,
	     size_t error_len)
{
	struct world w = { .mix = mix,
			   .wire = run->wire,
			   .interrupted = run->interrupted,
			   .verbose = run->verbose,
			   .random = { run->seed } };
	bool ran = false;

	for (int i = 0; i < WIRE_COUNTS; i++)
		run->wire->counts[i] = 0;
	if (prepare(&w, error, error_len)) {
		ran = resource_start(&w.resource);
		bool whole = ran && run_stages(&w, run);
		crew_end(&w.crew);
		wire_heal(w.wire);
		if (ran)
			resource_stop(&w.resource);
		ran = ran && !*run->interrupted;
		if (ran) {
			beside_count(&w);
			run->done += report(&w, run, whole);
			run->violations += w.shared->violations;
		}
	}
	crew_free(&w.crew);
	if (w.shared)
		shared_free(w.shared, w.crew.shared_fd);
	return ran;
}
