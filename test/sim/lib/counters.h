/* What a run has seen, so that one can tell a test from an idle wait. */
#ifndef HF_SIM_COUNTERS_H
#define HF_SIM_COUNTERS_H

#include <stdbool.h>
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
	X(beside, "grants beside another hold")            \
	X(cancels_late, "cancels of what was told held")   \
	X(refusals_kept, "refusals found kept")            \
	X(waits_ended, "waits ended by their deadline")    \
	X(writes_hung, "writes while the loop hangs")      \
	X(windows, "windows of histories searched")        \
	X(duplicates, "answers from the window")           \
	X(sessions_ended, "sessions that ended")           \
	X(expiries, "of these by their deadline")          \
	X(slow_catch_ups, "members that lag for long")     \
	X(limits, "changes of limits")                     \
	X(refused_limit, "acquires refused by a limit")    \
	X(delays, "holds whose loss barred the lock")      \
	X(three_leaders, "runs of three leaders")          \
	X(short_reigns, "leaders for less than a TTL")     \
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

/* X(field, least number in a thousand seeds): below it a run was too idle to
 * say anything. About a quarter of what is usual. */
#define MINIMA(X)                        \
	X(operations, 5000000)           \
	X(granted_after_waiting, 200000) \
	X(refused, 200000)               \
	X(timed_out, 500000)             \
	X(canceled, 200000)              \
	X(cancels_of_holds, 30000)       \
	X(cancels_late, 15000)           \
	X(no_leader, 200000)             \
	X(releases_unknown, 10000)       \
	X(validated, 50000)              \
	X(lost, 2500)                    \
	X(beside, 30000)                 \
	X(refusals_kept, 500000)         \
	X(waits_ended, 800)              \
	X(writes_hung, 5000)             \
	X(windows, 30000)                \
	X(duplicates, 50000)             \
	X(expiries, 2500)                \
	X(delays, 2000)                  \
	X(limits, 100)                   \
	X(refused_limit, 10000)          \
	X(three_leaders, 500)            \
	X(short_reigns, 2500)            \
	X(to_unsure, 5000)               \
	X(unsure_to_safe, 3000)          \
	X(writes_certain, 80000)         \
	X(stale_writes, 7000)            \
	X(elections, 5000)               \
	X(snapshots_taken, 80000)        \
	X(snapshots_installed, 1500)     \
	X(guarded, 50000)
/* Of each kind of fault. */
#define FAULT_MINIMUM 20

/* X(field, what is printed). The first are injected, each at its own rate; the
 * others happen as the disk and the network are. */
#define FAULTS(X)                                         \
	X(crash, "crash")                                 \
	X(crash_in_step, "crash in the middle of a step") \
	X(crash_all, "crash of all")                      \
	X(restart, "orderly restart")                     \
	X(lag, "member left far behind")                  \
	X(pause, "pause")                                 \
	X(pause_long, "pause of many leases")             \
	X(pause_all, "pause of all")                      \
	X(suspend, "machine suspended")                   \
	X(slow_node, "slow node")                         \
	X(cut_pair, "link cut")                           \
	X(cut_one_way, "link cut one way")                \
	X(isolate, "member cut off")                      \
	X(split, "network in two parts")                  \
	X(bridge, "network in two parts with a bridge")   \
	X(ring, "network a ring")                         \
	X(rivals, "candidates on both sides of a bridge") \
	X(clog, "link clogged, then flooded")             \
	X(reset, "connections reset")                     \
	X(slow_link, "slow link")                         \
	X(slow_disk, "slow disk")                         \
	X(wall_jump, "wall clock jump")                   \
	X(clock_rate, "change of a clock's rate")         \
	X(transfer, "leadership handed over")             \
	X(three_leaders, "three leaders in a row ousted") \
	X(short_reign, "leader ousted as soon as it was") \
	X(silent_death, "death that nobody is told")      \
	X(hang, "loop that hangs while users go on")      \
	X(loss, "packet lost and sent again")             \
	X(corruption, "byte corrupted")                   \
	X(twice, "message delivered twice")               \
	X(overtaken, "message overtaken")                 \
	X(late, "message of an earlier connection")       \
	X(old_open, "open of an earlier boot")            \
	X(stale, "snapshot of an earlier term")           \
	X(crash_at_vote, "crash between term and vote")   \
	X(rift, "later entries in a lower term")          \
	X(clock_beyond, "clock beyond the drift bound")   \
	X(stall, "stalled connection broken")             \
	X(lost_write, "unfinished write lost")            \
	X(torn_write, "unfinished write torn")            \
	X(write_error, "write that failed")               \
	X(full_disk, "write that found the disk full")    \
	X(read_error, "snapshot that couldn't be read")   \
	X(damage, "damaged disk refused")                 \
	X(no_memory, "allocation that failed")

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
/* Say of what there was too little in a run of so many seeds; false: of
 * nothing. */
bool counters_short(const struct counters *c, uint64_t seeds);
/* The same of kinds of faults. */
bool counters_short_of_faults(const struct counters *c, uint64_t seeds);
void counters_print(const struct counters *c);

#endif
