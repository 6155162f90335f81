/* Disks that are full, fail, are slow, or can only be read. The member ends its
 * part when it notices, and is started again until it can open. */
#include "disks.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define NOTICE_MS 2000

static bool still_runs(struct world *w, unsigned victim, uint32_t boot)
{
	return crew_runs(&w->crew, victim) &&
	       w->shared->members[victim].boot == boot;
}

static void restart(struct world *w, unsigned victim)
{
	crew_kill(&w->crew, victim);
	crew_start(&w->crew, victim);
}

/* If it hasn't noticed by then, it is killed and started again: what it
 * couldn't write is then missing. */
static void await_failure(struct world *w, unsigned victim, uint32_t boot,
			  int notice_ms)
{
	for (int ms = 0; ms < notice_ms && still_runs(w, victim, boot);
	     ms += 50)
		world_nap(w, 50000);
	world_say(w, "the member %s",
		  still_runs(w, victim, boot) ? "goes on, is killed"
					      : "has ended");
	if (still_runs(w, victim, boot))
		restart(w, victim);
}

/* An election makes the members write their vote. */
static void provoke_election(struct world *w)
{
	int leader = crew_leader(&w->crew);

	if (leader < 0)
		return;
	crew_stop(&w->crew, (unsigned)leader);
	world_nap(w, 3 * ELECTION_MS * 1000);
	crew_continue(&w->crew, (unsigned)leader);
}

/* A full disk shows when the member must write something new: a snapshot, a
 * segment of the log, or a vote; and when it starts. */
static void fill(struct world *w, unsigned victim)
{
	uint32_t boot = w->shared->members[victim].boot;

	if (!disk_fill(victim))
		return;
	w->done[FAULT_FULL]++;
	world_nap_ms(w, 100, 1000);
	if (still_runs(w, victim, boot))
		provoke_election(w);
	await_failure(w, victim, boot, NOTICE_MS);
	world_nap_ms(w, 200, 1000);
	disk_free(victim);
}

static void read_only(struct world *w, unsigned victim)
{
	crew_kill(&w->crew, victim);
	if (disk_read_only(victim, true))
		w->done[FAULT_READ_ONLY]++;
	crew_start(&w->crew, victim);
	world_nap_ms(w, 300, 1500);
	disk_read_only(victim, false);
}

static void fail_calls(struct world *w, unsigned victim)
{
	static const char *const names[] = { "io_submit", "io_getevents",
					     "fsync", "write" };
	struct disk_orders *d = &w->shared->members[victim].disk;
	_Atomic(uint32_t) *orders[] = { &d->fail_submit, &d->fail_written,
					&d->fail_sync, &d->fail_write };
	uint32_t boot = w->shared->members[victim].boot, before = d->failed;
	size_t which = random_below(&w->random, 4);

	d->number = random_below(&w->random, 3) ? EIO : ENOSPC;
	*orders[which] = 1 + (uint32_t)random_below(&w->random, 3);
	world_say(w, "the next %s: %s", names[which], strerror(d->number));
	world_nap_ms(w, 100, 500);
	if (d->failed == before)
		provoke_election(w);
	await_failure(w, victim, boot, NOTICE_MS);
	*orders[which] = 0;
	w->done[FAULT_IO_ERROR] += d->failed - before;
}

static void slow_down(struct world *w, unsigned victim)
{
	struct disk_orders *d = &w->shared->members[victim].disk;

	uint32_t before = d->slowed;

	d->slow_ms = 10 + (uint32_t)random_below(&w->random, 200);
	d->slow_calls = 5 + (uint32_t)random_below(&w->random, 20);
	world_nap_ms(w, 500, 2000);
	d->slow_calls = 0;
	w->done[FAULT_SLOW_DISK] += d->slowed - before;
}

void act_disk(struct world *w, enum fault fault)
{
	unsigned victim = world_victim(w);

	world_say(w, "member %u, leader %d", victim + 1,
		  crew_leader(&w->crew) + 1);
	if (fault == FAULT_SLOW_DISK) {
		slow_down(w, victim);
		return;
	}
	/* From now on: it may notice late. */
	w->crew.processes[victim].disk_is_bad = true;
	if (fault == FAULT_FULL)
		fill(w, victim);
	else if (fault == FAULT_READ_ONLY)
		read_only(w, victim);
	else
		fail_calls(w, victim);
}
