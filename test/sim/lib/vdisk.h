/* What is on a member's disk, which outlives its processes.
 *
 * Only what was written is here: operations that a process has merely asked for
 * wait in its struct vdisk_io. Everything has a checksum, as on a real disk, so
 * that damage at rest is found by whoever loads it. */
#ifndef HF_SIM_VDISK_H
#define HF_SIM_VDISK_H

#include <raft.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random;

struct disk_entry {
	raft_term term;
	unsigned short type;
	size_t len;
	uint8_t *bytes;
	uint32_t sum;
	bool damaged; /* since it was written: for who knows the truth */
};

struct disk_snapshot {
	raft_index index, configuration_index;
	raft_term term;
	struct raft_buffer configuration; /* encoded; libraft's memory */
	size_t len;
	uint8_t *bytes;
	uint32_t sum;
};

struct vdisk { /* all zero: an empty disk */
	raft_term term;
	raft_id vote;
	uint32_t vote_sum; /* of both; 0: neither was ever written */
	raft_index first;  /* of the log; its entries follow each other */
	struct disk_entry *entries;
	size_t len, cap;
	struct disk_snapshot *snapshot; /* NULL: none */
};

/* Write term and vote. */
void vdisk_vote(struct vdisk *d, raft_term term, raft_id vote);
/* Takes over the bytes of the entry. */
void vdisk_append(struct vdisk *d, const struct disk_entry *entry);
/* Forget the entries from `index` on. */
void vdisk_truncate(struct vdisk *d, raft_index index);
/* Put a snapshot in place of the one before, which is freed. */
void vdisk_snapshot(struct vdisk *d, struct disk_snapshot *snapshot);
/* Trim the log to what a snapshot leaves: `trailing` entries up to it and all
 * after it; 0: it was installed, and nothing of the log stays. */
void vdisk_trim(struct vdisk *d, unsigned trailing);

/* NULL: not in the log. */
const struct disk_entry *vdisk_entry(const struct vdisk *d, raft_index index);
/* The index of the next entry. */
raft_index vdisk_end(const struct vdisk *d);

/* Change a bit of what is there: of an entry, the snapshot, term or vote. What
 * was damaged, or NULL: the disk is empty. */
const char *vdisk_damage(struct vdisk *d, struct random *random);

/* As struct raft_io's load: all entries share one batch, as raft_uv's do.
 * RAFT_CORRUPT: something was damaged. */
int vdisk_load(struct vdisk *d, struct raft_snapshot **snapshot,
	       raft_index *first, struct raft_entry **entries, size_t *len);
/* A copy in libraft's memory; NULL: none, or out of memory. */
struct raft_snapshot *vdisk_read_snapshot(const struct vdisk *d);

void disk_snapshot_free(struct disk_snapshot *s);
void vdisk_free(struct vdisk *d);

#endif
