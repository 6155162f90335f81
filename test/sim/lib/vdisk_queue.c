/* See vdisk_queue.h and vdisk_io.h. */
#include "sim/lib/vdisk_queue.h"

#include <stdlib.h>

#define APPENDS_TOGETHER_MAX 64 /* written as one */

static void op_free(struct disk_op *op)
{
	for (unsigned i = 0; i < op->n; i++)
		free(op->entries[i].bytes);
	free(op->entries);
	disk_snapshot_free(op->snapshot);
	free(op);
}

/* Bring the first `n` entries of an append to the disk. */
static void write_entries(struct vdisk_io *d, struct disk_op *op, unsigned n)
{
	if (vdisk_end(d->disk) != op->index) {
		d->calls->broken(d->ctx, "an append doesn't continue the log");
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		vdisk_append(d->disk, &op->entries[i]);
		op->entries[i].bytes = NULL;
	}
}

static void write_snapshot(struct vdisk_io *d, struct disk_op *op, bool trim)
{
	vdisk_snapshot(d->disk, op->snapshot);
	op->snapshot = NULL;
	if (trim)
		vdisk_trim(d->disk, op->trailing);
}

static void write_all(struct vdisk_io *d, struct disk_op *op)
{
	if (op->kind == OP_APPENDING)
		write_entries(d, op, op->n);
	else if (op->kind == OP_TRUNCATING)
		vdisk_truncate(d->disk, op->index);
	else
		write_snapshot(d, op, true);
}

static void answer(struct disk_op *op, int status)
{
	if (op->kind == OP_APPENDING)
		op->append->cb(op->append, status);
	else if (op->kind == OP_PUTTING)
		op->request->cb(op->request, status);
	op_free(op);
}

static bool leave_part(struct vdisk_io *d, struct disk_op *op, bool all);

/* The disk has what happens to be there; nothing after it. */
static void fail(struct vdisk_io *d, struct disk_op *op, bool first)
{
	if (first)
		leave_part(d, op, false);
	answer(op, d->failed);
}

/* Its turn has come. */
static void perform(struct vdisk_io *d, struct disk_op *op)
{
	bool failed_before = d->failed;

	if (vdisk_io_write(d)) {
		fail(d, op, !failed_before);
		return;
	}
	write_all(d, op);
	answer(op, 0);
}

static uint64_t write_time(struct vdisk_io *d)
{
	return d->agenda->now + dice_between(d->random, d->timing->write_min,
					     d->timing->write_max);
}

static struct disk_op *first_op(struct vdisk_io *d)
{
	if (list_empty(&d->queue))
		return NULL;
	return container_of(d->queue.next, struct disk_op, link);
}

static void put_written(void *ctx, uint64_t arg)
{
	struct vdisk_io *d = ctx;
	struct disk_op *op = d->put;

	(void)arg;
	if (!op || d->closed)
		return;
	d->put = NULL;
	perform(d, op);
	d->calls->ran(d->ctx);
}

/* A snapshot that was taken leaves the queue for a place of its own. */
static bool put_aside(struct vdisk_io *d, struct disk_op *op)
{
	if (op->kind != OP_PUTTING || !op->trailing || d->put)
		return false;
	list_remove(&op->link);
	d->put = op;
	agenda_add(d->agenda, write_time(d) + d->timing->write_max, d->gate,
		   put_written, d, 0);
	return true;
}

static void written(void *ctx, uint64_t arg);

static void start_writing(struct vdisk_io *d)
{
	struct disk_op *first = first_op(d);

	while (first && !d->writing && put_aside(d, first))
		first = first_op(d);
	if (d->writing || !first)
		return;
	list_for (it, &d->queue) {
		struct disk_op *op = container_of(it, struct disk_op, link);
		if (d->writing && op->kind != OP_APPENDING)
			break;
		d->writing++;
		if (op->kind != OP_APPENDING ||
		    d->writing == APPENDS_TOGETHER_MAX)
			break;
	}
	agenda_add(d->agenda, write_time(d), d->gate, written, d, 0);
}

static void written(void *ctx, uint64_t arg)
{
	struct vdisk_io *d = ctx;
	size_t n = d->writing;

	(void)arg;
	if (d->closed)
		return;
	for (struct disk_op *op; n && (op = first_op(d)); n--) {
		list_remove(&op->link);
		d->writing--;
		perform(d, op);
	}
	start_writing(d);
	d->calls->ran(d->ctx);
}

void vdisk_enqueue(struct vdisk_io *d, struct disk_op *op)
{
	list_push(&d->queue, &op->link);
	start_writing(d);
}

/* What an operation leaves on the disk that was under way when its process
 * died or it failed; false: nothing after it can be there. `all`: the disk was
 * fast. */
static bool leave_part(struct vdisk_io *d, struct disk_op *op, bool all)
{
	if (all || dice_chance(d->random, 500000)) {
		write_all(d, op);
		return true;
	}
	d->counts->lost++;
	bool part = dice_chance(d->random, 500000);
	if (part && op->kind == OP_APPENDING) {
		d->counts->torn++;
		write_entries(d, op, (unsigned)random_below(d->random, op->n));
	} else if (part && op->kind == OP_PUTTING) {
		d->counts->torn++;
		write_snapshot(d, op, false);
	}
	return false;
}

void vdisk_io_crash(struct vdisk_io *d)
{
	bool all = dice_chance(d->random, 300000);
	bool on = !d->failed; /* nothing comes after what failed */

	d->closed = true;
	if (d->put) {
		leave_part(d, d->put, all);
		op_free(d->put);
		d->put = NULL;
	}
	for (struct disk_op *op; (op = first_op(d));) {
		list_remove(&op->link);
		on = on && leave_part(d, op, all);
		op_free(op);
	}
}

void vdisk_cancel(struct vdisk_io *d)
{
	if (d->put)
		answer(d->put, RAFT_CANCELED);
	d->put = NULL;
	for (struct disk_op *op; (op = first_op(d));) {
		list_remove(&op->link);
		answer(op, RAFT_CANCELED);
	}
}
