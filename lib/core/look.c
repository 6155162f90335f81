/* Reading the state. Nothing here changes it, nor depends on a hash table's
 * order. */
#include "core/state.h"

uint64_t core_now(const struct core *core)
{
	return core->now;
}

uint64_t core_wall(const struct core *core)
{
	return core->wall;
}

uint64_t core_index(const struct core *core)
{
	return core->index;
}

uint64_t core_hash(const struct core *core)
{
	return core->hash;
}

const struct limits *core_limits(const struct core *core)
{
	return &core->limits;
}

uint64_t core_deadline(const struct core *core)
{
	const struct heap_node *first = heap_first(&core->deadlines);

	if (!first || first->key > UINT64_MAX - core->skew)
		return UINT64_MAX;
	return first->key + core->skew;
}

void core_counts(const struct core *core, struct counts *counts)
{
	counts->sessions = core->len[RECORD_SESSION];
	counts->locks = core->len[RECORD_LOCK];
	counts->holds = core->holds;
	counts->waits = core->waits;
}

bool core_session(const struct core *core, uint64_t session, struct record *r)
{
	struct session *s = core_session_find(core, session);

	if (s)
		core_record(core, &s->object, r, true);
	return s != NULL;
}

bool core_hold(const struct core *core, uint64_t token, struct record *r)
{
	struct request *request = core_token_find(core, token);

	if (request)
		core_record(core, &request->object, r, true);
	return request != NULL;
}

bool core_lock(const struct core *core, const void *name, size_t len,
	       struct record *r)
{
	struct lock *lock = core_lock_find(core, name, len);

	if (lock)
		core_record(core, &lock->object, r, true);
	return lock != NULL;
}

static bool show(const struct core *core, struct object *object,
		 core_visit visit, void *ctx)
{
	struct record r;

	core_record(core, object, &r, true);
	return visit(ctx, &r);
}

void core_visit_session(const struct core *core, uint64_t session,
			core_visit visit, void *ctx)
{
	const struct session *s = core_session_find(core, session);

	if (!s)
		return;
	list_for (it, &s->requests) {
		if (!show(core, &in_session(it)->object, visit, ctx))
			return;
	}
}

void core_visit_lock(const struct core *core, const void *name, size_t len,
		     core_visit visit, void *ctx)
{
	const struct lock *lock = core_lock_find(core, name, len);

	if (!lock)
		return;
	list_for (it, &lock->holders) {
		if (!show(core, &in_lock(it)->object, visit, ctx))
			return;
	}
	list_for (it, &lock->line) {
		if (!show(core, &in_lock(it)->object, visit, ctx))
			return;
	}
}

void core_visit_sessions(const struct core *core, core_visit visit, void *ctx)
{
	list_for (it, &core->all[RECORD_SESSION]) {
		if (!show(core, object_of(it), visit, ctx))
			return;
	}
}

/* One object in a heap of its own: its timer is in use. */
struct place {
	struct heap_node node;
	struct object *object;
};

static uint64_t identity(struct object *object)
{
	switch ((enum record_kind)object->kind) {
	case RECORD_PEER:
		return as_peer(object)->node;
	case RECORD_SESSION:
		return as_session(object)->id;
	case RECORD_LOCK:
		return as_lock(object)->id;
	case RECORD_REQUEST:
		return as_request(object)->place;
	case RECORD_STATE:
		break;
	}
	return 0;
}

static void sort(const struct core *core, struct place *places,
		 struct heap *heap)
{
	size_t n = 0;

	for (size_t kind = 0; kind < KINDS; kind++) {
		list_for (it, &core->all[kind]) {
			struct place *place = &places[n++];

			place->object = object_of(it);
			heap_push(heap, &place->node, kind,
				  identity(place->object));
		}
	}
}

int core_visit_all(const struct core *core, core_visit visit, void *ctx)
{
	struct heap heap = { .root = NULL };
	struct place *places;
	struct record state;
	uint64_t n = 1;
	bool more;

	for (size_t kind = 0; kind < KINDS; kind++)
		n += core->len[kind];
	places = mem_zalloc(core->mem, n * sizeof(*places));
	if (!places)
		return -1;
	sort(core, places, &heap);
	core_record_state(core, &state);
	more = visit(ctx, &state);
	while (more && heap_first(&heap)) {
		struct place *place =
			container_of(heap_first(&heap), struct place, node);

		heap_remove(&heap, &place->node);
		more = show(core, place->object, visit, ctx);
	}
	mem_free(core->mem, places);
	return 0;
}
