/* What a run has seen, so that one can tell a test from an idle wait. */
#ifndef HF_SIM_COUNTERS_H
#define HF_SIM_COUNTERS_H

#include <stdint.h>

/* X(field, what is printed) */
#define COUNTERS(X)                                        \
	X(operations, "operations")                        \
	X(grants, "grants")                                \
	X(granted_after_waiting, "grants after waiting")   \
	X(refused, "acquires refused as held")             \
	X(timed_out, "acquires timed out")                 \
	X(canceled, "acquires cancelled")                  \
	X(cancels_of_holds, "cancels that raced a grant")  \
	X(no_leader, "acquires that found no leader")      \
	X(releases, "releases confirmed")                  \
	X(releases_unknown, "releases of unknown outcome") \
	X(validated, "holds validated")                    \
	X(lost, "holds lost")                              \
	X(duplicates, "answers from the window")           \
	X(expiries, "sessions ended by the cluster")       \
	X(to_unsure, "sessions that became UNSURE")        \
	X(unsure_to_safe, "UNSURE to SAFE")                \
	X(writes, "writes accepted")                       \
	X(writes_certain, "writes by certain holders")     \
	X(stale_writes, "stale writes refused")            \
	X(elections, "leaders that served")                \
	X(entries, "entries applied")                      \
	X(snapshots_taken, "snapshots taken")              \
	X(snapshots_installed, "snapshots installed")      \
	X(guarded, "guards that stepped in")               \
	X(events, "events")                                \
	X(virtual_ms, "virtual milliseconds")

/* X(field, what is printed). The first are injected, each at its own rate; the
 * others happen as the disk and the network are. */
#define FAULTS(X)                                         \
	X(crash, "crash")                                 \
	X(crash_in_step, "crash in the middle of a step") \
	X(crash_all, "crash of all")                      \
	X(restart, "orderly restart")                     \
	X(pause, "pause")                                 \
	X(cut_pair, "link cut")                           \
	X(cut_one_way, "link cut one way")                \
	X(isolate, "member cut off")                      \
	X(reset, "connections reset")                     \
	X(slow_link, "slow link")                         \
	X(slow_disk, "slow disk")                         \
	X(wall_jump, "wall clock jump")                   \
	X(clock_rate, "change of a clock's rate")         \
	X(silent_death, "death that nobody is told")      \
	X(loss, "packet lost and sent again")             \
	X(corruption, "byte corrupted")                   \
	X(stall, "stalled connection broken")             \
	X(lost_write, "unfinished write lost")            \
	X(torn_write, "unfinished write torn")

enum fault {
#define X(field, text) FAULT_##field,
	FAULTS(X)
#undef X
		FAULT_KINDS
};
#define FAULT_INJECTED FAULT_silent_death /* those before it */

struct counters {
#define X(field, text) uint64_t field;
	COUNTERS(X)
#undef X
	uint64_t faults[FAULT_KINDS];
};

void counters_add(struct counters *sum, const struct counters *more);
uint64_t counters_faults(const struct counters *c, unsigned *kinds);
void counters_print(const struct counters *c);

#endif
