/* See lone.h. */
#include "fuzz/lib/lone.h"
#include "fuzz/lib/helper.h"
#include "fuzz/lib/target.h"
#include "lib/fakedisk.h"

#include <stdlib.h>
#include <string.h>

#define TURNS_AT_END 2000
#define ALLOCATIONS_FAILING 4

static struct lone *lone_of(struct env *env)
{
	return container_of(env, struct lone, env);
}

static void env_now(struct env *env, struct clocks *now)
{
	uint64_t t = lone_of(env)->fake->now;

	*now = (struct clocks){ t, t + 5, t + 9, t + 1000000000 };
}

static void env_random_bytes(struct env *env, void *bytes, size_t len)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)random_next(&lone_of(env)->random);
}

static void env_wake(struct env *env, uint64_t at)
{
	/* The input decides when its turns are. */
	(void)env;
	(void)at;
}

static struct conn *take_conn(struct lone *l)
{
	for (size_t i = 0; i < LONE_CONNS; i++) {
		struct conn *conn = &l->conns[i];

		if (conn->open)
			continue;
		buf_free(&conn->answers);
		*conn = (struct conn){ .lone = l, .open = true };
		return conn;
	}
	return NULL;
}

static struct conn *env_connect(struct env *env, const char *address,
				void *owner)
{
	struct conn *conn = take_conn(lone_of(env));

	must(address && strcmp(address, "one") == 0);
	if (conn)
		conn->owner = owner;
	if (conn)
		conn->peer = 1;
	return conn;
}

static void env_own(struct env *env, struct conn *conn, void *owner)
{
	must(conn->lone == lone_of(env) && conn->open);
	conn->owner = owner;
}

static void env_write(struct env *env, struct conn *conn, const uint8_t *bytes,
		      size_t len)
{
	struct lone *l = lone_of(env);

	must(conn->open && len > 0);
	helper_read(conn, bytes, len, l->checksum, l->helpful);
}

static size_t env_queued(struct env *env, const struct conn *conn)
{
	must(conn->open);
	return lone_of(env)->queued;
}

static void env_close(struct env *env, struct conn *conn)
{
	must(conn->lone == lone_of(env) && conn->open);
	conn->open = false;
}

/* The one that the input has chosen fails, and some behind it. */
static void *resize(void *ctx, void *ptr, size_t len)
{
	static const struct mem libc;
	struct lone *l = ctx;

	if (len > 0 && l->allocations > 0 &&
	    --l->allocations < ALLOCATIONS_FAILING)
		return NULL;
	return mem_resize(&libc, ptr, len);
}

static void on_event(void *arg, const struct hf_event *event)
{
	struct lone *l = arg;

	/* A member that says that a newer process has been seen is believed. */
	if (event->type == HF_EVENT_FAILED)
		must(l->may_fail || event->rc == HF_EOLDBOOT);
}

static const struct repl_member members[LONE_MEMBERS] = { { 1, "one" },
							  { 2, "two" },
							  { 3, "three" } };

void lone_open(struct lone *l, bool checksum, uint32_t snapshot_threshold)
{
	static const struct node_calls calls = { on_event };
	struct node_config config = { .cluster = LONE_CLUSTER,
				      .incarnation = 1,
				      .boot = 3,
				      .ttl_us = 5000000,
				      .renew_us = 1000000,
				      .margin_us = 1000,
				      .drift_ppm = 1000,
				      .checksum = checksum };
	char error[HF_ERROR_TEXT];

	*l = (struct lone){ .checksum = checksum, .random = { 7 } };
	l->env = (struct env){ env_now,     env_random_bytes, env_wake,
			       env_connect, env_own,          env_write,
			       env_queued,  env_close };
	l->fake = calloc(1, sizeof(*l->fake));
	must(l->fake);
	l->fake->now = 1000000;
	l->disk = &l->fake->members[0];
	l->disk->fake = l->fake;
	l->disk->id = LONE_ID;
	l->disk->disk_us = l->disk->get_us = 200;
	list_init(&l->disk->ops);
	fake_disk_open(l->disk);
	config.repl = (struct repl_config){ .id = LONE_ID,
					    .members = members,
					    .members_len = LONE_MEMBERS,
					    .election_ms = 300 };
	l->mem = (struct mem){ resize, l };
	config.repl.mem = &l->mem;
	config.repl.snapshot_threshold = snapshot_threshold;
	config.repl.check_every = 1;
	must(node_open(&l->node, &config, &l->env, &l->disk->io, &calls, l,
		       error) == 0);
	must(node_start(l->node, error) == 0);
}

/* All of the disk that is due, as a loop does before its turn. What comes
 * behind a write that failed fails too: a log has no holes. */
static void run_disk(struct lone *l)
{
	struct fake_member *d = l->disk;

	do
		d->fail_append = l->append_fails;
	while (fake_disk_step(d));
	if (d->tick && d->tick_at <= l->fake->now) {
		d->tick_at = l->fake->now + d->tick_us;
		d->tick(&d->io);
	}
}

static void give_answers(struct lone *l)
{
	for (size_t i = 0; i < LONE_CONNS; i++) {
		struct conn *conn = &l->conns[i];
		struct buf answers = conn->answers;

		conn->answers = (struct buf){ 0 };
		if (conn->open && answers.len > 0)
			node_conn_data(l->node, conn->owner, answers.base,
				       answers.len);
		buf_free(&answers);
	}
}

void lone_pass(struct lone *l, uint64_t us)
{
	l->fake->now += us;
	run_disk(l);
	give_answers(l);
	node_turn(l->node);
}

static void on_closed(void *arg, bool clean)
{
	struct lone *l = arg;

	(void)clean;
	must(!l->closed);
	l->closed = true;
}

void lone_close(struct lone *l)
{
	l->disk->stuck = false;
	l->allocations = 0;
	node_close(l->node, 100000, on_closed, l);
	for (int i = 0; i < TURNS_AT_END && !l->closed; i++)
		lone_pass(l, 1000);
	must(l->closed);
	must(l->callbacks_due == 0);
	for (size_t i = 0; i < LONE_CONNS; i++) {
		must(!l->conns[i].open);
		buf_free(&l->conns[i].answers);
	}
	node_free(l->node);
	fake_disk_lose(l->disk);
	fake_disk_free(&l->disk->disk);
	free(l->fake);
}

struct conn *lone_incoming(struct lone *l)
{
	struct conn *conn = take_conn(l);

	if (!conn)
		return NULL;
	conn->incoming = conn->up = true;
	conn->peer = 3;
	node_conn_incoming(l->node, conn);
	return conn->open ? conn : NULL;
}

void lone_connected(struct lone *l, struct conn *conn)
{
	if (!conn->open || conn->up)
		return;
	conn->up = true;
	node_conn_connected(l->node, conn->owner);
}

void lone_closed(struct lone *l, struct conn *conn)
{
	if (conn->open)
		node_conn_closed(l->node, conn->owner);
}

static void data(struct lone *l, struct conn *conn, const uint8_t *bytes,
		 size_t len)
{
	uint8_t *copy = fuzz_copy(bytes, len);

	if (conn->open && conn->up && len > 0)
		node_conn_data(l->node, conn->owner, copy, len);
	free(copy);
}

void lone_data(struct lone *l, struct conn *conn, const uint8_t *bytes,
	       size_t len, size_t cut)
{
	size_t first = cut < len ? cut : len;

	data(l, conn, bytes, first);
	data(l, conn, bytes + first, len - first);
}

void lone_frame(struct lone *l, struct conn *conn, enum frame_type type,
		enum lane lane, const uint8_t *message, size_t len, size_t cut)
{
	struct buf frames = { 0 };

	frame_encode(&frames, type, lane, 1, l->checksum, message, len);
	must(!frames.failed);
	lone_data(l, conn, frames.base, frames.len, cut);
	buf_free(&frames);
}
