/* See answer.h. */
#include "sim/lib/answer.h"
#include "sim/lib/check.h"
#include "sim/lib/promise.h"

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
	*t = (struct ticket){ .user = u, .state = state };
	u->state = state;
	return t;
}

void answer_set_apart(struct user *u)
{
	if (!u->errand)
		return;
	u->errand->apart = true;
	u->errand = NULL;
	u->apart++;
}

/* Also with what was due already. */
static void take_apart(struct ticket *t, int rc)
{
	struct user *u = t->user;

	if (t->over || u->state < USER_RELEASING)
		answer_wrong(u, "callback", "a callback that isn't due", rc);
	t->over = true;
	u->apart--;
	world_of(u)->counters.operations++;
	world_of(u)->counters.overtaken++;
}

bool ticket_take(struct ticket *t, int rc)
{
	struct user *u = t->user;

	if (u->process->zombie)
		return false;
	check_state(u->process);
	if (t->apart) {
		take_apart(t, rc);
		return false;
	}
	if (u->apart && u->state >= USER_RELEASING)
		answer_wrong(u, "callback",
			     "released, and what was asked before hasn't ended",
			     rc);
	if (t->over || u->state != t->state)
		answer_wrong(u, "callback", "a callback that isn't due", rc);
	t->over = true;
	world_of(u)->counters.operations++;
	return true;
}

/* Has it ended by itself, so far as the cluster knows? */
static int end_of(const struct user *u)
{
	return oracle_end(&world_of(u)->oracle, u->parts[0].record->token);
}

void answer_granted(struct user *u)
{
	struct world *w = world_of(u);
	const struct hold_record *r = u->parts[0].record;

	w->counters.grants++;
	w->counters.beside += !list_empty(&w->names[r->name].beliefs);
	w->counters.several += u->parts_len > 1;
	agenda_note(&w->agenda, r->token);
	if (oracle_session(&w->oracle, r->session) && !end_of(u) &&
	    !oracle_hold(&w->oracle, r->session, r->token))
		answer_wrong(u, "answer",
			     "granted, but the cluster doesn't have it", 0);
}

/* It was lost, it is told: by its session, or by itself. */
static bool lost_rightly(const struct user *u, int rc)
{
	const struct world *w = world_of(u);
	bool lives = oracle_session(&w->oracle, u->parts[0].record->session) &&
		     !w->plan.unsure_is_lost;
	int end = end_of(u);

	if (rc == HF_EREVOKED || rc == HF_EEXPIRED)
		return end == rc;
	return rc == HF_ESESSION ? !lives : !lives || end;
}

static bool is_loss(int rc)
{
	return rc == HF_ESESSION || rc == HF_ENOTHELD || rc == HF_EREVOKED ||
	       rc == HF_EEXPIRED;
}

static void released(struct user *u, int rc)
{
	struct world *w = world_of(u);
	const struct hold_record *r = u->parts[0].record;

	w->counters.releases++;
	for (size_t i = 0; i < u->parts_len; i++)
		u->parts[i].record->release_confirmed = world_now(w);
	if (oracle_hold(&w->oracle, r->session, r->token))
		answer_wrong(u, "answer", "released, but still held", rc);
}

void answer_released(struct user *u, int rc)
{
	struct world *w = world_of(u);

	if (rc == 0) {
		released(u, rc);
	} else if (rc == HF_EUNKNOWN) {
		w->counters.releases_unknown++;
	} else if (is_loss(rc)) {
		w->counters.lost++;
		w->counters.revoked += rc == HF_EREVOKED;
		w->counters.expired += rc == HF_EEXPIRED;
		if (!lost_rightly(u, rc))
			answer_wrong(u, "answer",
				     "it isn't lost in that way, but", rc);
	} else if (rc != HF_ECLOSED) {
		answer_wrong(u, "answer", "a release ended with", rc);
	}
	/* The faults may have ended the session, and it shows only now. */
	if (u->probe && rc && (rc != HF_ESESSION || w->recovered_at))
		answer_wrong(u, "progress",
			     "a release failed long after all faults", rc);
	promise_gone(u, u->parts[0].record->session);
}

void answer_kept(struct user *u, int rc)
{
	world_of(u)->counters.no_candidate += rc == HF_ENOCANDIDATE;
	if (rc != HF_ENOCANDIDATE && !u->process->closing)
		answer_wrong(u, "answer", "a hand-over was refused with", rc);
}

void answer_left(struct user *u, int rc)
{
	if (rc == HF_ETIMEDOUT)
		released(u, rc);
	else
		answer_released(u, rc);
	world_of(u)->counters.left += rc == 0;
}

void answer_validated(struct user *u, int rc)
{
	struct world *w = world_of(u);
	struct hold_record *r = u->parts[0].record;

	if (rc == 0) {
		w->counters.validated++;
		if (!u->held)
			answer_wrong(u, "answer",
				     "validated, but it had ended before", rc);
		if (r->held_until < u->called && r->mode == u->parts[0].mode)
			r->held_until = u->called;
	} else if (is_loss(rc) && !u->process->closing &&
		   oracle_hold(&w->oracle, r->session, r->token) &&
		   !w->plan.unsure_is_lost) {
		answer_wrong(u, "answer", "held, but a validation says", rc);
	}
}

/* Nothing is known, or it is as it was. */
static bool says_little(const struct user *u, int rc)
{
	return rc == HF_ETIMEDOUT || rc == HF_ENOLEADER || rc == HF_EUNKNOWN ||
	       rc == HF_EBUSY || rc == HF_ECLOSED ||
	       (rc == HF_EFAILED && u->process->failed) ||
	       (rc == HF_ENOMEM && process_starved(u->process)) ||
	       (rc == HF_ELIMIT && world_of(u)->plan.limits_every_us);
}

void answer_errand(struct user *u, const char *what, int rc)
{
	if (rc == 0 || says_little(u, rc) || u->process->closing)
		return;
	if (!is_loss(rc) || !lost_rightly(u, rc))
		answer_wrong(u, "answer", what, rc);
}

void answer_conversion(struct user *u, int rc)
{
	const struct oracle *o = &world_of(u)->oracle;
	uint64_t session = u->parts[0].record->session;

	if (u->process->closing || rc == 0 || says_little(u, rc))
		return;
	if (is_loss(rc)) {
		if (!lost_rightly(u, rc))
			answer_wrong(u, "answer", "a conversion's hold is lost",
				     rc);
		return;
	}
	world_of(u)->counters.conversions_refused++;
	world_of(u)->counters.deadlocks += rc == HF_EDEADLK;
	/* While one that was given up isn't settled none is asked. */
	if (rc != HF_EINVAL &&
	    !oracle_refused(o, session, u->convert.token, rc))
		answer_wrong(u, "answer",
			     "a conversion was refused, but the cluster never "
			     "said so",
			     rc);
}

void answer_converted(struct user *u)
{
	const struct oracle *o = &world_of(u)->oracle;
	struct record r;

	if (!oracle_session(o, u->parts[0].record->session) || end_of(u))
		return;
	if (!core_hold(o->core, u->token, &r) ||
	    (enum hf_mode)r.request.mode != u->convert.mode ||
	    r.request.permits != u->convert.permits)
		answer_wrong(u, "answer",
			     "converted, but the cluster doesn't have it so",
			     0);
}

/* What only the cluster can say. */
static bool said_by_cluster(int rc)
{
	return rc == HF_EHELD || rc == HF_EDEADLK || rc == HF_ELINE ||
	       rc == HF_EPERMITS || rc == HF_EKIND;
}

static bool refusal_known(const struct user *u, int rc)
{
	struct counters *c = &world_of(u)->counters;

	c->refused += rc == HF_EHELD;
	c->timed_out += rc == HF_ETIMEDOUT;
	c->canceled += rc == HF_ECANCELED;
	c->no_leader += rc == HF_ENOLEADER;
	c->refused_limit += rc == HF_ELIMIT;
	c->deadlocks += rc == HF_EDEADLK;
	c->line_too_long += rc == HF_ELINE;
	c->permits_differ += rc == HF_EPERMITS;
	if (rc == HF_ELIMIT)
		return world_of(u)->plan.limits_every_us;
	/* It may have been granted, and lost, before it could be told. */
	return said_by_cluster(rc) || rc == HF_EREVOKED || rc == HF_EEXPIRED ||
	       rc == HF_ETIMEDOUT || rc == HF_ECANCELED || rc == HF_ENOLEADER ||
	       rc == HF_ESESSION || rc == HF_ECLOSED || rc == HF_EBUSY ||
	       (rc == HF_EFAILED && u->process->failed);
}

void answer_refused(struct user *u, uint64_t session, int rc)
{
	if (u->probe)
		answer_wrong(u, "progress",
			     "can't be taken, long after all faults", rc);
	if (!refusal_known(u, rc))
		answer_wrong(u, "answer", "an acquisition ended with", rc);
	if ((rc == HF_EREVOKED || rc == HF_EEXPIRED) &&
	    oracle_fate(&world_of(u)->oracle, session, u->identity) != rc)
		answer_wrong(u, "answer", "it hasn't ended in that way, but",
			     rc);
	if (said_by_cluster(rc) &&
	    !oracle_refused(&world_of(u)->oracle, session, u->identity, rc))
		answer_wrong(u, "answer",
			     "refused, but the cluster never said so", rc);
	if (session && !u->process->closing)
		promise_gone(u, session);
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
