/* raft_uv's storage, without its network, and with a way out.
 *
 * The struct raft_io is raft_uv's own, with some of its functions replaced by
 * ours, because raft_uv calls back with that very struct. Term and vote are
 * kept a second time, checksummed (host/vote.h). After storage_force it calls
 * back to nobody, so that libraft's memory may go while writes are
 * outstanding. */
#ifndef HF_HOST_STORAGE_H
#define HF_HOST_STORAGE_H

#include "host/dir.h"

#include <raft.h>
#include <raft/uv.h>
#include <stddef.h>
#include <stdint.h>

struct storage;

/* 64 MiB: raft_uv blocks for about 30 ms at a segment's end. */
#define STORAGE_SEGMENT_BYTES ((size_t)64 << 20)

/* A timer of the loop that is due later than this is taken for raft_uv's, which
 * has failed: nobody else may have one. */
#define STORAGE_TIMER_MAX_MS (UINT64_C(20) * 24 * 3600 * 1000)

/* `dir` and `loop` must outlive it. segment_bytes 0: the default; a multiple of
 * 4,096. Errors: HF_ENOMEM, HF_EIO, HF_ECORRUPT, HF_EINVAL. */
int storage_open(struct storage **storage, uv_loop_t *loop,
		 const struct dir *dir, size_t segment_bytes, char *error);
struct raft_io *storage_io(struct storage *storage);

/* From now on libraft has its ticks in storage_tick, if one is due: where the
 * loop runs timers before it has read what waits: a leader would give up, or a
 * follower ask for an election, though they could hear each other. */
void storage_tick_late(struct storage *storage);
void storage_tick(struct storage *storage);

/* `closed` is called once, later or inside, when raft_uv has ended its work; it
 * may never be if the disk has failed. Also where libraft has closed the io
 * itself. */
void storage_close(struct storage *storage, void (*closed)(void *arg),
		   void *arg);
bool storage_closed(const struct storage *storage);
/* raft_uv doesn't end: silence it, and close what it leaves open. Is it certain
 * that nothing is still being written? Its handles are closed by the caller. */
bool storage_force(struct storage *storage);
/* After `closed`; or after storage_force, once the loop is closed: then memory
 * of raft_uv is given up. NULL-safe. */
void storage_free(struct storage *storage);

#endif
