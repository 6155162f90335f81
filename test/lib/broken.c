#include "lib/broken.h"

static struct request *request_of(struct core *core, uint64_t session,
				  uint64_t seq)
{
	struct request *r = core_request_find(core, session, seq);

	ck_assert_ptr_nonnull(r);
	return r;
}

/* Node 1's next acquire; the answer's status. */
static int acquire(struct machine *m, uint64_t s, const char *name,
		   enum mode mode, uint32_t permits, uint32_t limit)
{
	struct op op = machine_acquire_op(m, 1, s, name, 500 * SECOND);

	op.acquire.mode = mode;
	op.acquire.permits = permits;
	op.acquire.limit = limit;
	return machine_do(m, &op);
}

/* `a`: 1 holds, 2 waits, 3 has ended. `s`: 4 and 5 hold, 6 would take the place
 * of 5, 7 waits for it and another. */
static void fill_locks(struct machine *m, uint64_t s)
{
	static const struct op_part more = { .name = (const uint8_t *)"t",
					     .name_len = 1 };
	struct op op;

	machine_acquire(m, 1, s, "a", 0);
	op = machine_acquire_op(m, 1, s, "a", 500 * SECOND);
	op.acquire.owner = 7;
	machine_do(m, &op);
	machine_acquire(m, 1, s, "a", SECOND);
	acquire(m, s, "s", MODE_PERMITS, 2, 3);
	op = machine_acquire_op(m, 1, s, "s", 0);
	op.acquire.mode = MODE_SHARED;
	op.acquire.hold = 400 * SECOND;
	op.acquire.owner = 8;
	machine_do(m, &op);
	op = machine_acquire_op(m, 1, s, "s", WAIT_FOREVER);
	op.acquire.from = m->answer.token;
	machine_do(m, &op);
	op = machine_acquire_op(m, 1, s, "s", WAIT_FOREVER);
	op.acquire.more = &more;
	op.acquire.more_len = 1;
	machine_do(m, &op);
}

/* 8 and 9 are in, 10 takes 9 out. */
static void fill_barrier(struct machine *m, uint64_t s)
{
	struct op op;

	acquire(m, s, "b", MODE_BARRIER, 0, 2);
	acquire(m, s, "b", MODE_BARRIER, 0, 2);
	op = machine_acquire_op(m, 1, s, "b", WAIT_FOREVER);
	op.acquire.mode = MODE_LEAVE;
	op.acquire.from = core_request_find(m->core, s, m->seq[1] - 1)->token;
	ck_assert_int_eq(machine_do(m, &op), STATUS_WAITING);
}

static void change_value(struct machine *m, uint64_t s, enum op_kind kind,
			 const char *name)
{
	struct op op = { .kind = kind,
			 .node = 1,
			 .session = s,
			 .seq = ++m->seq[1],
			 .value = { .name = (const uint8_t *)name,
				    .name_len = 1,
				    .bytes = (const uint8_t *)name,
				    .bytes_len = kind == OP_PUT,
				    .expect = EXPECT_ANY,
				    .delta = kind == OP_ADD ? 5 : 0,
				    .flags = PUT_EPHEMERAL } };

	ck_assert_int_eq(machine_do(m, &op), 0);
}

/* `v` has bytes, `n` is a counter, 13 waits for `w`. */
static void fill_values(struct machine *m, uint64_t s)
{
	struct op op = { .kind = OP_AWAIT, .node = 1, .session = s };

	change_value(m, s, OP_PUT, "v");
	change_value(m, s, OP_ADD, "n");
	op.seq = ++m->seq[1];
	op.await.name = (const uint8_t *)"w";
	op.await.name_len = 1;
	op.await.condition = AWAIT_PRESENT;
	op.await.wait = WAIT_FOREVER;
	ck_assert_int_eq(machine_do(m, &op), STATUS_WAITING);
}

/* The holder of `s` by 5 is told that it will be taken. */
static void revoke(struct machine *m, uint64_t s)
{
	struct op op = {
		.kind = OP_REVOKE, .node = 1, .session = s, .seq = ++m->seq[1]
	};

	op.revoke.token = core_request_find(m->core, s, 5)->token;
	op.revoke.grace = 700 * SECOND;
	ck_assert_int_eq(machine_do(m, &op), 0);
}

static void leave_a_delay(struct machine *m)
{
	uint64_t s = machine_open(m, 3, SECOND);
	struct op op = machine_acquire_op(m, 3, s, "d", 0);

	op.acquire.delay = 500 * SECOND;
	machine_do(m, &op);
}

static void find_parts(struct parts *p, uint64_t s)
{
	struct core *core = p->core;

	p->peer = core_peer_find(core, 1);
	p->session = core_session_find(core, s);
	p->other =
		core_session_find(core, core_peer_find(core, 2)->session->id);
	p->a = core_lock_find(core, "a", 1);
	p->s = core_lock_find(core, "s", 1);
	p->d = core_lock_find(core, "d", 1);
	p->b = core_lock_find(core, "b", 1);
	p->hold = request_of(core, s, 1);
	p->wait = request_of(core, s, 2);
	p->ended = request_of(core, s, 3);
	p->permits = request_of(core, s, 4);
	p->shared = request_of(core, s, 5);
	p->up = request_of(core, s, 6);
	p->both = request_of(core, s, 7);
	p->in = request_of(core, s, 8);
	p->out = request_of(core, s, 10);
	p->await = request_of(core, s, 13);
	p->bytes = core_value_find(core, "v", 1);
	p->counter = core_value_find(core, "n", 1);
	p->waited = core_value_find(core, "w", 1);
}

struct parts broken_fill(struct machine *m)
{
	struct parts p = { .core = NULL };
	uint64_t s;

	machine_init(m, 1);
	machine_open(m, 1, LONG);
	s = machine_open(m, 1, LONG);
	fill_locks(m, s);
	fill_barrier(m, s);
	fill_values(m, s);
	revoke(m, s);
	leave_a_delay(m);
	machine_open(m, 2, LONG);
	machine_pass(m, 2 * SECOND);
	p.core = m->core;
	find_parts(&p, s);
	ck_assert_int_eq(core_check(p.core), 0);
	return p;
}

void broken_rehash(struct core *core)
{
	core->sum = 0;
	for (size_t kind = 0; kind < KINDS; kind++) {
		list_for (it, &core->all[kind]) {
			object_of(it)->digest = core_digest(object_of(it));
			core->sum += object_of(it)->digest;
		}
	}
	core->hash = core->sum + core_state_digest(core);
}
