/* See answer.h. */
#include "sim/lib/answer.h"
#include "sim/lib/process.h"

#include <stdlib.h>

#define MS UINT64_C(1000)
/* How much later than its deadline a request may end on a process that runs. */
#define LATE_US (20 * MS)

static struct world *world_of(const struct user *u)
{
	return u->process->world;
}

void answer_wrong(struct user *u, const char *checker, const char *what, int rc)
{
	world_violation(world_of(u), checker,
			"member %u, user %llu, lock %u: %s (%d)",
			u->process->machine->number + 1,
			(unsigned long long)u->number, u->wish.name, what, rc);
}

struct ticket *ticket_new(struct user *u, enum user_state state)
{
	struct ticket *t = malloc(sizeof(*t));

	if (!t)
		abort();
	*t = (struct ticket){ u, state, false };
	u->state = state;
	return t;
}

bool ticket_take(struct ticket *t, int rc)
{
	struct user *u = t->user;

	if (u->process->zombie)
		return false;
	if (t->over || u->state != t->state)
		answer_wrong(u, "callback", "a callback that isn't due", rc);
	t->over = true;
	world_of(u)->counters.operations++;
	return true;
}

void answer_granted(struct user *u)
{
	struct world *w = world_of(u);
	const struct hold_record *r = u->belief.record;

	w->counters.grants++;
	w->counters.beside += !list_empty(&w->names[r->name].beliefs);
	agenda_note(&w->agenda, r->token);
	if (oracle_session(&w->oracle, r->session) &&
	    !oracle_hold(&w->oracle, r->session, r->token))
		answer_wrong(u, "answer",
			     "granted, but the cluster doesn't have it", 0);
}

void answer_released(struct user *u, int rc)
{
	struct world *w = world_of(u);
	struct hold_record *r = u->belief.record;
	bool held = oracle_hold(&w->oracle, r->session, r->token);

	if (rc == 0) {
		w->counters.releases++;
		r->release_confirmed = world_now(w);
		if (held)
			answer_wrong(u, "answer", "released, but still held",
				     rc);
	} else if (rc == HF_EUNKNOWN) {
		w->counters.releases_unknown++;
	} else if (rc == HF_ESESSION || rc == HF_ENOTHELD) {
		w->counters.lost++;
		if (oracle_session(&w->oracle, r->session) &&
		    !w->plan.unsure_is_lost)
			answer_wrong(u, "answer", "its session lives, but", rc);
	} else if (rc != HF_ECLOSED) {
		answer_wrong(u, "answer", "a release ended with", rc);
	}
	/* The faults may have ended the session, and it shows only now. */
	if (u->probe && rc && (rc != HF_ESESSION || w->recovered_at))
		answer_wrong(u, "progress",
			     "a release failed long after all faults", rc);
}

void answer_validated(struct user *u, int rc)
{
	struct world *w = world_of(u);
	struct hold_record *r = u->belief.record;

	if (rc == 0) {
		w->counters.validated++;
		if (!u->held)
			answer_wrong(u, "answer",
				     "validated, but it had ended before", rc);
		if (r->held_until < u->called)
			r->held_until = u->called;
	} else if ((rc == HF_ENOTHELD || rc == HF_ESESSION) &&
		   oracle_hold(&w->oracle, r->session, r->token) &&
		   !w->plan.unsure_is_lost && !u->process->closing) {
		answer_wrong(u, "answer", "held, but a validation says", rc);
	}
}

static bool refusal_known(const struct user *u, int rc)
{
	struct counters *c = &world_of(u)->counters;

	c->refused += rc == HF_EHELD;
	c->timed_out += rc == HF_ETIMEDOUT;
	c->canceled += rc == HF_ECANCELED;
	c->no_leader += rc == HF_ENOLEADER;
	c->refused_limit += rc == HF_ELIMIT;
	if (rc == HF_ELIMIT)
		return world_of(u)->plan.limits_every_us;
	return rc == HF_EHELD || rc == HF_ETIMEDOUT || rc == HF_ECANCELED ||
	       rc == HF_ENOLEADER || rc == HF_ESESSION || rc == HF_ECLOSED ||
	       rc == HF_EBUSY || (rc == HF_EFAILED && u->process->failed);
}

/* What was said not to be held. */
struct refusal {
	struct user *user;
	uint64_t session, owner;
	uint64_t since;  /* true time */
	uint64_t pauses; /* of its process, then */
};

static bool look_for(void *ctx, const struct record *r)
{
	uint64_t *owner = ctx;

	if (r->request.owner != *owner || r->request.state == REQUEST_ENDED)
		return true;
	*owner = 0; /* nobody's */
	return false;
}

static bool is_left(const struct refusal *f)
{
	const struct oracle *o = &world_of(f->user)->oracle;
	uint64_t owner = f->owner;

	if (oracle_session(o, f->session))
		core_visit_session(o->core, f->session, look_for, &owner);
	return owner == 0;
}

/* Have its renewals succeeded all the time? Then so can a cancel. */
static bool was_calm(const struct refusal *f)
{
	const struct process *p = f->user->process;

	return p->session == HF_SESSION_SAFE && p->session_at <= f->since &&
	       p->pauses == f->pauses && !p->closing;
}

static void plan_look(struct refusal *f);

static void look_again(void *ctx, uint64_t arg)
{
	struct refusal *f = ctx;
	struct world *w = world_of(f->user);

	(void)arg;
	if (!is_left(f)) {
		w->counters.refusals_kept++;
		free(f);
		return;
	}
	if (was_calm(f))
		answer_wrong(f->user, "orphan",
			     "not held, it was told, but the cluster has it",
			     0);
	plan_look(f);
}

static void plan_look(struct refusal *f)
{
	struct process *p = f->user->process;
	struct world *w = p->world;

	f->since = world_now(w);
	f->pauses = p->pauses;
	agenda_add(&w->agenda, world_now(w) + plan_recovery_us(&w->plan),
		   &p->gate, look_again, f, 0);
}

void answer_refused(struct user *u, uint64_t session, int rc)
{
	struct refusal *f;

	if (u->probe)
		answer_wrong(u, "progress",
			     "can't be taken, long after all faults", rc);
	if (!refusal_known(u, rc))
		answer_wrong(u, "answer", "an acquisition ended with", rc);
	if (rc == HF_EHELD &&
	    !oracle_refused(&world_of(u)->oracle, session, u->owner))
		answer_wrong(u, "answer",
			     "refused as held, but the cluster never said so",
			     rc);
	if (!session || u->process->closing)
		return;
	f = malloc(sizeof(*f));
	if (!f)
		abort();
	*f = (struct refusal){ .user = u,
			       .session = session,
			       .owner = u->owner };
	plan_look(f);
}

static void plan_look_whether_told(struct refusal *f);

/* Looked at again and again, until it is told or has given up. */
static void look_whether_told(void *ctx, uint64_t arg)
{
	struct refusal *f = ctx;
	const struct user *u = f->user;

	(void)arg;
	if (u->state != USER_ASKING || u->owner != f->owner || u->canceled ||
	    !is_left(f)) {
		free(f);
		return;
	}
	if (was_calm(f))
		answer_wrong(f->user, "told",
			     "the cluster has granted it, but it isn't told",
			     0);
	plan_look_whether_told(f);
}

static void plan_look_whether_told(struct refusal *f)
{
	struct process *p = f->user->process;
	struct world *w = p->world;

	f->since = world_now(w);
	/* What it was told in a pause, it hears after that. */
	f->pauses = process_hangs(p) ? UINT64_MAX : p->pauses;
	/* What is overtaken comes late on a connection that holds. */
	agenda_add(&w->agenda,
		   world_now(w) + plan_recovery_us(&w->plan) +
			   w->plan.mess.late_us,
		   &p->gate, look_whether_told, f, 0);
}

void answer_expected(struct user *u)
{
	struct refusal *f = malloc(sizeof(*f));

	if (!f)
		abort();
	*f = (struct refusal){ .user = u,
			       .session = node_lease(u->process->node)->session,
			       .owner = u->owner };
	plan_look_whether_told(f);
}

void answer_in_time(struct user *u, int rc)
{
	struct process *p = u->process;
	struct world *w = p->world;
	uint64_t now = vclock_at(&p->machine->monotonic, world_now(w));
	uint64_t timeout = u->wish.timeout_us;
	/* The cluster may count, too, by clocks that run faster. */
	uint64_t early = timeout / 1000000 * 4 * w->plan.drift_ppm + 4 * MS +
			 w->plan.grain_us;
	/* They didn't sleep with this machine. */
	early += p->machine->slept - u->slept;
	if (p->pauses == u->pauses && now > u->give_up_at)
		answer_wrong(u, "deadline",
			     "an acquisition ended after its deadline", rc);
	if (rc == HF_ETIMEDOUT && timeout && !w->plan.beyond_bound &&
	    !u->cancel_late && now + early < u->give_up_at - LATE_US)
		answer_wrong(u, "deadline",
			     "an acquisition timed out before its deadline",
			     rc);
}

void answer_deadline(struct user *u)
{
	const struct process *p = u->process;
	uint64_t timeout = u->wish.timeout_us;
	uint64_t now = vclock_at(&p->machine->monotonic, u->called);

	u->pauses = p->pauses;
	u->slept = p->machine->slept;
	u->give_up_at = timeout && timeout < UINT64_MAX
				? now + timeout + LATE_US
				: UINT64_MAX;
}

void answer_due(struct user *u)
{
	const struct process *p = u->process;
	uint64_t now = vclock_at(&p->machine->monotonic, world_now(p->world));

	u->pauses = p->pauses;
	u->give_up_at = now + LATE_US;
}
