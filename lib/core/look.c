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
	counts->values = core->values;
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
	struct part *part = core_token_find(core, token);

	if (part)
		core_record(core, &part->request->object, r, true);
	return part != NULL;
}

bool core_lock(const struct core *core, const void *name, size_t len,
	       struct record *r)
{
	struct lock *lock = core_lock_find(core, name, len);

	if (lock)
		core_record(core, &lock->object, r, true);
	return lock != NULL;
}

bool core_value(const struct core *core, const void *name, size_t len,
		struct record *r)
{
	struct value *v = core_value_find(core, name, len);

	if (!v || v->version == 0)
		return false;
	core_record(core, &v->object, r, true);
	return true;
}

bool core_place(const struct core *core, uint64_t session, uint64_t seq,
		uint64_t *place, uint64_t *line, uint64_t *pace_us)
{
	const struct request *r = core_request_find(core, session, seq);

	*place = *line = *pace_us = 0;
	if (!r || r->state != REQUEST_WAITING)
		return false;
	for (size_t i = 0; i < r->parts_len; i++) {
		const struct line *l = r->parts[i].lock->line;
		uint64_t at;

		if (r->parts[i].mode == MODE_LEAVE)
			return false;
		at = rank_place(&r->parts[i].in_line) + 1;
		if (at <= *place)
			continue;
		*place = at;
		*line = rank_len(&l->waiters);
		*pace_us = l->pace;
	}
	return *place > 0;
}

static bool show(const struct core *core, struct object *object,
		 core_visit visit, void *ctx)
{
	struct record r;

	core_record(core, object, &r, true);
	return visit(ctx, &r);
}

/* A request as this one of its locks sees it. */
static bool show_part(const struct core *core, struct part *part,
		      core_visit visit, void *ctx)
{
	struct record r;

	core_record(core, &part->request->object, &r, true);
	r.request.lock = part->lock->id;
	r.request.mode = (enum mode)part->mode;
	r.request.permits = part->permits;
	if (part->request->state == REQUEST_HELD)
		r.request.token += part->number;
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
		if (!show_part(core, in_lock(it), visit, ctx))
			return;
	}
	if (!lock->line)
		return;
	for (struct rank_node *n = rank_first(&lock->line->waiters); n;
	     n = rank_next(n)) {
		if (!show_part(core, in_line(n), visit, ctx))
			return;
	}
}

void core_visit_locks(const struct core *core, core_visit visit, void *ctx)
{
	list_for (it, &core->all[RECORD_LOCK]) {
		if (!show(core, object_of(it), visit, ctx))
			return;
	}
}

void core_visit_values(const struct core *core, core_visit visit, void *ctx)
{
	list_for (it, &core->all[RECORD_VALUE]) {
		if (as_value(object_of(it))->version > 0 &&
		    !show(core, object_of(it), visit, ctx))
			return;
	}
}

static bool conflicts(const struct lock *lock, const struct part *part,
		      const struct part *holder)
{
	if (holder->request->extra && holder->request->extra->conversion &&
	    holder->request->extra->conversion == part->request)
		return false;
	return lock->limit > 0 || part->mode == MODE_EXCLUSIVE ||
	       holder->mode == MODE_EXCLUSIVE;
}

struct edges {
	core_wait_visit visit;
	void *ctx;
	struct wait_edge edge;
};

static bool show_edge(struct edges *edges, const struct part *blocker,
		      uint64_t token)
{
	const struct request *r = blocker->request;

	edges->edge.blocker.node = r->session->peer->node;
	edges->edge.blocker.session = r->session->id;
	edges->edge.blocker.owner = r->owner ? r->owner->id : 0;
	edges->edge.token = token;
	return edges->visit(edges->ctx, &edges->edge);
}

/* Who holds it and is in the way, then the one before. */
static bool show_edges(struct edges *edges, const struct part *part,
		       const struct part *before)
{
	const struct lock *lock = part->lock;
	const struct request *r = part->request;

	edges->edge.waiter.node = r->session->peer->node;
	edges->edge.waiter.session = r->session->id;
	edges->edge.waiter.owner = r->owner ? r->owner->id : 0;
	edges->edge.name = lock->name;
	edges->edge.name_len = lock->name_len;
	list_for (it, &lock->holders) {
		struct part *holder = in_lock(it);

		if (conflicts(lock, part, holder) &&
		    !show_edge(edges, holder,
			       holder->request->token + holder->number))
			return false;
	}
	return !before || show_edge(edges, before, 0);
}

void core_visit_waits(const struct core *core, core_wait_visit visit, void *ctx)
{
	struct edges edges = { .visit = visit, .ctx = ctx };

	list_for (it, &core->all[RECORD_LOCK]) {
		const struct lock *lock = as_lock(object_of(it));
		struct rank_node *n =
			lock->line ? rank_first(&lock->line->waiters) : NULL;
		const struct part *before = NULL;

		for (; n; n = rank_next(n)) {
			if (lock->flags & LOCK_BARRIER)
				break;
			if (!show_edges(&edges, in_line(n), before))
				return;
			before = in_line(n);
		}
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
	case RECORD_VALUE:
		return as_value(object)->id;
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
