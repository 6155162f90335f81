/* Snapshots, taken in slices while entries are applied, and restored.
 *
 * libraft wants a snapshot's buffers at once. It gets a placeholder, and its
 * request to store them is held by the guard until the image is complete; the
 * guard then stores the image in the placeholder's stead. So a placeholder
 * never reaches the disk, and no turn takes longer than a slice. */
#include "repl/internal.h"

#include <stdio.h>
#include <string.h>

#define PLACEHOLDER_BYTES 8

static void image_free(void *ctx)
{
	struct image_job *image = ctx;

	if (!image)
		return;
	image_writer_free(&image->writer);
	mem_free(image->mem, image->bufs);
	mem_free(image->mem, image);
}

static void put_record(void *ctx, const struct record *r)
{
	image_put(ctx, r);
}

static int placeholder(struct raft_buffer *bufs[], unsigned *n_bufs)
{
	*bufs = raft_malloc(sizeof(**bufs));
	if (!*bufs)
		return RAFT_NOMEM;
	(*bufs)[0].len = PLACEHOLDER_BYTES;
	(*bufs)[0].base = raft_calloc(1, PLACEHOLDER_BYTES);
	*n_bufs = 1;
	if ((*bufs)[0].base)
		return 0;
	raft_free(*bufs);
	return RAFT_NOMEM;
}

static int begin_image(struct repl *repl)
{
	struct image_job *image = mem_zalloc(repl->mem, sizeof(*image));

	if (!image)
		return RAFT_NOMEM;
	image->mem = image->writer.mem = repl->mem;
	const struct image_sink sink = { put_record, &image->writer };
	if (core_image_begin(repl->fsm.core, &sink) != 0) {
		image_free(image);
		return RAFT_BUSY;
	}
	repl->fsm.image = image;
	return 0;
}

/* Any error: libraft asks again soon. */
int snapshot_begin(struct raft_fsm *raft_fsm, struct raft_buffer *bufs[],
		   unsigned *n_bufs)
{
	struct repl *repl = raft_fsm->data;
	struct fsm *fsm = &repl->fsm;

	if (guard_dead(repl->guard) || fsm->image || fsm->put ||
	    repl->guard->uptime < fsm->retry)
		return RAFT_BUSY;
	int rv = placeholder(bufs, n_bufs);
	if (rv != 0)
		return rv;
	rv = begin_image(repl);
	if (rv == 0)
		return 0;
	raft_free((*bufs)[0].base);
	raft_free(*bufs);
	return rv;
}

void snapshot_hold(struct repl *repl, struct disk_request *put)
{
	repl->fsm.put = put;
}

/* The request was cancelled, or all ends. */
void snapshot_abort(struct repl *repl)
{
	struct fsm *fsm = &repl->fsm;

	fsm->put = NULL;
	if (!fsm->image)
		return;
	core_image_abort(fsm->core);
	image_free(fsm->image);
	fsm->image = NULL;
}

/* Not now: libraft's request is cancelled, so that it asks again later. */
static void give_up(struct repl *repl)
{
	repl->fsm.retry = repl->guard->uptime + SNAPSHOT_RETRY_US;
	disk_cancel_held(repl->guard);
}

static struct raft_buffer *buffers(const struct image_job *image)
{
	const struct image_writer *w = &image->writer;
	struct raft_buffer *bufs =
		mem_alloc(image->mem, w->pieces_len * sizeof(*bufs));

	for (size_t i = 0; bufs && i < w->pieces_len; i++)
		bufs[i] = (struct raft_buffer){ w->pieces[i].base,
						w->pieces[i].len };
	return bufs;
}

static void store(struct repl *repl)
{
	struct image_job *image = repl->fsm.image;
	struct disk_request *put = repl->fsm.put;

	if (image_finish(&image->writer) == 0)
		image->bufs = buffers(image);
	if (!image->bufs) {
		give_up(repl);
		return;
	}
	const struct late_buffers late = { image->bufs,
					   (unsigned)image->writer.pieces_len,
					   image_free, image };
	repl->fsm.image = NULL;
	repl->fsm.put = NULL;
	repl->stats.snapshot_bytes += image->writer.packed_bytes;
	disk_put_late(put, &late);
}

bool snapshot_turn(struct repl *repl)
{
	struct fsm *fsm = &repl->fsm;

	if (!fsm->put || guard_dead(repl->guard))
		return false;
	if (!core_image_step(fsm->core, repl->config.image_slice))
		return true;
	store(repl);
	return false;
}

static int restore_record(void *ctx, const struct record *r)
{
	return core_restore(ctx, r);
}

static int read_image(struct repl *repl, const struct raft_buffer *buf,
		      struct core **core)
{
	*core = core_create(repl->mem, env_random64(repl->env));
	if (!*core)
		return HF_ENOMEM;
	core_check_every(*core, repl->config.check_every);
	int rc = image_read(buf->base, buf->len, restore_record, *core);
	return rc != 0 ? rc : core_restore_end(*core);
}

static void fail_restore(struct repl *repl, int rc, const char *why)
{
	char text[HF_ERROR_TEXT];

	snprintf(text, sizeof(text), "the snapshot can't be restored: %.150s",
		 why && *why       ? why
		 : rc == HF_ENOMEM ? "out of memory"
				   : "it is damaged");
	guard_fail(repl->guard, rc, text);
}

/* The buffer is ours, whatever happens. libraft frees it twice or never if it
 * is told of an error, so it isn't. */
int snapshot_restore(struct raft_fsm *raft_fsm, struct raft_buffer *buf)
{
	struct repl *repl = raft_fsm->data;
	struct core *core = NULL;

	if (guard_dead(repl->guard)) {
		raft_free(buf->base);
		return 0;
	}
	int rc = read_image(repl, buf, &core);
	raft_free(buf->base);
	if (rc != 0) {
		fail_restore(repl, rc, core ? core_error(core) : NULL);
		core_destroy(core);
		return 0;
	}
	core_destroy(repl->fsm.core);
	repl->fsm.core = core;
	memset(repl->fsm.hashes, 0, sizeof(repl->fsm.hashes));
	hash_remember(repl);
	if (repl->calls->restored)
		repl->calls->restored(repl->arg);
	return 0;
}
