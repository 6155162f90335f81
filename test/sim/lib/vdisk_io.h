/* struct raft_io over a simulated disk: what one process does with it.
 *
 * The rules are raft_uv's. Term and vote are durable when the call returns.
 * Appends, truncations and snapshots are done in the order in which they were
 * asked for, appends that wait are written together, and their callbacks run
 * later, never inside the call; a snapshot that was taken doesn't hold up later
 * appends, one that is installed does. A crash leaves of what was under way a
 * prefix that chance chooses, down to a part of one append. */
#ifndef HF_SIM_VDISK_IO_H
#define HF_SIM_VDISK_IO_H

#include "base/list.h"
#include "sim/lib/agenda.h"
#include "sim/lib/dice.h"
#include "sim/lib/vdisk.h"

struct vdisk_timing { /* of one operation, us */
	uint64_t write_min, write_max;
	uint64_t read_max; /* of a snapshot */
};

struct vdisk_counts {
	uint64_t appends, truncates, puts, gets, lost, torn;
};

struct vdisk_calls {
	/* Something durable is about to happen. false: the process has died at
	 * this very point, and it must not. */
	bool (*effect)(void *ctx);
	/* libraft has run; it may have something to say. */
	void (*ran)(void *ctx);
	/* The log has been misused. */
	void (*broken)(void *ctx, const char *text);
};

struct vdisk_io {
	struct raft_io io; /* io.impl is this struct */
	struct vdisk *disk;
	struct agenda *agenda;
	const struct gate *gate;
	struct random *random;
	const struct vdisk_timing *timing;
	struct vdisk_counts *counts;
	const struct vdisk_calls *calls;
	void *ctx;

	raft_io_tick_cb tick;
	uint64_t tick_us;
	struct list queue;     /* of operations, in order */
	size_t writing;        /* of them, from the first on, under way */
	struct disk_op *put;   /* a snapshot that was taken, under way */
	raft_index next_index; /* of the entry that would be appended next */
	bool closed;
	raft_io_close_cb closed_cb;
};

/* Fill in everything above `tick` first. */
void vdisk_io_init(struct vdisk_io *d);
/* The process has died: leave on the disk what happens to be there. */
void vdisk_io_crash(struct vdisk_io *d);

#endif
