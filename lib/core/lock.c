/* Locks: holders, the line, and the one loop that lets waiters in.
 *
 * The rule: strict first come, first served. The head of the line is let in
 * when no delay runs and it fits beside the holders; nobody else is. Changes
 * only mark a lock; core_settle runs the loop when all removals of the
 * operation, or of the step of time, have been made (README, N1 and N2). */
#include "core/state.h"

#include <assert.h>
#include <string.h>

struct lock *core_lock_find(const struct core *core, const void *name,
			    size_t len)
{
	uint64_t hash = map_hash(&core->locks, name, len);

	for (struct map_node *n = map_first(&core->locks, hash); n;
	     n = map_next(n, hash)) {
		struct lock *lock = container_of(n, struct lock, by_name);

		if (lock->name_len == len && memcmp(lock->name, name, len) == 0)
			return lock;
	}
	return NULL;
}

struct lock *core_lock_make(struct core *core, const void *name, size_t len)
{
	struct lock *lock =
		as_lock(core_pool_take(core, core_lock_pool(len), RECORD_LOCK));

	lock->id = ++core->counter;
	lock->name_len = (uint16_t)len;
	memcpy(lock->name, name, len);
	list_init(&lock->holders);
	list_init(&lock->line);
	map_insert(&core->locks, &lock->by_name,
		   map_hash(&core->locks, name, len));
	core_add(core, &lock->object);
	return lock;
}

bool core_lock_idle(const struct lock *lock)
{
	return list_empty(&lock->holders) && list_empty(&lock->line) &&
	       lock->delay_until == 0;
}

bool core_lock_fits(const struct lock *lock, uint32_t limit, enum mode mode,
		    uint32_t permits)
{
	uint64_t more = mode == MODE_PERMITS ? permits : 1;

	if (lock->exclusive > 0)
		return false;
	if (mode == MODE_EXCLUSIVE)
		return list_empty(&lock->holders);
	return limit == 0 || lock->shared + lock->permits + more <= limit;
}

bool core_lock_open(const struct core *core, const struct lock *lock)
{
	return lock->delay_until == 0 && core->counter < COUNTER_MAX;
}

bool core_lock_admits_head(const struct core *core, const struct lock *lock)
{
	const struct request *head;

	if (list_empty(&lock->line) || !core_lock_open(core, lock))
		return false;
	head = in_lock(lock->line.next);
	return core_lock_fits(lock, lock->limit, (enum mode)head->mode,
			      head->permits);
}

static uint32_t *holders_of(struct lock *lock, const struct request *request)
{
	return request->mode == MODE_EXCLUSIVE ? &lock->exclusive
					       : &lock->shared;
}

void core_lock_hold(struct lock *lock, struct request *request)
{
	list_push(&lock->holders, &request->in_lock);
	if (request->mode == MODE_PERMITS)
		lock->permits += request->permits;
	else
		(*holders_of(lock, request))++;
}

void core_lock_unhold(struct lock *lock, struct request *request)
{
	list_remove(&request->in_lock);
	if (request->mode == MODE_PERMITS)
		lock->permits -= request->permits;
	else
		(*holders_of(lock, request))--;
}

/* Touched as well, so that what changed in its lists is checked. */
void core_lock_mark(struct core *core, struct lock *lock)
{
	core_touch(core, &lock->object);
	if (lock->marked)
		return;
	lock->marked = true;
	lock->next_marked = NULL;
	*core->marked_end = lock;
	core->marked_end = &lock->next_marked;
}

static void admit(struct core *core, struct lock *lock)
{
	while (core_lock_admits_head(core, lock)) {
		struct request *request = in_lock(lock->line.next);

		core_grant(core, request);
		core_emit(core, &(struct output){
					.kind = OUTPUT_GRANTED,
					.node = request->session->peer->node,
					.session = request->session->id,
					.seq = request->seq,
					.token = request->token,
					.stamp = request->stamp });
	}
}

static void vanish(struct core *core, struct lock *lock)
{
	map_remove(&core->locks, &lock->by_name);
	core_remove(core, &lock->object);
}

void core_settle(struct core *core)
{
	struct lock *lock = core->marked;

	core->marked = NULL;
	core->marked_end = &core->marked;
	while (lock) {
		struct lock *next = lock->next_marked;

		lock->marked = false;
		admit(core, lock);
		if (core_lock_idle(lock))
			vanish(core, lock);
		lock = next;
	}
	assert(!core->marked);
}

void core_lock_delay(struct core *core, struct lock *lock, uint64_t delay)
{
	uint64_t until = core->now + delay;

	if (delay == 0 || until <= lock->delay_until)
		return;
	core_touch(core, &lock->object);
	lock->delay_until = until;
	core_set_timer(core, &lock->object, until, lock->id);
}
