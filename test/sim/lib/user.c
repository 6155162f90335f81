/* See user.h. */
#include "sim/lib/user.h"
#include "sim/lib/answer.h"
#include "sim/lib/check.h"
#include "sim/lib/resource.h"

#define MS UINT64_C(1000)
#define LIMIT_US (200 * MS) /* before one asks again who was one too many */
#define OWNER_USERS \
	256 /* an owner's id says who it is, and how often it asked */

static void user_step(void *ctx, uint64_t arg);

static struct world *world_of(const struct user *u)
{
	return u->process->world;
}

static struct random *dice(const struct user *u)
{
	return &world_of(u)->for_users;
}

static void plan_step(struct user *u, uint64_t us)
{
	struct world *w = world_of(u);

	agenda_add(&w->agenda, world_now(w) + us, &u->process->users_gate,
		   user_step, u, ++u->step);
}

static void rest(struct user *u)
{
	struct world *w = world_of(u);

	u->state = USER_IDLE;
	u->claim = NULL;
	if (u->probe)
		world_probed(w);
	u->probe = false;
	if (w->phase == PHASE_CHAOS && !u->process->closing)
		plan_step(u, random_below(dice(u), w->plan.think_us + 1));
}

static void released(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	(void)claim;
	if (!ticket_take(ticket, rc))
		return;
	answer_released(u, rc);
	rest(u);
}

/* Some who wait for it may lose their patience just now. */
static void alarm_waiters(struct world *w, unsigned name)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct process *p = w->machines[i].process;
		for (unsigned j = 0; p && j < w->plan.users; j++) {
			struct user *u = &p->users[j];
			if (u->state == USER_ASKING && u->wish.name == name &&
			    u->cancel == CANCEL_RELEASE)
				plan_step(u, habit_cancel_us(w, u->cancel));
		}
	}
}

static void release(struct user *u)
{
	struct world *w = world_of(u);
	struct hold_record *r = u->belief.record;
	uint64_t timeout =
		u->probe ? UINT64_MAX
			 : dice_between(dice(u), 10 * MS, 2 * w->plan.ttl_us);

	if (process_certain(u->process, r->session))
		r->held_until = world_now(w);
	r->release_called = world_now(w);
	belief_end(&u->belief);
	node_release(u->process->node, u->claim, timeout, released,
		     ticket_new(u, USER_RELEASING));
	process_poke(u->process);
	alarm_waiters(w, r->name);
}

static void write_something(struct user *u)
{
	struct world *w = world_of(u);
	const struct hold_record *r = u->belief.record;
	bool certain = process_certain(u->process, r->session) > 0;

	if (r->mode == HF_PERMITS)
		return;
	w->counters.writes_hung += process_hangs(u->process);
	if (certain && random_below(dice(u), 2))
		resource_write(w, r, true, 0);
	else
		resource_write(
			w, r, false,
			dice_chance(dice(u), 100000)
				? random_below(dice(u), 2 * w->plan.ttl_us)
				: random_below(dice(u), 5 * MS));
}

static void plan_act(struct user *u)
{
	uint64_t left = process_certain(u->process, u->belief.record->session);

	plan_step(u, habit_think(world_of(u), left));
}

static void validated(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;
	bool closing = u->process->closing;

	(void)claim;
	if (!ticket_take(ticket, rc))
		return;
	u->state = closing ? USER_IDLE : USER_HOLDING;
	answer_validated(u, rc);
	if (!closing)
		plan_act(u);
}

static void validate(struct user *u)
{
	struct world *w = world_of(u);
	uint64_t timeout = dice_between(dice(u), 10 * MS, w->plan.ttl_us);

	u->called = world_now(w);
	u->held = oracle_hold(&w->oracle, u->belief.record->session,
			      u->belief.record->token);
	node_validate(u->process->node, u->claim, timeout, validated,
		      ticket_new(u, USER_VALIDATING));
	process_poke(u->process);
}

/* It's too late for that: the grant has been told. */
static void cancel_hold(struct user *u)
{
	int rc = node_cancel(u->process->node, u->claim);

	world_of(u)->counters.operations++;
	world_of(u)->counters.cancels_late++;
	if (rc != HF_ENOTHELD)
		answer_wrong(u, "answer", "a cancel of a hold says", rc);
}

static void act(struct user *u)
{
	uint64_t kind = random_below(dice(u), 100);

	if (u->lost || !u->acts_left || world_of(u)->phase != PHASE_CHAOS) {
		release(u);
		return;
	}
	u->acts_left--;
	if (kind < (u->pauses == u->process->pauses ? 20 : 60)) {
		validate(u);
		return;
	}
	if (kind < 25)
		cancel_hold(u);
	write_something(u);
	plan_act(u);
}

static void begin_hold(struct user *u, struct claim *claim)
{
	struct world *w = world_of(u);
	struct hold_record *r = history_add(&w->history);

	r->name = u->wish.name;
	r->machine = u->process->machine->number;
	r->mode = u->wish.mode;
	r->permits = u->wish.permits;
	r->limit = w->names[r->name].limit;
	r->token = node_claim_token(claim);
	r->session = node_claim_session(claim);
	r->called = u->called;
	r->granted = world_now(w);
	u->state = USER_HOLDING;
	u->claim = claim;
	u->lost = 0;
	u->acts_left = (unsigned)random_below(dice(u), 4);
	u->belief = (struct belief){ .record = r, .holder = u };
	node_claim_watch(claim, &u->lost);
	answer_granted(u);
	belief_begin(&w->names[r->name].beliefs, &u->belief);
	check_belief(u->process, &u->belief);
	if (u->probe)
		w->probes_waiting--;
	plan_act(u);
}

static void ask(struct user *u);

static void acquired(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	if (!ticket_take(ticket, rc))
		return;
	answer_in_time(u, rc);
	if (u->cancel_late && rc == HF_ECANCELED)
		answer_wrong(u, "answer", "too late to cancel, but", rc);
	u->cancel_late = false;
	if (rc == 0) {
		begin_hold(u, claim);
		return;
	}
	/* Its session may have ended in the last of the faults, and the last
	 * change of the limits may come now. */
	if (u->probe && (rc == HF_ESESSION ||
			 (rc == HF_ELIMIT && !world_of(u)->recovered_at))) {
		ask(u);
		return;
	}
	answer_refused(u, node_claim_session(claim), rc);
	u->retries = dice_chance(dice(u), 300000);
	rest(u);
	if (rc == HF_ELIMIT && u->state == USER_IDLE)
		plan_step(u, random_below(dice(u), LIMIT_US));
}

static void ask(struct user *u)
{
	struct world *w = world_of(u);
	struct process *p = u->process;
	const struct lock_name *name = &w->names[u->wish.name];

	u->owner = ++u->asked * OWNER_USERS + u->number;
	struct acquire_options options = { .name = name->text,
					   .name_len = name->len,
					   .mode = u->wish.mode,
					   .permits = u->wish.permits,
					   .limit = u->wish.permits
							    ? name->limit
							    : 0,
					   .delay_us = u->wish.delay_us,
					   .owner = u->owner,
					   .timeout_us = u->wish.timeout_us };

	u->called = world_now(w);
	u->canceled = false;
	answer_deadline(u);
	int rc = node_acquire(p->node, &options, acquired,
			      ticket_new(u, USER_ASKING), &u->claim);
	if (rc == HF_ENOMEM && process_starved(p) && !u->probe)
		rest(u);
	else if (rc)
		answer_wrong(u, "answer", "an acquisition couldn't begin", rc);
	process_poke(p);
}

static void begin(struct user *u)
{
	struct world *w = world_of(u);

	if (w->phase != PHASE_CHAOS || u->process->failed)
		return;
	if (u->retries)
		u->wish.timeout_us = habit_patience(w);
	else
		habit_wish(w, &u->wish);
	u->cancel = habit_cancel(w);
	ask(u);
	if (u->cancel == CANCEL_SOON)
		plan_step(u, habit_cancel_us(w, u->cancel));
}

static void cancel(struct user *u)
{
	int rc = node_cancel(u->process->node, u->claim);

	u->canceled = true;
	/* It may have ended just now, so that its callback is due. */
	u->cancel_late = rc == HF_ENOTHELD;
	if (u->cancel_late)
		answer_due(u);
	world_of(u)->counters.operations++;
	if (rc && !u->cancel_late)
		answer_wrong(u, "answer", "a cancel of what hasn't ended says",
			     rc);
	process_poke(u->process);
}

static void user_step(void *ctx, uint64_t arg)
{
	struct user *u = ctx;

	if (arg != u->step || u->process->closing)
		return;
	if (process_hangs(u->process)) {
		if (u->state == USER_HOLDING)
			write_something(u);
		plan_step(u, 1 + random_below(dice(u),
					      world_of(u)->plan.ttl_us / 4));
	} else if (u->state == USER_IDLE) {
		begin(u);
	} else if (u->state == USER_ASKING && !u->probe && !u->canceled) {
		cancel(u);
	} else if (u->state == USER_HOLDING) {
		act(u);
	}
}

void user_start(struct user *u, struct process *p, unsigned number)
{
	*u = (struct user){ .process = p, .number = number + 1 };
	if (number < p->world->plan.users)
		rest(u);
}

void user_probe(struct user *u, unsigned name)
{
	u->wish = (struct wish){ .name = name, .timeout_us = UINT64_MAX };
	u->cancel = CANCEL_NEVER;
	u->probe = true;
	ask(u);
}

void user_hurry(struct user *u)
{
	/* The first of each process waits on if it would: it must be told. */
	bool waits = u->state == USER_ASKING && u->number == 1 &&
		     u->wish.timeout_us == UINT64_MAX;

	if (!waits && (u->state == USER_HOLDING || u->state == USER_ASKING))
		plan_step(u, random_below(dice(u), 10 * MS));
}

void user_forget(struct user *u)
{
	belief_end(&u->belief);
	if (u->state == USER_HOLDING)
		u->state = USER_IDLE;
	u->step++;
}

void user_granted(struct world *w, uint64_t node, uint64_t owner)
{
	struct process *p = w->machines[node - 1].process;
	uint64_t number = owner % OWNER_USERS;

	if (!p || !number || number > w->plan.users)
		return;
	struct user *u = &p->users[number - 1];
	if (u->owner != owner || u->state != USER_ASKING)
		return;
	if (u->wish.timeout_us == UINT64_MAX)
		answer_expected(u);
	if (u->cancel == CANCEL_GRANT)
		plan_step(u, habit_cancel_us(w, u->cancel));
}
