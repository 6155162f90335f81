/* Requests and values from an image's records.
 *
 * The rule: a field is what its state says that it must be, or nothing is
 * made of it. */
#include "core/restore.h"

#include <string.h>

static bool part_valid(const struct record_part *part, bool ended)
{
	bool counted = part->mode == MODE_PERMITS;

	return part->mode >= MODE_EXCLUSIVE && part->mode <= MODE_LEAVE &&
	       counted == (part->permits > 0) && ended == (part->lock == 0);
}

/* A wait for a value has a condition and no lock. */
static bool awaits(const struct record *r)
{
	return r->request.condition != 0;
}

static bool parts_valid(const struct record *r)
{
	const struct record_part first = { r->request.lock, r->request.mode,
					   r->request.permits };
	bool ended = r->request.state == REQUEST_ENDED;

	if (awaits(r))
		return r->request.from == 0 && r->request.hold == 0 &&
		       r->request.lease == 0 && r->request.shown_len == 0 &&
		       r->request.lock == 0 && r->request.mode == 0 &&
		       r->request.permits == 0 && r->request.more_len == 0 &&
		       ended == (r->request.value == 0) &&
		       await_number_valid(r->request.condition,
					  r->request.number) &&
		       r->request.state != REQUEST_HELD;
	if (r->request.more_len >= PARTS_MAX || !part_valid(&first, ended) ||
	    (r->request.more_len > 0 && first.mode > MODE_PERMITS))
		return false;
	if (first.mode == MODE_LEAVE && r->request.state == REQUEST_HELD)
		return false;
	for (size_t i = 0; i < r->request.more_len; i++) {
		if (!part_valid(&r->request.more[i], ended) ||
		    r->request.more[i].mode > MODE_PERMITS)
			return false;
	}
	return r->request.value == 0 && r->request.number == 0;
}

static bool extra_valid(const struct core *core, const struct record *r)
{
	bool held = r->request.state == REQUEST_HELD;

	if (r->request.hold > DURATION_MAX || r->request.lease > DURATION_MAX ||
	    r->request.shown_len > SHOWN_MAX ||
	    r->request.revoke.reason_len > REASON_MAX)
		return false;
	if (!held && (r->request.hold_until > 0 || r->request.lease_until > 0 ||
		      r->request.revoke.at > 0))
		return false;
	if (r->request.revoke.at == 0 &&
	    (r->request.revoke.noted || r->request.revoke.noted_at > 0 ||
	     r->request.revoke.by > 0 || r->request.revoke.reason_len > 0))
		return false;
	if (r->request.from > 0 && r->request.state != REQUEST_WAITING)
		return false;
	if (r->request.revoke.noted_at > core->now + DURATION_MAX)
		return false;
	return restore_pending(core, r->request.hold_until) &&
	       restore_pending(core, r->request.lease_until) &&
	       restore_pending(core, r->request.revoke.at);
}

/* Is each field what its state says it must be? */
static bool request_valid(const struct core *core, const struct record *r)
{
	bool waits = r->request.state == REQUEST_WAITING;
	bool held = r->request.state == REQUEST_HELD;
	bool ended = r->request.state == REQUEST_ENDED;

	if ((!waits && !held && !ended) || r->request.seq == 0)
		return false;
	if (r->request.status > 0 || (!ended && r->request.status < 0) ||
	    r->request.delay > DURATION_MAX || r->request.priority < INT8_MIN ||
	    r->request.priority > INT8_MAX)
		return false;
	if (held ? !restore_given(r->request.token, core->counter)
		 : r->request.token > 0 &&
			    !(ended && r->request.status == 0 && awaits(r)))
		return false;
	if (r->request.stamp > core->now || r->request.index > core->index ||
	    waits != (r->request.index == 0))
		return false;
	if (r->request.deadline > 0 && !waits)
		return false;
	return restore_pending(core, r->request.deadline) && parts_valid(r) &&
	       extra_valid(core, r);
}

static bool has_extra(const struct record *r)
{
	return r->request.hold > 0 || r->request.lease > 0 ||
	       r->request.hold_until > 0 || r->request.lease_until > 0 ||
	       r->request.from > 0 || r->request.shown_len > 0 ||
	       r->request.revoke.at > 0 || awaits(r);
}

/* A blob of its own; NULL: no bytes, or (`failed`) no memory. */
static struct blob *copy(struct core *core, const uint8_t *bytes, size_t len,
			 bool *failed)
{
	struct blob *blob;

	if (len == 0 || *failed)
		return NULL;
	blob = core_blob_new(core, bytes, len);
	*failed = !blob;
	return blob;
}

static int restore_extra(struct core *core, const struct record *r,
			 struct request *request)
{
	struct extra *extra = core_extra(core, request);
	bool failed = false;

	extra->hold = r->request.hold;
	extra->lease = r->request.lease;
	extra->hold_until = r->request.hold_until;
	extra->lease_until = r->request.lease_until;
	extra->from_token = r->request.from;
	extra->revoke_at = r->request.revoke.at;
	extra->noted_at = r->request.revoke.noted_at;
	extra->revoke_by = r->request.revoke.by;
	extra->noted = r->request.revoke.noted;
	extra->value_id = r->request.value;
	extra->condition = (uint8_t)r->request.condition;
	extra->number = r->request.number;
	extra->shown =
		copy(core, r->request.shown, r->request.shown_len, &failed);
	extra->reason = copy(core, r->request.revoke.reason,
			     r->request.revoke.reason_len, &failed);
	return failed ? HF_ENOMEM : 0;
}

static void restore_parts(const struct record *r, struct request *request)
{
	for (size_t i = 0; i < request->parts_len; i++) {
		struct part *part = &request->parts[i];

		part->request = request;
		part->number = (uint8_t)i;
		part->lock_id =
			i > 0 ? r->request.more[i - 1].lock : r->request.lock;
		part->mode = (uint8_t)(i > 0 ? r->request.more[i - 1].mode
					     : r->request.mode);
		part->permits = i > 0 ? r->request.more[i - 1].permits
				      : r->request.permits;
	}
}

static int reserve_request(struct core *core, size_t parts_len)
{
	return core_pool_reserve(core, core_pool_of_parts(parts_len), 1) ||
	       core_pool_reserve(core, POOL_EXTRA, 1) ||
	       map_reserve(&core->requests, core->len[RECORD_REQUEST] + 1) ||
	       map_reserve(&core->tokens, core->waiting_parts + parts_len);
}

int restore_request(struct core *core, const struct record *r)
{
	size_t parts_len = awaits(r) ? 0 : 1 + r->request.more_len;
	struct request *request;

	if (!restore_given(r->request.place, core->arrivals) ||
	    !request_valid(core, r))
		return restore_corrupt(core, "the request at place % can't be",
				       r->request.place);
	if (reserve_request(core, parts_len))
		return restore_no_memory(core);
	request = as_request(
		core_take(core, core_pool_of_parts(parts_len), RECORD_REQUEST));
	request->session_id = r->request.session;
	request->owner_id = r->request.owner;
	request->seq = r->request.seq;
	request->token = r->request.token;
	request->stamp = r->request.stamp;
	request->index = r->request.index;
	request->place = r->request.place;
	request->deadline = r->request.deadline;
	request->delay = r->request.delay;
	request->status = r->request.status;
	request->priority = (int8_t)r->request.priority;
	request->state = (uint8_t)r->request.state;
	request->parts_len = (uint8_t)parts_len;
	restore_parts(r, request);
	core->waiting_parts += parts_len; /* until they are joined: of all */
	list_init(&request->in_owner);
	core_add(core, &request->object);
	if (has_extra(r) && restore_extra(core, r, request))
		return restore_no_memory(core);
	return 0;
}

struct value *core_value_by_id(const struct core *core, uint64_t id)
{
	uint64_t hash = map_hash64(&core->values_by, id);

	for (struct map_node *n = map_first(&core->values_by, hash); n;
	     n = map_next(n, hash)) {
		struct value *v = container_of(n, struct value, by_name);

		if (v->id == id)
			return v;
	}
	return NULL;
}

static bool value_valid(const struct core *core, const struct record *r)
{
	bool there = r->value.version > 0;

	if (r->value.name_len == 0 || r->value.name_len > LOCK_NAME_MAX ||
	    r->value.version > core->counter ||
	    r->value.bytes_len > VALUE_MAX || r->value.number > COUNT_MAX ||
	    r->value.number < -COUNT_MAX)
		return false;
	if (!there && (r->value.session > 0 || r->value.counter))
		return false;
	if ((!there || r->value.counter) && r->value.bytes_len > 0)
		return false;
	return r->value.counter || r->value.number == 0;
}

int restore_value(struct core *core, const struct record *r)
{
	bool failed = false;
	struct value *v;
	size_t pool;

	if (!restore_given(r->value.id, core->counter) ||
	    core_value_by_id(core, r->value.id))
		return restore_corrupt(core, "value % was never made, or twice",
				       r->value.id);
	if (!value_valid(core, r))
		return restore_corrupt(core, "value % can't be", r->value.id);
	pool = POOL_VALUE + core_pool_of_name(r->value.name_len);
	if (core_pool_reserve(core, pool, 1) ||
	    map_reserve(&core->values_by, 1))
		return restore_no_memory(core);
	v = as_value(core_take(core, pool, RECORD_VALUE));
	v->id = r->value.id;
	v->name_len = (uint16_t)r->value.name_len;
	memcpy(v->name, r->value.name, r->value.name_len);
	v->version = r->value.version;
	v->session_id = r->value.session;
	v->counter = r->value.counter;
	v->number = r->value.number;
	list_init(&v->in_session);
	map_insert(&core->values_by, &v->by_name,
		   map_hash64(&core->values_by, v->id));
	core_add(core, &v->object);
	v->blob = copy(core, r->value.bytes, r->value.bytes_len, &failed);
	core->bytes += r->value.bytes_len;
	core->values += v->version > 0;
	return failed ? restore_no_memory(core) : 0;
}
