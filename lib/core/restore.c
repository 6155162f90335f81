/* From an image's records to a state.
 *
 * The rule: records are bytes of a disk or a peer. Each field is looked at
 * before it is used, references are joined when all records are there, and at
 * last the checker and the hash have to agree. */
#include "core/restore.h"

#include <string.h>

static const struct limits greatest_limits = {
#define X(name, first, least, greatest) .name = greatest,
	LIMITS(X)
#undef X
};

int restore_corrupt(struct core *core, const char *text, uint64_t id)
{
	return core_fail(core, HF_ECORRUPT, text, id, 0);
}

int restore_no_memory(struct core *core)
{
	return core_fail(core, HF_ENOMEM, "out of memory in a restore", 0, 0);
}

static int restore_state(struct core *core, const struct record *r)
{
	if (r->kind != RECORD_STATE || core->index > 0)
		return restore_corrupt(core, "the first record isn't a state",
				       0);
	if (r->state.version != SEMANTICS_VERSION)
		return restore_corrupt(
			core, "the image has semantics %, unknown here",
			r->state.version);
	if (!core_limits_valid(&r->state.limits))
		return restore_corrupt(core, "the limits are out of range", 0);
	if (r->state.now > TIME_MAX || r->state.counter > COUNTER_MAX ||
	    r->state.arrivals > COUNTER_MAX)
		return restore_corrupt(
			core, "the state's numbers are out of range", 0);
	core->now = r->state.now;
	core->term = r->state.term;
	core->skew = r->state.skew;
	core->wall = r->state.wall;
	core->index = r->state.index;
	core->counter = r->state.counter;
	core->arrivals = r->state.arrivals;
	core->limits = r->state.limits;
	core->want_hash = r->state.hash;
	core->restoring = true;
	return 0;
}

static int restore_peer(struct core *core, const struct record *r)
{
	struct peer *peer;

	if (r->peer.node == 0 || core_peer_find(core, r->peer.node))
		return restore_corrupt(core, "node % is 0 or there twice",
				       r->peer.node);
	if (core_pool_reserve(core, POOL_PEER, 1) ||
	    map_reserve(&core->peers, 1))
		return restore_no_memory(core);
	peer = as_peer(core_take(core, POOL_PEER, RECORD_PEER));
	peer->node = r->peer.node;
	peer->boot = r->peer.boot;
	peer->nth = r->peer.nth;
	peer->session_id = r->peer.session;
	list_init(&peer->sessions);
	map_insert(&core->peers, &peer->by_node,
		   map_hash64(&core->peers, peer->node));
	core_add(core, &peer->object);
	return 0;
}

static bool slots_valid(const struct core *core, const struct record *r)
{
	uint64_t least = r->session.low;
	uint64_t end = r->session.low + greatest_limits.window;

	if (r->session.low == 0 || r->session.low > COUNTER_MAX)
		return false;
	for (size_t i = 0; i < r->session.slots_len; i++) {
		const struct slot *slot = &r->session.slots[i];

		if (slot->seq < least || slot->seq >= end ||
		    slot->token > COUNTER_MAX || slot->stamp > core->now)
			return false;
		least = slot->seq + 1;
	}
	return true;
}

static int restore_slots(struct core *core, struct window *w,
			 const struct record *r)
{
	size_t len = r->session.slots_len;

	w->low = r->session.low;
	w->high = w->low - 1;
	if (len == 0)
		return 0;
	if (core_window_reserve(core, w, r->session.slots[len - 1].seq,
				greatest_limits.window))
		return HF_ENOMEM;
	for (size_t i = 0; i < len; i++)
		core_window_put(w, &r->session.slots[i]);
	return 0;
}

static int restore_session(struct core *core, const struct record *r)
{
	struct session *s;

	if (!restore_given(r->session.id, core->counter) ||
	    core_session_find(core, r->session.id))
		return restore_corrupt(core,
				       "session % was never opened, or twice",
				       r->session.id);
	if (r->session.ttl > DURATION_MAX || r->session.opened > core->now ||
	    r->session.deadline == 0 ||
	    !restore_pending(core, r->session.deadline))
		return restore_corrupt(core, "session % has impossible times",
				       r->session.id);
	if (!slots_valid(core, r))
		return restore_corrupt(core,
				       "session % has an impossible window",
				       r->session.id);
	if (core_pool_reserve(core, POOL_SESSION, 1) ||
	    map_reserve(&core->sessions, 1))
		return restore_no_memory(core);
	s = as_session(core_take(core, POOL_SESSION, RECORD_SESSION));
	s->id = r->session.id;
	s->node = r->session.node;
	s->boot = r->session.boot;
	s->nth = r->session.nth;
	s->ttl = r->session.ttl;
	s->deadline = r->session.deadline;
	s->opened = r->session.opened;
	memcpy(s->nonce, r->session.nonce, NONCE_LEN);
	s->flags = r->session.flags;
	list_init(&s->requests);
	list_init(&s->values);
	list_init(&s->notices);
	map_insert(&core->sessions, &s->by_id,
		   map_hash64(&core->sessions, s->id));
	core_add(core, &s->object);
	return restore_slots(core, &s->window, r) ? restore_no_memory(core) : 0;
}

struct lock *core_lock_by_id(const struct core *core, uint64_t id)
{
	uint64_t hash = map_hash64(&core->locks, id);

	for (struct map_node *n = map_first(&core->locks, hash); n;
	     n = map_next(n, hash)) {
		struct lock *lock = container_of(n, struct lock, by_name);

		if (lock->id == id)
			return lock;
	}
	return NULL;
}

static bool flags_valid(const struct record *r)
{
	uint32_t flags = r->lock.flags;

	if (flags & ~(uint32_t)(LOCK_BARRIER | LOCK_PINNED))
		return false;
	return flags != (LOCK_BARRIER | LOCK_PINNED) &&
	       (flags == 0 || r->lock.limit > 0);
}

static int restore_lock(struct core *core, const struct record *r)
{
	struct lock *lock;
	size_t pool;

	if (!restore_given(r->lock.id, core->counter) ||
	    core_lock_by_id(core, r->lock.id))
		return restore_corrupt(core, "lock % was never made, or twice",
				       r->lock.id);
	if (r->lock.name_len == 0 || r->lock.name_len > LOCK_NAME_MAX)
		return restore_corrupt(core, "lock % has an impossible name",
				       r->lock.id);
	if (!restore_pending(core, r->lock.delay_until))
		return restore_corrupt(core, "lock % has an impossible delay",
				       r->lock.id);
	if (!flags_valid(r))
		return restore_corrupt(core, "lock % has impossible flags",
				       r->lock.id);
	pool = POOL_LOCK + core_pool_of_name(r->lock.name_len);
	if (core_pool_reserve(core, pool, 1) || map_reserve(&core->locks, 1))
		return restore_no_memory(core);
	lock = as_lock(core_take(core, pool, RECORD_LOCK));
	lock->id = r->lock.id;
	lock->name_len = (uint16_t)r->lock.name_len;
	memcpy(lock->name, r->lock.name, r->lock.name_len);
	lock->limit = r->lock.limit;
	lock->flags = (uint8_t)r->lock.flags;
	lock->delay_until = r->lock.delay_until;
	list_init(&lock->holders);
	map_insert(&core->locks, &lock->by_name,
		   map_hash64(&core->locks, lock->id));
	core_add(core, &lock->object);
	return 0;
}

int core_restore(struct core *core, const struct record *r)
{
	if (core->poison)
		return core->poison;
	if (!core->restoring)
		return restore_state(core, r);
	switch (r->kind) {
	case RECORD_PEER:
		return restore_peer(core, r);
	case RECORD_SESSION:
		return restore_session(core, r);
	case RECORD_LOCK:
		return restore_lock(core, r);
	case RECORD_REQUEST:
		return restore_request(core, r);
	case RECORD_VALUE:
		return restore_value(core, r);
	case RECORD_STATE:
		return restore_corrupt(core, "the state is there twice", 0);
	}
	return restore_corrupt(core, "a record is of unknown kind %",
			       (uint64_t)r->kind);
}
