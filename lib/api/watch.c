/* Watches: from the node to the caller's callback, at once or in hf_dispatch.
 *
 * For hf_dispatch, changes are copied into a queue that is bounded: while it is
 * full the node's watch stands still, and meets a gap where it is overtaken. */
#include "api/api.h"

#include "base/buf.h"
#include "base/list.h"
#include "node/change.h"
#include "node/watch.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of copies that wait for hf_dispatch, of one watch: nothing more is put
 * above this, so that it has at most one change more. */
#define QUEUE_MAX 65536

struct watching { /* until hf_unwatch, or the end of the node */
	struct hf_node *node;
	struct hf_watch *watch;
	struct watcher *watcher;
	struct watch_options options;
	/* With `dispatch`. */
	pthread_mutex_t mutex; /* of what follows */
	struct buf queue;
	struct hf_task deliver, more;
	bool delivered; /* `deliver` waits in hf_dispatch */
	bool full;      /* the node waits for `more` */
	bool running;   /* in hf_dispatch */
	bool ended;     /* no callback any more */
	bool freed;     /* by whoever runs */
};

static void watching_free(struct watching *w)
{
	buf_free(&w->queue);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

static void on_ended(void *arg)
{
	watching_free((struct watching *)arg);
}

/* Under the mutex. */
static bool put(struct watching *w, const struct hf_change *c)
{
	size_t len = change_size(c);
	uint8_t *to = NULL;

	if (w->queue.len < QUEUE_MAX)
		to = buf_reserve(&w->queue, len);
	w->queue.failed = false;
	if (!to) {
		w->full = true;
		return false;
	}
	change_write(to, c);
	w->queue.len += len;
	return true;
}

static bool enqueue(struct watching *w, const struct hf_change *c)
{
	bool taken = true, deliver = false;

	pthread_mutex_lock(&w->mutex);
	if (!w->ended) {
		taken = put(w, c);
		deliver = !w->delivered;
		w->delivered = true;
	}
	pthread_mutex_unlock(&w->mutex);
	if (deliver)
		api_deliver(w->node, &w->deliver);
	return taken;
}

/* After the callback `w` may be gone. */
static bool on_change(void *arg, const struct hf_change *c)
{
	struct watching *w = (struct watching *)arg;

	if (w->node->dispatch)
		return enqueue(w, c);
	w->watch->internal.cb(w->watch, c);
	return true;
}

static void more_task(struct hf_task *task)
{
	struct watching *w = container_of(task, struct watching, more);

	node_watch_more(host_node(w->node->host), w->watcher);
}

/* What has waited, for this thread alone. */
static struct buf take(struct watching *w)
{
	struct buf b = w->queue;

	w->queue = (struct buf){ 0 };
	w->delivered = false;
	w->running = true;
	return b;
}

static bool ended(struct watching *w)
{
	pthread_mutex_lock(&w->mutex);
	bool is = w->ended;
	pthread_mutex_unlock(&w->mutex);
	return is;
}

/* The node goes on where it stood; not once its loop has ended. */
static void finish(struct watching *w)
{
	pthread_mutex_lock(&w->mutex);
	w->running = false;
	if (w->full && !w->ended && host_post(w->node->host, &w->more) == 0)
		w->full = false;
	bool freed = w->freed;
	pthread_mutex_unlock(&w->mutex);
	if (freed)
		watching_free(w);
}

/* A callback may end this watch, or any other. */
static void deliver_task(struct hf_task *task)
{
	struct watching *w = container_of(task, struct watching, deliver);
	struct hf_change c;

	pthread_mutex_lock(&w->mutex);
	struct buf b = take(w);
	pthread_mutex_unlock(&w->mutex);
	for (size_t at = 0; at < b.len && !ended(w);) {
		at += change_read(b.base + at, &c);
		w->watch->internal.cb(w->watch, &c);
	}
	buf_free(&b);
	finish(w);
}

static struct watching *watching_new(struct hf_node *node,
				     struct hf_watch *watch)
{
	struct watching *w = (struct watching *)calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->node = node;
	w->watch = watch;
	w->deliver.run = deliver_task;
	w->more.run = more_task;
	w->options.ended = on_ended;
	pthread_mutex_init(&w->mutex, NULL);
	return w;
}

static int watch_begin(struct node *node, void *arg)
{
	struct watching *w = (struct watching *)arg;

	return node_watch(node, &w->options, on_change, w, &w->watcher);
}

static bool watch_valid(const struct hf_watch *watch, const void *name,
			size_t name_len, unsigned flags, hf_watch_cb cb)
{
	bool prefix = flags & HF_WATCH_PREFIX;

	return watch && cb && (name || name_len == 0) &&
	       name_len <= HF_NAME_MAX && (name_len > 0 || prefix) &&
	       !(flags & ~(unsigned)(HF_WATCH_PREFIX | HF_WATCH_NOW));
}

int hf_watch(struct hf_node *node, struct hf_watch *watch, const void *name,
	     size_t name_len, unsigned flags, uint64_t after, hf_watch_cb cb)
{
	struct watching *w;
	int rc = api_check(node);

	if (!rc && !watch_valid(watch, name, name_len, flags, cb))
		rc = HF_EINVAL;
	if (rc)
		return rc;
	w = watching_new(node, watch);
	if (!w)
		return HF_ENOMEM;
	w->options.name = name;
	w->options.name_len = name_len;
	w->options.flags = flags;
	w->options.after = after;
	watch->node = node;
	watch->internal.cb = cb;
	watch->internal.watcher = w;
	rc = api_run(node, watch_begin, w);
	if (rc == 0)
		return 0;
	watch->node = NULL;
	watching_free(w);
	return rc;
}

static int watch_end(struct node *node, void *arg)
{
	struct watching *w = (struct watching *)arg;

	node_unwatch(node, w->watcher);
	return 0;
}

/* First nothing more is queued, then nothing more runs, unless this is called
 * in the watch's own callback; then the node forgets it, and so, behind it,
 * whatever was posted there. Where the loop has ended already, the node's end
 * frees it. */
int hf_unwatch(struct hf_watch *watch)
{
	struct watching *w;
	int rc;

	if (!watch || !watch->node)
		return HF_EINVAL;
	rc = api_check(watch->node);
	if (rc)
		return rc;
	w = (struct watching *)watch->internal.watcher;
	watch->node = NULL;
	pthread_mutex_lock(&w->mutex);
	w->ended = true;
	pthread_mutex_unlock(&w->mutex);
	api_withdraw(w->node, &w->deliver);
	if (api_run(w->node, watch_end, w))
		return 0;
	pthread_mutex_lock(&w->mutex);
	bool running = w->running;
	w->freed = running;
	pthread_mutex_unlock(&w->mutex);
	if (!running)
		watching_free(w);
	return 0;
}
