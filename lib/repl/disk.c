/* libraft's disk requests, on their way through the guard: guard.h.
 *
 * Each gets a struct disk_request of ours, so that it can be held back, timed
 * and cancelled. None is completed inside the call that makes it. */
#include "repl/disk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int disk_fail(struct guard *g, const char *what)
{
	char text[HF_ERROR_TEXT];

	g->disk_failed = true;
	snprintf(text, sizeof(text), "%s%s%.200s", what,
		 *g->inner->errmsg ? ": " : "", g->inner->errmsg);
	guard_fail(g, HF_EIO, text);
	return 0;
}

/* When memory runs out, what libraft asks for until its call returns: too few
 * would be a leak, no more. */
static struct disk_request *spare(struct guard *g)
{
	guard_fail(g, HF_ENOMEM, "out of memory for a disk request");
	for (size_t i = 0; i < SPARE_REQUESTS; i++)
		if (!g->spares[i].guard) {
			g->spares[i].spare = true;
			return &g->spares[i];
		}
	return NULL;
}

static struct disk_request *request_new(struct guard *g, enum disk_kind kind)
{
	struct disk_request *q = mem_zalloc(g->mem, sizeof(*q));

	if (!q)
		q = spare(g);
	if (!q)
		return NULL;
	q->guard = g;
	q->kind = kind;
	q->since = g->uptime;
	list_push(&g->requests, &q->link);
	return q;
}

static void request_free(struct disk_request *q)
{
	list_remove(&q->link);
	if (q->spare)
		*q = (struct disk_request){ 0 };
	else
		mem_free(q->guard->mem, q);
}

/* libraft frees a message whose snapshot couldn't be read together with fields
 * that it never set (legacyLoadSnapshotCb), so it isn't told. The message is
 * what the request's data points to; nothing else refers to it. */
static void drop_get(struct disk_request *q)
{
	struct raft_io_snapshot_get *get = q->outer.get;
	struct guard *g = q->guard;

	if (guard_on(g, GUARD_SNAPSHOT_GET))
		raft_free(get->data);
	else
		get->cb(get, NULL, RAFT_CANCELED);
	request_free(q);
}

/* The late buffers aren't needed any more, or won't be. */
static void release(struct disk_request *q)
{
	struct guard *g = q->guard;

	if (q->release)
		q->release(q->bufs);
	else if (q->trailing > 0 && !g->abandoned)
		g->world->unhold(g->arg);
	q->release = NULL;
}

/* Hand a request that the inner io doesn't have (any more) back to libraft. */
static void cancel(struct disk_request *q)
{
	switch (q->kind) {
	case DISK_APPEND:
		q->outer.append->cb(q->outer.append, RAFT_CANCELED);
		request_free(q);
		break;
	case DISK_PUT:
		release(q);
		q->outer.put->cb(q->outer.put, RAFT_CANCELED);
		request_free(q);
		break;
	case DISK_GET:
		drop_get(q);
		break;
	}
}

void disk_cancel(struct guard *g, bool given_too)
{
	list_for_safe (it, &g->requests) {
		struct disk_request *q =
			container_of(it, struct disk_request, link);

		if (given_too || !q->given)
			cancel(q);
	}
}

static void appended(struct raft_io_append *inner, int status)
{
	struct disk_request *q =
		container_of(inner, struct disk_request, inner.append);
	struct guard *g = q->guard;

	q->given = false;
	if (status != 0 && !g->closing)
		disk_fail(g, "a write to the log failed");
	if (g->failed && !g->closing)
		return; /* kept, for guard_close to cancel */
	q->outer.append->cb(q->outer.append, status);
	request_free(q);
}

int disk_append(struct raft_io *io, struct raft_io_append *req,
		const struct raft_entry entries[], unsigned n,
		raft_io_append_cb cb)
{
	struct guard *g = guard_of_io(io);
	struct disk_request *q = request_new(g, DISK_APPEND);

	req->cb = cb;
	if (!q)
		return 0;
	q->outer.append = req;
	if (guard_dead(g))
		return 0;
	q->given = true;
	if (g->inner->append(g->inner, &q->inner.append, entries, n,
			     appended) != 0) {
		q->given = false;
		return disk_fail(g, "a write to the log was refused");
	}
	return 0;
}

static void put_done(struct raft_io_snapshot_put *inner, int status)
{
	struct disk_request *q =
		container_of(inner, struct disk_request, inner.put);
	struct guard *g = q->guard;

	q->given = false;
	if (status != 0 && !g->closing)
		disk_fail(g, "a snapshot couldn't be stored");
	if (g->failed && !g->closing)
		return;
	if (g->closing) /* else libraft would keep what it installs */
		status = RAFT_CANCELED;
	else
		g->world->stored(g->arg, q->trailing > 0);
	if (q->release)
		q->release(q->bufs);
	q->release = NULL;
	q->outer.put->cb(q->outer.put, status);
	request_free(q);
}

static void give_put(struct disk_request *q, const struct raft_snapshot *s)
{
	struct guard *g = q->guard;

	q->given = true;
	q->since = g->uptime;
	if (g->inner->snapshot_put(g->inner, q->trailing, &q->inner.put, s,
				   put_done) == 0)
		return;
	q->given = false;
	disk_fail(g, "a snapshot was refused");
}

/* libraft keeps no entries behind a snapshot that it installs, and some behind
 * one that it takes: those are held until their buffers are there. */
int disk_snapshot_put(struct raft_io *io, unsigned trailing,
		      struct raft_io_snapshot_put *req,
		      const struct raft_snapshot *snapshot,
		      raft_io_snapshot_put_cb cb)
{
	struct guard *g = guard_of_io(io);
	struct disk_request *q = request_new(g, DISK_PUT);

	req->cb = cb;
	if (!q)
		return 0;
	q->outer.put = req;
	q->trailing = trailing;
	q->snapshot = snapshot;
	if (guard_dead(g))
		return 0;
	if (trailing > 0)
		g->world->hold(g->arg, q);
	else
		give_put(q, snapshot);
	return 0;
}

void disk_put_late(struct disk_request *q, const struct late_buffers *bufs)
{
	assert(q->kind == DISK_PUT && !q->given && q->trailing > 0);
	q->bufs = bufs->ctx;
	q->release = bufs->release;
	q->own = *q->snapshot;
	q->own.bufs = bufs->bufs;
	q->own.n_bufs = bufs->len;
	if (!guard_dead(q->guard))
		give_put(q, &q->own);
}

void disk_cancel_held(struct guard *g)
{
	list_for_safe (it, &g->requests) {
		struct disk_request *q =
			container_of(it, struct disk_request, link);

		if (q->kind == DISK_PUT && !q->given && q->trailing > 0)
			cancel(q);
	}
}

bool disk_storing(const struct guard *g)
{
	list_for (it, &g->requests) {
		if (container_of(it, struct disk_request, link)->kind ==
		    DISK_PUT)
			return true;
	}
	return g->raft.snapshot.installing;
}

static void got(struct raft_io_snapshot_get *inner,
		struct raft_snapshot *snapshot, int status)
{
	struct disk_request *q =
		container_of(inner, struct disk_request, inner.get);
	struct guard *g = q->guard;

	q->given = false;
	if (status != 0) {
		raft_free(snapshot);
		drop_get(q);
		if (status != RAFT_NOMEM && status != RAFT_CANCELED)
			disk_fail(g, "a snapshot couldn't be read");
		return;
	}
	g->got_index = snapshot->index;
	g->got_term = snapshot->term;
	q->outer.get->cb(q->outer.get, snapshot, 0);
	request_free(q);
}

int disk_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
		      raft_io_snapshot_get_cb cb)
{
	struct guard *g = guard_of_io(io);
	struct disk_request *q = request_new(g, DISK_GET);

	req->cb = cb;
	if (!q)
		return 0;
	q->outer.get = req;
	if (guard_dead(g))
		return 0;
	q->given = true;
	if (g->inner->snapshot_get(g->inner, &q->inner.get, got) != 0)
		drop_get(q);
	return 0;
}

static uint64_t timeout_of(const struct disk_request *q)
{
	uint64_t base = q->guard->append_timeout_us;

	return q->kind == DISK_APPEND ? base : base * PUT_TIMEOUT_FACTOR;
}

void disk_watch(struct guard *g)
{
	list_for (it, &g->requests) {
		struct disk_request *q =
			container_of(it, struct disk_request, link);

		if (q->given && g->uptime - q->since >= timeout_of(q))
			disk_fail(g, "a write to the disk is stuck");
	}
}

uint64_t disk_patience(const struct guard *g)
{
	uint64_t least = UINT64_MAX;

	list_for (it, &g->requests) {
		struct disk_request *q =
			container_of(it, struct disk_request, link);
		uint64_t until = q->since + timeout_of(q);
		uint64_t left = until > g->uptime ? until - g->uptime : 0;

		if (q->given && left < least)
			least = left;
	}
	return least;
}
