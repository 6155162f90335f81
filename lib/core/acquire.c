/* Acquires: what one may do, and its beginning.
 *
 * The rule: everything is judged before anything changes. A request that a
 * search for deadlocks refuses has been in line for the search only; then all,
 * the counters too, is as before. */
#include "core/plan.h"

struct op_part core_op_part(const struct op *op, size_t number)
{
	if (number > 0)
		return op->acquire.more[number - 1];
	return (struct op_part){ .name = op->acquire.name,
				 .name_len = op->acquire.name_len,
				 .mode = op->acquire.mode,
				 .permits = op->acquire.permits,
				 .limit = op->acquire.limit };
}

static void make_locks(struct core *core, struct plan *plan)
{
	for (size_t i = 0; i < plan->parts_len; i++) {
		const struct op_part *part = &plan->parts[i];
		struct lock *lock = plan->locks[i];

		if (!lock)
			lock = core_lock_make(core, part->name, part->name_len);
		plan->locks[i] = lock;
		core_touch(core, &lock->object);
		if (part->mode == MODE_BARRIER)
			lock->flags |= LOCK_BARRIER;
	}
}

/* Locks become semaphores, which is as lowering a limit. false: that would be a
 * deadlock of those who wait there. */
static bool set_limits(struct core *core, struct plan *plan)
{
	for (size_t i = 0; i < plan->parts_len; i++) {
		struct lock *lock = plan->locks[i];

		plan->limits[i] = lock->limit;
		plan->parts_set = i + 1;
		if (lock->limit > 0 || plan->parts[i].limit == 0)
			continue;
		lock->limit = plan->parts[i].limit;
		if (core_line_deadlocked(core, lock, plan->op))
			return false;
	}
	return true;
}

static void reset_limits(struct plan *plan)
{
	for (size_t i = 0; i < plan->parts_set; i++)
		plan->locks[i]->limit = plan->limits[i];
}

static bool has_extra(const struct op *op)
{
	return op->acquire.hold > 0 || op->acquire.lease > 0 ||
	       op->acquire.shown_len > 0;
}

static void link_conversion(struct core *core, struct request *r,
			    struct request *from)
{
	core_extra(core, r)->from = from;
	core_extra(core, from)->conversion = r;
	r->delay = from->delay;
}

static struct request *make_request(struct core *core, const struct plan *plan)
{
	const struct op *op = plan->op;
	uint64_t owner = op->acquire.owner;
	struct request *r =
		core_request_make(core, plan->session, op, plan->parts_len);

	if (plan->from)
		owner = plan->from->owner ? plan->from->owner->id : 0;
	r->delay = op->acquire.delay;
	r->priority = (int8_t)op->acquire.priority;
	for (size_t i = 0; i < plan->parts_len; i++) {
		r->parts[i].lock = plan->locks[i];
		r->parts[i].mode = (uint8_t)plan->parts[i].mode;
		r->parts[i].permits = plan->parts[i].permits;
	}
	if (owner > 0)
		core_owner_join(r, core_owner_get(core, plan->session, owner));
	if (has_extra(op) && !plan->from) {
		struct extra *extra = core_extra(core, r);

		extra->hold = op->acquire.hold;
		extra->lease = op->acquire.lease;
		extra->shown = core_blob_take(core);
	}
	if (plan->from)
		link_conversion(core, r, plan->from);
	return r;
}

/* As if it had never come. Locks that were made for it are idle, and vanish. */
static void undo(struct core *core, struct plan *plan, struct request *r,
		 struct slot *result)
{
	reset_limits(plan);
	for (size_t i = 0; i < plan->parts_len; i++)
		core_lock_mark(core, plan->locks[i]);
	if (r)
		core_request_remove(core, r, 0);
	core_settle(core);
	result->status = HF_EDEADLK;
}

static void wait_or_refuse(struct core *core, struct plan *plan,
			   struct slot *result)
{
	struct request *r = make_request(core, plan);

	core_begin_wait(core, r, plan->op->acquire.wait);
	if (plan->parts[0].mode == MODE_BARRIER)
		core_lock_mark(core, plan->locks[0]);
	else if (core_deadlocked(core, r))
		undo(core, plan, r, result);
}

static void start(struct core *core, struct plan *plan, struct slot *result)
{
	uint64_t counter = core->counter, arrivals = core->arrivals;
	struct request *r;

	make_locks(core, plan);
	if (!set_limits(core, plan)) {
		undo(core, plan, NULL, result);
	} else if (result->status == 0) {
		r = make_request(core, plan);
		core_grant(core, r);
		core_suspect(core, r->owner);
		result->token = r->token;
		core_tell_hold(core, r, CHANGE_HELD, 0);
	} else {
		wait_or_refuse(core, plan, result);
	}
	if (result->status != HF_EDEADLK)
		return;
	core->counter = counter;
	core->arrivals = arrivals;
}

static void leave(struct core *core, const struct plan *plan,
		  struct slot *result)
{
	const struct part *part = &plan->from->parts[0];
	bool last = part->lock->holders.next == &part->in_lock &&
		    part->lock->holders.prev == &part->in_lock;
	uint64_t token = plan->from->token;

	if (plan->op->acquire.wait == 0 && !last)
		result->status = HF_EHELD;
	else if (core_leave(core, plan->session, plan->from, plan->op))
		result->status = STATUS_WAITING;
	else
		result->token = token;
}

/* true: it was in place, or refused; `result` says. */
static bool convert(struct core *core, struct plan *plan, struct slot *result)
{
	const struct op *op = plan->op;
	int rc;

	if (op->acquire.from == 0)
		return false;
	plan->from = core_hold_of(core, plan->session, op->acquire.from);
	rc = core_judge_conversion(op, plan->from);
	if (rc >= 0 && plan_judge_names(plan) < 0)
		rc = plan_judge_names(plan);
	if (rc < 0) {
		result->status = rc;
		return true;
	}
	result->status = 0;
	if (op->acquire.mode == MODE_LEAVE) {
		leave(core, plan, result);
		return true;
	}
	if (rc == 0)
		return false;
	core_convert_down(core, plan->from, op);
	result->token = plan->from->token;
	return true;
}

void core_acquire(struct core *core, struct session *session,
		  const struct op *op, struct slot *result)
{
	struct plan plan; /* large: only what there is is set */

	plan.op = op;
	plan.session = session;
	plan.from = NULL;
	plan.parts_len = 1 + op->acquire.more_len;
	result->status = HF_EINVAL;
	if (plan.parts_len > PARTS_MAX)
		return;
	for (size_t i = 0; i < plan.parts_len; i++)
		plan.parts[i] = core_op_part(op, i);
	if (plan_malformed(&plan))
		return;
	result->status = HF_ELIMIT;
	if (op->acquire.delay > core->limits.delay_max_us)
		return;
	for (size_t i = 0; i < plan.parts_len; i++)
		plan.locks[i] = core_lock_find(core, plan.parts[i].name,
					       plan.parts[i].name_len);
	if (convert(core, &plan, result))
		return;
	result->status = plan_judge_names(&plan);
	if (result->status == 0)
		result->status = plan_judge(core, &plan);
	if (result->status >= 0)
		start(core, &plan, result);
	else if (result->status == HF_EDEADLK)
		core_tell_upgrader(core, op, plan.locks[0]);
}
