/* See user.h. */
#include "sim/lib/user.h"
#include "sim/lib/check.h"
#include "sim/lib/resource.h"

#define MS UINT64_C(1000)
/* How much later than its deadline a request may end on a process that runs. */
#define LATE_US (20 * MS)

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

	agenda_add(&w->agenda, world_now(w) + us, &u->process->gate, user_step,
		   u, ++u->step);
}

static void pause_between(struct user *u)
{
	plan_step(u, random_below(dice(u), world_of(u)->plan.think_us + 1));
}

static void violated(struct user *u, const char *what, int rc)
{
	world_violation(world_of(u), "member %u, user %llu, lock %u: %s (%d)",
			u->process->machine->number + 1,
			(unsigned long long)u->number, u->name, what, rc);
}

static void rest(struct user *u)
{
	u->state = USER_IDLE;
	u->claim = NULL;
	if (u->probe)
		world_probed(world_of(u));
	u->probe = false;
	if (world_of(u)->phase == PHASE_CHAOS && !u->process->closing)
		pause_between(u);
}

static void released(void *arg, struct claim *claim, int rc)
{
	struct user *u = arg;
	struct world *w = world_of(u);
	struct hold_record *r = u->belief.record;

	(void)claim;
	if (u->process->zombie)
		return;
	if (u->state != USER_RELEASING)
		violated(u, "a callback of a release that wasn't due", rc);
	w->counters.operations++;
	bool lives = oracle_session(&w->oracle, r->session);
	if (rc == 0) {
		w->counters.releases++;
		r->release_confirmed = world_now(w);
		if (oracle_hold(&w->oracle, r->session, r->token))
			violated(u, "released, but still held", rc);
	} else if (rc == HF_EUNKNOWN) {
		w->counters.releases_unknown++;
	} else if (rc == HF_ESESSION || rc == HF_ENOTHELD) {
		w->counters.lost++;
		if (lives && !w->plan.unsure_is_lost)
			violated(u, "its session lives, but", rc);
	} else if (rc != HF_ECLOSED) {
		violated(u, "a release ended with", rc);
	}
	if (u->probe && rc)
		violated(u, "a release failed long after all faults", rc);
	rest(u);
}

static void release(struct user *u)
{
	struct world *w = world_of(u);
	uint64_t timeout =
		u->probe ? UINT64_MAX
			 : dice_between(dice(u), 10 * MS, 2 * w->plan.ttl_us);

	u->state = USER_RELEASING;
	if (process_certain(u->process, u->belief.record->session))
		u->belief.record->held_until = world_now(w);
	u->belief.record->release_called = world_now(w);
	belief_end(&u->belief);
	node_release(u->process->node, u->claim, timeout, released, u);
	process_poke(u->process);
}

static void write_something(struct user *u)
{
	struct world *w = world_of(u);
	const struct hold_record *r = u->belief.record;
	bool certain = process_certain(u->process, r->session) > 0;

	if (r->mode == HF_PERMITS)
		return;
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
	struct world *w = world_of(u);
	uint64_t ttl = w->plan.ttl_us;

	if (w->phase == PHASE_CHAOS && dice_chance(dice(u), 20000))
		plan_step(u, dice_between(dice(u), ttl / 2, 2 * ttl));
	else
		pause_between(u);
}

static void validated(void *arg, struct claim *claim, int rc)
{
	struct user *u = arg;
	struct world *w = world_of(u);
	struct hold_record *r = u->belief.record;

	(void)claim;
	if (u->process->zombie)
		return;
	if (u->state != USER_VALIDATING)
		violated(u, "a callback of a validation that wasn't due", rc);
	w->counters.operations++;
	u->state = u->process->closing ? USER_IDLE : USER_HOLDING;
	if (rc == 0) {
		w->counters.validated++;
		if (r->held_until < u->called)
			r->held_until = u->called;
	} else if ((rc == HF_ENOTHELD || rc == HF_ESESSION) &&
		   oracle_hold(&w->oracle, r->session, r->token) &&
		   !w->plan.unsure_is_lost && !u->process->closing) {
		violated(u, "held, but a validation says", rc);
	}
	if (u->process->closing)
		return;
	plan_act(u);
}

static void act(struct user *u)
{
	struct world *w = world_of(u);

	if (u->lost || !u->acts_left || w->phase != PHASE_CHAOS) {
		release(u);
		return;
	}
	u->acts_left--;
	if (!dice_chance(dice(u), 200000)) {
		write_something(u);
		plan_act(u);
		return;
	}
	u->state = USER_VALIDATING;
	u->called = world_now(w);
	node_validate(u->process->node, u->claim,
		      dice_between(dice(u), 10 * MS, w->plan.ttl_us), validated,
		      u);
	process_poke(u->process);
}

static void begin_hold(struct user *u, struct claim *claim)
{
	struct world *w = world_of(u);
	struct hold_record *r = history_add(&w->history);

	r->name = u->name;
	r->machine = u->process->machine->number;
	r->mode = u->mode;
	r->permits = u->permits;
	r->limit = w->names[u->name].limit;
	r->token = node_claim_token(claim);
	r->session = node_claim_session(claim);
	r->called = u->called;
	r->granted = world_now(w);
	w->counters.grants++;
	agenda_note(&w->agenda, r->token);
	u->state = USER_HOLDING;
	u->claim = claim;
	u->lost = 0;
	u->acts_left = (unsigned)random_below(dice(u), 4);
	u->belief = (struct belief){ .record = r, .holder = u };
	node_claim_watch(claim, &u->lost);
	if (oracle_session(&w->oracle, r->session) &&
	    !oracle_hold(&w->oracle, r->session, r->token))
		violated(u, "granted, but the cluster doesn't have it", 0);
	belief_begin(&w->names[u->name].beliefs, &u->belief);
	check_belief(u->process, &u->belief);
	plan_act(u);
}

static void count_refusal(struct user *u, int rc)
{
	struct counters *c = &world_of(u)->counters;

	if (rc == HF_EHELD)
		c->refused++;
	else if (rc == HF_ETIMEDOUT)
		c->timed_out++;
	else if (rc == HF_ECANCELED)
		c->canceled++;
	else if (rc == HF_ENOLEADER)
		c->no_leader++;
	else if (rc != HF_ESESSION && rc != HF_ECLOSED && rc != HF_EBUSY)
		violated(u, "an acquisition ended with", rc);
}

static void acquired(void *arg, struct claim *claim, int rc)
{
	struct user *u = arg;
	struct process *p = u->process;
	struct world *w = world_of(u);

	if (p->zombie)
		return;
	if (u->state != USER_ASKING)
		violated(u, "a callback of an acquisition that wasn't due", rc);
	w->counters.operations++;
	if (p->pauses == u->pauses &&
	    vclock_at(&p->machine->monotonic, world_now(w)) > u->give_up_at)
		violated(u, "an acquisition ended after its deadline", rc);
	if (rc == 0) {
		begin_hold(u, claim);
		return;
	}
	if (u->probe)
		violated(u, "can't be taken, long after all faults", rc);
	count_refusal(u, rc);
	rest(u);
}

static void ask(struct user *u, uint64_t timeout_us)
{
	struct world *w = world_of(u);
	struct process *p = u->process;
	const struct lock_name *name = &w->names[u->name];
	struct acquire_options options = { .name = name->text,
					   .name_len = name->len,
					   .mode = u->mode,
					   .permits = u->permits,
					   .limit =
						   u->permits ? name->limit : 0,
					   .owner = u->number,
					   .timeout_us = timeout_us };

	if (w->plan.delay_max_us && dice_chance(dice(u), 200000))
		options.delay_us = random_below(dice(u), w->plan.delay_max_us);
	u->called = world_now(w);
	u->pauses = p->pauses;
	u->give_up_at = timeout_us && timeout_us < UINT64_MAX
				? vclock_at(&p->machine->monotonic, u->called) +
					  timeout_us + LATE_US
				: UINT64_MAX;
	u->state = USER_ASKING;
	int rc = node_acquire(p->node, &options, acquired, u, &u->claim);
	if (rc)
		violated(u, "an acquisition couldn't begin", rc);
	process_poke(p);
}

static uint64_t draw_timeout(struct user *u)
{
	uint64_t kind = random_below(dice(u), 20);

	if (kind < 4)
		return 0;
	if (kind < 14)
		return dice_between(dice(u), 1, 200 * MS);
	if (kind < 19)
		return dice_between(dice(u), 1, 2 * world_of(u)->plan.ttl_us);
	return UINT64_MAX;
}

static void begin(struct user *u)
{
	struct world *w = world_of(u);

	if (w->phase != PHASE_CHAOS || u->process->closing)
		return;
	u->name = (unsigned)random_below(dice(u), w->plan.names);
	uint32_t limit = w->names[u->name].limit;
	u->mode = HF_EXCLUSIVE;
	u->permits = 0;
	if (limit) {
		u->mode = HF_PERMITS;
		u->permits = (uint32_t)dice_between(dice(u), 1, limit);
	} else if (dice_chance(dice(u), 300000)) {
		u->mode = HF_SHARED;
	}
	ask(u, draw_timeout(u));
	if (dice_chance(dice(u), 150000))
		plan_step(u, random_below(dice(u), 50 * MS));
}

static void cancel(struct user *u)
{
	int rc = node_cancel(u->process->node, u->claim);

	world_of(u)->counters.operations++;
	if (rc)
		violated(u, "a cancel of what hasn't ended says", rc);
	process_poke(u->process);
}

static void user_step(void *ctx, uint64_t arg)
{
	struct user *u = ctx;

	if (arg != u->step || u->process->closing)
		return;
	if (u->state == USER_IDLE)
		begin(u);
	else if (u->state == USER_ASKING && !u->probe)
		cancel(u);
	else if (u->state == USER_HOLDING)
		act(u);
}

void user_start(struct user *u, struct process *p, unsigned number)
{
	*u = (struct user){ .process = p, .number = number + 1 };
	if (number < p->world->plan.users)
		pause_between(u);
}

void user_probe(struct user *u, unsigned name, uint64_t timeout_us)
{
	u->name = name;
	u->mode = HF_EXCLUSIVE;
	u->permits = 0;
	u->probe = true;
	ask(u, timeout_us);
}

void user_hurry(struct user *u)
{
	if (u->state == USER_HOLDING)
		plan_step(u, random_below(dice(u), 10 * MS));
}

void user_forget(struct user *u)
{
	belief_end(&u->belief);
	if (u->state == USER_HOLDING)
		u->state = USER_IDLE;
	u->step++;
}
