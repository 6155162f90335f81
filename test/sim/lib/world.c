/* See world.h: the phases of a run, and what is checked at its end. */
#include "sim/lib/world.h"
#include "sim/lib/check.h"
#include "sim/lib/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define FINISH_US (10 * SECOND) /* for users to finish what they hold */
#define SETTLE_US                                                  \
	(2 * SECOND) /* for members to agree, after the last probe \
		      */

void world_violation(struct world *w, const char *format, ...)
{
	va_list args;

	w->stop = true;
	if (w->violation[0])
		return;
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
	m->wall = draw_clock(w);
	m->timing = w->plan.disk;
}

static void init_name(struct world *w, unsigned number)
{
	struct lock_name *name = &w->names[number];

	list_init(&name->beliefs);
	name->limit = number % 3 == 2
			      ? (uint32_t)dice_between(&w->for_users, 1, 5)
			      : 0;
	int n = snprintf(name->text, sizeof(name->text), "lock %u", number);
	/* A name is any bytes, of any length. */
	name->len = (size_t)n +
		    random_below(&w->for_users, sizeof(name->text) - (size_t)n);
}

void world_init(struct world *w, const struct options *options)
{
	uint64_t seed = options->seed;

	*w = (struct world){ .options = *options };
	plan_draw(&w->plan, options);
	w->for_net = dice_fork(seed, FOR_NET);
	w->for_disk = dice_fork(seed, FOR_DISK);
	w->for_faults = dice_fork(seed, FOR_FAULTS);
	w->for_users = dice_fork(seed, FOR_USERS);
	w->for_clocks = dice_fork(seed, FOR_CLOCKS);
	w->agenda.now = 1;
	w->net.agenda = &w->agenda;
	w->net.random = &w->for_net;
	oracle_init(&w->oracle);
	w->oracle.session_ended = check_session_ended;
	w->oracle.ctx = w;
	for (unsigned i = 0; i < w->plan.names; i++)
		init_name(w, i);
	for (unsigned i = 0; i < w->plan.members; i++)
		init_machine(w, i);
	for (unsigned i = 0; i < w->plan.members; i++)
		for (unsigned j = 0; j < w->plan.members; j++)
			w->net.links[i][j] =
				(struct vnet_link){ false, w->plan.link_min_us,
						    w->plan.link_max_us };
}

/* Within this time after the last fault there must be progress. */
static uint64_t recovery_us(const struct world *w)
{
	return w->plan.ttl_us + w->plan.delay_max_us + SECOND +
	       10 * 2 * w->plan.election_ms * UINT64_C(1000);
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
	for (unsigned i = 0; i < w->plan.members; i++)
		for (unsigned j = 0; j < w->plan.users; j++)
			if (w->machines[i].process)
				user_hurry(&w->machines[i].process->users[j]);
}

/* After the recovery time everybody is back, and has nothing left to do. */
static void check_recovered(struct world *w)
{
	unsigned leaders = 0;

	for (unsigned i = 0; i < w->plan.members && !w->stop; i++) {
		const struct process *p = w->machines[i].process;
		if (!p || (p->session != HF_SESSION_SAFE &&
			   p->session != HF_SESSION_JEOPARDY)) {
			world_violation(w, "member %u isn't back: session %d",
					i + 1, p ? (int)p->session : -1);
			return;
		}
		leaders += node_serving(p->node);
	}
	if (leaders != 1)
		world_violation(w, "%u leaders serve", leaders);
}

static bool say_claim(void *ctx, const struct record *r)
{
	world_say(ctx,
		  "  session %llu seq %llu owner %llu state %d mode %d permits "
		  "%u token %llu deadline %llu",
		  (unsigned long long)r->request.session,
		  (unsigned long long)r->request.seq,
		  (unsigned long long)r->request.owner, (int)r->request.state,
		  (int)r->request.mode, r->request.permits,
		  (unsigned long long)r->request.token,
		  (unsigned long long)r->request.deadline);
	return true;
}

static bool say_session(void *ctx, const struct record *r)
{
	world_say(ctx, "  session %llu of member %llu until %llu",
		  (unsigned long long)r->session.id,
		  (unsigned long long)r->session.node,
		  (unsigned long long)r->session.deadline);
	return true;
}

/* What the cluster knows about a lock that is stuck. */
static void say_lock(struct world *w, const struct lock_name *name)
{
	world_say(w, "cluster time %llu, limit %u",
		  (unsigned long long)core_now(w->oracle.core), name->limit);
	core_visit_lock(w->oracle.core, name->text, name->len, say_claim, w);
	core_visit_sessions(w->oracle.core, say_session, w);
}

static void check_idle(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++)
		for (unsigned j = 0; j < w->plan.users; j++) {
			const struct user *u =
				&w->machines[i].process->users[j];
			if (u->state == USER_IDLE)
				continue;
			if (!w->stop)
				say_lock(w, &w->names[u->name]);
			world_violation(w,
					"member %u, user %u, lock %u: "
					"still in state %d",
					i + 1, j + 1, u->name, (int)u->state);
		}
}

static void probe(struct world *w)
{
	w->phase = PHASE_PROBE;
	w->probes_left = w->plan.names;
	for (unsigned i = 0; i < w->plan.names; i++) {
		struct machine *m = &w->machines[i % w->plan.members];
		user_probe(&m->process->users[i / w->plan.members], i,
			   recovery_us(w));
	}
}

void world_probed(struct world *w)
{
	w->probes_left--;
}

static void check_end(struct world *w)
{
	struct counts counts;
	const struct hold_record *at = NULL;

	if (w->probes_left)
		world_violation(w, "%u locks couldn't be taken and released",
				w->probes_left);
	for (unsigned i = 0; i < w->plan.members && !w->stop; i++) {
		const struct core *core =
			node_core(w->machines[i].process->node);
		if (core_index(core) + 10 < core_index(w->oracle.core))
			world_violation(w, "member %u lags behind", i + 1);
	}
	core_counts(w->oracle.core, &counts);
	if (counts.holds || counts.waits || counts.sessions != w->plan.members)
		world_violation(w,
				"%llu holds, %llu waits, %llu sessions are "
				"left",
				(unsigned long long)counts.holds,
				(unsigned long long)counts.waits,
				(unsigned long long)counts.sessions);
	const char *wrong =
		w->stop ? NULL : history_check(&w->history, w->plan.names, &at);
	if (wrong)
		world_violation(w, "history: lock %u, token %llu: %s", at->name,
				(unsigned long long)at->token, wrong);
}

static void count_up(struct world *w)
{
	struct counters *c = &w->counters;
	const struct oracle_counts *o = &w->oracle.counts;

	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].process)
			process_count(w->machines[i].process);
	c->granted_after_waiting = o->granted_after_waiting;
	c->duplicates = o->duplicates;
	c->expiries = o->sessions_expired;
	c->cancels_of_holds = o->cancels_of_holds;
	c->entries = o->entries;
	c->events = w->agenda.ran;
	c->virtual_ms = world_now(w) / 1000;
	c->faults[FAULT_loss] = w->net.counts.losses;
	c->faults[FAULT_corruption] = w->net.counts.corrupted;
	c->faults[FAULT_stall] = w->net.counts.broken;
	c->faults[FAULT_lost_write] = w->disk_counts.lost;
	c->faults[FAULT_torn_write] = w->disk_counts.torn;
}

void world_run(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++)
		process_boot(&w->machines[i]);
	faults_start(w);
	run_until(w, w->plan.chaos_us);
	if (!w->stop)
		heal(w);
	run_until(w, world_now(w) + recovery_us(w));
	if (!w->stop)
		check_recovered(w);
	run_until(w, world_now(w) + FINISH_US);
	if (!w->stop)
		check_idle(w);
	if (!w->stop)
		probe(w);
	run_until(w, world_now(w) + recovery_us(w) + SETTLE_US);
	if (!w->stop)
		check_end(w);
	w->phase = PHASE_OVER;
	count_up(w);
}
