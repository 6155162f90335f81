/* The naive state machine: values, counters and waits for them; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

static bool wrong_kind(const struct model_value *v, enum condition condition)
{
	return v && v->version > 0 && !v->counter &&
	       (condition == AWAIT_AT_MOST || condition == AWAIT_AT_LEAST);
}

/* What a wait for it gets in the place of a token, if its condition is true. */
static bool is_true(const struct model_value *v, enum condition condition,
		    int64_t number, uint64_t *token)
{
	uint64_t version = v ? v->version : 0;
	int64_t count = version > 0 && v->counter ? v->number : 0;

	*token = condition == AWAIT_AT_MOST || condition == AWAIT_AT_LEAST
			 ? (uint64_t)count + COUNT_BIAS
			 : version;
	switch (condition) {
	case AWAIT_ABSENT:
		return version == 0;
	case AWAIT_PRESENT:
		return version > 0;
	case AWAIT_NEWER:
		return version > 0 && (int64_t)version > number;
	case AWAIT_AT_MOST:
		return count <= number;
	case AWAIT_AT_LEAST:
		return count >= number;
	}
	return false;
}

/* Who is easier to please; who came first. */
static bool easier(const struct model_request *a, const struct model_request *b)
{
	int64_t x = a->record.request.number, y = b->record.request.number;

	if (x == y || a->record.request.condition <= AWAIT_PRESENT)
		return a->record.request.place < b->record.request.place;
	return a->record.request.condition == AWAIT_AT_MOST ? x > y : x < y;
}

static struct model_request *easiest(struct model *m, const char *name,
				     enum condition condition)
{
	struct model_request *found = NULL;

	for (size_t i = 0; i < m->requests_len; i++) {
		struct model_request *r = &m->requests[i];

		if (r->record.request.state == REQUEST_WAITING &&
		    r->record.request.condition == condition &&
		    strcmp(r->value, name) == 0 && (!found || easier(r, found)))
			found = r;
	}
	return found;
}

static void wake(struct model *m, const struct model_value *v)
{
	for (unsigned c = AWAIT_ABSENT; c <= AWAIT_AT_LEAST; c++) {
		enum condition condition = (enum condition)c;
		struct model_request *r;
		uint64_t token;

		while ((r = easiest(m, v->name, condition))) {
			if (wrong_kind(v, condition))
				model_end(m, r, HF_EKIND, 0);
			else if (is_true(v, condition, r->record.request.number,
					 &token))
				model_end(m, r, 0, token);
			else
				break;
		}
	}
}

void model_value_gone(struct model *m, struct model_value *v, uint64_t node)
{
	model_say_value(m, v, node, CHANGE_DELETED);
	v->version = v->session = 0;
	v->counter = false;
	v->number = 0;
	memset(&v->bytes, 0, sizeof(v->bytes));
	wake(m, v);
}

void model_tidy_values(struct model *m)
{
	for (size_t i = 0; i < m->values_len;) {
		bool used = m->values[i].version > 0;

		for (size_t k = 0; k < m->requests_len; k++)
			used = used || strcmp(m->requests[k].value,
					      m->values[i].name) == 0;
		if (used) {
			i++;
			continue;
		}
		m->values_len--;
		memmove(&m->values[i], &m->values[i + 1],
			(m->values_len - i) * sizeof(m->values[0]));
	}
}

static struct model_value *make_value(struct model *m, const char *name)
{
	struct model_value *v = model_value(m, name);

	if (v)
		return v;
	assert(m->values_len < MODEL_VALUES);
	v = &m->values[m->values_len++];
	memset(v, 0, sizeof(*v));
	memcpy(v->name, name, MODEL_NAME);
	v->id = ++m->counter;
	return v;
}

static bool write_valid(const struct op *op)
{
	bool number = op->kind == OP_ADD;

	return op->value.name_len > 0 && op->value.name_len <= LOCK_NAME_MAX &&
	       op->value.bytes_len <= VALUE_MAX &&
	       op->value.flags <= PUT_EPHEMERAL &&
	       (!number || (op->value.delta <= COUNT_MAX &&
			    op->value.delta >= -COUNT_MAX));
}

static size_t there(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->values_len; i++)
		n += m->values[i].version > 0;
	return n;
}

static uint64_t all_bytes(const struct model *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->values_len; i++)
		sum += m->values[i].bytes.len;
	return sum;
}

static int refuse_limits(const struct model *m, const struct model_value *v,
			 const struct op *op)
{
	uint64_t were = v ? v->bytes.len : 0;

	if (((!v || v->version == 0) && there(m) >= m->limits.values) ||
	    op->value.bytes_len > m->limits.value_bytes ||
	    all_bytes(m) - were + op->value.bytes_len > m->limits.bytes)
		return HF_ELIMIT;
	return 0;
}

static int judge(struct model *m, const struct model_value *v,
		 const struct op *op)
{
	uint64_t version = v ? v->version : 0;
	int64_t number = version > 0 ? v->number : 0;

	if (op->value.guard > 0 &&
	    !model_own_hold(m, op->session, op->value.guard))
		return HF_ENOTHELD;
	if (op->kind != OP_DELETE && version > 0 &&
	    v->counter != (op->kind == OP_ADD))
		return HF_EKIND;
	if (op->kind == OP_DELETE && version == 0)
		return HF_ENOVALUE;
	if (op->value.expect != EXPECT_ANY && op->value.expect != version)
		return HF_EVERSION;
	if (op->kind == OP_DELETE)
		return 0;
	if (op->kind == OP_ADD && (number + op->value.delta > COUNT_MAX ||
				   number + op->value.delta < -COUNT_MAX))
		return HF_ERANGE;
	return refuse_limits(m, v, op);
}

static struct model_result store(struct model *m, struct model_value *v,
				 const struct op *op)
{
	v->version = ++m->counter;
	v->session = op->value.flags & PUT_EPHEMERAL ? op->session : 0;
	v->counter = op->kind == OP_ADD;
	if (v->counter)
		v->number += op->value.delta;
	else
		model_bytes_set(&v->bytes, op->value.bytes,
				op->value.bytes_len);
	model_say_value(m, v, op->node, CHANGE_PUT);
	wake(m, v);
	return (struct model_result){ .token = v->counter
						       ? (uint64_t)v->number +
								 COUNT_BIAS
						       : v->version };
}

struct model_result model_write(struct model *m, const struct op *op)
{
	struct model_value *v;
	char name[MODEL_NAME];
	int status;

	if (!write_valid(op))
		return (struct model_result){ .status = HF_EINVAL };
	model_name_set(name, op->value.name, op->value.name_len);
	v = model_value(m, name);
	status = judge(m, v, op);
	if (status == HF_EVERSION)
		return (struct model_result){ status, v ? v->version : 0, 0 };
	if (status)
		return (struct model_result){ .status = status };
	if (op->kind != OP_DELETE)
		return store(m, make_value(m, name), op);
	model_value_gone(m, v, op->node);
	return (struct model_result){ .status = 0 };
}

static void add_wait(struct model *m, const struct op *op, const char *name)
{
	struct model_request *r = &m->requests[m->requests_len++];

	assert(m->requests_len < MODEL_REQUESTS);
	memset(r, 0, sizeof(*r));
	make_value(m, name);
	memcpy(r->value, name, MODEL_NAME);
	r->record = (struct record){
		.kind = RECORD_REQUEST,
		.request = { .session = op->session,
			     .seq = op->seq,
			     .state = REQUEST_WAITING,
			     .deadline = model_wait_end(m, op->await.wait),
			     .condition = op->await.condition,
			     .number = op->await.number,
			     .place = ++m->arrivals }
	};
}

static bool await_valid(const struct op *op)
{
	bool counter = op->await.condition >= AWAIT_AT_MOST;

	return op->await.name_len > 0 && op->await.name_len <= LOCK_NAME_MAX &&
	       op->await.condition >= AWAIT_ABSENT &&
	       op->await.condition <= AWAIT_AT_LEAST &&
	       model_wait_valid(op->await.wait) &&
	       (op->await.number == 0 || op->await.condition >= AWAIT_NEWER) &&
	       op->await.number >= (counter ? -COUNT_MAX : 0) &&
	       (!counter || op->await.number <= COUNT_MAX);
}

struct model_result model_await(struct model *m, const struct op *op)
{
	struct model_value *v;
	char name[MODEL_NAME];
	uint64_t token;

	if (!await_valid(op))
		return (struct model_result){ .status = HF_EINVAL };
	model_name_set(name, op->await.name, op->await.name_len);
	v = model_value(m, name);
	if (wrong_kind(v, op->await.condition))
		return (struct model_result){ .status = HF_EKIND };
	if (is_true(v, op->await.condition, op->await.number, &token))
		return (struct model_result){ .token = token };
	if (op->await.wait == 0)
		return (struct model_result){ .status = HF_ETIMEDOUT };
	if (m->requests_len >= m->limits.requests)
		return (struct model_result){ .status = HF_ELIMIT };
	add_wait(m, op, name);
	return (struct model_result){ .status = STATUS_WAITING };
}
