/* What will become of an acquire.
 *
 * The rule: everything is judged before anything changes, in one order of
 * refusals: malformed, the conversion, the kind, the permits, a second
 * upgrader, limits, held, the line. */
#include "core/plan.h"

#include <string.h>

static bool part_malformed(const struct op_part *part, bool several)
{
	bool counted = part->mode == MODE_PERMITS;

	if (part->name_len == 0 || part->name_len > LOCK_NAME_MAX)
		return true;
	if (part->mode < MODE_EXCLUSIVE || part->mode > MODE_LEAVE ||
	    (several && part->mode > MODE_PERMITS))
		return true;
	if (counted != (part->permits > 0))
		return true;
	return !counted && (part->limit > 0) != (part->mode == MODE_BARRIER);
}

static bool name_twice(const struct plan *plan)
{
	for (size_t i = 1; i < plan->parts_len; i++) {
		const struct op_part *a = &plan->parts[i];

		for (size_t j = 0; j < i; j++) {
			const struct op_part *b = &plan->parts[j];

			if (a->name_len == b->name_len &&
			    memcmp(a->name, b->name, a->name_len) == 0)
				return true;
		}
	}
	return false;
}

static bool too_long(uint64_t duration)
{
	return duration > DURATION_MAX;
}

/* What no caller that works as it should asks for. */
bool plan_malformed(const struct plan *plan)
{
	const struct op *op = plan->op;
	bool leaves = op->acquire.mode == MODE_LEAVE;

	for (size_t i = 0; i < plan->parts_len; i++) {
		if (part_malformed(&plan->parts[i], plan->parts_len > 1))
			return true;
	}
	if (leaves && op->acquire.from == 0)
		return true;
	if (op->acquire.from > 0 &&
	    (plan->parts_len > 1 || op->acquire.mode == MODE_BARRIER))
		return true;
	if (op->acquire.priority < INT8_MIN || op->acquire.priority > INT8_MAX)
		return true;
	if (op->acquire.shown_len > SHOWN_MAX || too_long(op->acquire.hold) ||
	    too_long(op->acquire.lease) || too_long(op->acquire.delay))
		return true;
	return (too_long(op->acquire.wait) &&
		op->acquire.wait != WAIT_FOREVER) ||
	       name_twice(plan);
}

/* The limit that counts once the part is in its lock. */
static uint32_t limit_of(const struct lock *lock, const struct op_part *part)
{
	return lock && lock->limit > 0 ? lock->limit : part->limit;
}

static bool other_kind(const struct lock *lock, const struct op_part *part)
{
	bool barrier = part->mode == MODE_BARRIER || part->mode == MODE_LEAVE;

	return lock && barrier != ((lock->flags & LOCK_BARRIER) != 0);
}

static bool differs(const struct lock *lock, const struct op_part *part)
{
	uint32_t limit = limit_of(lock, part);

	if (part->mode != MODE_PERMITS && part->mode != MODE_BARRIER)
		return false;
	return limit == 0 || part->permits > limit ||
	       (part->limit > 0 && part->limit != limit);
}

static bool used_up(const struct core *core, const struct plan *plan)
{
	size_t made = 0;

	for (size_t i = 0; i < plan->parts_len; i++)
		made += plan->locks[i] == NULL;
	return core->len[RECORD_REQUEST] >= core->limits.requests ||
	       (made > 0 &&
		core->len[RECORD_LOCK] + made > core->limits.locks) ||
	       COUNTER_MAX - core->counter < UINT64_C(2) * PARTS_MAX ||
	       core->arrivals >= COUNTER_MAX;
}

/* Somebody else waits to go from shared to exclusive, and it would, too. */
static bool second_upgrader(const struct plan *plan)
{
	const struct lock *lock = plan->locks[0];
	struct rank_node *n;

	if (!plan->from || plan->parts[0].mode != MODE_EXCLUSIVE || !lock ||
	    !lock->line)
		return false;
	for (n = rank_first(&lock->line->waiters); n && n->major == 0;
	     n = rank_next(n)) {
		if (in_line(n)->mode == MODE_EXCLUSIVE)
			return true;
	}
	return false;
}

/* All but conversions go behind those of their own priority. */
static struct rank_weight before(const struct plan *plan, size_t i)
{
	const struct request *from = plan->from;
	struct rank_weight w =
		rank_add(plan->locks[i]->use,
			 core_line_ahead(plan->locks[i], from != NULL,
					 plan->op->acquire.priority));

	if (!from)
		return w;
	return rank_sub(w, core_weight((enum mode)from->parts[0].mode,
				       from->parts[0].permits));
}

/* Is it the last who is missing? */
static bool barrier_full(const struct core *core, const struct plan *plan)
{
	const struct lock *lock = plan->locks[0];

	if (!lock)
		return plan->parts[0].limit == 1;
	return lock->delay_until == 0 &&
	       COUNTER_MAX - core->counter >= lock->limit &&
	       list_empty(&lock->holders) &&
	       (!lock->line || list_empty(&lock->line->leavers)) &&
	       core_lock_waiting(lock) + 1 >= lock->limit;
}

static bool admissible(const struct core *core, const struct plan *plan)
{
	if (plan->parts[0].mode == MODE_BARRIER)
		return false; /* all who have come are let in together */
	for (size_t i = 0; i < plan->parts_len; i++) {
		const struct op_part *part = &plan->parts[i];
		const struct lock *lock = plan->locks[i];

		if (lock && (!core_lock_open(core, lock) ||
			     !core_fits(limit_of(lock, part), before(plan, i),
					part->mode, part->permits)))
			return false;
	}
	return true;
}

/* How it would have to wait. */
static int judge_wait(const struct core *core, const struct plan *plan)
{
	const struct op *op = plan->op;

	if (op->acquire.mode == MODE_BARRIER && barrier_full(core, plan))
		return STATUS_WAITING;
	if (op->acquire.wait == 0)
		return HF_EHELD;
	for (size_t i = 0; i < plan->parts_len; i++) {
		if (plan->locks[i] &&
		    core_lock_waiting(plan->locks[i]) >= core->limits.line)
			return HF_ELIMIT;
	}
	for (size_t i = 0; i < plan->parts_len && op->acquire.line > 0; i++) {
		if (plan->locks[i] && !plan->from &&
		    core_line_place(plan->locks[i], op->acquire.priority) >
			    op->acquire.line)
			return HF_ELINE;
	}
	return STATUS_WAITING;
}

/* 0, STATUS_WAITING or an error: what will become of it. Changes nothing. */
int plan_judge(const struct core *core, const struct plan *plan)
{
	if (second_upgrader(plan))
		return HF_EDEADLK;
	if (used_up(core, plan))
		return HF_ELIMIT;
	return admissible(core, plan) ? 0 : judge_wait(core, plan);
}

int plan_judge_names(const struct plan *plan)
{
	for (size_t i = 0; i < plan->parts_len; i++) {
		if (other_kind(plan->locks[i], &plan->parts[i]))
			return HF_EKIND;
	}
	for (size_t i = 0; i < plan->parts_len; i++) {
		if (differs(plan->locks[i], &plan->parts[i]))
			return HF_EPERMITS;
	}
	return 0;
}
