/* A core under test; see machine.h. */
#include "lib/machine.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Fails when the budget is used up; counts what is not given back. */
static void *resize(void *ctx, void *ptr, size_t len)
{
	struct machine *m = ctx;

	if (len == 0) {
		m->blocks -= ptr != NULL;
		free(ptr);
		return NULL;
	}
	if (m->budget == 0)
		return NULL;
	m->budget--;
	m->blocks += ptr == NULL;
	return realloc(ptr, len);
}

void machine_init(struct machine *m, uint64_t seed)
{
	memset(m, 0, sizeof(*m));
	m->mem = (struct mem){ resize, m };
	m->budget = UINT64_MAX;
	m->core = core_create(&m->mem, seed);
	ck_assert_ptr_nonnull(m->core);
	core_check_every(m->core, 1);
}

void machine_end(struct machine *m)
{
	core_destroy(m->core);
	ck_assert_uint_eq(m->blocks, 0);
}

static const uint8_t *keep(struct machine *m, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = m->text + m->text_len;

	if (len == 0)
		return NULL;
	ck_assert_uint_le(len, MACHINE_TEXT - m->text_len);
	memcpy(copy, bytes, len);
	m->text_len += len;
	return copy;
}

static void emit(void *ctx, const struct output *output)
{
	struct machine *m = ctx;
	struct output *o = &m->outputs[m->outputs_len++];

	ck_assert_uint_le(m->outputs_len, MACHINE_OUTPUTS);
	*o = *output;
	o->name = keep(m, output->name, output->name_len);
	o->bytes = keep(m, output->bytes, output->bytes_len);
	if (output->kind == OUTPUT_ANSWER)
		m->answer = *o;
}

int machine_feed(struct machine *m, uint64_t index, const struct entry *entry)
{
	const struct output_sink sink = { emit, m };

	m->outputs_len = 0;
	m->text_len = 0;
	m->index = index;
	memset(&m->answer, 0, sizeof(m->answer));
	return core_apply(m->core, index, entry, &sink);
}

int machine_apply(struct machine *m, const struct op *ops, size_t len)
{
	const struct entry entry = { .version = SEMANTICS_VERSION,
				     .stamp = m->now,
				     .term = m->term,
				     .ops = ops,
				     .ops_len = len };

	return machine_feed(m, m->index + 1, &entry);
}

int machine_do(struct machine *m, const struct op *op)
{
	int rc = machine_apply(m, op, 1);

	ck_assert_msg(rc == 0, "%s", core_error(m->core));
	ck_assert_int_eq(m->answer.kind, OUTPUT_ANSWER);
	ck_assert_uint_eq(m->answer.node, op->node);
	ck_assert_uint_eq(m->answer.index, m->index);
	return m->answer.status;
}

struct op machine_open_op(uint64_t node, uint64_t boot, uint64_t nth,
			  uint64_t ttl)
{
	struct op op = { .kind = OP_OPEN,
			 .node = node,
			 .open = { .boot = boot, .nth = nth, .ttl = ttl } };

	op.open.nonce[0] = (uint8_t)node;
	op.open.nonce[1] = (uint8_t)boot;
	op.open.nonce[2] = (uint8_t)nth;
	return op;
}

uint64_t machine_open(struct machine *m, uint64_t node, uint64_t ttl)
{
	struct op op = machine_open_op(node, 1, m->index + 1, ttl);

	m->seq[node] = 0;
	return machine_do(m, &op) ? 0 : m->answer.session;
}

struct op machine_acquire_op(struct machine *m, uint64_t node, uint64_t s,
			     const char *name, uint64_t wait)
{
	return (struct op){ .kind = OP_ACQUIRE,
			    .node = node,
			    .session = s,
			    .seq = ++m->seq[node],
			    .acquire = { .name = (const uint8_t *)name,
					 .name_len = strlen(name),
					 .wait = wait } };
}

int machine_acquire(struct machine *m, uint64_t node, uint64_t s,
		    const char *name, uint64_t wait)
{
	struct op op = machine_acquire_op(m, node, s, name, wait);

	return machine_do(m, &op);
}

struct op machine_release_op(struct machine *m, uint64_t node, uint64_t s,
			     uint64_t token)
{
	return (struct op){ .kind = OP_RELEASE,
			    .node = node,
			    .session = s,
			    .seq = ++m->seq[node],
			    .release = { .token = token } };
}

int machine_release(struct machine *m, uint64_t node, uint64_t s,
		    uint64_t token)
{
	struct op op = machine_release_op(m, node, s, token);

	return machine_do(m, &op);
}

static int unsequenced(struct machine *m, enum op_kind kind, uint64_t node,
		       uint64_t s, uint64_t seq)
{
	struct op op = { .kind = kind, .node = node, .session = s, .seq = seq };

	return machine_do(m, &op);
}

int machine_renew(struct machine *m, uint64_t node, uint64_t s)
{
	return unsequenced(m, OP_RENEW, node, s, 0);
}

int machine_close(struct machine *m, uint64_t node, uint64_t s)
{
	return unsequenced(m, OP_CLOSE, node, s, 0);
}

int machine_cancel(struct machine *m, uint64_t node, uint64_t s, uint64_t seq)
{
	return unsequenced(m, OP_CANCEL, node, s, seq);
}

void machine_pass(struct machine *m, uint64_t us)
{
	m->now += us;
	ck_assert_int_eq(machine_apply(m, NULL, 0), 0);
}

const struct output *machine_said(const struct machine *m,
				  enum output_kind kind)
{
	for (size_t i = 0; i < m->outputs_len; i++) {
		if (m->outputs[i].kind == kind)
			return &m->outputs[i];
	}
	return NULL;
}

size_t machine_said_often(const struct machine *m, enum output_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < m->outputs_len; i++)
		n += m->outputs[i].kind == kind;
	return n;
}
