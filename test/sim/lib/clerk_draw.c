/* What a clerk asks for next. See clerk.h. */
#include "sim/lib/clerk.h"
#include "sim/lib/process.h"

#define DELTA_MAX 9

static struct world *world_of(const struct clerk *c)
{
	return c->process->world;
}

static struct random *dice(const struct clerk *c)
{
	return &world_of(c)->for_clerks;
}

/* Of some user of its process: of the hold that it has, or had. */
static uint64_t some_token(const struct clerk *c)
{
	const struct world *w = world_of(c);

	for (int i = 0; i < 4; i++) {
		const struct user *u =
			&c->process
				 ->users[random_below(dice(c), w->plan.users)];
		if (u->token)
			return u->token;
	}
	return 0;
}

static void draw_put(struct clerk_ask *a)
{
	struct random *r = dice(a->clerk);
	size_t len = random_below(r, CLERK_BYTES_MAX + 1);

	for (size_t i = 0; i < len; i++)
		a->bytes[i] = (uint8_t)random_below(r, 256);
	a->op.kind = OP_PUT;
	a->op.value.bytes = a->bytes;
	a->op.value.bytes_len = len;
}

static void draw_terms(struct clerk_ask *a)
{
	const struct world *w = world_of(a->clerk);
	const struct value_name *v = &w->values[a->name];
	struct random *r = dice(a->clerk);

	a->op.value.name = (const uint8_t *)v->text;
	a->op.value.name_len = v->len;
	a->op.value.expect = EXPECT_ANY;
	if (random_below(r, 3) == 0)
		a->op.value.expect =
			random_below(r, 4) ? v->version : EXPECT_NONE;
	if (random_below(r, 4) == 0)
		a->op.value.guard = some_token(a->clerk);
	if (random_below(r, 4) == 0 && a->op.kind != OP_DELETE && !v->sums)
		a->op.value.flags = PUT_EPHEMERAL;
}

static void draw_write(struct clerk_ask *a)
{
	const struct value_name *v = &world_of(a->clerk)->values[a->name];
	struct random *r = dice(a->clerk);
	bool adds = v->counter == (random_below(r, 50) > 0);

	if (!v->sums && random_below(r, 4) == 0) {
		a->op.kind = OP_DELETE;
	} else if (v->sums || adds) {
		a->op.kind = OP_ADD;
		a->op.value.delta = (int64_t)dice_between(r, 1, DELTA_MAX);
		if (random_below(r, 3) == 0)
			a->op.value.delta = -a->op.value.delta;
	} else {
		draw_put(a);
	}
	draw_terms(a);
}

static void draw_await(struct clerk_ask *a)
{
	const struct value_name *v = &world_of(a->clerk)->values[a->name];
	struct random *r = dice(a->clerk);

	a->op.kind = OP_AWAIT;
	a->op.await.name = (const uint8_t *)v->text;
	a->op.await.name_len = v->len;
	a->op.await.wait = random_below(r, 8) ? WAIT_FOREVER : 0;
	if (v->counter) {
		a->op.await.condition =
			random_below(r, 2) ? AWAIT_AT_MOST : AWAIT_AT_LEAST;
		a->op.await.number = (int64_t)random_below(r, 40) - 20;
		return;
	}
	a->op.await.condition =
		(enum condition)dice_between(r, AWAIT_ABSENT, AWAIT_NEWER);
	if (a->op.await.condition == AWAIT_NEWER)
		a->op.await.number = (int64_t)v->version;
}

static void draw_limit(struct clerk_ask *a, const struct lock_name *name)
{
	struct random *r = dice(a->clerk);

	a->op.kind = OP_PERMITS;
	a->op.permits.name = (const uint8_t *)name->text;
	a->op.permits.name_len = name->len;
	a->op.permits.limit = (uint32_t)random_below(r, name->limit + 3);
}

/* As its member knows it: it may be gone. */
static bool pick_holder(void *ctx, const struct record *r)
{
	struct clerk_ask *a = ctx;

	if (r->request.state == REQUEST_HELD &&
	    (!a->op.revoke.token || random_below(dice(a->clerk), 3) == 0))
		a->op.revoke.token = r->request.token;
	return true;
}

static bool draw_revocation(struct clerk_ask *a)
{
	struct world *w = world_of(a->clerk);
	const struct lock_name *name =
		&w->names[random_below(dice(a->clerk), w->plan.names)];

	core_visit_lock(node_core(a->clerk->process->node), name->text,
			name->len, pick_holder, a);
	if (!a->op.revoke.token)
		return false;
	a->op.kind = OP_REVOKE;
	a->op.revoke.grace = habit_grace(w);
	int n = snprintf(a->reason, sizeof(a->reason), "because %u",
			 (unsigned)random_below(dice(a->clerk), 1000));
	a->op.revoke.reason = (const uint8_t *)a->reason;
	a->op.revoke.reason_len = (size_t)n;
	return true;
}

bool clerk_draw(struct clerk_ask *a)
{
	struct world *w = world_of(a->clerk);
	struct random *r = dice(a->clerk);
	uint64_t kind = random_below(r, 100);
	const struct lock_name *lock =
		&w->names[random_below(r, w->plan.names)];

	a->name = (unsigned)random_below(r, w->plan.values);
	if (dice_chance(r, w->plan.revoke_ppm))
		return draw_revocation(a);
	if (kind < 10)
		a->reads = true;
	else if (kind < 30)
		draw_await(a);
	else if (kind < 50 && lock->moves)
		draw_limit(a, lock);
	else
		draw_write(a);
	return true;
}
