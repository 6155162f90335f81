/* See vdisk_io.h. */
#include "sim/lib/vdisk_io.h"
#include "sim/lib/vdisk_queue.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct vdisk_io *of(struct raft_io *io)
{
	return io->impl;
}

int vdisk_io_write(struct vdisk_io *d)
{
	struct vdisk_trouble *t = d->trouble;

	if (d->failed)
		return d->failed;
	if (t->full_until > d->agenda->now) {
		d->counts->full++;
		d->failed = RAFT_NOSPACE;
	} else if (t->fail_after && --t->fail_after == 0) {
		d->counts->write_errors++;
		d->failed = RAFT_IOERR;
	}
	return d->failed;
}

/* Is a request refused at once? Else it fails when it is its turn. */
static int refusal(struct vdisk_io *d)
{
	if (!d->failed && d->trouble->full_until <= d->agenda->now)
		return 0;
	return dice_chance(d->random, 500000) ? vdisk_io_write(d) : 0;
}

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
	(void)io;
	(void)id;
	(void)address;
	return 0;
}

static int io_load(struct raft_io *io, raft_term *term, raft_id *vote,
		   struct raft_snapshot **snapshot, raft_index *first,
		   struct raft_entry **entries, size_t *len)
{
	struct vdisk_io *d = of(io);

	*term = d->disk->term;
	*vote = d->disk->vote;
	int rc = vdisk_load(d->disk, snapshot, first, entries, len);
	if (rc)
		return rc;
	d->disk->first = *first;
	d->next_index = *first + *len;
	return 0;
}

static void ticked(void *ctx, uint64_t arg)
{
	struct vdisk_io *d = ctx;

	(void)arg;
	if (d->closed)
		return;
	agenda_add(d->agenda, d->agenda->now + d->tick_us, d->gate, ticked, d,
		   0);
	d->tick(&d->io);
	d->calls->ran(d->ctx);
}

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick,
		    raft_io_recv_cb recv)
{
	struct vdisk_io *d = of(io);

	(void)recv; /* Messages come over the links. */
	d->tick = tick;
	d->tick_us = msecs * UINT64_C(1000);
	agenda_add(d->agenda,
		   d->agenda->now + random_below(d->random, d->tick_us + 1),
		   d->gate, ticked, d, 0);
	return 0;
}

static int io_bootstrap(struct raft_io *io,
			const struct raft_configuration *configuration)
{
	struct vdisk *disk = of(io)->disk;
	struct raft_buffer buf;

	if (disk->term || disk->len || disk->snapshot)
		return RAFT_CANTBOOTSTRAP;
	if (!of(io)->calls->effect(of(io)->ctx))
		return 0;
	int rc = vdisk_io_write(of(io));
	if (rc)
		return rc;
	if (raft_configuration_encode(configuration, &buf))
		return RAFT_NOMEM;
	vdisk_vote(disk, 1, 0);
	disk->first = 1;
	struct disk_entry e = { .term = 1,
				.type = RAFT_CHANGE,
				.len = buf.len,
				.bytes = must(malloc(buf.len)) };
	memcpy(e.bytes, buf.base, buf.len);
	vdisk_append(disk, &e);
	raft_free(buf.base);
	return 0;
}

static int io_recover(struct raft_io *io,
		      const struct raft_configuration *configuration)
{
	(void)io;
	(void)configuration;
	return RAFT_IOERR;
}

/* A write that fails may have been done all the same. */
static int write_vote(struct vdisk_io *d, raft_term term, raft_id vote)
{
	if (!d->calls->effect(d->ctx))
		return 0;
	bool failed_before = d->failed;
	int rc = vdisk_io_write(d);
	if (!rc || (!failed_before && dice_chance(d->random, 500000)))
		vdisk_vote(d->disk, term, vote);
	return rc;
}

static int io_set_term(struct raft_io *io, raft_term term)
{
	return write_vote(of(io), term, 0);
}

static int io_set_vote(struct raft_io *io, raft_id vote)
{
	return write_vote(of(io), of(io)->disk->term, vote);
}

static int io_append(struct raft_io *io, struct raft_io_append *request,
		     const struct raft_entry entries[], unsigned n,
		     raft_io_append_cb cb)
{
	struct vdisk_io *d = of(io);

	if (!d->calls->effect(d->ctx))
		return 0;
	if (refusal(d))
		return d->failed;
	request->cb = cb;
	d->counts->appends++;
	struct disk_op *op = must(calloc(1, sizeof(*op)));
	op->kind = OP_APPENDING;
	op->append = request;
	op->index = d->next_index;
	op->n = n;
	op->entries = must(calloc(n, sizeof(*op->entries)));
	for (unsigned i = 0; i < n; i++) {
		struct disk_entry *e = &op->entries[i];
		*e = (struct disk_entry){
			.term = entries[i].term,
			.type = (unsigned short)entries[i].type,
			.len = entries[i].buf.len,
			.bytes = must(malloc(entries[i].buf.len))
		};
		memcpy(e->bytes, entries[i].buf.base, e->len);
	}
	d->next_index += n;
	vdisk_enqueue(d, op);
	return 0;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
	struct vdisk_io *d = of(io);

	if (index >= d->next_index || !d->calls->effect(d->ctx))
		return 0;
	if (refusal(d))
		return d->failed;
	d->counts->truncates++;
	struct disk_op *op = must(calloc(1, sizeof(*op)));
	op->kind = OP_TRUNCATING;
	op->index = index;
	d->next_index = index;
	vdisk_enqueue(d, op);
	return 0;
}

static struct disk_snapshot *copy_snapshot(const struct raft_snapshot *from)
{
	struct disk_snapshot *s = must(calloc(1, sizeof(*s)));

	s->index = from->index;
	s->term = from->term;
	s->configuration_index = from->configuration_index;
	if (raft_configuration_encode(&from->configuration, &s->configuration))
		abort();
	for (unsigned i = 0; i < from->n_bufs; i++)
		s->len += from->bufs[i].len;
	s->bytes = must(malloc(s->len + 1));
	uint8_t *at = s->bytes;
	for (unsigned i = 0; i < from->n_bufs; i++) {
		memcpy(at, from->bufs[i].base, from->bufs[i].len);
		at += from->bufs[i].len;
	}
	return s;
}

static int io_snapshot_put(struct raft_io *io, unsigned trailing,
			   struct raft_io_snapshot_put *request,
			   const struct raft_snapshot *snapshot,
			   raft_io_snapshot_put_cb cb)
{
	struct vdisk_io *d = of(io);

	if (d->closed)
		return RAFT_CANCELED;
	if (!d->calls->effect(d->ctx))
		return 0;
	if (refusal(d))
		return d->failed;
	request->cb = cb;
	d->counts->puts++;
	struct disk_op *op = must(calloc(1, sizeof(*op)));
	op->kind = OP_PUTTING;
	op->request = request;
	op->trailing = trailing;
	op->snapshot = copy_snapshot(snapshot);
	if (!trailing)
		d->next_index = snapshot->index + 1;
	vdisk_enqueue(d, op);
	return 0;
}

static void snapshot_got(void *ctx, uint64_t arg)
{
	struct vdisk_io *d = ctx;
	struct raft_io_snapshot_get *request = (void *)(uintptr_t)arg;

	if (d->closed) {
		request->cb(request, NULL, RAFT_CANCELED);
	} else if (d->trouble->unread_until > d->agenda->now) {
		d->counts->read_errors++;
		d->failed = RAFT_IOERR;
		request->cb(request, NULL, RAFT_IOERR);
	} else {
		struct raft_snapshot *s = vdisk_read_snapshot(d->disk);
		request->cb(request, s, s ? 0 : RAFT_IOERR);
	}
	d->calls->ran(d->ctx);
}

static int io_snapshot_get(struct raft_io *io,
			   struct raft_io_snapshot_get *request,
			   raft_io_snapshot_get_cb cb)
{
	struct vdisk_io *d = of(io);

	request->cb = cb;
	d->counts->gets++;
	agenda_add(d->agenda,
		   d->agenda->now +
			   random_below(d->random, d->timing->read_max + 1),
		   d->gate, snapshot_got, d, (uint64_t)(uintptr_t)request);
	return 0;
}

static int io_send(struct raft_io *io, struct raft_io_send *request,
		   const struct raft_message *message, raft_io_send_cb cb)
{
	(void)io;
	(void)request;
	(void)message;
	(void)cb;
	return RAFT_NOCONNECTION; /* Messages go over the links. */
}

static raft_time io_time(struct raft_io *io)
{
	return 1000 + of(io)->agenda->now / 1000;
}

static int io_random(struct raft_io *io, int min, int max)
{
	return min + (int)random_below(of(io)->random, (uint64_t)(max - min));
}

static void closing(void *ctx, uint64_t arg)
{
	struct vdisk_io *d = ctx;

	(void)arg;
	vdisk_cancel(d);
	d->closed_cb(&d->io);
	d->calls->ran(d->ctx);
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
	struct vdisk_io *d = of(io);

	d->closed = true;
	d->closed_cb = cb;
	agenda_add(d->agenda, d->agenda->now + d->timing->read_max, d->gate,
		   closing, d, 0);
}

void vdisk_io_init(struct vdisk_io *d)
{
	list_init(&d->queue);
	d->io = (struct raft_io){ .version = 2,
				  .capacity = 65535,
				  .impl = d,
				  .init = io_init,
				  .close = io_close,
				  .load = io_load,
				  .start = io_start,
				  .bootstrap = io_bootstrap,
				  .recover = io_recover,
				  .set_term = io_set_term,
				  .set_vote = io_set_vote,
				  .send = io_send,
				  .append = io_append,
				  .truncate = io_truncate,
				  .snapshot_put = io_snapshot_put,
				  .snapshot_get = io_snapshot_get,
				  .time = io_time,
				  .random = io_random };
}
