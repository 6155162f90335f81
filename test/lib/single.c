/* See single.h. */
#include "lib/single.h"

#include "lib/fakedisk.h"

#include <check.h>
#include <stdio.h>

static struct single *of(struct env *env)
{
	return container_of(env, struct single, env);
}

static void clocks(struct env *env, struct clocks *now)
{
	uint64_t t = of(env)->fake.now;

	*now = (struct clocks){ t, t, t, t };
}

static void draw(struct env *env, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)random_next(&of(env)->fake.random);
}

static void wake(struct env *env, uint64_t at)
{
	of(env)->wake = at;
}

static void *resize(void *ctx, void *ptr, size_t len)
{
	static const struct mem libc;
	struct single *s = ctx;

	return s->starved && len >= s->starved ? NULL
					       : mem_resize(&libc, ptr, len);
}

static void on_event(void *arg, const struct hf_event *event)
{
	struct single *s = arg;

	ck_assert_uint_lt(s->events_len, SINGLE_EVENTS);
	s->events[s->events_len++] = *event;
	if (s->events_len == s->quiet_at)
		node_quiet(s->node, true);
}

void single_open(struct single *s)
{
	static const struct node_calls calls = { on_event };
	static const struct repl_member self = { 1, "one" };
	struct fake_member *m = &s->fake.members[0];
	char error[HF_ERROR_TEXT];

	memset(s, 0, sizeof(*s));
	s->env = (struct env){ .clocks = clocks, .random = draw, .wake = wake };
	s->mem = (struct mem){ resize, s };
	s->fake.now = 1000000;
	s->fake.random.state = 1;
	m->fake = &s->fake;
	m->id = 1;
	m->disk_us = m->get_us = 100;
	list_init(&m->ops);
	fake_disk_open(m);
	struct node_config config = { .cluster = 1,
				      .incarnation = 1,
				      .boot = 1,
				      .ttl_us = 5000000,
				      .renew_us = 1000000,
				      .margin_us = 1000,
				      .drift_ppm = 200,
				      .repl = { .id = 1,
						.members = &self,
						.members_len = 1,
						.mem = &s->mem } };
	ck_assert_int_eq(
		node_open(&s->node, &config, &s->env, &m->io, &calls, s, error),
		0);
	ck_assert_int_eq(node_start(s->node, error), 0);
	single_run(s, 1000000);
	ck_assert(node_serving(s->node));
	ck_assert_int_eq(s->node->keeper.state, HF_SESSION_SAFE);
	s->events_len = 0;
}

void single_turn(struct single *s)
{
	s->turns++;
	node_turn(s->node);
}

static void step(struct single *s)
{
	struct fake_member *m = &s->fake.members[0];

	while (fake_disk_step(m))
		;
	if (m->tick && m->tick_at <= s->fake.now) {
		m->tick_at = s->fake.now + m->tick_us;
		m->tick(&m->io);
	}
	single_turn(s);
}

/* A loop takes a moment from one turn to the next. */
void single_run(struct single *s, uint64_t us)
{
	struct fake_member *m = &s->fake.members[0];
	uint64_t end = s->fake.now + us;

	while (s->fake.now < end && !s->closed) {
		step(s);
		uint64_t at = s->wake;
		sooner(&at, fake_disk_due(m));
		if (m->tick)
			sooner(&at, m->tick_at);
		sooner(&at, end);
		s->fake.now = at > s->fake.now ? at : s->fake.now + 10;
	}
}

size_t single_told(const struct single *s, enum hf_event_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < s->events_len; i++)
		n += s->events[i].type == type;
	return n;
}

static void on_held(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	*(int *)arg = rc;
}

struct claim *single_hold(struct single *s, unsigned number)
{
	struct claim *claim;
	char name[32];
	int rc = 1;
	struct acquire_options options = { .name = name,
					   .name_len = (size_t)snprintf(
						   name, sizeof(name),
						   "name %u", number),
					   .timeout_us = UINT64_MAX };

	ck_assert_int_eq(node_acquire(s->node, &options, on_held, &rc, &claim),
			 0);
	for (int i = 0; i < 100 && rc == 1; i++)
		single_run(s, 1000);
	ck_assert_int_eq(rc, 0);
	return claim;
}

static void on_closed(void *arg, bool clean)
{
	(void)clean;
	((struct single *)arg)->closed = true;
}

void single_close(struct single *s)
{
	struct fake_member *m = &s->fake.members[0];

	node_close(s->node, 1000000, on_closed, s);
	single_run(s, 3000000);
	ck_assert(s->closed);
	node_free(s->node);
	fake_disk_lose(m);
	fake_disk_free(&m->disk);
}
