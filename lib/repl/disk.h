/* What libraft asks of the disk, as the guard passes it on. */
#ifndef HF_REPL_DISK_H
#define HF_REPL_DISK_H

#include "repl/guard.h"

/* The buffers of a held snapshot. `release` is called with `ctx` when they
 * aren't needed any more, possibly long after the guard was abandoned. */
struct late_buffers {
	struct raft_buffer *bufs;
	unsigned len;
	void (*release)(void *ctx);
	void *ctx;
};
/* Store a held snapshot with these. */
void disk_put_late(struct disk_request *put, const struct late_buffers *bufs);
/* Give up held snapshots: libraft will ask again. */
void disk_cancel_held(struct guard *g);
bool disk_storing(const struct guard *g); /* a snapshot of any kind */

/* Of struct raft_io. */
int disk_append(struct raft_io *io, struct raft_io_append *req,
		const struct raft_entry entries[], unsigned n,
		raft_io_append_cb cb);
int disk_snapshot_put(struct raft_io *io, unsigned trailing,
		      struct raft_io_snapshot_put *req,
		      const struct raft_snapshot *snapshot,
		      raft_io_snapshot_put_cb cb);
int disk_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
		      raft_io_snapshot_get_cb cb);

/* Fail because of the disk. Answers 0, which is what libraft is told. */
int disk_fail(struct guard *g, const char *what);
/* Cancel what the inner io doesn't have; `given_too`: and what it has. */
void disk_cancel(struct guard *g, bool given_too);
/* Fail if a request takes too long. */
void disk_watch(struct guard *g);
/* When to look again, in us from now. */
uint64_t disk_patience(const struct guard *g);

#endif
