/* The end of a restore: ids become pointers, records become lists.
 *
 * The rule: lists get the order that they had, by id, place or token, whatever
 * the order of the records was. Timers serve as nodes of the heap that sorts,
 * so that joining needs no memory. */
#include "core/state.h"

typedef int (*join_cb)(struct core *core, struct object *object);

static int corrupt(struct core *core, const char *text, uint64_t id)
{
	return core_fail(core, HF_ECORRUPT, text, id, 0);
}

static uint64_t session_key(struct object *object)
{
	return as_session(object)->id;
}

static uint64_t place_key(struct object *object)
{
	return as_request(object)->place;
}

static uint64_t token_key(struct object *object)
{
	return as_request(object)->token;
}

/* Join those with a key, in its order; a key must not be there twice. */
static int join(struct core *core, enum record_kind kind,
		uint64_t (*key)(struct object *object), join_cb step)
{
	struct heap order = { .root = NULL };
	uint64_t last = 0;
	int rc = 0;

	list_for (it, &core->all[kind]) {
		uint64_t k = key(object_of(it));

		if (k > 0)
			heap_push(&order, &object_of(it)->timer, k, 0);
	}
	while (rc == 0 && heap_first(&order)) {
		struct heap_node *n = heap_first(&order);

		if (n->key == last)
			return corrupt(core, "number % was given twice", last);
		last = n->key;
		heap_remove(&order, n);
		rc = step(core, container_of(n, struct object, timer));
	}
	return rc;
}

/* Also in the list of all, which is looked at by id. */
static int join_session(struct core *core, struct object *object)
{
	struct session *s = as_session(object);
	struct peer *peer = core_peer_find(core, s->node);

	if (!peer)
		return corrupt(core, "session % is of no known node", s->id);
	s->peer = peer;
	list_push(&peer->sessions, &s->in_peer);
	list_remove(&object->all);
	list_push(&core->all[RECORD_SESSION], &object->all);
	return 0;
}

static int join_peer(struct core *core, struct object *object)
{
	struct peer *peer = as_peer(object);
	uint64_t id = peer->session_id;

	peer->session = core_session_find(core, id);
	if ((id > 0) != (peer->session != NULL))
		return corrupt(core, "the session of node % isn't there",
			       peer->node);
	return 0;
}

/* Locks were found by id up to here, and are found by name from here on. */
static int join_locks(struct core *core)
{
	list_for (it, &core->all[RECORD_LOCK])
		map_remove(&core->locks, &as_lock(object_of(it))->by_name);
	list_for (it, &core->all[RECORD_LOCK]) {
		struct lock *lock = as_lock(object_of(it));

		if (core_lock_find(core, lock->name, lock->name_len))
			return corrupt(core,
				       "the name of lock % is there twice",
				       lock->id);
		map_insert(&core->locks, &lock->by_name,
			   map_hash(&core->locks, lock->name, lock->name_len));
	}
	return 0;
}

static int join_request(struct core *core, struct object *object)
{
	struct request *r = as_request(object);
	struct session *session = core_session_find(core, r->session_id);
	struct lock *lock = core_lock_by_id(core, r->lock_id);

	if (!session || (r->lock_id > 0 && !lock))
		return corrupt(
			core, "the request at place % is of no session or lock",
			r->place);
	if (core_request_find(core, session->id, r->seq))
		return corrupt(core, "sequence number % is there twice",
			       r->seq);
	r->session = session;
	r->lock = lock;
	list_push(&session->requests, &r->in_session);
	map_insert(&core->requests, &r->by_seq,
		   core_request_hash(core, session->id, r->seq));
	if (r->state != REQUEST_WAITING)
		return 0;
	list_push(&lock->line, &r->in_lock);
	lock->waiting++;
	core->waits++;
	return 0;
}

static int join_holder(struct core *core, struct object *object)
{
	struct request *r = as_request(object);

	core_lock_hold(r->lock, r);
	core->holds++;
	map_insert(&core->tokens, &r->by_token,
		   map_hash64(&core->tokens, r->token));
	return 0;
}

/* After the sorting, when the timers are free. */
static void set_timers(struct core *core)
{
	list_for (it, &core->all[RECORD_SESSION]) {
		struct session *s = as_session(object_of(it));

		core_set_timer(core, &s->object, s->deadline, s->id);
	}
	list_for (it, &core->all[RECORD_LOCK]) {
		struct lock *lock = as_lock(object_of(it));

		core_set_timer(core, &lock->object, lock->delay_until,
			       lock->id);
	}
	list_for (it, &core->all[RECORD_REQUEST]) {
		struct request *r = as_request(object_of(it));

		core_set_timer(core, &r->object, r->deadline,
			       r->place | PLACE_TIE);
	}
}

static int join_all(struct core *core)
{
	if (join(core, RECORD_SESSION, session_key, join_session))
		return core->poison;
	list_for (it, &core->all[RECORD_PEER]) {
		if (join_peer(core, object_of(it)))
			return core->poison;
	}
	if (join(core, RECORD_REQUEST, place_key, join_request))
		return core->poison;
	if (join_locks(core))
		return core->poison;
	return join(core, RECORD_REQUEST, token_key, join_holder);
}

int core_restore_end(struct core *core)
{
	if (core->poison)
		return core->poison;
	if (!core->restoring)
		return corrupt(core, "the image is empty", 0);
	if (join_all(core))
		return core->poison;
	set_timers(core);
	core->restoring = false;
	core_finish(core);
	if (core_check(core))
		return core_fail(core, HF_ECORRUPT, NULL, 0, 0);
	if (core->hash != core->want_hash)
		return corrupt(core, "the state restored has another hash", 0);
	return 0;
}
