/* See world.h: the phases of a run, and what is checked at its end. */
#include "sim/lib/world.h"
#include "repl/limits.h"
#include "sim/lib/check.h"
#include "sim/lib/ending.h"
#include "sim/lib/fault.h"
#include "sim/lib/operator.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define FINISH_US (10 * SECOND) /* for users to finish what they hold */
#define LOOK_US (SECOND / 10)
#define SETTLE_US (4 * SECOND) /* for members to agree, after that */
/* A leader whose follower lost the snapshot that it was sent sends another when
 * this has passed: where it has a newer one by then, libraft doesn't understand
 * the follower's refusals, which name that one. It may be lost again. */
#define LOST_SNAPSHOT_US (3 * INSTALL_MS * UINT64_C(1000))

void world_violation(struct world *w, const char *checker, const char *format,
		     ...)
{
	va_list args;

	w->stop = true;
	if (w->violation[0])
		return;
	w->checker = checker;
	int n = snprintf(w->violation, sizeof(w->violation),
			 "at %.6f s: ", (double)world_now(w) / 1e6);
	va_start(args, format);
	vsnprintf(w->violation + n, sizeof(w->violation) - (size_t)n, format,
		  args);
	va_end(args);
}

void world_say(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->options.verbose)
		return;
	printf("%12.6f ", (double)world_now(w) / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

static struct vclock draw_clock(struct world *w)
{
	uint64_t bound = w->plan.drift_ppm;
	const int64_t rates[] = { -(int64_t)bound, 0, (int64_t)bound,
				  (int64_t)random_below(&w->for_clocks,
							bound + 1) };

	uint64_t origin = random_below(&w->for_clocks, UINT64_C(1) << 40);

	if (w->plan.edge_clocks)
		return (struct vclock){
			0, origin, rates[random_below(&w->for_clocks, 2) * 2]
		};
	return (struct vclock){ 0, origin, DICE_PICK(&w->for_clocks, rates) };
}

static void init_machine(struct world *w, unsigned number)
{
	struct machine *m = &w->machines[number];

	m->world = w;
	m->number = number;
	snprintf(m->address, sizeof(m->address), "machine-%u", number + 1);
	m->monotonic = draw_clock(w);
	m->raw = draw_clock(w);
	/* Both at the bound, and neighbours apart: only then is all of it
	 * needed. */
	if (w->plan.edge_clocks && (m->monotonic.ppm < 0) != number % 2)
		m->monotonic.ppm = -m->monotonic.ppm;
	if (w->plan.edge_clocks || random_below(&w->for_clocks, 2))
		m->raw.ppm = m->monotonic.ppm;
	m->wall = draw_clock(w);
	m->timing = w->plan.disk;
	vmem_init(&m->memory);
}

static void init_name(struct world *w, unsigned number)
{
	struct lock_name *name = &w->names[number];

	list_init(&name->beliefs);
	if (number % 3 == 2) {
		name->kind = NAME_SEMAPHORE;
		name->moves = number % 2;
		name->limit = (uint32_t)dice_between(&w->for_users, 1, 5);
	} else if (number % 8 == 4) {
		name->kind = NAME_BARRIER;
		name->limit = (uint32_t)dice_between(&w->for_users, 1, 3);
	}
	int n = snprintf(name->text, sizeof(name->text), "lock %u", number);
	/* A name is any bytes, of any length. */
	name->len = (size_t)n +
		    random_below(&w->for_users, sizeof(name->text) - (size_t)n);
}

/* In two families, so that a prefix says little or much. */
static void init_value(struct world *w, unsigned number)
{
	struct value_name *value = &w->values[number];
	int n = snprintf(value->text, sizeof(value->text), "%s %u",
			 number % 2 ? "count" : "value", number);

	value->len = (size_t)n;
	value->counter = number % 2;
	value->sums = number % 4 == 1;
	w->value_names[number] = (struct line_name){ value->text, value->len };
}

void world_init(struct world *w, const struct options *options)
{
	uint64_t seed = options->seed;

	*w = (struct world){ .options = *options };
	plan_draw(&w->plan, options);
	w->for_net = dice_fork(seed, FOR_NET);
	w->for_disk = dice_fork(seed, FOR_DISK);
	w->for_faults = dice_fork(seed, FOR_FAULTS);
	w->for_trouble = dice_fork(seed + 1, FOR_TROUBLE);
	w->for_users = dice_fork(seed, FOR_USERS);
	w->for_limits = dice_fork(seed + 1, FOR_LIMITS);
	w->for_clocks = dice_fork(seed, FOR_CLOCKS);
	w->for_messages = dice_fork(seed, FOR_MESSAGES);
	w->for_clerks = dice_fork(seed, FOR_CLERKS);
	w->agenda.now = 1;
	w->net.agenda = &w->agenda;
	w->net.random = &w->for_net;
	w->net.for_messages = &w->for_messages;
	list_init(&w->net.held);
	oracle_init(&w->oracle);
	w->oracle.session_ended = check_session_ended;
	w->oracle.hold_ended = check_hold_ended;
	w->oracle.granted = check_granted;
	w->oracle.ctx = w;
	for (unsigned i = 0; i < w->plan.names; i++) {
		init_name(w, i);
		w->oracle.names[i] =
			(struct line_name){ w->names[i].text, w->names[i].len };
	}
	for (unsigned i = 0; i < w->plan.values; i++)
		init_value(w, i);
	w->oracle.ledger.names = w->value_names;
	w->oracle.ledger.names_len = w->plan.values;
	w->oracle.names_len = w->plan.names;
	for (unsigned i = 0; i < w->plan.members; i++)
		init_machine(w, i);
	for (unsigned i = 0; i < w->plan.members; i++)
		for (unsigned j = 0; j < w->plan.members; j++)
			w->net.links[i][j] = (struct vnet_link){
				.delay_min = w->plan.link_min_us,
				.delay_max = w->plan.link_max_us
			};
}

static void run_until(struct world *w, uint64_t at)
{
	while (!w->stop && agenda_step(&w->agenda, at))
		;
	if (!w->stop)
		w->agenda.now = at;
}

static void heal(struct world *w)
{
	w->phase = PHASE_HEAL;
	world_say(w, "no more faults");
	faults_stop(w);
	ending_begin(w);
}

void world_probed(struct world *w)
{
	w->probes_left--;
}

static void count_up(struct world *w)
{
	struct counters *c = &w->counters;
	const struct oracle_counts *o = &w->oracle.counts;

	for (unsigned i = 0; i < w->plan.members; i++) {
		c->faults[FAULT_no_memory] += w->machines[i].memory.failures;
		if (w->machines[i].process)
			process_count(w->machines[i].process);
	}
	c->granted_after_waiting = o->granted_after_waiting;
	c->duplicates = o->duplicates;
	c->expiries = o->sessions_expired;
	c->cancels_of_holds = o->cancels_of_holds;
	c->waits_ended = o->waits_ended;
	c->delays = w->oracle.rules.delays;
	c->barriers = o->barriers;
	c->deadlocks_later = o->deadlocks_later;
	c->deadlocks_of_limits = o->deadlocks_of_limits;
	c->revocations = w->oracle.terms.revocations;
	c->notes = w->oracle.terms.notes;
	c->holds_expired = w->oracle.terms.expired;
	c->guarded_writes = w->oracle.ledger.guarded;
	c->guards_lost = w->oracle.ledger.guard_refused;
	c->versions_won = w->oracle.ledger.won;
	c->versions_lost = w->oracle.ledger.versions_refused;
	c->dropped = w->oracle.ledger.dropped;
	c->awaited = w->oracle.ledger.awaited;
	c->repeated = w->oracle.ledger.repeated;
	c->sessions_ended = o->sessions_ended;
	c->entries = o->entries;
	c->events = w->agenda.ran;
	c->virtual_ms = world_now(w) / 1000;
	c->faults[FAULT_loss] = w->net.counts.losses;
	c->faults[FAULT_corruption] = w->net.counts.corrupted;
	c->faults[FAULT_stall] = w->net.counts.broken;
	c->faults[FAULT_twice] = w->net.counts.twice;
	c->faults[FAULT_overtaken] = w->net.counts.overtaken;
	c->faults[FAULT_late] = w->net.counts.late;
	c->faults[FAULT_old_open] = w->net.counts.old_opens;
	c->faults[FAULT_stale] = w->net.counts.stale;
	c->faults[FAULT_lost_write] = w->disk_counts.lost;
	c->faults[FAULT_torn_write] = w->disk_counts.torn;
	c->faults[FAULT_write_error] = w->disk_counts.write_errors;
	c->faults[FAULT_full_disk] = w->disk_counts.full;
	c->faults[FAULT_read_error] = w->disk_counts.read_errors;
}

/* Members that must have caught up get until then. */
static void wait_for_laggards(struct world *w)
{
	uint64_t until = w->plan.chaos_us + LOST_SNAPSHOT_US +
			 plan_recovery_us(&w->plan);

	w->counters.slow_catch_ups += !w->stop && !ending_caught_up(w);
	while (!w->stop && world_now(w) < until && !ending_caught_up(w))
		run_until(w, world_now(w) + LOOK_US);
}

void world_run(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++)
		process_boot(&w->machines[i]);
	faults_start(w);
	operator_start(w);
	run_until(w, w->plan.chaos_us);
	if (!w->stop)
		heal(w);
	run_until(w, world_now(w) + plan_recovery_us(&w->plan));
	if (!w->stop)
		ending_recovered(w);
	for (uint64_t us = 0; us < FINISH_US && !ending_idle(w); us += LOOK_US)
		run_until(w, world_now(w) + LOOK_US);
	if (!w->stop)
		ending_check_idle(w);
	run_until(w, world_now(w) + SETTLE_US);
	wait_for_laggards(w);
	if (!w->stop)
		ending_check(w);
	w->phase = PHASE_OVER;
	count_up(w);
}
