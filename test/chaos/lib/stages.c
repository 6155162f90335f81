#include "stages.h"

#include "disks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define STEP_US 5000
#define CALM_MS 800 /* at most, between two acts */
#define DRAIN_MS 15000
#define END_MS 5000
/* Faults may go on for so long, until what they are there for has come. */
#define STRETCH_MS 90000

void world_say(const struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->verbose)
		return;
	va_start(args, format);
	printf("    %7.3f  ", (double)(now_us() - w->began_at) / 1e6);
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void world_nap(struct world *w, uint64_t us)
{
	uint64_t end = now_us() + us;

	while (!*w->interrupted) {
		crew_supervise(&w->crew);
		beside(w);
		uint64_t now = now_us();
		if (now >= end)
			return;
		nap_us(end - now < STEP_US ? end - now : STEP_US);
	}
}

unsigned world_victim(struct world *w)
{
	int leader = crew_leader(&w->crew);

	if (leader >= 0 && random_below(&w->random, 2))
		return (unsigned)leader;
	return (unsigned)random_below(&w->random, w->mix->members);
}

uint32_t world_victims(struct world *w, unsigned size)
{
	unsigned first = world_victim(w);
	uint32_t set = 0;

	for (unsigned i = 0; i < size; i++)
		set |= UINT32_C(1) << (first + i) % w->mix->members;
	return set;
}

uint64_t world_operations(const struct world *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->mix->members; i++)
		sum += w->shared->members[i].grants +
		       w->shared->members[i].releases;
	return sum;
}

uint64_t world_elections(const struct world *w)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < w->mix->members; i++)
		if (w->shared->members[i].elections > most)
			most = w->shared->members[i].elections;
	return most;
}

/* Interrupted, or something is wrong already: what follows from it isn't worth
 * saying. */
static bool given_up(const struct world *w)
{
	return *w->interrupted || w->shared->violations > 0;
}

/* Nothing happens beside: the faults haven't begun, or have ended. */
static bool await(struct world *w, bool (*come)(struct world *w), uint64_t ms)
{
	uint64_t end = now_us() + ms * 1000;

	while (!come(w)) {
		if (given_up(w) || now_us() > end)
			return false;
		crew_supervise(&w->crew);
		nap_us(STEP_US);
	}
	return true;
}

static void order(struct world *w, enum command command)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		w->shared->members[i].command = (int)command;
}

static bool all_grant(struct world *w)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (!crew_runs(&w->crew, i) ||
		    w->shared->members[i].grants <= w->grants_before[i])
			return false;
	return true;
}

static bool all_locks_pass(struct world *w)
{
	for (unsigned i = 0; i < NAMES_CONTENDED; i++)
		if (w->shared->newest_grant[i] < w->healed_at)
			return false;
	return true;
}

static bool recovered(struct world *w)
{
	return all_grant(w) && all_locks_pass(w);
}

bool stage_begin(struct world *w)
{
	w->began_at = now_us();
	for (unsigned i = 0; i < w->mix->members; i++)
		if (!crew_start(&w->crew, i))
			return false;
	if (await(w, all_grant, RECOVERY_MS))
		return true;
	if (!given_up(w))
		violation(w->shared, "the cluster doesn't start");
	return false;
}

static void act(struct world *w, enum fault fault)
{
	char applied[MEMBERS_MAX * 24];
	size_t len = 0;

	for (unsigned i = 0; i < w->mix->members; i++)
		len += (size_t)snprintf(
			applied + len, sizeof(applied) - len, " %" PRIu64,
			(uint64_t)w->shared->members[i].shown_applied);
	world_say(w, "%s; applied%s", fault_texts[fault], applied);
	if (fault <= FAULT_ONE_WAY)
		act_network(w, fault);
	else if (fault <= FAULT_PAUSE_LONG)
		act_process(w, fault);
	else
		act_disk(w, fault);
}

/* Has everything come that the mix is there for? */
static bool achieved(const struct world *w, uint64_t operations)
{
	const struct mix *mix = w->mix;

	for (unsigned i = 0; i < FAULT_ACTS; i++)
		if (world_has(w, i) && w->done[i] == 0)
			return false;
	if (mix->disk_failures && (!w->crew.failures || !w->crew.refusals))
		return false;
	return world_operations(w) >= operations &&
	       (!mix->elections || world_elections(w) > 1) &&
	       (!mix->stale_writes || w->resource.stale > 0);
}

static bool go_on(const struct world *w, uint64_t begin, uint64_t end,
		  uint64_t operations)
{
	uint64_t now = now_us();

	if (given_up(w))
		return false;
	return now < end ||
	       (!achieved(w, operations) && now < begin + STRETCH_MS * 1000);
}

bool stage_faults(struct world *w, uint64_t end, uint64_t operations)
{
	uint64_t begin = now_us();

	for (unsigned fault = 0; go_on(w, begin, end, operations);
	     fault = (fault + 1) % FAULT_ACTS) {
		if (world_has(w, fault)) {
			act(w, fault);
			world_nap_ms(w, 100, CALM_MS);
		} else if (fault == 0) {
			world_nap_ms(w, 100, CALM_MS);
		}
	}
	return !given_up(w);
}

static void end_faults(struct world *w)
{
	wire_heal(w->wire);
	for (unsigned i = 0; i < w->mix->members; i++) {
		struct disk_orders *d = &w->shared->members[i].disk;
		d->fail_submit = d->fail_written = d->fail_sync = 0;
		d->fail_write = d->slow_calls = 0;
		disk_free(i);
		crew_continue(&w->crew, i);
		w->crew.processes[i].start_at = 0;
		w->grants_before[i] = w->shared->members[i].grants;
	}
	w->healed_at = now_us();
}

static void say_members(const struct world *w)
{
	for (unsigned i = 0; i < w->mix->members; i++) {
		struct member_memory *m = &w->shared->members[i];
		fprintf(stderr,
			"chaos: member %u: phase %d, leader %" PRIu64
			", term %" PRIu64 "; applied %" PRIu64 ", %" PRIu64
			" holds, %" PRIu64 " waits\n",
			i + 1, m->phase, (uint64_t)m->leader, (uint64_t)m->term,
			(uint64_t)m->shown_applied, (uint64_t)m->shown_holds,
			(uint64_t)m->shown_waits);
	}
}

static void blame(struct world *w)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (!crew_runs(&w->crew, i) ||
		    w->shared->members[i].grants <= w->grants_before[i])
			violation(w->shared,
				  "member %u grants nothing %d ms after the "
				  "faults",
				  i + 1, RECOVERY_MS);
	for (unsigned i = 0; i < NAMES_CONTENDED; i++)
		if (w->shared->newest_grant[i] < w->healed_at)
			violation(w->shared,
				  "lock %u isn't granted %d ms after the "
				  "faults",
				  i, RECOVERY_MS);
	say_members(w);
}

bool stage_recover(struct world *w)
{
	world_say(w, "the faults end");
	end_faults(w);
	order(w, HASTEN);
	if (await(w, recovered, RECOVERY_MS)) {
		w->recovered_us = now_us() - w->healed_at;
		return true;
	}
	if (!given_up(w))
		blame(w);
	return false;
}

static bool in_phase(struct world *w, enum phase phase)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (w->shared->members[i].phase != (int)phase)
			return false;
	return true;
}

static bool drained(struct world *w)
{
	return in_phase(w, PHASE_DRAINED);
}

static bool empty(struct world *w)
{
	return in_phase(w, PHASE_EMPTY);
}

static bool gone(struct world *w)
{
	for (unsigned i = 0; i < w->mix->members; i++)
		if (w->crew.processes[i].pid != 0)
			return false;
	return true;
}

static bool reach(struct world *w, enum command command,
		  bool (*come)(struct world *w), uint64_t ms, const char *what)
{
	order(w, command);
	world_say(w, "next: %s", what);
	if (await(w, come, ms))
		return true;
	if (given_up(w))
		return false;
	say_members(w);
	violation(w->shared, "it wasn't so within %u ms that %s", (unsigned)ms,
		  what);
	return false;
}

bool stage_rest(struct world *w)
{
	return reach(w, DRAIN, drained, DRAIN_MS,
		     "all requests are answered") &&
	       reach(w, CHECK, empty, RECOVERY_MS,
		     "no member shows a hold or a wait") &&
	       reach(w, QUIT, gone, END_MS, "all members end");
}
