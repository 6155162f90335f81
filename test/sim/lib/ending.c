/* See ending.h. */
#include "sim/lib/ending.h"
#include "sim/lib/check.h"
#include "sim/lib/operator.h"
#include "sim/lib/process.h"
#include "sim/lib/sum.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)
#define LAG_MAX 10 /* entries that a member may not have heard of yet */
/* By so much cluster time may lag behind the true one without a fault. */
#define TIME_LAG_US (1200 * MS)

static bool works(const struct machine *m)
{
	return !m->out && m->process && !m->process->closing &&
	       !m->process->failed;
}

static void probe_later(struct world *w, uint64_t name);

/* A lock is asked for on any machine; who is closing is given up first. */
static void probe(void *ctx, uint64_t name)
{
	struct world *w = ctx;
	unsigned tries = operator_restored(w) ? w->plan.members : 0;

	for (unsigned i = 0; i < tries; i++) {
		struct machine *m = &w->machines[(name + i) % w->plan.members];
		if (!works(m))
			continue;
		user_probe(&m->process->users[USERS_MAX + name],
			   (unsigned)name);
		return;
	}
	probe_later(w, name);
}

static void probe_later(struct world *w, uint64_t name)
{
	agenda_add(&w->agenda, world_now(w) + 10 * MS, NULL, probe, w, name);
}

static void hurry(struct process *p)
{
	for (unsigned i = 0; i < p->world->plan.users; i++)
		user_hurry(&p->users[i]);
	for (unsigned i = 0; i < p->world->plan.watchmen; i++)
		watchman_hurry(&p->watchmen[i]);
}

void ending_begin(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].process)
			hurry(w->machines[i].process);
	operator_restore(w);
	for (unsigned i = 0; i < w->plan.names; i++) {
		if (w->names[i].kind == NAME_BARRIER)
			continue;
		w->probes_waiting = ++w->probes_left;
		probe_later(w, i);
	}
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

/* Everybody is back, and each lock has been had. */
void ending_recovered(struct world *w)
{
	unsigned leaders = 0;

	for (unsigned i = 0; i < w->plan.members; i++) {
		const struct process *p = w->machines[i].process;
		if (w->machines[i].out)
			continue;
		if (!p || (p->session != HF_SESSION_SAFE &&
			   p->session != HF_SESSION_JEOPARDY)) {
			world_violation(w, "progress",
					"member %u isn't back: session %d",
					i + 1, p ? (int)p->session : -1);
			return;
		}
		leaders += node_serving(p->node);
	}
	struct wrong tangle = oracle_tangle(&w->oracle);
	if (tangle.checker)
		world_violation(w, tangle.checker, "%s", tangle.what);
	else if (leaders != 1)
		world_violation(w, "progress", "%u leaders serve", leaders);
	else if (w->probes_waiting)
		world_violation(w, "progress", "%u locks can't be taken",
				w->probes_waiting);
	w->recovered_at = world_now(w);
	w->cluster_then = core_now(w->oracle.core);
}

/* The first that isn't, or NULL. */
static const struct user *busy(const struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		const struct process *p = w->machines[i].process;
		for (unsigned j = 0; p && j < PROCESS_USERS; j++)
			if (p->users[j].state != USER_IDLE)
				return &p->users[j];
	}
	return NULL;
}

static bool clerks_busy(const struct world *w)
{
	bool some = false;

	for (unsigned i = 0; i < w->plan.members; i++) {
		const struct process *p = w->machines[i].process;
		for (unsigned j = 0; p && j < w->plan.clerks; j++)
			some |= clerk_busy(&p->clerks[j]);
	}
	return some;
}

bool ending_idle(const struct world *w)
{
	return !busy(w) && !clerks_busy(w);
}

void ending_check_idle(struct world *w)
{
	const struct user *u = busy(w);

	if (!u && clerks_busy(w))
		world_violation(w, "callback", "a clerk still waits");
	if (!u)
		return;
	say_lock(w, &w->names[u->wish.name]);
	world_violation(w, "callback",
			"member %u, user %llu, lock %u: still in state %d",
			u->process->machine->number + 1,
			(unsigned long long)u->number, u->wish.name,
			(int)u->state);
}

/* The first that lags, or the number of members. */
static unsigned laggard(const struct world *w)
{
	unsigned i = 0;

	for (; i < w->plan.members; i++) {
		const struct process *p = w->machines[i].process;
		if (w->machines[i].out || !p)
			continue;
		if (core_index(node_core(p->node)) + LAG_MAX <
		    core_index(w->oracle.core))
			break;
	}
	return i;
}

bool ending_caught_up(const struct world *w)
{
	return laggard(w) == w->plan.members;
}

static void check_members(struct world *w)
{
	if (!ending_caught_up(w))
		world_violation(w, "progress", "member %u lags behind",
				laggard(w) + 1);
}

static void check_nothing_left(struct world *w)
{
	struct counts counts;
	unsigned members = 0;

	for (unsigned i = 0; i < w->plan.members; i++)
		members += !w->machines[i].out;
	core_counts(w->oracle.core, &counts);
	if (counts.holds || counts.waits || counts.sessions != members)
		world_violation(w, "leak",
				"%llu holds, %llu waits, %llu sessions are "
				"left",
				(unsigned long long)counts.holds,
				(unsigned long long)counts.waits,
				(unsigned long long)counts.sessions);
	if (w->probes_left)
		world_violation(w, "progress",
				"%u locks couldn't be taken and released",
				w->probes_left);
}

/* Sessions live, so the leader keeps cluster time going; never faster than the
 * true one. */
static void check_time(struct world *w)
{
	uint64_t passed = world_now(w) - w->recovered_at;
	uint64_t cluster = core_now(w->oracle.core) - w->cluster_then;

	uint64_t all = core_now(w->oracle.core) - w->oracle.first_stamp;

	if (w->plan.beyond_bound)
		return;
	if (all >
	    world_now(w) / 1000000 * (1000000 + w->plan.drift_ppm) + SECOND)
		world_violation(w, "time",
				"cluster time advanced by %llu us in a run of "
				"%llu",
				(unsigned long long)all,
				(unsigned long long)world_now(w));
	if (cluster + TIME_LAG_US < passed / 10 * 9)
		world_violation(w, "time",
				"cluster time advanced by %llu us in %llu",
				(unsigned long long)cluster,
				(unsigned long long)passed);
}

static void check_watches(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct process *p = w->machines[i].process;
		for (unsigned j = 0; p && j < w->plan.watchmen; j++)
			watchman_check(&p->watchmen[j]);
	}
}

void ending_check(struct world *w)
{
	sum_check_all(w);
	check_watches(w);
	check_members(w);
	check_nothing_left(w);
	check_time(w);
	if (!w->stop)
		check_histories(w);
}
