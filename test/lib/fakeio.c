/* Members in virtual time: fakeio.h. The disk is in fakedisk.c. */
#include "lib/fakedisk.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_US 500
#define DISK_US 200
#define GET_US 1000
#define LOOP_US 10 /* of a turn that asks for the next at once */
#define PATIENCE_US 10000000
#define RAW_ORIGIN 777000000
#define WALL_ORIGIN UINT64_C(1700000000000000)

static struct fake_member *member_of(struct env *env)
{
	return container_of(env, struct fake_member, env);
}

static void env_clocks_now(struct env *env, struct clocks *now)
{
	const struct fake_member *m = member_of(env);
	uint64_t t = m->fake->now;

	*now = (struct clocks){ t, RAW_ORIGIN + t - m->lag, t,
				WALL_ORIGIN + t };
}

static void env_random_bytes(struct env *env, void *bytes, size_t len)
{
	struct random *random = &member_of(env)->fake->random;
	uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)random_next(random);
}

static void call_send(void *arg, uint64_t to, enum lane lane,
		      const uint8_t *bytes, size_t len)
{
	struct fake_member *m = arg;
	struct fake *fake = m->fake;
	struct fake_message *message = calloc(1, sizeof(*message));

	*message = (struct fake_message){ .at = fake->now + fake->latency_us,
					  .from = m->id,
					  .to = to,
					  .lane = lane,
					  .len = len,
					  .bytes = malloc(len) };
	memcpy(message->bytes, bytes, len);
	m->sent++;
	if (lane == LANE_BULK) {
		m->installs++;
		message->at += fake->bulk_us;
	}
	if (fake->cut[m->id][to] ||
	    (fake->filter && !fake->filter(fake, message, fake->filter_ctx))) {
		free(message->bytes);
		free(message);
		return;
	}
	list_push(&fake->messages, &message->link);
}

static bool call_linked(void *arg, uint64_t to)
{
	struct fake_member *m = arg;

	return !m->fake->down[m->id][to];
}

static void call_output(void *arg, const struct output *output)
{
	struct fake_member *m = arg;

	m->outputs[m->outputs_len++ % FAKE_OUTPUTS] = *output;
}

static void call_changed(void *arg)
{
	((struct fake_member *)arg)->changes++;
}

static void call_failed(void *arg, int rc, const char *text)
{
	struct fake_member *m = arg;

	m->failures++;
	m->failed = rc;
	snprintf(m->text, sizeof(m->text), "%s", text);
}

static const struct repl_calls calls = {
	.send = call_send,
	.linked = call_linked,
	.output = call_output,
	.changed = call_changed,
	.failed = call_failed,
};

static const struct repl_member everybody[FAKE_MEMBERS] = {
	{ 1, "one" }, { 2, "two" }, { 3, "three" }, { 4, "four" }, { 5, "five" }
};

void fake_init(struct fake *fake, size_t len, const struct repl_config *config)
{
	memset(fake, 0, sizeof(*fake));
	fake->now = 1000000;
	fake->random.state = 7;
	fake->len = len;
	fake->latency_us = LATENCY_US;
	list_init(&fake->messages);
	for (size_t i = 0; i < len; i++) {
		struct fake_member *m = &fake->members[i];

		m->fake = fake;
		m->id = i + 1;
		m->env.clocks = env_clocks_now;
		m->env.random = env_random_bytes;
		m->config = *config;
		m->config.id = i + 1;
		m->config.members = everybody;
		m->config.members_len = len;
		m->disk_us = DISK_US;
		m->get_us = GET_US;
		list_init(&m->ops);
	}
}

struct fake_member *fake_at(struct fake *fake, uint64_t id)
{
	ck_assert(id >= 1 && id <= fake->len);
	return &fake->members[id - 1];
}

static void drop_message(struct fake_message *m)
{
	list_remove(&m->link);
	free(m->bytes);
	free(m);
}

static void closed(void *arg, bool clean)
{
	struct fake_member *m = arg;

	m->closed = true;
	m->clean = clean;
}

int fake_start(struct fake *fake, uint64_t id)
{
	struct fake_member *m = fake_at(fake, id);
	char error[HF_ERROR_TEXT] = "";

	fake_disk_open(m);
	m->closed = m->clean = false;
	m->wake = 0;
	int rc = repl_open(&m->repl, &m->config, &m->env, &m->io, &calls, m,
			   error);
	if (rc == 0)
		rc = repl_start(m->repl, error);
	m->up = rc == 0;
	if (rc != 0)
		snprintf(m->text, sizeof(m->text), "%s", error);
	if (rc != 0 && m->repl)
		fake_stop(fake, id);
	return rc;
}

void fake_start_all(struct fake *fake)
{
	for (size_t i = 1; i <= fake->len; i++)
		ck_assert_int_eq(fake_start(fake, i), 0);
}

void fake_stop(struct fake *fake, uint64_t id)
{
	struct fake_member *m = fake_at(fake, id);

	if (!m->repl)
		return;
	repl_close(m->repl, closed, m);
	ck_assert(m->closed);
	repl_free(m->repl);
	m->repl = NULL;
	m->up = false;
	if (m->clean)
		ck_assert(list_empty(&m->ops));
}

/* Closing does nothing on this disk but forget what it hasn't done. */
void fake_crash(struct fake *fake, uint64_t id)
{
	struct fake_member *m = fake_at(fake, id);

	m->stuck = false;
	fake_stop(fake, id);
}

void fake_free(struct fake *fake)
{
	for (size_t i = 1; i <= fake->len; i++) {
		fake_crash(fake, i);
		fake_disk_lose(fake_at(fake, i));
		fake_disk_free(&fake_at(fake, i)->disk);
	}
	list_for_safe (it, &fake->messages)
		drop_message(container_of(it, struct fake_message, link));
}

static bool awake(const struct fake_member *m)
{
	return m->up && m->paused_until <= m->fake->now;
}

/* One event of this member that is due; false: there is none. */
static bool member_event(struct fake_member *m)
{
	uint64_t now = m->fake->now;

	if (fake_disk_step(m))
		return true;
	if (m->tick && m->tick_at <= now) {
		m->tick_at = now + m->tick_us;
		m->tick(&m->io);
		return true;
	}
	return false;
}

/* In the order of arrival; a lane doesn't wait for another. */
static bool deliver(struct fake *fake, struct fake_member *m)
{
	list_for_safe (it, &fake->messages) {
		struct fake_message *message =
			container_of(it, struct fake_message, link);

		if (message->to != m->id || message->at > fake->now)
			continue;
		if (!fake->cut[message->from][m->id])
			ck_assert_int_eq(repl_receive(m->repl, message->from,
						      message->bytes,
						      message->len),
					 0);
		drop_message(message);
		return true;
	}
	return false;
}

/* All that is due, input first, then one turn: as a loop does. */
static void member_turn(struct fake_member *m)
{
	bool busy = false;

	if (!awake(m))
		return;
	while (deliver(m->fake, m) || member_event(m))
		busy = true;
	if (!busy && m->wake > m->fake->now)
		return;
	uint64_t wake = repl_turn(m->repl);
	uint64_t soonest = m->fake->now + LOOP_US;

	m->turns++;
	m->wake = wake > soonest ? wake : soonest;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_event(const struct fake *fake)
{
	uint64_t at = UINT64_MAX;

	list_for (it, &fake->messages) {
		const struct fake_message *message =
			container_of(it, struct fake_message, link);
		const struct fake_member *to = &fake->members[message->to - 1];

		if (to->up)
			at = least(at, message->at > to->paused_until
					       ? message->at
					       : to->paused_until);
	}
	for (size_t i = 0; i < fake->len; i++) {
		const struct fake_member *m = &fake->members[i];
		uint64_t own = least(m->wake, fake_disk_due(m));

		if (!m->up)
			continue;
		if (m->tick)
			own = least(own, m->tick_at);
		at = least(at, own > m->paused_until ? own : m->paused_until);
	}
	return at;
}

void fake_run(struct fake *fake, uint64_t us)
{
	uint64_t end = fake->now + us;

	while (fake->now < end) {
		uint64_t at = next_event(fake);

		if (at > fake->now)
			fake->now = least(at, end);
		for (size_t i = 0; i < fake->len; i++)
			member_turn(&fake->members[i]);
		if (at <= fake->now && next_event(fake) <= fake->now)
			fake->now++;
	}
}

struct fake_member *fake_leader(struct fake *fake)
{
	struct fake_member *leader = NULL;

	for (size_t i = 0; i < fake->len; i++) {
		struct fake_member *m = &fake->members[i];

		if (m->up && repl_serving(m->repl) &&
		    (!leader || repl_term(m->repl) > repl_term(leader->repl)))
			leader = m;
	}
	return leader;
}

struct fake_member *fake_elect(struct fake *fake)
{
	uint64_t end = fake->now + PATIENCE_US;

	while (fake->now < end && !fake_leader(fake))
		fake_run(fake, 1000);
	return fake_leader(fake);
}

static bool settled(struct fake *fake)
{
	const struct fake_member *first = NULL;

	for (size_t i = 0; i < fake->len; i++) {
		const struct fake_member *m = &fake->members[i];

		if (!m->up || repl_failed(m->repl))
			continue;
		if (first && repl_applied(first->repl) != repl_applied(m->repl))
			return false;
		first = m;
		if (raft_last_index(raft_of(m->repl)) !=
		    raft_last_applied(raft_of(m->repl)))
			return false;
	}
	return true;
}

bool fake_settle(struct fake *fake)
{
	uint64_t end = fake->now + PATIENCE_US;

	while (fake->now < end && !settled(fake))
		fake_run(fake, 1000);
	return settled(fake);
}

void fake_isolate(struct fake *fake, uint64_t id, bool cut)
{
	for (size_t i = 1; i <= fake->len; i++)
		fake->cut[id][i] = fake->cut[i][id] = cut;
}

void fake_pause(struct fake *fake, uint64_t id, uint64_t us)
{
	fake_at(fake, id)->paused_until = fake->now + us;
}

static int submit(struct fake_member *m, const struct op *op)
{
	struct buf b = { 0 };

	op_encode(&b, op);
	ck_assert(!b.failed);
	int rc = repl_submit(m->repl, op, b.base, b.len);
	buf_free(&b);
	m->wake = m->fake->now;
	return rc;
}

int fake_open(struct fake_member *m, uint64_t node, uint64_t ttl_us)
{
	struct op op = { .kind = OP_OPEN, .node = node };

	op.open.boot = m->fake->now; /* rises */
	op.open.nth = 1;
	op.open.ttl = ttl_us;
	memcpy(op.open.nonce, &m->fake->now, sizeof(m->fake->now));
	return submit(m, &op);
}

int fake_renew(struct fake_member *m, uint64_t node, uint64_t session)
{
	const struct op op = { .kind = OP_RENEW,
			       .node = node,
			       .session = session };

	return submit(m, &op);
}

int fake_acquire(struct fake_member *m, uint64_t node, uint64_t session,
		 uint64_t seq, const char *name)
{
	struct op op = {
		.kind = OP_ACQUIRE, .node = node, .session = session, .seq = seq
	};

	op.acquire.owner = 1;
	op.acquire.name = (const uint8_t *)name;
	op.acquire.name_len = strlen(name);
	op.acquire.wait = WAIT_FOREVER;
	return submit(m, &op);
}

int fake_release(struct fake_member *m, uint64_t node, uint64_t session,
		 uint64_t seq, uint64_t token)
{
	struct op op = {
		.kind = OP_RELEASE, .node = node, .session = session, .seq = seq
	};

	op.release.token = token;
	return submit(m, &op);
}

const struct output *fake_last(const struct fake_member *m,
			       enum output_kind kind, enum op_kind op)
{
	size_t n =
		m->outputs_len < FAKE_OUTPUTS ? m->outputs_len : FAKE_OUTPUTS;

	for (size_t i = 0; i < n; i++) {
		const struct output *o =
			&m->outputs[(m->outputs_len - 1 - i) % FAKE_OUTPUTS];

		if (o->kind == kind && o->op == op)
			return o;
	}
	return NULL;
}

uint64_t fake_session(struct fake *fake, uint64_t node, uint64_t ttl_us)
{
	struct fake_member *m = fake_elect(fake);

	ck_assert_ptr_nonnull(m);
	size_t before = m->outputs_len;
	ck_assert_int_eq(fake_open(m, node, ttl_us), 0);
	for (int i = 0; i < 1000 && m->outputs_len == before; i++)
		fake_run(fake, 1000);
	const struct output *o = fake_last(m, OUTPUT_ANSWER, OP_OPEN);
	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(o->status, 0);
	return o->session;
}

void fake_receive(struct fake_member *m, uint64_t from,
		  const struct raft_message *message)
{
	struct buf b = { 0 };

	buf_put8(&b, 1);
	raftmsg_encode(&b, message);
	ck_assert(!b.failed);
	ck_assert_int_eq(repl_receive(m->repl, from, b.base, b.len), 0);
	m->wake = m->fake->now;
	buf_free(&b);
}
