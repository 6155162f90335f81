/* Named limits and defaults of this layer, each with its reason. */
#ifndef HF_REPL_LIMITS_H
#define HF_REPL_LIMITS_H

#include "codec/entry.h"

#include <assert.h>

/* Times. A heartbeat goes out on a tick, so the tick is the interval; libraft's
 * own heartbeat timeout only has to be well below it, or a tick that comes a
 * little early sends none. Several ticks must fit an election timeout. */
#define TICK_MS 50
#define TICKS_IN_ELECTION_MIN 4 /* small election timeouts get faster ticks */
#define HEARTBEATS_IN_TICK 5
#define ELECTION_MS 300

/* How long a snapshot may be on its way before libraft sends another. Also how
 * long a follower's refusals are taken to mean that it hasn't arrived yet. */
#define INSTALL_MS 10000

/* A write that takes longer has failed. A disk that stalls for seconds is
 * common, one that comes back after ten isn't. Snapshots are larger. */
#define APPEND_TIMEOUT_MS 10000
#define PUT_TIMEOUT_FACTOR 12

/* Snapshots. The trailing entries let a follower catch up from the log; they
 * must be well above what may be in flight to one follower (guard 9). */
#define SNAPSHOT_THRESHOLD 8192
#define SNAPSHOT_TRAILING 4096
#define TRAILING_FACTOR 4          /* trailing / entries in flight, at least */
#define RAFT_INFLIGHT_MAX 256      /* entries in flight to one follower */
#define IMAGE_SLICE 2000           /* objects a turn, about a millisecond */
#define SNAPSHOT_RETRY_US 10000000 /* after one that ran out of memory */

/* Bytes of entries in one AppendEntries: half of what its lane takes. One entry
 * always fits. */
#define APPEND_BYTES_MAX (8u << 20)

/* Entries proposed and not yet applied. Two: one on its way while the next
 * collects requests; more only makes batches smaller. */
#define INFLIGHT 2
#define INFLIGHT_MAX 16

/* A batch is made of two chunks, renewals and the rest, each half an entry. */
#define CHUNK_OPS_MAX (ENTRY_OPS_MAX / 2)
#define CHUNK_BYTES_MAX (ENTRY_BYTES_MAX / 2 - 4096)
static_assert(OP_BYTES_MAX <= CHUNK_BYTES_MAX, "any operation fits a chunk");
static_assert(2 * CHUNK_BYTES_MAX + ENTRY_FIXED_MAX <= ENTRY_BYTES_MAX,
	      "two chunks fit an entry");
/* Chunks that wait. Acquires and opens are refused first: what they wait behind
 * already takes longer than they are worth. Renewals have chunks of their own,
 * enough for every session of the default limits. */
#define CHUNKS_ACQUIRE_MAX 8
#define CHUNKS_OTHER_MAX 16
#define CHUNKS_RENEW_MAX 64

/* A batch of renewals only may wait this long, or the smallest ttl of its
 * sessions divided by RENEW_WAIT_SHARE. */
#define RENEW_WAIT_US 250000
#define RENEW_WAIT_SHARE 20

/* While a deadline is pending, a stamped entry is proposed this often, so that
 * a new leader continues from a time that isn't older. */
#define STAMP_EVERY_US 1000000

/* Hashes of the state: how often one travels in an entry, and how many of its
 * own a member remembers to compare with. An entry is compared within what is
 * in flight, so a few would do; a late member compares less. */
#define HASH_EVERY 1024
#define HASHES_KEPT 4096 /* a power of two */

/* Disk requests that can be taken when memory runs out: what one call of
 * libraft asks for. */
#define SPARE_REQUESTS 8

/* Sends that wait for the next turn to be reported done; and those for which
 * there is room when memory runs out. */
#define SENDS_MAX (1u << 20)
#define SPARE_SENDS 32

#endif
