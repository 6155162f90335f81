#include "host/storage_internal.h"

#include "host/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int transport_init(struct raft_uv_transport *transport, raft_id id,
			  const char *address)
{
	(void)transport;
	(void)id;
	(void)address;
	return 0;
}

static int transport_listen(struct raft_uv_transport *transport,
			    raft_uv_accept_cb cb)
{
	(void)transport;
	(void)cb;
	return 0;
}

static int transport_connect(struct raft_uv_transport *transport,
			     struct raft_uv_connect *req, raft_id id,
			     const char *address, raft_uv_connect_cb cb)
{
	(void)transport;
	(void)req;
	(void)id;
	(void)address;
	(void)cb;
	return RAFT_NOCONNECTION;
}

static void transport_close(struct raft_uv_transport *transport,
			    raft_uv_transport_close_cb cb)
{
	cb(transport);
}

/* Our links carry libraft's messages. */
static int no_send(struct raft_io *io, struct raft_io_send *req,
		   const struct raft_message *message, raft_io_send_cb cb)
{
	(void)io;
	(void)req;
	(void)message;
	(void)cb;
	return RAFT_NOCONNECTION;
}

static void on_uv_closed(struct raft_io *io)
{
	struct storage *storage = storage_of(io);

	storage->closed = true;
	if (storage->raft_closed && !storage->silent)
		storage->raft_closed(io);
	if (storage->on_closed)
		storage->on_closed(storage->on_closed_arg);
}

static void close_once(struct storage *storage)
{
	if (storage->closing)
		return;
	storage->closing = true;
	storage_note_failure(storage);
	storage->inner.close(&storage->io, on_uv_closed);
}

/* By libraft. */
static void close_io(struct raft_io *io, raft_io_close_cb cb)
{
	storage_of(io)->raft_closed = cb;
	close_once(storage_of(io));
}

static void replace(struct storage *storage)
{
	storage->inner = storage->io;
	storage->io.close = close_io;
	storage->io.send = no_send;
	storage_guard_votes(storage);
	storage_guard_writes(storage);
}

static void configure(struct storage *storage, size_t segment_bytes)
{
	struct raft_io *io = &storage->io;

	raft_uv_set_segment_size(io, segment_bytes ? segment_bytes
						   : STORAGE_SEGMENT_BYTES);
	raft_uv_set_auto_recovery(io, false);
	/* Its default writes every message to a static buffer, whether it is
	 * shown or not: a race between two members of one process. */
	raft_uv_set_tracer(io, NULL);
	raft_uv_set_disk_retry(io, STORAGE_RETRY_MS);
}

int storage_open(struct storage **out, uv_loop_t *loop, const struct dir *dir,
		 size_t segment_bytes, char *error)
{
	struct storage *storage = calloc(1, sizeof(*storage));

	*out = NULL;
	if (!storage)
		return fail(error, HF_ENOMEM, "out of memory");
	storage->loop = loop;
	storage->dir = dir;
	storage->mark_fd = -1;
	list_init(&storage->writes);
	snprintf(storage->path, sizeof(storage->path), "%s/group-1", dir->path);
	storage->transport = (struct raft_uv_transport){
		.version = 1,
		.init = transport_init,
		.listen = transport_listen,
		.connect = transport_connect,
		.close = transport_close,
	};
	int rc = dir_group(dir, error);
	if (rc == 0)
		rc = storage_load_votes(storage, error);
	if (rc == 0)
		rc = storage_mark_open(storage, error);
	if (rc == 0)
		storage_drop_spares(storage);
	if (rc == 0)
		rc = storage_tidy(storage, error);
	if (rc == 0)
		rc = storage_scan(storage, error);
	if (rc == 0 && raft_uv_init(&storage->io, loop, storage->path,
				    &storage->transport) != 0)
		rc = fail(error, HF_EINVAL, "%.200s", storage->io.errmsg);
	if (rc < 0) {
		storage_mark_close(storage);
		free(storage);
		return rc;
	}
	configure(storage, segment_bytes);
	replace(storage);
	*out = storage;
	return 0;
}

struct raft_io *storage_io(struct storage *storage)
{
	return &storage->io;
}

void storage_close(struct storage *storage, void (*closed)(void *arg),
		   void *arg)
{
	if (storage->closed) {
		closed(arg);
		return;
	}
	storage->on_closed = closed;
	storage->on_closed_arg = arg;
	close_once(storage);
}

bool storage_closed(const struct storage *storage)
{
	return storage->closed;
}

void storage_free(struct storage *storage)
{
	if (!storage)
		return;
	if (storage->closed)
		raft_uv_close(&storage->io);
	storage_free_writes(storage);
	storage_mark_close(storage);
	free(storage);
}
