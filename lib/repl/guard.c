/* The disk's side of the guard, and its life: guard.h. */
#include "repl/disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool guard_on(struct guard *g, enum guard_number n)
{
	if (g->off & UINT32_C(1) << n)
		return false;
	g->counts[n]++;
	return true;
}

void guard_fail(struct guard *g, int rc, const char *text)
{
	if (g->failed || g->closing)
		return;
	g->failed = true;
	g->world->failed(g->arg, rc, text);
}

static void inner_closed(struct raft_io *inner);

/* After an orderly close, or a late one of a guard that nobody waits for. */
static void finish(struct guard *g)
{
	g->closed = true;
	if (g->abandoned)
		guard_destroy(g);
	else
		g->world->closed(g->arg);
}

static void raft_closed(struct raft *raft)
{
	finish(container_of(raft, struct guard, raft));
}

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
	struct guard *g = guard_of_io(io);
	int rv = g->inner->init(g->inner, id, address);

	memcpy(io->errmsg, g->inner->errmsg, sizeof(io->errmsg));
	return rv;
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
	struct guard *g = guard_of_io(io);

	g->close_cb = cb;
	guard_complete_sends(g);
	disk_cancel(g, false);
	g->inner->close(g->inner, inner_closed);
}

static void inner_closed(struct raft_io *inner)
{
	if (!inner->data) /* its owner has given it up */
		return;
	struct guard *g = container_of(inner->data, struct guard, raft);

	disk_cancel(g, true);
	inner->data = NULL;
	g->close_cb(&g->io);
}

/* Entries that were loaded share one allocation, a batch, which libraft frees
 * while sends still use it (log.c, logRelease after a truncation). */
static int unshare(struct raft_entry *e)
{
	void *copy = raft_malloc(e->buf.len ? e->buf.len : 1);

	if (!copy)
		return RAFT_NOMEM;
	if (e->buf.len > 0)
		memcpy(copy, e->buf.base, e->buf.len);
	e->buf.base = copy;
	e->batch = NULL;
	return 0;
}

/* Each batch goes as soon as its last entry was copied, so that the log isn't
 * in memory twice. */
static int unshare_all(struct raft_entry *entries, size_t n)
{
	int rv = 0;

	for (size_t i = 0; i < n && rv == 0; i++) {
		void *batch = entries[i].batch;

		if (!batch)
			continue;
		rv = unshare(&entries[i]);
		if (rv == 0 && (i + 1 == n || entries[i + 1].batch != batch))
			raft_free(batch);
	}
	return rv;
}

/* libraft takes nothing of a load that failed. */
static void discard_loaded(struct raft_snapshot *snapshot,
			   struct raft_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		void *batch = entries[i].batch;

		if (!batch)
			raft_free(entries[i].buf.base);
		else if (i + 1 == n || entries[i + 1].batch != batch)
			raft_free(batch);
	}
	raft_free(entries);
	if (!snapshot)
		return;
	raft_configuration_close(&snapshot->configuration);
	for (unsigned i = 0; i < snapshot->n_bufs; i++)
		raft_free(snapshot->bufs[i].base);
	raft_free(snapshot->bufs);
	raft_free(snapshot);
}

static int io_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
		   struct raft_snapshot **snapshot, raft_index *start_index,
		   struct raft_entry *entries[], size_t *n_entries)
{
	struct guard *g = guard_of_io(io);
	int rv = g->inner->load(g->inner, term, voted_for, snapshot,
				start_index, entries, n_entries);

	memcpy(io->errmsg, g->inner->errmsg, sizeof(io->errmsg));
	if (rv != 0)
		return rv;
	g->term = *term;
	if (*n_entries > 0 && guard_on(g, GUARD_LOADED))
		rv = unshare_all(*entries, *n_entries);
	if (rv != 0)
		discard_loaded(*snapshot, *entries, *n_entries);
	return rv;
}

static void inner_tick(struct raft_io *inner)
{
	if (!inner->data)
		return;
	struct guard *g = container_of(inner->data, struct guard, raft);

	g->io.capacity = inner->capacity;
	if (!guard_dead(g))
		g->tick(&g->io);
}

/* Messages come by guard_receive; the inner io has no network of its own. */
static void inner_recv(struct raft_io *inner, struct raft_message *m)
{
	(void)inner;
	(void)m;
	assert(0 && "the inner raft_io received a message");
}

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick,
		    raft_io_recv_cb recv)
{
	struct guard *g = guard_of_io(io);

	(void)msecs; /* libraft would tick at the heartbeat */
	if (g->failed)
		return RAFT_CORRUPT;
	g->tick = tick;
	g->recv = recv;
	g->started = true;
	return g->inner->start(g->inner, g->tick_ms, inner_tick, inner_recv);
}

static int io_bootstrap(struct raft_io *io,
			const struct raft_configuration *configuration)
{
	struct guard *g = guard_of_io(io);
	int rv = g->inner->bootstrap(g->inner, configuration);

	memcpy(io->errmsg, g->inner->errmsg, sizeof(io->errmsg));
	return rv;
}

static int io_recover(struct raft_io *io,
		      const struct raft_configuration *configuration)
{
	struct guard *g = guard_of_io(io);

	return g->inner->recover(g->inner, configuration);
}

/* Setting the term clears the vote on the disk. libraft does both when it
 * grants a vote, with an unchanged term too: a crash in between would forget a
 * vote given before in this term. */
static int io_set_term(struct raft_io *io, raft_term term)
{
	struct guard *g = guard_of_io(io);

	if (guard_dead(g))
		return 0;
	if (term == g->term && guard_on(g, GUARD_SET_TERM))
		return 0;
	if (g->inner->set_term(g->inner, term) != 0)
		return disk_fail(g, "the term couldn't be stored");
	g->term = term;
	return 0;
}

static int io_set_vote(struct raft_io *io, raft_id id)
{
	struct guard *g = guard_of_io(io);

	if (!guard_dead(g) && g->inner->set_vote(g->inner, id) != 0)
		return disk_fail(g, "the vote couldn't be stored");
	return 0;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
	struct guard *g = guard_of_io(io);

	if (!guard_dead(g) && g->inner->truncate(g->inner, index) != 0)
		return disk_fail(g, "the log couldn't be truncated");
	return 0;
}

static raft_time io_time(struct raft_io *io)
{
	struct clocks now;

	env_clocks(guard_of_io(io)->env, &now);
	return now.monotonic / 1000;
}

static int io_random(struct raft_io *io, int min, int max)
{
	uint64_t r = env_random64(guard_of_io(io)->env);

	return max > min ? min + (int)(r % (uint64_t)(max - min)) : min;
}

static const struct raft_io functions = {
	.version = 2,
	.init = io_init,
	.close = io_close,
	.load = io_load,
	.start = io_start,
	.bootstrap = io_bootstrap,
	.recover = io_recover,
	.set_term = io_set_term,
	.set_vote = io_set_vote,
	.send = guard_send,
	.append = disk_append,
	.truncate = io_truncate,
	.snapshot_put = disk_snapshot_put,
	.snapshot_get = disk_snapshot_get,
	.time = io_time,
	.random = io_random,
};

struct guard *guard_create(const struct guard_config *config, struct env *env,
			   struct raft_io *inner,
			   const struct guard_world *world, void *arg)
{
	struct guard *g = mem_zalloc(config->mem, sizeof(*g));

	if (!g)
		return NULL;
	g->io = functions;
	g->io.capacity = inner->capacity;
	g->inner = inner;
	g->env = env;
	g->mem = g->message.mem = config->mem;
	g->world = world;
	g->arg = arg;
	g->off = config->off;
	g->tick_ms = config->tick_ms;
	g->append_timeout_us = (uint64_t)config->append_timeout_ms * 1000;
	list_init(&g->requests);
	/* raft_uv's handles and its tick look for libraft here. */
	inner->data = &g->raft;
	return g;
}

void guard_destroy(struct guard *g)
{
	if (!g)
		return;
	if (g->inner && !g->closed)
		g->inner->data = NULL;
	buf_free(&g->message);
	mem_free(g->mem, g->sends);
	mem_free(g->mem, g);
}

void guard_turn(struct guard *g, uint64_t elapsed_us)
{
	g->uptime += elapsed_us;
	guard_complete_sends(g);
	guard_forget_installs(g);
	disk_watch(g);
}

void guard_close(struct guard *g)
{
	g->closing = true;
	raft_close(&g->raft, raft_closed);
}

void guard_abandon(struct guard *g)
{
	g->abandoned = true;
}
