/* The end of a restore: ids become pointers, records become lists.
 *
 * The rule: lists get the order that they had, by id, place or token, whatever
 * the order of the records was. Timers serve as nodes of the heap that sorts.
 */
#include "core/restore.h"

typedef int (*join_cb)(struct core *core, struct object *object);

/* What join needs besides the objects: as it needs it, for it is in use then.
 */
static int reserve(struct core *core, size_t pool, size_t len)
{
	if (core_pool_reserve(core, pool, len) == 0 &&
	    map_reserve(&core->owners, 1) == 0)
		return 0;
	return restore_no_memory(core);
}

static uint64_t session_key(struct object *object)
{
	return as_session(object)->id;
}

static uint64_t lock_key(struct object *object)
{
	return as_lock(object)->id;
}

static uint64_t value_key(struct object *object)
{
	return as_value(object)->id;
}

static uint64_t place_key(struct object *object)
{
	return as_request(object)->place;
}

static uint64_t token_key(struct object *object)
{
	const struct request *r = as_request(object);

	return r->state == REQUEST_HELD ? r->token : 0;
}

static uint64_t version_key(struct object *object)
{
	return as_value(object)->version;
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
			return restore_corrupt(core, "number % was given twice",
					       last);
		last = n->key;
		heap_remove(&order, n);
		rc = step(core, container_of(n, struct object, timer));
	}
	return rc;
}

/* The list of all is looked at by id. */
static int join_all_list(struct core *core, struct object *object)
{
	list_remove(&object->all);
	list_push(&core->all[object->kind], &object->all);
	return 0;
}

static int join_session(struct core *core, struct object *object)
{
	struct session *s = as_session(object);
	struct peer *peer = core_peer_find(core, s->node);

	if (!peer)
		return restore_corrupt(core, "session % is of no known node",
				       s->id);
	s->peer = peer;
	list_push(&peer->sessions, &s->in_peer);
	return join_all_list(core, object);
}

static int join_peer(struct core *core, struct object *object)
{
	struct peer *peer = as_peer(object);
	uint64_t id = peer->session_id;

	peer->session = core_session_find(core, id);
	if ((id > 0) != (peer->session != NULL))
		return restore_corrupt(
			core, "the session of node % isn't there", peer->node);
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
			return restore_corrupt(
				core, "the name of lock % is there twice",
				lock->id);
		map_insert(&core->locks, &lock->by_name,
			   map_hash(&core->locks, lock->name, lock->name_len));
	}
	return 0;
}

static int join_values(struct core *core)
{
	list_for (it, &core->all[RECORD_VALUE])
		map_remove(&core->values_by, &as_value(object_of(it))->by_name);
	list_for (it, &core->all[RECORD_VALUE]) {
		struct value *v = as_value(object_of(it));

		if (core_value_find(core, v->name, v->name_len))
			return restore_corrupt(
				core, "the name of value % is there twice",
				v->id);
		map_insert(&core->values_by, &v->by_name,
			   map_hash(&core->values_by, v->name, v->name_len));
	}
	return 0;
}

/* In the order in which they were bound to their sessions. */
static int join_ephemeral(struct core *core, struct object *object)
{
	struct value *v = as_value(object);
	uint64_t id = v->session_id;
	struct session *session = core_session_find(core, id);

	if (id > 0 && !session)
		return restore_corrupt(core, "value % is of no session", v->id);
	v->session = session;
	if (session)
		list_push(&session->values, &v->in_session);
	return 0;
}

static int join_parts(struct core *core, struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		struct part *part = &r->parts[i];
		uint64_t id = part->lock_id;

		part->lock = core_lock_by_id(core, id);
		if (id > 0 && !part->lock)
			return restore_corrupt(
				core, "the request at place % is of no lock",
				r->place);
		for (size_t j = 0; j < i && id > 0; j++) {
			if (r->parts[j].lock == part->lock)
				return restore_corrupt(
					core,
					"the request at place % has a "
					"lock twice",
					r->place);
		}
	}
	return 0;
}

static int join_await(struct core *core, struct request *r)
{
	struct value *v = core_value_by_id(core, r->extra->value_id);

	if (!v)
		return restore_corrupt(core,
				       "the request at place % is of no value",
				       r->place);
	core_await_join(v, r->extra);
	return 0;
}

/* By place: so lists of sessions, owners and notices get their order. */
static int join_request(struct core *core, struct object *object)
{
	struct request *r = as_request(object);
	struct session *session = core_session_find(core, r->session_id);
	uint64_t owner = r->owner_id;

	if (!session)
		return restore_corrupt(
			core, "the request at place % is of no session",
			r->place);
	if (core_request_find(core, session->id, r->seq))
		return restore_corrupt(core, "sequence number % is there twice",
				       r->seq);
	r->session = session;
	r->owner = NULL;
	list_push(&session->requests, &r->in_session);
	map_insert(&core->requests, &r->by_seq,
		   core_request_hash(core, session->id, r->seq));
	if (owner > 0 && (r->state == REQUEST_ENDED || r->parts_len == 0))
		return restore_corrupt(
			core, "the request at place % has an owner", r->place);
	if (owner > 0 && reserve(core, POOL_OWNER, 1))
		return core->poison;
	if (owner > 0)
		core_owner_join(r, core_owner_get(core, session, owner));
	if (r->extra && r->extra->revoke_at > 0 && !r->extra->noted)
		list_push(&session->notices, &r->extra->in_notices);
	if (join_parts(core, r))
		return core->poison;
	core->waits += r->state == REQUEST_WAITING;
	if (r->state == REQUEST_WAITING && r->parts_len == 0)
		return join_await(core, r);
	return 0;
}

/* `from` names a hold, which must be there to be found. */
static int join_conversion(struct core *core, struct request *r)
{
	uint64_t token = r->extra->from_token;
	struct request *from = core_hold_of(core, r->session, token);

	r->extra->from = NULL;
	if (!from || from->parts_len > 1 || r->parts_len != 1 ||
	    from->parts[0].lock != r->parts[0].lock ||
	    from->owner != r->owner || (from->extra && from->extra->conversion))
		return restore_corrupt(
			core, "the request at place % converts nothing",
			r->place);
	if (reserve(core, POOL_EXTRA, 1))
		return core->poison;
	r->extra->from = from;
	core_extra(core, from)->conversion = r;
	return 0;
}

static int join_waiter(struct core *core, struct object *object)
{
	struct request *r = as_request(object);

	if (r->state != REQUEST_WAITING || r->parts_len == 0)
		return 0;
	if (r->extra && r->extra->from_token > 0 && join_conversion(core, r))
		return core->poison;
	if (reserve(core, POOL_LINE, r->parts_len))
		return core->poison;
	if (r->owner && core_waits_for_locks(r))
		r->owner->waits++;
	core_line_join(core, r);
	return 0;
}

static int join_holder(struct core *core, struct object *object)
{
	struct request *r = as_request(object);

	for (size_t i = 0; i < r->parts_len; i++) {
		if (core_token_find(core, r->token + i))
			return restore_corrupt(core, "token % was given twice",
					       r->token + i);
		core_lock_hold(core, &r->parts[i]);
	}
	core->holds++;
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
		core_request_timer(core, as_request(object_of(it)));
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
	core->waiting_parts = 0;
	if (join(core, RECORD_VALUE, version_key, join_ephemeral) ||
	    join(core, RECORD_REQUEST, place_key, join_request) ||
	    join_locks(core) || join_values(core) ||
	    join(core, RECORD_LOCK, lock_key, join_all_list) ||
	    join(core, RECORD_VALUE, value_key, join_all_list) ||
	    join(core, RECORD_REQUEST, token_key, join_holder))
		return core->poison;
	return join(core, RECORD_REQUEST, place_key, join_waiter);
}

int core_restore_end(struct core *core)
{
	if (core->poison)
		return core->poison;
	if (!core->restoring)
		return restore_corrupt(core, "the image is empty", 0);
	if (join_all(core))
		return core->poison;
	set_timers(core);
	core->restoring = false;
	core_finish(core);
	if (core_check(core))
		return core_fail(core, HF_ECORRUPT, NULL, 0, 0);
	if (core->hash != core->want_hash)
		return restore_corrupt(
			core, "the state restored has another hash", 0);
	return 0;
}
