/* See rig.h. */
#include "lib/rig.h"

#include <check.h>

#define MANY_MAX 16
#define WORDS_MAX 1024 /* of an entry */

void rig_begin(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	scratch_make(r->root);
	/* libuv keeps a pipe for the process from its first loop on. */
	ck_assert_int_eq(uv_loop_init(&r->loop), 0);
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	r->fds = scratch_fds();
}

void rig_end(struct rig *r)
{
	ck_assert_int_eq(scratch_fds(), r->fds);
	scratch_remove(r->root);
}

static void on_closed(void *arg)
{
	*(bool *)arg = true;
}

void rig_close(struct rig *r)
{
	bool closed = false;

	if (r->storage) {
		storage_close(r->storage, on_closed, &closed);
		uv_run(&r->loop, UV_RUN_DEFAULT);
		ck_assert(closed);
		storage_free(r->storage);
		r->storage = NULL;
	}
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	dir_close(&r->dir);
}

int rig_storage(struct rig *r)
{
	struct dir_want want = {
		.path = r->root, .cluster = 1, .cluster_name = "c", .node = 1
	};

	r->storage = NULL;
	ck_assert_int_eq(uv_loop_init(&r->loop), 0);
	int rc = dir_open(&r->dir, &want, r->error);
	if (rc == 0)
		rc = storage_open(&r->storage, &r->loop, &r->dir,
				  RIG_SEGMENT_BYTES, r->error);
	if (rc == 0)
		r->io = storage_io(r->storage);
	return rc;
}

static void drop_loaded(struct raft_snapshot *snapshot,
			struct raft_entry *entries, size_t n)
{
	void *last = NULL;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].batch != last)
			raft_free(entries[i].batch);
		last = entries[i].batch;
	}
	raft_free(entries);
	if (!snapshot)
		return;
	raft_configuration_close(&snapshot->configuration);
	for (unsigned i = 0; i < snapshot->n_bufs; i++)
		raft_free(snapshot->bufs[i].base);
	raft_free(snapshot->bufs);
	raft_free(snapshot);
}

static int load(struct rig *r)
{
	struct raft_snapshot *snapshot;
	struct raft_entry *entries;
	raft_index start;
	int rv = r->io->load(r->io, &r->term, &r->vote, &snapshot, &start,
			     &entries, &r->entries);

	if (rv != 0)
		return rv;
	if (r->loaded)
		r->loaded(r->ctx, snapshot, start, entries, r->entries);
	drop_loaded(snapshot, entries, r->entries);
	return 0;
}

int rig_open(struct rig *r)
{
	struct raft_configuration conf;

	if (rig_storage(r) < 0)
		return -1;
	int rv = r->io->init(r->io, 1, "1");
	if (rv != 0)
		return rv;
	raft_configuration_init(&conf);
	ck_assert_int_eq(raft_configuration_add(&conf, 1, "1", RAFT_VOTER), 0);
	rv = r->io->bootstrap(r->io, &conf);
	raft_configuration_close(&conf);
	ck_assert(rv == 0 || rv == RAFT_CANTBOOTSTRAP);
	return load(r);
}

static void no_tick(struct raft_io *io)
{
	(void)io;
}

static void no_recv(struct raft_io *io, struct raft_message *m)
{
	(void)io;
	(void)m;
}

int rig_start(struct rig *r)
{
	return r->io->start(r->io, 50, no_tick, no_recv);
}

void rig_run(struct rig *r)
{
	uv_run(&r->loop, UV_RUN_ONCE);
}

static void on_append(struct raft_io_append *req, int status)
{
	*(int *)req->data = status;
}

int rig_append(struct rig *r, uint64_t value, size_t len)
{
	return rig_append_many(r, value, len, 1);
}

int rig_append_many(struct rig *r, uint64_t value, size_t len, unsigned n)
{
	uint64_t words[WORDS_MAX];
	struct raft_entry entry = { .term = r->term,
				    .type = RAFT_COMMAND,
				    .buf = { words, len } };
	struct raft_io_append req[MANY_MAX];
	int status[MANY_MAX];

	ck_assert_uint_le(n, MANY_MAX);
	ck_assert_uint_le(len, sizeof(words));
	for (size_t i = 0; i < len / sizeof(*words); i++)
		words[i] = value;
	for (unsigned i = 0; i < n; i++) {
		status[i] = -1;
		req[i].data = &status[i];
		int rv = r->io->append(r->io, &req[i], &entry, 1, on_append);
		if (rv != 0)
			return rv;
	}
	for (unsigned i = 0; i < n; i++) {
		while (status[i] == -1)
			rig_run(r);
		if (status[i] != 0)
			return status[i];
	}
	return 0;
}
