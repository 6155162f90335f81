/* struct raft_io over a simulated disk: what one process does with it.
 *
 * The rules are raft_uv's. Term and vote are durable when the call returns.
 * Appends, truncations and snapshots are done in the order in which they were
 * asked for, appends that wait are written together, and their callbacks run
 * later, never inside the call; a snapshot that was taken doesn't hold up later
 * appends, one that is installed does. A crash leaves of what was under way a
 * prefix that chance chooses, down to a part of one append.
 *
 * A write may fail, at its call or at its end, and the disk then has all of it,
 * a part or nothing. All that the same process asks for afterwards fails, too:
 * raft_uv goes on with nothing after an error. */
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

struct vdisk_trouble {       /* of a machine's disk; all zero: none */
	uint64_t fail_after; /* the so-many-th write from now fails; 0: none */
	uint64_t full_until; /* no write succeeds before this time */
	uint64_t unread_until; /* no snapshot can be read before */
};

struct vdisk_counts {
	uint64_t appends, truncates, puts, gets, lost, torn;
	uint64_t write_errors, full, read_errors;
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
	struct vdisk_trouble *trouble;
	struct vdisk_counts *counts;
	const struct vdisk_calls *calls;
	void *ctx;

	raft_io_tick_cb tick;
	uint64_t tick_us;
	struct list queue;     /* of operations, in order */
	size_t writing;        /* of them, from the first on, under way */
	struct disk_op *put;   /* a snapshot that was taken, under way */
	raft_index next_index; /* of the entry that would be appended next */
	int failed;            /* the error that was reported; 0: none */
	bool closed;
	raft_io_close_cb closed_cb;
};

/* Fill in everything above `tick` first. */
void vdisk_io_init(struct vdisk_io *d);
/* A write is to be done: 0, or the error that it ends with. */
int vdisk_io_write(struct vdisk_io *d);
/* The process has died: leave on the disk what happens to be there. */
void vdisk_io_crash(struct vdisk_io *d);

#endif
