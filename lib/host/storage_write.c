/* Requests to raft_uv, each behind one of our own.
 *
 * raft_uv keeps a pointer to a request until it calls back. Ours may outlive
 * libraft's: after a failure libraft's memory goes while raft_uv still holds
 * requests. It also calls back for an append that it has refused, if the write
 * of several was refused; libraft doesn't expect that. */
#include "host/storage_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct storage_write {
	struct list link; /* storage->writes */
	struct storage *storage;
	union {
		struct raft_io_append append;
		struct raft_io_snapshot_put put;
		struct raft_io_snapshot_get get;
	} own;
	bool appends;
	uint64_t last; /* index of the last entry that is then on the disk */
	uint64_t cuts; /* storage->cuts when it was asked for */
	bool refused;  /* it never began */
	/* libraft's; NULL: nobody is called back (any more). */
	void *theirs;
	union {
		raft_io_append_cb append;
		raft_io_snapshot_put_cb put;
		raft_io_snapshot_get_cb get;
	} cb;
};

static struct storage_write *write_new(struct raft_io *io, void *theirs)
{
	struct storage_write *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->storage = storage_of(io);
	w->theirs = theirs;
	w->cuts = w->storage->cuts;
	list_push(&w->storage->writes, &w->link);
	return w;
}

/* It was done. What was cut off since isn't there any more. */
static void note_done(struct storage_write *w)
{
	if (w->last > 0 && w->cuts == w->storage->cuts)
		storage_mark_raise(w->storage, w->last);
}

/* Returns whom to tell; NULL: nobody. */
static void *write_end(struct storage_write *w)
{
	void *theirs = w->storage->silent ? NULL : w->theirs;

	list_remove(&w->link);
	free(w);
	return theirs;
}

/* raft_uv makes a new file to cut the log. Where it can't, it tells nobody, and
 * writes what follows behind what should have gone. */
static bool cut_failed(const struct storage_write *w)
{
	struct storage *storage = w->storage;

	if (storage->cut_at == 0 || w->cuts != storage->cuts)
		return false;
	if (!storage_uncut(storage, storage->cut_at)) {
		storage->cut_at = 0;
		return false;
	}
	storage->doomed = true;
	storage_mark_spoilt(storage);
	snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
		 "the log couldn't be cut");
	return true;
}

static void on_append(struct raft_io_append *req, int status)
{
	struct storage_write *w = req->data;
	raft_io_append_cb cb = w->cb.append;

	if (status == 0 && cut_failed(w))
		status = RAFT_IOERR;
	if (status == 0)
		note_done(w);
	struct raft_io_append *theirs = write_end(w);

	if (theirs)
		cb(theirs, status);
}

static int append(struct raft_io *io, struct raft_io_append *req,
		  const struct raft_entry entries[], unsigned n,
		  raft_io_append_cb cb)
{
	struct storage *storage = storage_of(io);

	if (storage->doomed) {
		snprintf(io->errmsg, sizeof(io->errmsg),
			 "a write, or the making of a segment, has failed");
		return RAFT_IOERR;
	}
	struct storage_write *w = write_new(io, req);
	if (!w)
		return RAFT_NOMEM;
	w->own.append.data = w;
	w->cb.append = cb;
	w->appends = true;
	w->last = storage->next_index + n - 1;
	storage_note_failure(storage);
	storage->io.errmsg[0] = 0;
	int rc = storage->inner.append(io, &w->own.append, entries, n,
				       on_append);
	if (rc != 0) {
		w->refused = true;
		w->theirs = NULL; /* raft_uv may still hold it */
		storage_note_failure(storage);
		return rc;
	}
	storage->next_index += n;
	return 0;
}

/* Entries from `next` on are going: as far as it was promised that they are
 * there, the promise is taken back first. */
static int cut(struct storage *storage, uint64_t next)
{
	int rc = storage->doomed ? RAFT_IOERR
				 : storage_mark_lower(storage, next - 1);

	if (rc != 0)
		return rc;
	storage->cuts++;
	storage->cut_at = 0;
	storage->next_index = next;
	return 0;
}

static int truncate_log(struct raft_io *io, raft_index index)
{
	struct storage *storage = storage_of(io);
	if (index >= storage->next_index)
		return 0; /* as raft_uv would */
	int rc = cut(storage, index);
	if (rc == 0) {
		storage->cut_at = index;
		rc = storage->inner.truncate(io, index);
	}
	return rc;
}

static void on_put(struct raft_io_snapshot_put *req, int status)
{
	struct storage_write *w = req->data;
	raft_io_snapshot_put_cb cb = w->cb.put;

	if (status == 0)
		note_done(w);
	struct raft_io_snapshot_put *theirs = write_end(w);

	if (theirs)
		cb(theirs, status);
}

static int snapshot_put(struct raft_io *io, unsigned trailing,
			struct raft_io_snapshot_put *req,
			const struct raft_snapshot *snapshot,
			raft_io_snapshot_put_cb cb)
{
	/* One that is installed takes the place of the whole log. */
	int rc = trailing == 0 ? cut(storage_of(io), snapshot->index + 1) : 0;
	struct storage_write *w = rc == 0 ? write_new(io, req) : NULL;

	if (!w)
		return rc == 0 ? RAFT_NOMEM : rc;
	w->own.put.data = w;
	w->cb.put = cb;
	w->last = trailing == 0 ? snapshot->index : 0;
	rc = w->storage->inner.snapshot_put(io, trailing, &w->own.put, snapshot,
					    on_put);
	if (rc != 0)
		write_end(w);
	return rc;
}

static void on_get(struct raft_io_snapshot_get *req,
		   struct raft_snapshot *snapshot, int status)
{
	struct storage_write *w = req->data;
	raft_io_snapshot_get_cb cb = w->cb.get;
	struct raft_io_snapshot_get *theirs = write_end(w);

	if (theirs)
		cb(theirs, snapshot, status);
	else if (status == 0)
		storage_drop_snapshot(snapshot);
	else
		raft_free(snapshot);
}

static int snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
			raft_io_snapshot_get_cb cb)
{
	struct storage_write *w = write_new(io, req);

	if (!w)
		return RAFT_NOMEM;
	w->own.get.data = w;
	w->cb.get = cb;
	int rc = w->storage->inner.snapshot_get(io, &w->own.get, on_get);
	if (rc != 0)
		write_end(w);
	return rc;
}

/* raft_uv is silent about a write that failed, about those that wait for a
 * segment that can't be made, and about all behind them. */
static void fail_appends(struct storage *storage)
{
	list_for_safe (it, &storage->writes) {
		struct storage_write *w =
			container_of(it, struct storage_write, link);
		struct raft_io_append *theirs = w->theirs;

		if (!w->appends || !theirs)
			continue;
		w->theirs = NULL;
		w->cb.append(theirs, RAFT_IOERR);
	}
}

static void find_retry(uv_handle_t *handle, void *doomed)
{
	if (handle->type == UV_TIMER && uv_is_active(handle) &&
	    uv_timer_get_due_in((uv_timer_t *)handle) > STORAGE_TIMER_MAX_MS)
		*(bool *)doomed = true;
}

static void tick_now(struct storage *storage)
{
	storage_note_failure(storage);
	uv_walk(storage->loop, find_retry, &storage->doomed);
	if ((storage->write_failed || storage->doomed) && !storage->silent)
		fail_appends(storage);
	storage->tick(&storage->io);
}

static void tick(struct raft_io *io)
{
	struct storage *storage = storage_of(io);

	if (storage->tick_late)
		storage->tick_due = true;
	else
		tick_now(storage);
}

void storage_tick_late(struct storage *storage)
{
	storage->tick_late = true;
}

void storage_tick(struct storage *storage)
{
	if (!storage->tick_due)
		return;
	storage->tick_due = false;
	tick_now(storage);
}

static int start(struct raft_io *io, unsigned msecs, raft_io_tick_cb cb,
		 raft_io_recv_cb recv)
{
	storage_of(io)->tick = cb;
	return storage_of(io)->inner.start(io, msecs, tick, recv);
}

void storage_guard_writes(struct storage *storage)
{
	storage->io.start = start;
	storage->io.append = append;
	storage->io.truncate = truncate_log;
	storage->io.snapshot_put = snapshot_put;
	storage->io.snapshot_get = snapshot_get;
}

/* raft_uv has one write of the log in flight at most, and starts none after one
 * has failed: so a failure that is known means that nothing is being written.
 * These are the texts of 0.22; with others we only know less. */
void storage_note_failure(struct storage *storage)
{
	static const char *const texts[] = { "io_submit", "write failed",
					     "short write" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strncmp(storage->io.errmsg, texts[i], strlen(texts[i])) ==
		    0)
			storage->write_failed = true;
}

bool storage_writing(const struct storage *storage)
{
	if (storage->write_failed)
		return false;
	list_for (it, &storage->writes) {
		if (!container_of(it, struct storage_write, link)->refused)
			return true;
	}
	return false;
}

void storage_free_writes(struct storage *storage)
{
	list_for_safe (it, &storage->writes) {
		free(container_of(it, struct storage_write, link));
	}
}
