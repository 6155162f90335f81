/* See clerk.h. */
#include "sim/lib/clerk.h"
#include "node/ask.h"
#include "node/question.h"
#include "sim/lib/check.h"

#include <stdlib.h>

#define MS UINT64_C(1000)

static void clerk_step(void *ctx, uint64_t arg);

static struct world *world_of(const struct clerk *c)
{
	return c->process->world;
}

static struct random *dice(const struct clerk *c)
{
	return &world_of(c)->for_clerks;
}

static void plan_step(struct clerk *c, uint64_t us)
{
	struct world *w = world_of(c);

	agenda_add(&w->agenda, world_now(w) + us, &c->process->users_gate,
		   clerk_step, c, ++c->step);
}

static void wrong(const struct clerk_ask *a, const char *what, int rc)
{
	world_violation(world_of(a->clerk), "answer",
			"member %u, value %u, operation %d: %s (%d)",
			a->clerk->process->machine->number + 1, a->name,
			(int)a->op.kind, what, rc);
}

/* --- what it is told */

static bool lost_in_time(const struct clerk_ask *a, int rc)
{
	const struct process *p = a->clerk->process;

	return rc == HF_ETIMEDOUT || rc == HF_ENOLEADER || rc == HF_EBUSY ||
	       rc == HF_ECLOSED || (rc == HF_EFAILED && p->failed) ||
	       rc == HF_ESESSION || /* or none could be opened in time */
	       (rc == HF_ELIMIT && p->world->plan.limits_every_us) ||
	       (rc == HF_ENOMEM && process_starved(p));
}

static void may_be_added(struct value_name *v, int64_t delta)
{
	if (v->unknown_len == v->unknown_cap) {
		v->unknown_cap = v->unknown_cap ? 2 * v->unknown_cap : 64;
		v->unknown = realloc(v->unknown,
				     v->unknown_cap * sizeof(*v->unknown));
		if (!v->unknown)
			abort();
	}
	v->unknown[v->unknown_len++] = delta;
}

static void note_sum(const struct clerk_ask *a, int rc)
{
	struct value_name *v = &world_of(a->clerk)->values[a->name];

	if (!v->sums || a->op.kind != OP_ADD)
		return;
	if (rc == 0)
		v->added += a->op.value.delta;
	else if (rc == HF_EUNKNOWN)
		may_be_added(v, a->op.value.delta);
}

static void written(const struct clerk_ask *a, int rc, uint64_t token)
{
	struct world *w = world_of(a->clerk);
	const struct ledger *l = &w->oracle.ledger;
	bool adds = a->op.kind == OP_ADD;

	w->counters.puts += rc == 0 && a->op.kind == OP_PUT;
	w->counters.deletes += rc == 0 && a->op.kind == OP_DELETE;
	w->counters.adds += rc == 0 && adds;
	if (rc == 0 && adds &&
	    !ledger_counted(l, a->name, (int64_t)token - (int64_t)COUNT_BIAS,
			    a->called))
		wrong(a, "the counter never was what it is said to be", rc);
	if ((rc == 0 && a->op.kind == OP_PUT) || rc == HF_EVERSION) {
		w->values[a->name].version = token;
		if (!ledger_had(l, a->name, token, a->called))
			wrong(a, "the value never had this version", rc);
	}
	if (rc && rc != HF_EVERSION && rc != HF_ENOTHELD && rc != HF_EKIND &&
	    rc != HF_ENOVALUE && rc != HF_EUNKNOWN && !lost_in_time(a, rc))
		wrong(a, "a write ended with", rc);
}

static void awaited(const struct clerk_ask *a, int rc)
{
	const struct ledger *l = &world_of(a->clerk)->oracle.ledger;

	if (rc == 0 && !ledger_true(l, a->name, a->op.await.condition,
				    a->op.await.number, a->called))
		wrong(a, "it was never as it waited for", rc);
	if (rc && rc != HF_EKIND && rc != HF_EUNKNOWN && !lost_in_time(a, rc))
		wrong(a, "a wait for a value ended with", rc);
}

static void taken_away(const struct clerk_ask *a, int rc)
{
	struct record r;

	if (rc == HF_ENOTHELD &&
	    core_hold(world_of(a->clerk)->oracle.core, a->op.revoke.token, &r))
		wrong(a, "what is held is said not to be", rc);
	if (rc && rc != HF_ENOTHELD && rc != HF_EUNKNOWN &&
	    !lost_in_time(a, rc))
		wrong(a, "a revocation ended with", rc);
}

static void asked(void *arg, int rc, uint64_t token)
{
	struct clerk_ask *a = arg;
	struct clerk *c = a->clerk;
	struct world *w = world_of(c);

	if (c->process->zombie)
		return;
	check_state(c->process);
	if (a->over || c->ask != a) {
		world_violation(w, "callback",
				"a clerk's callback that isn't due");
		return;
	}
	a->over = true;
	c->ask = NULL;
	w->counters.operations++;
	w->counters.asks++;
	w->counters.asks_unknown += rc == HF_EUNKNOWN;
	note_sum(a, rc);
	if (a->op.kind == OP_AWAIT)
		awaited(a, rc);
	else if (a->op.kind == OP_REVOKE)
		taken_away(a, rc);
	else if (a->op.kind == OP_PERMITS)
		w->counters.limits_set += rc == 0;
	else
		written(a, rc, token);
	if (w->phase == PHASE_CHAOS && !c->process->closing)
		plan_step(c, random_below(dice(c), 4 * w->plan.think_us + 1));
}

static void take(void *arg, const struct reply *reply)
{
	struct clerk_ask *a = arg;

	a->version = reply->version;
}

static void read_it(void *arg, int rc)
{
	struct clerk_ask *a = arg;
	struct world *w = world_of(a->clerk);

	if (a->clerk->process->zombie)
		return;
	check_state(a->clerk->process);
	if (rc == 0 || rc == HF_ENOVALUE) {
		w->counters.reads++;
		if (!ledger_had(&w->oracle.ledger, a->name, rc ? 0 : a->version,
				a->called))
			wrong(a, "what was read wasn't so", rc);
		w->values[a->name].version = rc ? 0 : a->version;
	} else if (!lost_in_time(a, rc)) {
		wrong(a, "a read ended with", rc);
	}
	a->op.kind = OP_AWAIT; /* all the rest is as of a wait */
	asked(a, HF_ETIMEDOUT, 0);
}

/* --- its life */

static void begin(struct clerk *c)
{
	struct world *w = world_of(c);
	uint64_t timeout = dice_between(dice(c), 10 * MS, 2 * w->plan.ttl_us);
	struct clerk_ask *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->clerk = c;
	a->called = world_now(w);
	if (!clerk_draw(a)) {
		free(a);
		plan_step(c, 10 * MS);
		return;
	}
	c->ask = a;
	const struct value_name *v = &w->values[a->name];
	int rc = a->reads ? node_read(c->process->node, v->text, v->len,
				      timeout, take, read_it, a)
			  : node_ask(c->process->node, &a->op, timeout, asked,
				     a);
	process_poke(c->process);
	if (!rc)
		return;
	c->ask = NULL;
	if (rc != HF_EBUSY && !(rc == HF_ENOMEM && process_starved(c->process)))
		wrong(a, "what it asks couldn't begin", rc);
	plan_step(c, 100 * MS);
}

static void clerk_step(void *ctx, uint64_t arg)
{
	struct clerk *c = ctx;
	const struct process *p = c->process;

	if (arg != c->step || p->closing || p->failed || c->ask ||
	    p->world->phase != PHASE_CHAOS)
		return;
	begin(c);
}

void clerk_start(struct clerk *c, struct process *p)
{
	*c = (struct clerk){ .process = p };
	plan_step(c, random_below(dice(c), 4 * p->world->plan.think_us + 1));
}

void clerk_forget(struct clerk *c)
{
	if (c->ask && !c->ask->over)
		note_sum(c->ask, HF_EUNKNOWN);
	c->step++;
}

bool clerk_busy(const struct clerk *c)
{
	return c->ask != NULL;
}
