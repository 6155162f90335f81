/* A disk in memory, as a struct raft_io: it does one thing after the other,
 * each takes its time, and what is asked to fail fails. */
#include "lib/fakedisk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum fake_kind { FAKE_APPEND, FAKE_TRUNCATE, FAKE_PUT, FAKE_GET };

struct fake_op {
	struct list link;
	enum fake_kind kind;
	uint64_t at;
	raft_index index;
	struct fake_entry *entries;
	unsigned len, trailing;
	struct raft_snapshot *snapshot;
	void *req;
};

static struct fake_member *member_of(struct raft_io *io)
{
	return io->impl;
}

static struct raft_buffer copy_of(const struct raft_buffer *from)
{
	struct raft_buffer to = { raft_malloc(from->len + 1), from->len };

	memcpy(to.base, from->base, from->len);
	return to;
}

static void copy_configuration(const struct raft_configuration *from,
			       struct raft_configuration *to)
{
	raft_configuration_init(to);
	for (unsigned i = 0; i < from->n; i++)
		ck_assert_int_eq(
			raft_configuration_add(to, from->servers[i].id,
					       from->servers[i].address,
					       from->servers[i].role),
			0);
}

/* With all buffers joined into one. */
static struct raft_snapshot *copy_snapshot(const struct raft_snapshot *from)
{
	struct raft_snapshot *to = raft_malloc(sizeof(*to));
	uint8_t *at;

	*to = *from;
	copy_configuration(&from->configuration, &to->configuration);
	to->bufs = raft_calloc(1, sizeof(*to->bufs));
	to->n_bufs = 1;
	for (unsigned i = 0; i < from->n_bufs; i++)
		to->bufs[0].len += from->bufs[i].len;
	at = to->bufs[0].base = raft_malloc(to->bufs[0].len + 1);
	for (unsigned i = 0; i < from->n_bufs; i++) {
		memcpy(at, from->bufs[i].base, from->bufs[i].len);
		at += from->bufs[i].len;
	}
	return to;
}

static void free_snapshot(struct raft_snapshot *s)
{
	if (!s)
		return;
	raft_configuration_close(&s->configuration);
	raft_free(s->bufs[0].base);
	raft_free(s->bufs);
	raft_free(s);
}

static void add(struct fake_disk *d, const struct fake_entry *e)
{
	if (d->len == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 64;
		d->entries = realloc(d->entries, d->cap * sizeof(*e));
	}
	d->entries[d->len++] = *e;
}

static void cut_back(struct fake_disk *d, raft_index index)
{
	while (d->len > 0 && d->start + d->len > index)
		raft_free(d->entries[--d->len].buf.base);
}

static void cut_front(struct fake_disk *d, raft_index first)
{
	size_t n = 0;

	while (n < d->len && d->start + n < first)
		raft_free(d->entries[n++].buf.base);
	memmove(d->entries, d->entries + n, (d->len - n) * sizeof(*d->entries));
	d->len -= n;
	d->start += n;
}

void fake_disk_free(struct fake_disk *d)
{
	cut_back(d, 0);
	free(d->entries);
	free_snapshot(d->snapshot);
	*d = (struct fake_disk){ 0 };
}

static void store_snapshot(struct fake_disk *d, struct fake_op *op)
{
	free_snapshot(d->snapshot);
	d->snapshot = op->snapshot;
	op->snapshot = NULL;
	if (op->trailing == 0) {
		cut_back(d, 0);
		d->start = d->snapshot->index + 1;
	} else if (d->snapshot->index > op->trailing) {
		cut_front(d, d->snapshot->index - op->trailing + 1);
	}
}

static struct fake_op *ask(struct fake_member *m, enum fake_kind kind)
{
	struct fake_op *op = calloc(1, sizeof(*op));
	uint64_t took = kind == FAKE_GET ? m->get_us : m->disk_us;

	op->kind = kind;
	op->at = m->fake->now + took;
	list_push(&m->ops, &op->link);
	return op;
}

static void forget(struct fake_op *op)
{
	list_remove(&op->link);
	for (unsigned i = 0; op->entries && i < op->len; i++)
		raft_free(op->entries[i].buf.base);
	free(op->entries);
	free_snapshot(op->snapshot);
	free(op);
}

static void append(struct fake_member *m, struct fake_op *op)
{
	struct raft_io_append *req = op->req;
	int status = 0;

	if (m->fail_append) {
		status = RAFT_IOERR;
		m->fail_append = false;
	} else {
		ck_assert_uint_eq(m->disk.start + m->disk.len, op->index);
		for (unsigned i = 0; i < op->len; i++)
			add(&m->disk, &op->entries[i]);
		op->len = 0;
	}
	forget(op);
	req->cb(req, status);
}

static void put(struct fake_member *m, struct fake_op *op)
{
	struct raft_io_snapshot_put *req = op->req;
	int status = m->fail_put ? RAFT_IOERR : 0;

	if (status == 0)
		store_snapshot(&m->disk, op);
	forget(op);
	req->cb(req, status);
}

static void get(struct fake_member *m, struct fake_op *op)
{
	struct raft_io_snapshot_get *req = op->req;
	int status = m->fail_get;

	forget(op);
	req->cb(req, status ? NULL : copy_snapshot(m->disk.snapshot), status);
}

bool fake_disk_step(struct fake_member *m)
{
	if (fake_disk_due(m) > m->fake->now)
		return false;
	struct fake_op *op = container_of(m->ops.next, struct fake_op, link);

	switch (op->kind) {
	case FAKE_APPEND:
		append(m, op);
		break;
	case FAKE_TRUNCATE:
		cut_back(&m->disk, op->index);
		forget(op);
		break;
	case FAKE_PUT:
		put(m, op);
		break;
	case FAKE_GET:
		get(m, op);
		break;
	}
	return true;
}

uint64_t fake_disk_due(const struct fake_member *m)
{
	if (m->stuck || list_empty(&m->ops))
		return UINT64_MAX;
	return container_of(m->ops.next, struct fake_op, link)->at;
}

static void cancel(struct fake_op *op)
{
	struct fake_op was = *op;

	forget(op);
	if (was.kind == FAKE_APPEND)
		((struct raft_io_append *)was.req)->cb(was.req, RAFT_CANCELED);
	else if (was.kind == FAKE_PUT)
		((struct raft_io_snapshot_put *)was.req)
			->cb(was.req, RAFT_CANCELED);
	else if (was.kind == FAKE_GET)
		((struct raft_io_snapshot_get *)was.req)
			->cb(was.req, NULL, RAFT_CANCELED);
}

static int io_init(struct raft_io *io, raft_id id, const char *address)
{
	ck_assert_uint_eq(member_of(io)->id, id);
	ck_assert_ptr_nonnull(address);
	return 0;
}

void fake_disk_lose(struct fake_member *m)
{
	raft_io_close_cb cb = m->close_cb;

	list_for_safe (it, &m->ops)
		cancel(container_of(it, struct fake_op, link));
	m->close_cb = NULL;
	if (cb)
		cb(&m->io);
}

static void io_close(struct raft_io *io, raft_io_close_cb cb)
{
	struct fake_member *m = member_of(io);

	m->tick = NULL;
	m->close_cb = cb;
	if (!m->stuck)
		fake_disk_lose(m);
}

/* In one batch, as raft_uv loads a segment. */
static void load_entries(const struct fake_disk *d, struct raft_entry **out)
{
	struct raft_entry *entries = raft_calloc(d->len, sizeof(*entries));
	size_t bytes = 0;

	for (size_t i = 0; i < d->len; i++)
		bytes += d->entries[i].buf.len;
	uint8_t *batch = raft_malloc(bytes + 1), *at = batch;
	for (size_t i = 0; i < d->len; i++) {
		const struct fake_entry *e = &d->entries[i];

		memcpy(at, e->buf.base, e->buf.len);
		entries[i] = (struct raft_entry){
			e->term, e->type, { at, e->buf.len }, batch
		};
		at += e->buf.len;
	}
	*out = entries;
}

static int io_load(struct raft_io *io, raft_term *term, raft_id *voted_for,
		   struct raft_snapshot **snapshot, raft_index *start_index,
		   struct raft_entry *entries[], size_t *n_entries)
{
	struct fake_member *m = member_of(io);
	struct fake_disk *d = &m->disk;

	if (m->fail_load)
		return m->fail_load;
	*term = d->term;
	*voted_for = d->vote;
	*snapshot = d->snapshot ? copy_snapshot(d->snapshot) : NULL;
	*start_index = d->start;
	*n_entries = d->len;
	*entries = NULL;
	if (d->len > 0)
		load_entries(d, entries);
	m->next_append = d->start + d->len;
	return 0;
}

static int io_start(struct raft_io *io, unsigned msecs, raft_io_tick_cb tick,
		    raft_io_recv_cb recv)
{
	struct fake_member *m = member_of(io);

	ck_assert_ptr_nonnull((void *)(uintptr_t)recv);
	m->tick = tick;
	m->tick_us = (uint64_t)msecs * 1000;
	m->tick_at = m->fake->now + m->tick_us;
	return 0;
}

static int io_bootstrap(struct raft_io *io,
			const struct raft_configuration *configuration)
{
	struct fake_disk *d = &member_of(io)->disk;
	struct fake_entry e = { 1, RAFT_CHANGE, { NULL, 0 } };

	if (d->term != 0)
		return RAFT_CANTBOOTSTRAP;
	ck_assert_int_eq(raft_configuration_encode(configuration, &e.buf), 0);
	d->term = 1;
	d->start = 1;
	add(d, &e);
	return 0;
}

static int io_recover(struct raft_io *io,
		      const struct raft_configuration *configuration)
{
	(void)io;
	(void)configuration;
	return RAFT_IOERR;
}

static int io_set_term(struct raft_io *io, raft_term term)
{
	struct fake_member *m = member_of(io);

	if (m->fail_term)
		return RAFT_IOERR;
	m->terms_set++;
	m->disk.term = term;
	m->disk.vote = 0;
	return 0;
}

static int io_set_vote(struct raft_io *io, raft_id id)
{
	struct fake_member *m = member_of(io);

	if (m->fail_vote)
		return RAFT_IOERR;
	m->disk.vote = id;
	return 0;
}

static int io_send(struct raft_io *io, struct raft_io_send *req,
		   const struct raft_message *message, raft_io_send_cb cb)
{
	(void)io;
	(void)req;
	(void)message;
	(void)cb;
	ck_abort_msg("a message went to the disk");
	return 0;
}

static int io_append(struct raft_io *io, struct raft_io_append *req,
		     const struct raft_entry entries[], unsigned n,
		     raft_io_append_cb cb)
{
	struct fake_member *m = member_of(io);

	if (m->refuse_append)
		return RAFT_IOERR;
	struct fake_op *op = ask(m, FAKE_APPEND);
	req->cb = cb;
	op->req = req;
	op->len = n;
	op->index = m->next_append;
	op->entries = calloc(n, sizeof(*op->entries));
	for (unsigned i = 0; i < n; i++)
		op->entries[i] =
			(struct fake_entry){ entries[i].term, entries[i].type,
					     copy_of(&entries[i].buf) };
	m->next_append += n;
	return 0;
}

static int io_truncate(struct raft_io *io, raft_index index)
{
	struct fake_member *m = member_of(io);

	if (index >= m->next_append)
		return 0;
	ask(m, FAKE_TRUNCATE)->index = index;
	m->next_append = index;
	return 0;
}

static int io_snapshot_put(struct raft_io *io, unsigned trailing,
			   struct raft_io_snapshot_put *req,
			   const struct raft_snapshot *snapshot,
			   raft_io_snapshot_put_cb cb)
{
	struct fake_member *m = member_of(io);

	if (m->refuse_put)
		return RAFT_IOERR;
	struct fake_op *op = ask(m, FAKE_PUT);
	req->cb = cb;
	op->req = req;
	op->trailing = trailing;
	op->snapshot = copy_snapshot(snapshot);
	m->placeholders += op->snapshot->bufs[0].len <= 8;
	if (trailing == 0)
		m->next_append = snapshot->index + 1;
	return 0;
}

static int io_snapshot_get(struct raft_io *io, struct raft_io_snapshot_get *req,
			   raft_io_snapshot_get_cb cb)
{
	struct fake_op *op = ask(member_of(io), FAKE_GET);

	req->cb = cb;
	op->req = req;
	return 0;
}

static raft_time io_time(struct raft_io *io)
{
	(void)io;
	ck_abort_msg("the disk was asked for the time");
	return 0;
}

static int io_random(struct raft_io *io, int min, int max)
{
	(void)io;
	(void)max;
	return min;
}

void fake_disk_open(struct fake_member *m)
{
	m->io = (struct raft_io){
		.version = 2,
		.capacity = UINT16_MAX,
		.impl = m,
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
		.random = io_random,
	};
	m->tick = NULL;
	m->close_cb = NULL;
}

static const struct fake_entry *entry_at(const struct fake_disk *d,
					 raft_index index)
{
	if (index < d->start || index >= d->start + d->len)
		return NULL;
	return &d->entries[index - d->start];
}

bool fake_entry(const struct fake_member *m, raft_index index,
		struct entry *entry, struct op_array *ops)
{
	const struct fake_entry *e = entry_at(&m->disk, index);

	return e && e->type == RAFT_COMMAND &&
	       entry_decode(e->buf.base, e->buf.len, ops, entry) == 0;
}

raft_index fake_last_index(const struct fake_member *m)
{
	return m->disk.start + m->disk.len - 1;
}
