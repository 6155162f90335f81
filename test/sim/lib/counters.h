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
	X(several, "grants of several locks")              \
	X(handed_over, "holds handed over")                \
	X(no_candidate, "hand-overs refused")              \
	X(left, "barriers left by all")                    \
	X(barriers, "parties that a barrier let in")       \
	X(conversions, "conversions asked for")            \
	X(conversions_refused, "of these refused")         \
	X(upgrades, "upgrades")                            \
	X(downgrades, "downgrades")                        \
	X(overtaken, "errands overtaken by a release")     \
	X(renewed, "leases of holds renewed")              \
	X(shown, "holds that show something else")         \
	X(deadlocks, "deadlocks told")                     \
	X(deadlocks_later, "of waits that had begun")      \
	X(deadlocks_of_limits, "of limits")                \
	X(line_too_long, "lines found too long")           \
	X(permits_differ, "limits that differ")            \
	X(revocations, "revocations")                      \
	X(revocations_told, "revocations told")            \
	X(notes, "revocations noted")                      \
	X(revoked, "holds lost to revocations")            \
	X(expired, "holds lost to their own time")         \
	X(holds_expired, "holds that expired")             \
	X(asks, "asks")                                    \
	X(asks_unknown, "of these of unknown outcome")     \
	X(puts, "values put")                              \
	X(deletes, "values deleted")                       \
	X(versions_won, "writes of the version expected")  \
	X(versions_lost, "of another version")             \
	X(guarded_writes, "writes with a guard")           \
	X(guards_lost, "refused by their guard")           \
	X(adds, "additions")                               \
	X(dropped, "values gone with their session")       \
	X(awaited, "waits for values that came true")      \
	X(reads, "values read")                            \
	X(limits_set, "limits of semaphores set")          \
	X(repeated, "writes answered from the window")     \
	X(watches, "watches")                              \
	X(changes, "changes told")                         \
	X(changes_now, "of these what was at first")       \
	X(resumed, "watches that were resumed")            \
	X(gaps, "gaps told")                               \
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
	X(several, 4500)                 \
	X(handed_over, 2200)             \
	X(no_candidate, 3500)            \
	X(left, 10000)                   \
	X(barriers, 22000)               \
	X(conversions_refused, 9000)     \
	X(upgrades, 10000)               \
	X(downgrades, 13000)             \
	X(overtaken, 7000)               \
	X(renewed, 12000)                \
	X(shown, 6500)                   \
	X(deadlocks, 100000)             \
	X(deadlocks_later, 1400)         \
	X(deadlocks_of_limits, 150)      \
	X(line_too_long, 20000)          \
	X(permits_differ, 50000)         \
	X(revocations, 18000)            \
	X(revocations_told, 14000)       \
	X(notes, 13000)                  \
	X(revoked, 7500)                 \
	X(expired, 3000)                 \
	X(holds_expired, 4000)           \
	X(asks_unknown, 12000)           \
	X(puts, 80000)                   \
	X(deletes, 25000)                \
	X(versions_won, 30000)           \
	X(versions_lost, 43000)          \
	X(guarded_writes, 10000)         \
	X(guards_lost, 40000)            \
	X(adds, 70000)                   \
	X(dropped, 600)                  \
	X(awaited, 19000)                \
	X(reads, 40000)                  \
	X(limits_set, 9000)              \
	X(repeated, 11000)               \
	X(watches, 16000)                \
	X(changes, 900000)               \
	X(changes_now, 10000)            \
	X(resumed, 7000)                 \
	X(gaps, 12000)                   \
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
