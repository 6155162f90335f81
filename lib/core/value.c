/* Values and counters, and who waits for them.
 *
 * The rules: a version is a number of the counter, so it rises over deletion
 * and re-creation; and who waits is looked at after each change, before the
 * next one. */
#include "core/state.h"

#include <assert.h>
#include <string.h>

struct value *core_value_find(const struct core *core, const void *name,
			      size_t len)
{
	uint64_t hash = map_hash(&core->values_by, name, len);

	for (struct map_node *n = map_first(&core->values_by, hash); n;
	     n = map_next(n, hash)) {
		struct value *v = container_of(n, struct value, by_name);

		if (v->name_len == len && memcmp(v->name, name, len) == 0)
			return v;
	}
	return NULL;
}

static struct value *make(struct core *core, const void *name, size_t len)
{
	struct value *v = as_value(core_take(
		core, POOL_VALUE + core_pool_of_name(len), RECORD_VALUE));

	v->id = ++core->counter;
	v->name_len = (uint16_t)len;
	memcpy(v->name, name, len);
	list_init(&v->in_session);
	map_insert(&core->values_by, &v->by_name,
		   map_hash(&core->values_by, name, len));
	core_add(core, &v->object);
	return v;
}

static bool awaited(const struct value *v)
{
	for (size_t i = 0; i < AWAIT_AT_LEAST; i++) {
		if (heap_first(&v->waiters[i]))
			return true;
	}
	return false;
}

/* Neither there nor waited for: it goes. */
static void vanish(struct core *core, struct value *v)
{
	if (v->version > 0 || awaited(v) || v->object.dead)
		return;
	map_remove(&core->values_by, &v->by_name);
	core_remove(core, &v->object);
}

/* --- waits */

static bool counted(enum condition condition)
{
	return condition >= AWAIT_AT_MOST;
}

/* 0: not yet; 1: it is so, and `result`; HF_EKIND: it will never be. */
static int is_true(const struct value *v, enum condition condition,
		   int64_t number, uint64_t *result)
{
	bool there = v && v->version > 0;
	int64_t count = there && v->counter ? v->number : 0;

	if (counted(condition)) {
		if (there && !v->counter)
			return HF_EKIND;
		*result = (uint64_t)(count + (int64_t)COUNT_BIAS);
		return condition == AWAIT_AT_MOST ? count <= number
						  : count >= number;
	}
	*result = there ? v->version : 0;
	if (condition == AWAIT_ABSENT)
		return !there;
	return there &&
	       (condition == AWAIT_PRESENT || v->version > (uint64_t)number);
}

/* The smaller, the easier to please. */
static uint64_t patience(enum condition condition, int64_t number)
{
	switch (condition) {
	case AWAIT_AT_MOST:
		return COUNT_BIAS - (uint64_t)number;
	case AWAIT_AT_LEAST:
		return COUNT_BIAS + (uint64_t)number;
	case AWAIT_NEWER:
		return (uint64_t)number;
	case AWAIT_ABSENT:
	case AWAIT_PRESENT:
		break;
	}
	return 0;
}

void core_await_join(struct value *value, struct extra *extra)
{
	enum condition condition = (enum condition)extra->condition;

	extra->value = value;
	heap_push(&value->waiters[condition - 1], &extra->in_value,
		  patience(condition, extra->number), extra->request->place);
}

void core_await_leave(struct core *core, struct request *request)
{
	struct extra *extra = request->extra;
	struct value *v = extra->value;

	heap_remove(&v->waiters[extra->condition - 1], &extra->in_value);
	extra->value = NULL;
	vanish(core, v);
}

bool core_value_settled(const struct value *v)
{
	for (size_t i = AWAIT_ABSENT; i <= AWAIT_AT_LEAST; i++) {
		struct heap_node *n = heap_first(&v->waiters[i - 1]);
		uint64_t result;

		if (n && is_true(v, (enum condition)i, in_value(n)->number,
				 &result) != 0)
			return false;
	}
	return true;
}

/* Each turn ends one wait. */
static void please(struct core *core, struct value *v, enum condition condition)
{
	struct heap_node *n;
	uint64_t result;
	int rc;

	while ((n = heap_first(&v->waiters[condition - 1]))) {
		struct extra *extra = in_value(n);

		rc = is_true(v, condition, extra->number, &result);
		if (rc == 0)
			return;
		core_end_wait(core, extra->request, rc < 0 ? rc : 0,
			      rc < 0 ? 0 : result);
	}
}

static void changed(struct core *core, struct value *v)
{
	for (size_t i = AWAIT_ABSENT; i <= AWAIT_AT_LEAST; i++)
		please(core, v, (enum condition)i);
	vanish(core, v);
}

void core_await(struct core *core, struct session *session, const struct op *op,
		struct slot *result)
{
	struct value *v;
	struct request *r;
	struct extra *extra;
	int rc;

	result->status = HF_EINVAL;
	if (op->await.name_len == 0 || op->await.name_len > LOCK_NAME_MAX ||
	    !await_number_valid(op->await.condition, op->await.number) ||
	    (op->await.wait > DURATION_MAX && op->await.wait != WAIT_FOREVER))
		return;
	v = core_value_find(core, op->await.name, op->await.name_len);
	rc = is_true(v, op->await.condition, op->await.number, &result->token);
	result->status = rc < 0 ? rc : 0;
	if (rc < 0)
		result->token = 0;
	if (rc != 0)
		return;
	result->token = 0;
	result->status = HF_ETIMEDOUT;
	if (op->await.wait == 0)
		return;
	result->status = HF_ELIMIT;
	if (core->len[RECORD_REQUEST] >= core->limits.requests ||
	    COUNTER_MAX - core->counter < 2 || core->arrivals >= COUNTER_MAX)
		return;
	if (!v)
		v = make(core, op->await.name, op->await.name_len);
	r = core_request_make(core, session, op, 0);
	extra = core_extra(core, r);
	extra->condition = (uint8_t)op->await.condition;
	extra->number = op->await.number;
	core_await_join(v, extra);
	core_begin_wait(core, r, op->await.wait);
	result->status = STATUS_WAITING;
}

/* --- changes */

static void tell(struct core *core, const struct value *v, enum change change,
		 uint64_t version, uint64_t node)
{
	const struct blob *blob = change == CHANGE_PUT ? v->blob : NULL;

	core_emit(core,
		  &(struct output){ .kind = OUTPUT_CHANGED,
				    .change = change,
				    .session = v->session ? v->session->id : 0,
				    .by = node,
				    .seq = v->counter,
				    .token = version,
				    .number = (uint64_t)v->number,
				    .stamp = core->now,
				    .name = v->name,
				    .name_len = v->name_len,
				    .bytes = blob ? blob->bytes : NULL,
				    .bytes_len = blob ? blob->len : 0 });
}

static size_t bytes_of(const struct value *v)
{
	return v && v->blob ? v->blob->len : 0;
}

static void set_blob(struct core *core, struct value *v, struct blob *blob)
{
	core->bytes -= bytes_of(v);
	core_blob_free(core, v->blob);
	v->blob = blob;
	core->bytes += bytes_of(v);
}

static void bind(struct value *v, struct session *session)
{
	list_remove(&v->in_session);
	v->session = session;
	if (session)
		list_push(&session->values, &v->in_session);
}

static void erase(struct core *core, struct value *v, uint64_t node)
{
	uint64_t version = v->version;

	core_touch(core, &v->object);
	core->values--;
	tell(core, v, CHANGE_DELETED, version, node);
	v->version = 0;
	v->counter = false;
	v->number = 0;
	set_blob(core, v, NULL);
	bind(v, NULL);
	changed(core, v);
}

void core_value_drop(struct core *core, struct value *value)
{
	erase(core, value, value->session->peer->node);
}

static bool malformed(const struct op *op)
{
	return op->value.name_len == 0 || op->value.name_len > LOCK_NAME_MAX ||
	       op->value.bytes_len > VALUE_MAX || op->value.delta > COUNT_MAX ||
	       op->value.delta < -COUNT_MAX ||
	       (op->value.flags & ~(uint32_t)PUT_EPHEMERAL);
}

static int refuse_room(const struct core *core, const struct value *v,
		       const struct op *op)
{
	bool there = v && v->version > 0;
	uint64_t bytes = core->bytes - bytes_of(v) + op->value.bytes_len;

	if ((!there && core->values >= core->limits.values) ||
	    op->value.bytes_len > core->limits.value_bytes ||
	    bytes > core->limits.bytes || COUNTER_MAX - core->counter < 2)
		return HF_ELIMIT;
	return 0;
}

static int judge(const struct core *core, const struct session *session,
		 const struct value *v, const struct op *op)
{
	bool there = v && v->version > 0;
	int64_t count = there ? v->number : 0;
	uint64_t expect = op->value.expect;

	if (malformed(op))
		return HF_EINVAL;
	if (op->value.guard > 0 &&
	    !core_hold_of(core, session, op->value.guard))
		return HF_ENOTHELD;
	if (there && op->kind != OP_DELETE &&
	    v->counter != (op->kind == OP_ADD))
		return HF_EKIND;
	if (!there && op->kind == OP_DELETE)
		return HF_ENOVALUE;
	if (expect != EXPECT_ANY && expect != (there ? v->version : 0))
		return HF_EVERSION;
	if (op->kind == OP_DELETE)
		return 0;
	count += op->value.delta;
	if (op->kind == OP_ADD && (count > COUNT_MAX || count < -COUNT_MAX))
		return HF_ERANGE;
	return refuse_room(core, v, op);
}

static void put(struct core *core, struct session *session, struct value *v,
		const struct op *op)
{
	core_touch(core, &v->object);
	if (v->version == 0)
		core->values++;
	v->version = ++core->counter;
	v->counter = op->kind == OP_ADD;
	v->number += op->kind == OP_ADD ? op->value.delta : 0;
	set_blob(core, v, core_blob_take(core));
	bind(v, op->value.flags & PUT_EPHEMERAL ? session : NULL);
	tell(core, v, CHANGE_PUT, v->version, op->node);
	changed(core, v);
}

void core_value_change(struct core *core, struct session *session,
		       const struct op *op, struct slot *result)
{
	struct value *v = NULL;

	if (op->value.name_len <= LOCK_NAME_MAX)
		v = core_value_find(core, op->value.name, op->value.name_len);
	result->status = judge(core, session, v, op);
	if (result->status == HF_EVERSION)
		result->token = v ? v->version : 0;
	if (result->status < 0)
		return;
	if (op->kind == OP_DELETE) {
		erase(core, v, op->node);
		return;
	}
	if (!v)
		v = make(core, op->value.name, op->value.name_len);
	put(core, session, v, op);
	result->token = op->kind == OP_ADD
				? (uint64_t)(v->number + (int64_t)COUNT_BIAS)
				: v->version;
}
