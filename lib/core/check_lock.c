/* The invariants of locks, their holders and lines. */
#include "core/check.h"

/* A lowered limit takes nothing away: more may be held than there are. */
static int check_holders(struct core *core, const struct lock *lock)
{
	struct rank_weight use = { 0, 0 };
	uint64_t last = 0;
	bool barrier = (lock->flags & LOCK_BARRIER) != 0;

	list_for (it, &lock->holders) {
		const struct part *part = in_lock(it);
		const struct request *r = part->request;
		struct rank_weight w =
			core_weight((enum mode)part->mode, part->permits);

		CLAIM(part->lock == lock && r->state == REQUEST_HELD,
		      "lock % has a holder that doesn't hold it", lock->id);
		CLAIM(barrier == (part->mode == MODE_BARRIER) &&
			      part->mode != MODE_LEAVE,
		      "lock % is held as what it isn't", lock->id);
		CLAIM(r->token + part->number > last,
		      "lock % has holders out of order", lock->id);
		last = r->token + part->number;
		use.alone += w.alone;
		use.units += w.units;
	}
	CLAIM(use.alone == lock->use.alone && use.units == lock->use.units,
	      "the holders of lock % aren't those counted", lock->id);
	CLAIM(use.alone == 0 || (use.alone == 1 && use.units == 0),
	      "lock % is held exclusively and by others", lock->id);
	return 0;
}

static int check_waiter(struct core *core, const struct lock *lock,
			const struct part *part)
{
	const struct rank_node *n = &part->in_line;
	struct rank_weight w =
		core_weight((enum mode)part->mode, part->permits);

	CLAIM(part->lock == lock && part->request->state == REQUEST_WAITING,
	      "lock % has a waiter that doesn't wait for it", lock->id);
	CLAIM(((lock->flags & LOCK_BARRIER) != 0) ==
			      (part->mode == MODE_BARRIER) &&
		      part->mode != MODE_LEAVE,
	      "lock % is waited for as what it isn't", lock->id);
	CLAIM(part->request->parts_len == 1 || part->mode <= MODE_PERMITS,
	      "a barrier % is waited for with others", lock->id);
	CLAIM(n->own.alone == w.alone && n->own.units == w.units &&
		      n->minor == part->request->place,
	      "a waiter for lock % isn't in its place", lock->id);
	CLAIM(part->permits <= lock->limit,
	      "a waiter asks more permits of lock % than there are", lock->id);
	CLAIM((lock->flags & LOCK_BARRIER) ||
		      !core_admissible(core, part->request),
	      "a waiter for lock % should have been let in", lock->id);
	return 0;
}

static int check_leavers(struct core *core, const struct lock *lock)
{
	uint64_t last = 0;

	list_for (it, &lock->line->leavers) {
		const struct part *part = in_lock(it);

		CLAIM(part->lock == lock && part->mode == MODE_LEAVE &&
			      part->request->state == REQUEST_WAITING &&
			      part->request->place > last,
		      "lock % is left by one who doesn't", lock->id);
		last = part->request->place;
	}
	CLAIM(list_empty(&lock->line->leavers) ||
		      (!list_empty(&lock->holders) &&
		       (lock->flags & LOCK_BARRIER)),
	      "who leaves lock % should have left", lock->id);
	return 0;
}

static int check_line(struct core *core, const struct lock *lock)
{
	const struct rank_node *last = NULL;

	if (!lock->line)
		return 0;
	CLAIM(lock->line->lock == lock && (rank_len(&lock->line->waiters) > 0 ||
					   !list_empty(&lock->line->leavers)),
	      "lock % has a line that nobody needs", lock->id);
	for (struct rank_node *n = rank_first(&lock->line->waiters); n;
	     n = rank_next(n)) {
		CLAIM(!last || last->major < n->major ||
			      (last->major == n->major &&
			       last->minor < n->minor),
		      "lock % has a line out of order", lock->id);
		last = n;
		if (check_waiter(core, lock, in_line(n)))
			return HF_ECORRUPT;
	}
	CLAIM(!(lock->flags & LOCK_BARRIER) || !core_barrier_opens(core, lock),
	      "the barrier % should have opened", lock->id);
	return check_leavers(core, lock);
}

int check_lock(struct core *core, const struct lock *lock)
{
	CLAIM(lock->id > 0 && lock->id <= core->counter,
	      "lock % has a number that wasn't given", lock->id);
	CLAIM(core_lock_find(core, lock->name, lock->name_len) == lock,
	      "lock % isn't found", lock->id);
	CLAIM(!core_lock_idle(lock) && !lock->marked,
	      "lock % should have vanished", lock->id);
	CLAIM(lock->delay_until == 0 || lock->delay_until > core->now,
	      "the delay of lock % should have ended", lock->id);
	CLAIM(timer_is(&lock->object, lock->delay_until, lock->id),
	      "the timer of lock % isn't its delay", lock->id);
	if (check_holders(core, lock))
		return HF_ECORRUPT;
	return check_line(core, lock);
}
