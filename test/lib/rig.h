/* raft_uv's disk behind our functions, in a directory of the test's own, driven
 * as libraft drives it. */
#ifndef HF_TEST_RIG_H
#define HF_TEST_RIG_H

#include "holdfast.h"
#include "host/storage.h"
#include "lib/scratch.h"

#define RIG_SEGMENT_BYTES ((size_t)64 << 10)

struct rig {
	char root[SCRATCH_PATH_MAX];
	struct dir dir;
	uv_loop_t loop;
	struct storage *storage;
	struct raft_io *io;
	raft_term term;
	raft_id vote;
	size_t entries;
	char error[HF_ERROR_TEXT];
	int fds;
	/* If set, gets what is loaded, before it is freed. */
	void (*loaded)(void *ctx, const struct raft_snapshot *snapshot,
		       raft_index start, const struct raft_entry *entries,
		       size_t n);
	void *ctx;
};

void rig_begin(struct rig *r);
/* Nothing may be left open; removes the directory. */
void rig_end(struct rig *r);
/* Lock the directory and open the storage: dir_open's or its error. */
int rig_storage(struct rig *r);
/* Open, bootstrap if it's new, load: as raft_init, raft_bootstrap and
 * raft_start do. -1: rig_storage failed; else libraft's error. */
int rig_open(struct rig *r);
int rig_start(struct rig *r);
/* Append one entry of `len` bytes, all `value`, and wait: the status. */
int rig_append(struct rig *r, uint64_t value, size_t len);
/* Append these together, so that they may be one write. */
int rig_append_many(struct rig *r, uint64_t value, size_t len, unsigned n);
/* Let the loop run once. */
void rig_run(struct rig *r);
/* Also what failed to open. */
void rig_close(struct rig *r);

#endif
