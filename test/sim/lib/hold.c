/* What a user does while it holds: see user.h. */
#include "sim/lib/answer.h"
#include "sim/lib/check.h"
#include "sim/lib/resource.h"

#define MS UINT64_C(1000)

static struct world *world_of(const struct user *u)
{
	return u->process->world;
}

static struct random *dice(const struct user *u)
{
	return &world_of(u)->for_users;
}

static struct hold_record *record_of(const struct user *u)
{
	return u->parts[0].record;
}

static bool rich(const struct user *u, uint64_t ppm)
{
	return world_of(u)->plan.rich_ppm && dice_chance(dice(u), ppm);
}

static uint64_t patience(const struct user *u)
{
	return dice_between(dice(u), 10 * MS, 2 * world_of(u)->plan.ttl_us);
}

void hold_plan_act(struct user *u)
{
	user_plan(u, habit_think(world_of(u), user_certain(u)));
}

/* --- its beginning and its end */

void hold_believe(struct user *u, struct belief *b)
{
	struct world *w = world_of(u);

	b->holder = u;
	beliefs_begin(&w->names[b->record->name].beliefs, b);
	check_belief(u->process, b);
}

struct hold_record *hold_record_new(struct user *u, struct belief *b,
				    const struct wish_part *part,
				    uint64_t token, uint64_t called)
{
	struct world *w = world_of(u);
	struct hold_record *r = history_add(&w->history);

	r->name = part->name;
	r->machine = u->process->machine->number;
	r->mode = part->mode;
	r->permits = part->permits;
	r->token = token;
	r->limit = oracle_limit(&w->oracle, token);
	r->session = node_claim_session(u->claim);
	r->called = called;
	r->granted = world_now(w);
	*b = (struct belief){ .record = r };
	return r;
}

void hold_begin(struct user *u, struct claim *claim)
{
	struct world *w = world_of(u);
	const struct wish *wish = &u->wish;
	struct wish_part first = { wish->name, wish->mode, wish->permits, 0 };
	uint64_t token = node_claim_token(claim);
	struct hold_watch watch = { &u->lost, &u->token, u->cap };

	u->state = USER_HOLDING;
	u->claim = claim;
	u->parts_len = wish->more_len + 1;
	for (size_t i = 0; i < u->parts_len; i++)
		hold_record_new(u, &u->parts[i],
				i ? &wish->more[i - 1] : &first, token + i,
				u->called);
	u->acts_left = (unsigned)random_below(dice(u), rich(u, 500000) ? 8 : 4);
	node_claim_watch(claim, &watch);
	answer_granted(u);
	for (size_t i = 0; i < u->parts_len; i++)
		hold_believe(u, &u->parts[i]);
	if (u->probe)
		w->probes_waiting--;
	hold_plan_act(u);
}

static void released(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	(void)claim;
	if (!ticket_take(ticket, rc))
		return;
	answer_released(u, rc);
	user_rest(u);
}

/* From the call on it isn't believed in. */
static void stop_believing(struct user *u)
{
	struct world *w = world_of(u);
	bool certain = user_certain(u) > 0;

	for (size_t i = 0; i < u->parts_len; i++) {
		struct belief *b = &u->parts[i];
		if (certain && b->mode == b->record->mode)
			b->record->held_until = world_now(w);
		/* Else it may have been less since it asked for that. */
		b->record->release_called = b->mode == b->record->mode
						    ? world_now(w)
						    : u->convert.called;
		beliefs_end(b);
	}
}

void hold_release(struct user *u)
{
	struct world *w = world_of(u);
	uint64_t timeout = u->probe ? UINT64_MAX : patience(u);

	answer_set_apart(u);
	stop_believing(u);
	node_release(u->process->node, u->claim, timeout, released,
		     ticket_new(u, USER_RELEASING));
	process_poke(u->process);
	for (size_t i = 0; i < u->parts_len; i++)
		user_alarm_waiters(w, u->parts[i].record->name);
}

/* What has been refused leaves it with what it had. */
static void handed(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;
	bool stays = node_claim_held(claim);

	if (!ticket_take(ticket, rc))
		return;
	if (!stays) {
		world_of(u)->counters.handed_over += rc == 0;
		answer_released(u, rc);
		user_rest(u);
		return;
	}
	answer_kept(u, rc);
	if (u->process->closing) {
		u->state = USER_IDLE;
		return;
	}
	u->state = USER_HOLDING;
	record_of(u)->release_called = NEVER;
	hold_believe(u, &u->parts[0]);
	hold_plan_act(u);
}

static void hand_over(struct user *u)
{
	struct world *w = world_of(u);
	uint64_t to = 1 + random_below(dice(u), w->plan.members);

	answer_set_apart(u);
	stop_believing(u);
	node_hand_over(u->process->node, u->claim, to, patience(u), handed,
		       ticket_new(u, USER_HANDING));
	process_poke(u->process);
}

static void left(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	(void)claim;
	if (!ticket_take(ticket, rc))
		return;
	answer_left(u, rc);
	user_rest(u);
}

static void leave(struct user *u)
{
	answer_set_apart(u);
	stop_believing(u);
	node_leave(u->process->node, u->claim, patience(u), left,
		   ticket_new(u, USER_LEAVING));
	process_poke(u->process);
}

/* Another of the same owner waits: so this one can't give back what it has,
 * unless it gives up. */
static bool owner_waits(const struct user *u)
{
	const struct world *w = world_of(u);
	unsigned owners = w->plan.owners;

	for (unsigned i = 0; i < w->plan.users && owners; i++) {
		const struct user *other = &u->process->users[i];
		if (other != u && other->state == USER_ASKING &&
		    other->number % owners == u->number % owners)
			return true;
	}
	return false;
}

static void finish(struct user *u)
{
	bool chaos = world_of(u)->phase == PHASE_CHAOS;
	bool alone = u->parts_len == 1 && u->parts[0].mode == HF_EXCLUSIVE;

	if (chaos && !u->lost && owner_waits(u) && random_below(dice(u), 16))
		hold_plan_act(u);
	else if (chaos && record_of(u)->mode == HF_BARRIER &&
		 random_below(dice(u), 4))
		leave(u);
	else if (chaos && alone && !u->probe && rich(u, 250000))
		hand_over(u);
	else
		hold_release(u);
}

/* --- what it does meanwhile */

static void write_something(struct user *u)
{
	struct world *w = world_of(u);
	size_t part = random_below(dice(u), u->parts_len);
	const struct belief *b = &u->parts[part];
	struct hold_record r = *b->record;
	bool certain = user_certain(u) > 0;

	if (r.mode == HF_PERMITS || r.mode == HF_BARRIER)
		return;
	r.mode = b->mode;
	w->counters.writes_hung += process_hangs(u->process);
	if (certain && random_below(dice(u), 2))
		resource_write(w, &r, true, 0);
	else
		resource_write(
			w, &r, false,
			dice_chance(dice(u), 100000)
				? random_below(dice(u), 2 * w->plan.ttl_us)
				: random_below(dice(u), 5 * MS));
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

static bool convertible(const struct user *u)
{
	return u->parts_len == 1 && record_of(u)->mode != HF_BARRIER;
}

/* What only some holds have. False: nothing. */
static bool act_richly(struct user *u)
{
	uint64_t kind = random_below(dice(u), 100);

	if (u->wish.lease_us && kind < 60)
		errand_renew(u);
	else if (convertible(u) && rich(u, 300000))
		errand_convert(u);
	else if (kind > 90 && rich(u, 500000))
		errand_show(u);
	else
		return false;
	return true;
}

static void act(struct user *u)
{
	uint64_t kind = random_below(dice(u), 100);

	u->acts_left--;
	if (act_richly(u))
		return;
	if (kind < (u->pauses == u->process->pauses ? 20 : 60)) {
		errand_validate(u);
		return;
	}
	if (kind < 25)
		cancel_hold(u);
	write_something(u);
	hold_plan_act(u);
}

void hold_step(struct user *u)
{
	if (u->state != USER_HOLDING)
		hold_release(u); /* what was asked for it isn't answered yet */
	else if (u->lost || !u->acts_left || world_of(u)->phase != PHASE_CHAOS)
		finish(u);
	else
		act(u);
}

void hold_step_alone(struct user *u)
{
	if (u->state == USER_HOLDING)
		write_something(u);
}
