/* Requests to raft_uv, each behind one of our own.
 *
 * raft_uv keeps a pointer to a request until it calls back. Ours may outlive
 * libraft's: after a failure libraft's memory goes while raft_uv still holds
 * requests. It also calls back for an append that it has refused, if the write
 * of several was refused; libraft doesn't expect that. */
#include "host/storage_internal.h"

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
	/* libraft's; NULL: refused, nobody is called back. */
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
	list_push(&w->storage->writes, &w->link);
	return w;
}

/* Returns whom to tell; NULL: nobody. */
static void *write_end(struct storage_write *w)
{
	void *theirs = w->storage->silent ? NULL : w->theirs;

	list_remove(&w->link);
	free(w);
	return theirs;
}

static void on_append(struct raft_io_append *req, int status)
{
	struct storage_write *w = req->data;
	raft_io_append_cb cb = w->cb.append;
	struct raft_io_append *theirs = write_end(w);

	if (theirs)
		cb(theirs, status);
}

static int append(struct raft_io *io, struct raft_io_append *req,
		  const struct raft_entry entries[], unsigned n,
		  raft_io_append_cb cb)
{
	struct storage *storage = storage_of(io);
	struct storage_write *w = write_new(io, req);

	if (!w)
		return RAFT_NOMEM;
	w->own.append.data = w;
	w->cb.append = cb;
	storage_note_failure(storage);
	storage->io.errmsg[0] = 0;
	int rc = storage->inner.append(io, &w->own.append, entries, n,
				       on_append);
	if (rc != 0) {
		w->theirs = NULL; /* raft_uv may still hold it */
		storage_note_failure(storage);
	}
	return rc;
}

static void on_put(struct raft_io_snapshot_put *req, int status)
{
	struct storage_write *w = req->data;
	raft_io_snapshot_put_cb cb = w->cb.put;
	struct raft_io_snapshot_put *theirs = write_end(w);

	if (theirs)
		cb(theirs, status);
}

static int snapshot_put(struct raft_io *io, unsigned trailing,
			struct raft_io_snapshot_put *req,
			const struct raft_snapshot *snapshot,
			raft_io_snapshot_put_cb cb)
{
	struct storage_write *w = write_new(io, req);

	if (!w)
		return RAFT_NOMEM;
	w->own.put.data = w;
	w->cb.put = cb;
	int rc = w->storage->inner.snapshot_put(io, trailing, &w->own.put,
						snapshot, on_put);
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

void storage_guard_writes(struct storage *storage)
{
	storage->io.append = append;
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
		/* A refused one never began. */
		if (container_of(it, struct storage_write, link)->theirs)
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
