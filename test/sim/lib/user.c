/* See user.h: from one acquisition to the next. */
#include "sim/lib/user.h"
#include "sim/lib/answer.h"
#include "sim/lib/process.h"
#include "sim/lib/promise.h"

#include <string.h>

#define MS UINT64_C(1000)
#define LIMIT_US (200 * MS) /* before one asks again who was one too many */
#define OWNER_USERS                                               \
	256 /* an identity says who it is, and how often it asked \
	     */

static void user_step(void *ctx, uint64_t arg);

static struct world *world_of(const struct user *u)
{
	return u->process->world;
}

static struct random *dice(const struct user *u)
{
	return &world_of(u)->for_users;
}

void user_plan(struct user *u, uint64_t us)
{
	struct world *w = world_of(u);

	agenda_add(&w->agenda, world_now(w) + us, &u->process->users_gate,
		   user_step, u, ++u->step);
}

void user_rest(struct user *u)
{
	struct world *w = world_of(u);

	u->state = USER_IDLE;
	u->claim = NULL;
	if (u->probe)
		world_probed(w);
	u->probe = false;
	if (w->phase == PHASE_CHAOS && !u->process->closing)
		user_plan(u, random_below(dice(u), w->plan.think_us + 1));
}

void user_alarm_waiters(struct world *w, unsigned name)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct process *p = w->machines[i].process;
		for (unsigned j = 0; p && j < w->plan.users; j++) {
			struct user *u = &p->users[j];
			if (u->state == USER_ASKING && u->wish.name == name &&
			    u->cancel == CANCEL_RELEASE)
				user_plan(u, habit_cancel_us(w, u->cancel));
		}
	}
}

bool user_holds(const struct user *u)
{
	return u->state >= USER_HOLDING && u->state < USER_RELEASING;
}

uint64_t user_certain(const struct user *u)
{
	struct bound cap = bound_load(u->cap);
	struct process *p = u->process;
	struct clocks now;

	if (u->lost || !u->parts_len)
		return 0;
	uint64_t left = process_certain(p, u->parts[0].record->session);
	if (!left)
		return 0;
	env_clocks(&p->env, &now);
	uint64_t own = bound_left(&cap, &now);
	return own < left ? own : left;
}

size_t user_shown(struct user *u, uint8_t shown[USER_SHOWN_MAX])
{
	size_t len = dice_between(dice(u), sizeof(u->identity), USER_SHOWN_MAX);

	memset(shown, (int)random_below(dice(u), 256), len);
	memcpy(shown, &u->identity, sizeof(u->identity));
	return len;
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
		hold_begin(u, claim);
		return;
	}
	/* Its session may have ended in the last of the faults, the last change
	 * of the limits may come now, and others that are to give up may stand
	 * in each other's way. */
	if (u->probe &&
	    (rc == HF_ESESSION || ((rc == HF_ELIMIT || rc == HF_EDEADLK) &&
				   !world_of(u)->recovered_at))) {
		ask(u);
		return;
	}
	answer_refused(u, node_claim_session(claim), rc);
	u->retries = dice_chance(dice(u), 300000);
	user_rest(u);
	if ((rc == HF_ELIMIT || rc == HF_EDEADLK) && u->state == USER_IDLE)
		user_plan(u, random_below(dice(u), LIMIT_US));
}

static struct op_part part_of(const struct world *w,
			      const struct wish_part *part)
{
	const struct lock_name *name = &w->names[part->name];

	return (struct op_part){ .name = (const uint8_t *)name->text,
				 .name_len = name->len,
				 .mode = (enum mode)part->mode,
				 .permits = part->permits,
				 .limit = part->limit };
}

/* Those of a process who share an owner hold and wait as one. */
static uint64_t owner_of(const struct user *u)
{
	unsigned owners = world_of(u)->plan.owners;

	return owners && !u->probe ? 1 + u->number % owners : u->identity;
}

static int ask_node(struct user *u, struct acquire_options *options)
{
	struct world *w = world_of(u);
	struct op_part more[WISH_PARTS - 1];
	uint8_t shown[USER_SHOWN_MAX];

	for (size_t i = 0; i < u->wish.more_len; i++)
		more[i] = part_of(w, &u->wish.more[i]);
	options->more = more;
	options->more_len = u->wish.more_len;
	if (u->wish.shows || owner_of(u) != u->identity) {
		options->shown = shown;
		options->shown_len = user_shown(u, shown);
	}
	return node_acquire(u->process->node, options, acquired,
			    ticket_new(u, USER_ASKING), &u->claim);
}

static void ask(struct user *u)
{
	struct world *w = world_of(u);
	struct process *p = u->process;
	const struct wish *wish = &u->wish;
	const struct lock_name *name = &w->names[wish->name];

	u->identity = ++u->asked * OWNER_USERS + u->number;
	struct acquire_options options = { .name = name->text,
					   .name_len = name->len,
					   .mode = wish->mode,
					   .permits = wish->permits,
					   .limit = wish->limit,
					   .delay_us = wish->delay_us,
					   .owner = owner_of(u),
					   .timeout_us = wish->timeout_us,
					   .priority = wish->priority,
					   .line_max = wish->line_max,
					   .hold_us = wish->hold_us,
					   .lease_us = wish->lease_us };

	u->called = world_now(w);
	u->canceled = false;
	answer_deadline(u);
	int rc = ask_node(u, &options);
	if (rc == HF_ENOMEM && process_starved(p) && !u->probe)
		user_rest(u);
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
		user_plan(u, habit_cancel_us(w, u->cancel));
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
		hold_step_alone(u);
		user_plan(u, 1 + random_below(dice(u),
					      world_of(u)->plan.ttl_us / 4));
	} else if (u->state == USER_IDLE) {
		begin(u);
	} else if (u->state == USER_ASKING && !u->probe && !u->canceled) {
		cancel(u);
	} else if (user_holds(u)) {
		hold_step(u);
	}
}

void user_start(struct user *u, struct process *p, unsigned number)
{
	*u = (struct user){ .process = p, .number = number + 1 };
	if (number < p->world->plan.users)
		user_rest(u);
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
	if (!u->process)
		return; /* it couldn't start */
	struct world *w = world_of(u);
	/* The first of each process waits on if it would: it must be told. */
	bool waits = u->state == USER_ASKING && u->number == 1 &&
		     u->wish.timeout_us == UINT64_MAX &&
		     u->wish.mode != HF_BARRIER && !w->plan.owners;

	if (!waits && (user_holds(u) || u->state == USER_ASKING))
		user_plan(u, random_below(dice(u), 10 * MS));
}

void user_forget(struct user *u)
{
	for (size_t i = 0; i < u->parts_len; i++)
		beliefs_end(&u->parts[i]);
	if (u->state == USER_HOLDING)
		u->state = USER_IDLE;
	u->step++;
}

void user_granted(struct world *w, uint64_t node, uint64_t identity)
{
	struct process *p = w->machines[node - 1].process;
	uint64_t number = identity % OWNER_USERS;

	if (!p || !number || number > w->plan.users)
		return;
	struct user *u = &p->users[number - 1];
	if (u->identity != identity || u->state != USER_ASKING)
		return;
	if (u->wish.timeout_us == UINT64_MAX)
		promise_told(u);
	if (u->cancel == CANCEL_GRANT)
		user_plan(u, habit_cancel_us(w, u->cancel));
}

/* Half of them give it back in time, at the last moment perhaps. */
void user_revoked(struct user *u, uint32_t left_ms)
{
	uint64_t left = left_ms * MS < 2 * world_of(u)->plan.ttl_us
				? left_ms * MS
				: 2 * world_of(u)->plan.ttl_us;

	if (!user_holds(u) || random_below(dice(u), 2))
		return;
	u->acts_left = 0;
	user_plan(u, random_below(dice(u), 3) ? random_below(dice(u), left + 1)
					      : habit_think(world_of(u), left));
}
