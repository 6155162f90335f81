/* Requests: one object from the acquire to the last that is known of it.
 *
 * The rule: what holds a request, or is held by it, is left in the same step in
 * which its state changes; locks that somebody could get into are marked. */
#include "core/state.h"

#include <assert.h>
#include <string.h>

/* Sequence numbers are close together and ids are odd multiples apart, so that
 * two pairs with the same sum don't meet in practice; equality is tested. */
#define APART UINT64_C(0x9e3779b97f4a7c15)

uint64_t core_request_hash(const struct core *core, uint64_t session,
			   uint64_t seq)
{
	return map_hash64(&core->requests, session * APART + seq);
}

struct request *core_request_find(const struct core *core, uint64_t session,
				  uint64_t seq)
{
	uint64_t hash = core_request_hash(core, session, seq);

	for (struct map_node *n = map_first(&core->requests, hash); n;
	     n = map_next(n, hash)) {
		struct request *r = container_of(n, struct request, by_seq);

		if (r->seq == seq && r->session->id == session)
			return r;
	}
	return NULL;
}

struct part *core_token_find(const struct core *core, uint64_t token)
{
	uint64_t hash = map_hash64(&core->tokens, token);

	for (struct map_node *n = map_first(&core->tokens, hash); n;
	     n = map_next(n, hash)) {
		struct part *part = container_of(n, struct part, by_token);

		if (part->request->token + part->number == token)
			return part;
	}
	return NULL;
}

struct request *core_hold_of(const struct core *core,
			     const struct session *session, uint64_t token)
{
	struct part *part = core_token_find(core, token);

	return part && part->request->session == session ? part->request : NULL;
}

/* --- owners */

static uint64_t owner_hash(const struct core *core,
			   const struct session *session, uint64_t id)
{
	return map_hash64(&core->owners, session->id * APART + id);
}

struct owner *core_owner_get(struct core *core, struct session *session,
			     uint64_t id)
{
	uint64_t hash = owner_hash(core, session, id);
	struct owner *owner;

	for (struct map_node *n = map_first(&core->owners, hash); n;
	     n = map_next(n, hash)) {
		owner = container_of(n, struct owner, by_key);
		if (owner->id == id && owner->session == session)
			return owner;
	}
	owner = core_pool_take(core, POOL_OWNER);
	owner->session = session;
	owner->id = id;
	list_init(&owner->requests);
	list_push(&core->all_owners, &owner->all);
	map_insert(&core->owners, &owner->by_key, hash);
	return owner;
}

void core_owner_join(struct request *request, struct owner *owner)
{
	request->owner = owner;
	list_push(&owner->requests, &request->in_owner);
}

static void owner_leave(struct core *core, struct request *request)
{
	struct owner *owner = request->owner;

	if (!owner)
		return;
	list_remove(&request->in_owner);
	request->owner = NULL;
	if (!list_empty(&owner->requests))
		return;
	assert(!owner->suspected);
	list_remove(&owner->all);
	map_remove(&core->owners, &owner->by_key);
	core_pool_give(core, POOL_OWNER, owner);
}

bool core_waits_for_locks(const struct request *request)
{
	return request->state == REQUEST_WAITING && request->parts_len > 0 &&
	       request->parts[0].mode != MODE_BARRIER &&
	       request->parts[0].mode != MODE_LEAVE;
}

/* --- making and removing */

struct request *core_request_make(struct core *core, struct session *session,
				  const struct op *op, size_t parts_len)
{
	struct request *r = as_request(
		core_take(core, core_pool_of_parts(parts_len), RECORD_REQUEST));

	r->session = session;
	r->seq = op->seq;
	r->place = ++core->arrivals;
	r->parts_len = (uint8_t)parts_len;
	for (size_t i = 0; i < parts_len; i++) {
		r->parts[i].request = r;
		r->parts[i].number = (uint8_t)i;
	}
	list_init(&r->in_owner);
	list_push(&session->requests, &r->in_session);
	map_insert(&core->requests, &r->by_seq,
		   core_request_hash(core, session->id, r->seq));
	core_add(core, &r->object);
	return r;
}

struct extra *core_extra(struct core *core, struct request *request)
{
	struct extra *extra = request->extra;

	if (extra)
		return extra;
	extra = core_pool_take(core, POOL_EXTRA);
	extra->request = request;
	list_init(&extra->in_notices);
	request->extra = extra;
	return extra;
}

static void mark_locks(struct core *core, struct request *request)
{
	for (size_t i = 0; i < request->parts_len; i++) {
		if (request->parts[i].lock)
			core_lock_mark(core, request->parts[i].lock);
	}
}

/* Whatever it waits for. Its place stays free. */
static void leave_wait(struct core *core, struct request *request)
{
	if (request->extra && request->extra->from) {
		request->extra->from->extra->conversion = NULL;
		request->extra->from = NULL;
	}
	if (request->owner && core_waits_for_locks(request))
		request->owner->waits--;
	core->waits--;
	request->deadline = 0;
	core_set_timer(core, &request->object, 0, 0);
	if (request->parts_len == 0)
		core_await_leave(core, request);
	else
		core_line_leave(core, request);
}

static void leave_hold(struct core *core, struct request *request)
{
	struct extra *extra = request->extra;

	for (size_t i = 0; i < request->parts_len; i++)
		core_lock_unhold(core, &request->parts[i]);
	core->holds--;
	core_set_timer(core, &request->object, 0, 0);
	if (!extra)
		return;
	core_notice_end(core, extra);
	extra->hold_until = extra->lease_until = 0;
	if (extra->conversion)
		core_end_wait(core, extra->conversion, HF_ENOTHELD, 0);
}

void core_request_remove(struct core *core, struct request *request, int status)
{
	core_touch(core, &request->object);
	mark_locks(core, request);
	if (request->state == REQUEST_WAITING) {
		leave_wait(core, request);
	} else if (request->state == REQUEST_HELD) {
		core_tell_hold(core, request, CHANGE_FREED, status);
		leave_hold(core, request);
	}
	owner_leave(core, request);
	list_remove(&request->in_session);
	map_remove(&core->requests, &request->by_seq);
	core_remove(core, &request->object);
}

/* --- waits, grants and ends */

void core_begin_wait(struct core *core, struct request *request, uint64_t wait)
{
	request->state = REQUEST_WAITING;
	if (wait != WAIT_FOREVER && wait > 0)
		request->deadline = core->now + wait;
	core->waits++;
	if (request->owner && core_waits_for_locks(request))
		request->owner->waits++;
	if (request->parts_len > 0)
		core_line_join(core, request);
	core_request_timer(core, request);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

uint64_t core_hold_deadline(const struct request *request)
{
	const struct extra *extra = request->extra;

	return extra ? earlier(extra->hold_until, extra->lease_until) : 0;
}

void core_request_timer(struct core *core, struct request *request)
{
	uint64_t at = request->deadline;

	if (request->state == REQUEST_HELD && request->extra)
		at = earlier(core_hold_deadline(request),
			     request->extra->revoke_at);
	core_set_timer(core, &request->object, at, request->place | PLACE_TIE);
}

static void begin_terms(struct core *core, struct request *request)
{
	struct extra *extra = request->extra;

	if (!extra)
		return;
	if (extra->hold > 0 && extra->hold_until == 0)
		extra->hold_until = core->now + extra->hold;
	if (extra->lease > 0 && extra->lease_until == 0)
		extra->lease_until = core->now + extra->lease;
	core_request_timer(core, request);
}

void core_grant(struct core *core, struct request *request)
{
	core_touch(core, &request->object);
	if (request->extra && request->extra->from)
		core_convert_up(core, request);
	if (request->state == REQUEST_WAITING)
		leave_wait(core, request);
	assert(COUNTER_MAX - core->counter >= request->parts_len);
	request->state = REQUEST_HELD;
	request->token = core->counter + 1;
	core->counter += request->parts_len;
	request->stamp = core->now;
	request->index = core->index;
	for (size_t i = 0; i < request->parts_len; i++)
		core_lock_hold(core, &request->parts[i]);
	core->holds++;
	begin_terms(core, request);
}

/* A wait for a value says what it has waited for. */
static void forget_extra(struct core *core, struct request *request)
{
	struct extra *extra = request->extra;

	if (!extra || request->parts_len == 0)
		return;
	core_blob_free(core, extra->shown);
	core_pool_give(core, POOL_EXTRA, extra);
	request->extra = NULL;
}

/* Its locks may go: it stands alone from now on. `result` stays with it. */
static void end(struct core *core, struct request *request, int status,
		uint64_t result)
{
	uint64_t token = request->token;

	mark_locks(core, request);
	for (size_t i = 0; i < request->parts_len; i++)
		request->parts[i].lock = NULL;
	owner_leave(core, request);
	forget_extra(core, request);
	request->state = REQUEST_ENDED;
	request->status = status;
	request->token = result;
	request->stamp = core->now;
	request->index = core->index;
	core_emit(core, &(struct output){ .kind = OUTPUT_ENDED,
					  .status = status,
					  .node = request->session->peer->node,
					  .session = request->session->id,
					  .seq = request->seq,
					  .token = token ? token : result,
					  .stamp = request->stamp });
}

void core_end_wait(struct core *core, struct request *request, int status,
		   uint64_t result)
{
	core_touch(core, &request->object);
	leave_wait(core, request);
	end(core, request, status, result);
}

void core_end_hold(struct core *core, struct request *request, int status)
{
	core_touch(core, &request->object);
	for (size_t i = 0; i < request->parts_len; i++)
		core_lock_delay(core, request->parts[i].lock, request->delay);
	core_tell_hold(core, request, CHANGE_FREED, status);
	leave_hold(core, request);
	end(core, request, status, 0);
}
