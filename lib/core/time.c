/* Cluster time and what ends by it.
 *
 * The rule: between two entries of a term time never advances by more than
 * their stamps differ, and never by more than limits.step_max_us (README, N8).
 * All that is due is taken away before anybody is let in (N1, N2). */
#include "core/state.h"

#include <assert.h>

/* A new leader's clock continues from the time that it has applied. */
static void begin_term(struct core *core, uint64_t term)
{
	if (term <= core->term)
		return;
	core->term = term;
	core->skew = 0;
}

void core_step(struct core *core, const struct entry *entry)
{
	uint64_t stamp, step;

	begin_term(core, entry->term);
	if (entry->wall > core->wall)
		core->wall = entry->wall;
	stamp = entry->stamp > core->skew ? entry->stamp - core->skew : 0;
	if (stamp <= core->now)
		return;
	step = stamp - core->now;
	if (step > core->limits.step_max_us) {
		core->skew += step - core->limits.step_max_us;
		step = core->limits.step_max_us;
	}
	if (step > TIME_MAX - core->now)
		step = TIME_MAX - core->now;
	core->now += step;
}

/* What is due of it is what was taken away, if that came first. */
static void expire_request(struct core *core, struct request *request)
{
	const struct extra *extra = request->extra;

	if (request->state == REQUEST_WAITING)
		core_end_wait(core, request, HF_ETIMEDOUT, 0);
	else
		core_end_hold(core, request,
			      extra->revoke_at == request->object.timer.key
				      ? HF_EREVOKED
				      : HF_EEXPIRED);
}

static void expire(struct core *core, struct object *object)
{
	switch ((enum record_kind)object->kind) {
	case RECORD_SESSION:
		core_session_end(core, as_session(object), true);
		break;
	case RECORD_REQUEST:
		expire_request(core, as_request(object));
		break;
	case RECORD_LOCK:
		core_touch(core, object);
		as_lock(object)->delay_until = 0;
		core_set_timer(core, object, 0, 0);
		core_lock_mark(core, as_lock(object));
		break;
	case RECORD_STATE:
	case RECORD_PEER:
	case RECORD_VALUE:
		assert(!object->timer.queued);
	}
}

/* Each turn takes one deadline off the heap; a delay set on the way is later
 * than now, unless it is 0 and then isn't set. */
void core_expire_due(struct core *core)
{
	struct heap_node *n = heap_first(&core->deadlines);

	while (n && n->key <= core->now) {
		expire(core, container_of(n, struct object, timer));
		n = heap_first(&core->deadlines);
	}
	core_settle(core);
}
