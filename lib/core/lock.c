/* Locks: their names, their holders, and what is said of these.
 *
 * The rule: changes that may let somebody in only mark a lock; core_settle
 * (line.c) looks at what is marked when all removals of the operation, or of
 * the step of time, have been made (README, N1 and N2). */
#include "core/state.h"

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
	struct lock *lock = as_lock(core_take(
		core, POOL_LOCK + core_pool_of_name(len), RECORD_LOCK));

	lock->id = ++core->counter;
	lock->name_len = (uint16_t)len;
	memcpy(lock->name, name, len);
	list_init(&lock->holders);
	map_insert(&core->locks, &lock->by_name,
		   map_hash(&core->locks, name, len));
	core_add(core, &lock->object);
	return lock;
}

bool core_lock_idle(const struct lock *lock)
{
	return list_empty(&lock->holders) && !lock->line &&
	       lock->delay_until == 0 && !(lock->flags & LOCK_PINNED);
}

bool core_lock_open(const struct core *core, const struct lock *lock)
{
	return lock->delay_until == 0 &&
	       COUNTER_MAX - core->counter >= PARTS_MAX;
}

size_t core_lock_waiting(const struct lock *lock)
{
	return lock->line ? rank_len(&lock->line->waiters) : 0;
}

void core_lock_hold(struct core *core, struct part *part)
{
	struct lock *lock = part->lock;
	struct rank_weight w =
		core_weight((enum mode)part->mode, part->permits);

	list_push(&lock->holders, &part->in_lock);
	lock->use = rank_add(lock->use, w);
	core->held_parts++;
	map_insert(
		&core->tokens, &part->by_token,
		map_hash64(&core->tokens, part->request->token + part->number));
}

void core_lock_unhold(struct core *core, struct part *part)
{
	struct lock *lock = part->lock;
	struct rank_weight w =
		core_weight((enum mode)part->mode, part->permits);

	list_remove(&part->in_lock);
	lock->use = rank_sub(lock->use, w);
	core->held_parts--;
	map_remove(&core->tokens, &part->by_token);
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

void core_lock_vanish(struct core *core, struct lock *lock)
{
	map_remove(&core->locks, &lock->by_name);
	core_remove(core, &lock->object);
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

void core_tell_hold(struct core *core, const struct request *request,
		    enum change change, int status)
{
	const struct blob *shown =
		request->extra ? request->extra->shown : NULL;

	for (size_t i = 0; i < request->parts_len; i++) {
		const struct part *part = &request->parts[i];

		core_emit(core, &(struct output){
					.kind = OUTPUT_CHANGED,
					.change = change,
					.status = status,
					.session = request->session->id,
					.by = request->session->peer->node,
					.seq = part->mode,
					.token = request->token + i,
					.stamp = core->now,
					.name = part->lock->name,
					.name_len = part->lock->name_len,
					.bytes = shown ? shown->bytes : NULL,
					.bytes_len = shown ? shown->len : 0 });
	}
}
