/* What a user asks for its hold: whether it is one still, another mode, more
 * time, to show something else. See user.h. */
#include "sim/lib/answer.h"
#include "sim/lib/check.h"

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

static uint64_t patience(const struct user *u)
{
	return dice_between(dice(u), 10 * MS, 2 * world_of(u)->plan.ttl_us);
}

/* The callback of what was asked for the hold: true, it goes on. */
static bool take_errand(struct ticket *ticket, int rc)
{
	struct user *u = ticket->user;

	if (!ticket_take(ticket, rc))
		return false;
	u->errand = NULL;
	u->state = u->process->closing ? USER_IDLE : USER_HOLDING;
	return true;
}

static struct ticket *errand(struct user *u, enum user_state state)
{
	u->called = world_now(world_of(u));
	u->errand = ticket_new(u, state);
	return u->errand;
}

static void go_on(struct user *u)
{
	process_poke(u->process);
	/* It may lose its patience, and release what is being changed. */
	if (user_holds(u) && dice_chance(dice(u), 150000))
		user_plan(u, random_below(dice(u), 50 * MS));
}

static void validated(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	(void)claim;
	if (!take_errand(ticket, rc))
		return;
	answer_validated(u, rc);
	if (!u->process->closing)
		hold_plan_act(u);
}

void errand_validate(struct user *u)
{
	struct world *w = world_of(u);
	uint64_t timeout = dice_between(dice(u), 10 * MS, w->plan.ttl_us);

	u->held = oracle_hold(&w->oracle, record_of(u)->session,
			      record_of(u)->token);
	node_validate(u->process->node, u->claim, timeout, validated,
		      errand(u, USER_VALIDATING));
	go_on(u);
}

static void renewed(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	(void)claim;
	if (!take_errand(ticket, rc))
		return;
	world_of(u)->counters.renewed += rc == 0;
	answer_errand(u, "a renewal", rc);
	check_belief(u->process, &u->parts[0]);
	if (!u->process->closing)
		hold_plan_act(u);
}

void errand_renew(struct user *u)
{
	node_renew(u->process->node, u->claim, patience(u), renewed,
		   errand(u, USER_RENEWING));
	go_on(u);
}

static void has_shown(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;

	(void)claim;
	if (!take_errand(ticket, rc))
		return;
	world_of(u)->counters.shown += rc == 0;
	answer_errand(u, "showing something else", rc);
	if (!u->process->closing)
		hold_plan_act(u);
}

void errand_show(struct user *u)
{
	uint8_t shown[USER_SHOWN_MAX];
	size_t len = user_shown(u, shown);

	node_show(u->process->node, u->claim, shown, len, patience(u),
		  has_shown, errand(u, USER_SHOWING));
	go_on(u);
}

/* The hold that it was ends where the other begins. */
static void begin_anew(struct user *u, bool in_place)
{
	struct belief *b = &u->parts[0];
	struct hold_record *former = b->record;
	struct wish_part part = { former->name, u->convert.mode,
				  u->convert.permits, 0 };

	beliefs_end(b);
	former->release_called = u->convert.called;
	struct hold_record *r = hold_record_new(
		u, b, &part, in_place ? former->token : u->token,
		u->convert.called);
	r->goes_on = in_place;
	hold_believe(u, b);
}

/* Less is believed in from the call on, more from the answer on. */
static void conversion_done(struct user *u)
{
	struct hold_record *former = record_of(u);
	bool in_place = u->token == u->convert.token;

	if (!in_place) {
		world_of(u)->counters.upgrades++;
		begin_anew(u, false);
	} else if (former->mode != u->convert.mode) {
		world_of(u)->counters.downgrades++;
		begin_anew(u, true);
	} else {
		return;
	}
	former->release_confirmed = world_now(world_of(u));
	answer_converted(u);
}

static void converted(void *arg, struct claim *claim, int rc)
{
	struct ticket *ticket = arg;
	struct user *u = ticket->user;
	struct belief *b = &u->parts[0];

	(void)claim;
	if (!take_errand(ticket, rc))
		return;
	answer_conversion(u, rc);
	if (u->process->closing)
		return;
	if (rc == 0)
		conversion_done(u);
	else if (rc == HF_EUNKNOWN && b->mode != b->record->mode)
		begin_anew(u, true);
	else
		b->mode = b->record->mode;
	hold_plan_act(u);
}

static void draw_conversion(struct user *u)
{
	const struct world *w = world_of(u);
	const struct belief *b = &u->parts[0];
	uint32_t limit = w->names[b->record->name].limit;

	u->convert.mode = b->mode;
	u->convert.permits = 0;
	if (b->mode == HF_PERMITS)
		u->convert.permits =
			(uint32_t)dice_between(dice(u), 1, limit + 1);
	else if (random_below(dice(u), 8))
		u->convert.mode =
			b->mode == HF_SHARED ? HF_EXCLUSIVE : HF_SHARED;
	u->convert.called = world_now(w);
	u->convert.token = u->token;
}

void errand_convert(struct user *u)
{
	struct world *w = world_of(u);
	struct belief *b = &u->parts[0];

	draw_conversion(u);
	if (u->convert.mode == HF_SHARED)
		b->mode = HF_SHARED;
	/* What is given up of the permits was never needed. */
	if (b->mode == HF_PERMITS && u->convert.permits < b->permits)
		b->permits = b->record->permits = u->convert.permits;
	node_convert(u->process->node, u->claim, u->convert.mode,
		     u->convert.permits, habit_patience(w), converted,
		     errand(u, USER_CONVERTING));
	w->counters.conversions++;
	go_on(u);
}
