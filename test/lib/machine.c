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

static void emit(void *ctx, const struct output *output)
{
	struct machine *m = ctx;

	ck_assert_uint_lt(m->outputs_len, MACHINE_OUTPUTS);
	m->outputs[m->outputs_len++] = *output;
	if (output->kind == OUTPUT_ANSWER)
		m->answer = *output;
}

int machine_apply(struct machine *m, const struct op *ops, size_t len)
{
	const struct output_sink sink = { emit, m };
	const struct entry entry = { .version = SEMANTICS_VERSION,
				     .stamp = m->now,
				     .term = m->term,
				     .ops = ops,
				     .ops_len = len };

	m->outputs_len = 0;
	memset(&m->answer, 0, sizeof(m->answer));
	return core_apply(m->core, ++m->index, &entry, &sink);
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
			    .release = { token } };
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

static void *copy_of(const void *bytes, size_t len)
{
	void *copy = malloc(len + 1);

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

void image_copy_put(void *ctx, const struct record *r)
{
	struct image_copy *copy = ctx;
	struct record *to;

	if (copy->len == copy->cap) {
		copy->cap = copy->cap ? 2 * copy->cap : 64;
		copy->records = realloc(copy->records,
					copy->cap * sizeof(*copy->records));
		ck_assert_ptr_nonnull(copy->records);
	}
	to = &copy->records[copy->len++];
	*to = *r;
	if (r->kind == RECORD_SESSION)
		to->session.slots =
			copy_of(r->session.slots,
				r->session.slots_len * sizeof(struct slot));
	if (r->kind == RECORD_LOCK)
		to->lock.name = copy_of(r->lock.name, r->lock.name_len);
}

bool image_copy_visit(void *ctx, const struct record *r)
{
	image_copy_put(ctx, r);
	return true;
}

void image_copy_free(struct image_copy *copy)
{
	for (size_t i = 0; i < copy->len; i++) {
		struct record *r = &copy->records[i];

		if (r->kind == RECORD_SESSION)
			free((void *)(uintptr_t)r->session.slots);
		if (r->kind == RECORD_LOCK)
			free((void *)(uintptr_t)r->lock.name);
	}
	free(copy->records);
	memset(copy, 0, sizeof(*copy));
}

static bool same_slots(const struct record *a, const struct record *b)
{
	if (a->session.slots_len != b->session.slots_len)
		return false;
	for (size_t i = 0; i < a->session.slots_len; i++) {
		const struct slot *x = &a->session.slots[i];
		const struct slot *y = &b->session.slots[i];

		if (x->seq != y->seq || x->status != y->status ||
		    x->token != y->token || x->stamp != y->stamp)
			return false;
	}
	return true;
}

static bool same_session(const struct record *a, const struct record *b)
{
	return a->session.id == b->session.id &&
	       a->session.node == b->session.node &&
	       a->session.boot == b->session.boot &&
	       a->session.nth == b->session.nth &&
	       a->session.ttl == b->session.ttl &&
	       a->session.deadline == b->session.deadline &&
	       a->session.opened == b->session.opened &&
	       a->session.flags == b->session.flags &&
	       a->session.low == b->session.low &&
	       memcmp(a->session.nonce, b->session.nonce, NONCE_LEN) == 0 &&
	       same_slots(a, b);
}

static bool same_request(const struct record *a, const struct record *b)
{
	return a->request.session == b->request.session &&
	       a->request.seq == b->request.seq &&
	       a->request.owner == b->request.owner &&
	       a->request.lock == b->request.lock &&
	       a->request.state == b->request.state &&
	       a->request.mode == b->request.mode &&
	       a->request.permits == b->request.permits &&
	       a->request.token == b->request.token &&
	       a->request.stamp == b->request.stamp &&
	       a->request.index == b->request.index &&
	       a->request.place == b->request.place &&
	       a->request.deadline == b->request.deadline &&
	       a->request.delay == b->request.delay &&
	       a->request.status == b->request.status;
}

static bool same_state(const struct record *a, const struct record *b)
{
	return a->state.now == b->state.now && a->state.term == b->state.term &&
	       a->state.skew == b->state.skew &&
	       a->state.wall == b->state.wall &&
	       a->state.index == b->state.index &&
	       a->state.counter == b->state.counter &&
	       a->state.arrivals == b->state.arrivals &&
	       a->state.hash == b->state.hash &&
	       a->state.version == b->state.version &&
	       memcmp(&a->state.limits, &b->state.limits,
		      sizeof(struct limits)) == 0;
}

static bool same(const struct record *a, const struct record *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case RECORD_STATE:
		return same_state(a, b);
	case RECORD_PEER:
		return a->peer.node == b->peer.node &&
		       a->peer.boot == b->peer.boot &&
		       a->peer.nth == b->peer.nth &&
		       a->peer.session == b->peer.session;
	case RECORD_SESSION:
		return same_session(a, b);
	case RECORD_LOCK:
		return a->lock.id == b->lock.id &&
		       a->lock.limit == b->lock.limit &&
		       a->lock.delay_until == b->lock.delay_until &&
		       a->lock.name_len == b->lock.name_len &&
		       memcmp(a->lock.name, b->lock.name, a->lock.name_len) ==
			       0;
	case RECORD_REQUEST:
		return same_request(a, b);
	}
	return false;
}

bool image_copy_same(const struct image_copy *a, const struct image_copy *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (!same(&a->records[i], &b->records[i]))
			return false;
	}
	return true;
}

void image_copy_take(struct image_copy *copy, struct core *core)
{
	const struct image_sink sink = { image_copy_put, copy };

	ck_assert_int_eq(core_image_begin(core, &sink), 0);
	while (!core_image_step(core, 1000))
		;
}

int image_copy_restore(const struct image_copy *copy, struct core *core)
{
	for (size_t i = 0; i < copy->len; i++) {
		int rc = core_restore(core, &copy->records[i]);

		if (rc)
			return rc;
	}
	return core_restore_end(core);
}
