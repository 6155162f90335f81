/* See promise.h. */
#include "sim/lib/promise.h"
#include "sim/lib/answer.h"
#include "sim/lib/process.h"

#include <stdlib.h>

static struct world *world_of(const struct user *u)
{
	return u->process->world;
}

struct promise {
	struct user *user;
	uint64_t session, identity;
	uint64_t since;  /* true time */
	uint64_t pauses; /* of its process, then */
	uint64_t wait_us;
	event_run look;
};

static bool look_for(void *ctx, const struct record *r)
{
	uint64_t *identity = ctx;

	if (once_identity(r->request.owner, r->request.shown,
			  r->request.shown_len) != *identity ||
	    r->request.state == REQUEST_ENDED)
		return true;
	*identity = 0; /* nobody's */
	return false;
}

static bool is_left(const struct promise *p)
{
	const struct oracle *o = &world_of(p->user)->oracle;
	uint64_t identity = p->identity;

	if (oracle_session(o, p->session))
		core_visit_session(o->core, p->session, look_for, &identity);
	return identity == 0;
}

static void plan_look(struct promise *p)
{
	struct process *process = p->user->process;
	struct world *w = process->world;

	p->since = world_now(w);
	/* What it was told in a pause, it hears after that. */
	p->pauses = process_hangs(process) ? UINT64_MAX : process->pauses;
	agenda_add(&w->agenda, world_now(w) + p->wait_us, &process->gate,
		   p->look, p, 0);
}

/* Have its renewals succeeded all the time? Then so can all else. */
static bool was_calm(const struct promise *p)
{
	const struct process *process = p->user->process;

	return process->session == HF_SESSION_SAFE &&
	       process->session_at <= p->since &&
	       process->pauses == p->pauses && !process->closing;
}

/* It isn't kept yet: true, so it is looked at again. */
static void not_yet(struct promise *p, const char *checker, const char *what)
{
	if (was_calm(p))
		answer_wrong(p->user, checker, what, 0);
	plan_look(p);
}

static void promise(struct user *u, uint64_t session, event_run look,
		    uint64_t more_us)
{
	struct promise *p = malloc(sizeof(*p));

	if (!p)
		abort();
	*p = (struct promise){ .user = u,
			       .session = session,
			       .identity = u->identity,
			       .wait_us = more_us +
					  plan_recovery_us(&world_of(u)->plan),
			       .look = look };
	plan_look(p);
}

static void look_whether_gone(void *ctx, uint64_t arg)
{
	struct promise *p = ctx;

	(void)arg;
	if (is_left(p)) {
		not_yet(p, "orphan",
			"not held, it was told, but the cluster has it");
		return;
	}
	world_of(p->user)->counters.refusals_kept++;
	free(p);
}

void promise_gone(struct user *u, uint64_t session)
{
	promise(u, session, look_whether_gone, 0);
}

static void look_whether_told(void *ctx, uint64_t arg)
{
	struct promise *p = ctx;
	const struct user *u = p->user;

	(void)arg;
	if (u->state == USER_ASKING && u->identity == p->identity &&
	    !u->canceled && is_left(p))
		not_yet(p, "told",
			"the cluster has granted it, but it isn't told");
	else
		free(p);
}

/* What is overtaken comes late on a connection that holds. */
static uint64_t late_us(const struct user *u)
{
	return world_of(u)->plan.mess.late_us;
}

void promise_told(struct user *u)
{
	promise(u, node_lease(u->process->node)->session, look_whether_told,
		late_us(u));
}

static void look_whether_lost(void *ctx, uint64_t arg)
{
	struct promise *p = ctx;
	const struct user *u = p->user;

	(void)arg;
	if (user_holds(u) && u->identity == p->identity && !u->lost)
		not_yet(p, "told",
			"its hold has ended by itself, but it isn't told");
	else
		free(p);
}

void promise_lost(struct user *u)
{
	promise(u, u->parts[0].record->session, look_whether_lost, late_us(u));
}
