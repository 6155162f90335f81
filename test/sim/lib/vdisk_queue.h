/* The operations that a process has asked of its disk and that aren't done. */
#ifndef HF_SIM_VDISK_QUEUE_H
#define HF_SIM_VDISK_QUEUE_H

#include "sim/lib/vdisk_io.h"

enum disk_op_kind { OP_APPENDING, OP_TRUNCATING, OP_PUTTING };

struct disk_op {
	struct list link;
	enum disk_op_kind kind;
	raft_index index;
	unsigned n;                 /* entries to append */
	struct disk_entry *entries; /* their bytes until they are on disk */
	struct raft_io_append *append;
	struct raft_io_snapshot_put *request;
	struct disk_snapshot *snapshot; /* until it is on disk */
	unsigned trailing;
};

/* Do it after those that were asked for before. */
void vdisk_enqueue(struct vdisk_io *d, struct disk_op *op);
/* Give up all, telling libraft so. */
void vdisk_cancel(struct vdisk_io *d);

#endif
