/* Watches: watch.h.
 *
 * What a watch has been told is a prefix of (what is now, the changes after
 * it), each once, in order; where something is missing a gap says so. A change
 * counts as told when its callback has taken it. */
#include "node/internal.h"

#include <string.h>

struct watcher {
	struct list node; /* of node->watchers */
	struct buf now;   /* copies of changes, to be told first */
	size_t now_at;
	uint64_t at;    /* its place in the ring */
	uint64_t after; /* nothing up to this index is to be told from there */
	watch_cb cb;
	void *arg;
	bool stalled;
	struct watch_options options; /* name: the bytes below */
	uint8_t name[];
};

void watches_init(struct node *n)
{
	list_init(&n->watchers);
}

static struct watcher *first_of(struct list *watchers)
{
	return container_of(watchers->next, struct watcher, node);
}

static void watcher_free(struct node *n, struct watcher *w)
{
	list_remove(&w->node);
	n->watchers_len--;
	buf_free(&w->now);
	mem_free(&n->mem, w);
}

void watches_free(struct node *n)
{
	while (!list_empty(&n->watchers)) {
		struct watcher *w = first_of(&n->watchers);

		if (w->options.ended)
			w->options.ended(w->arg);
		watcher_free(n, w);
	}
}

static struct hf_change gap_up_to(uint64_t index)
{
	return (struct hf_change){ .type = HF_CHANGE_GAP,
				   .index = index,
				   .rc = HF_EGAP };
}

/* What is now, or that it can't be told. */
static int begin_now(struct node *n, struct watcher *w)
{
	uint64_t index = core_index(repl_core(n->repl));
	struct hf_change gap = gap_up_to(index);
	uint8_t *to;

	w->after = index;
	w->at = n->ring.head;
	w->now.mem = &n->mem;
	if (watch_now(repl_core(n->repl), &w->options, &w->now))
		return 0;
	buf_free(&w->now);
	to = buf_reserve(&w->now, change_size(&gap));
	if (!to)
		return HF_ENOMEM;
	change_write(to, &gap);
	w->now.len = change_size(&gap);
	return 0;
}

static int begin(struct node *n, struct watcher *w)
{
	if (w->options.flags & HF_WATCH_NOW)
		return begin_now(n, w);
	w->after = w->options.after;
	w->at = 0;
	if (w->after == 0) {
		w->after = core_index(repl_core(n->repl));
		w->at = n->ring.head;
	}
	return 0;
}

static bool watch_valid(const struct watch_options *o)
{
	bool prefix = o->flags & HF_WATCH_PREFIX;

	return o->name_len <= LOCK_NAME_MAX && (o->name_len > 0 || prefix) &&
	       !(o->flags & ~(unsigned)(HF_WATCH_PREFIX | HF_WATCH_NOW));
}

int node_watch(struct node *n, const struct watch_options *options, watch_cb cb,
	       void *arg, struct watcher **watcher)
{
	struct watcher *w;
	int rc;

	*watcher = NULL;
	if (!watch_valid(options))
		return HF_EINVAL;
	if (n->closing)
		return HF_ECLOSED;
	if (n->watchers_len >= WATCHES_MAX)
		return HF_EBUSY;
	w = (struct watcher *)mem_zalloc(&n->mem,
					 sizeof(*w) + options->name_len);
	if (!w)
		return HF_ENOMEM;
	w->options = *options;
	w->options.name = w->name;
	if (options->name_len)
		memcpy(w->name, options->name, options->name_len);
	w->cb = cb;
	w->arg = arg;
	list_push(&n->watchers, &w->node);
	n->watchers_len++;
	rc = begin(n, w);
	if (rc) {
		watcher_free(n, w);
		return rc;
	}
	n->watch_more = true;
	*watcher = w;
	return 0;
}

void node_unwatch(struct node *n, struct watcher *w)
{
	if (n->watching == w)
		n->watching = NULL;
	watcher_free(n, w);
}

void node_watch_more(struct node *n, struct watcher *w)
{
	w->stalled = false;
	n->watch_more = true;
}

/* false: it didn't take it, or it is gone. */
static bool tell(struct node *n, struct watcher *w, const struct hf_change *c)
{
	bool taken;

	n->watching = w;
	taken = w->cb(w->arg, c);
	if (!n->watching)
		return false;
	n->watching = NULL;
	w->stalled = !taken;
	return taken;
}

static bool step_now(struct node *n, struct watcher *w)
{
	struct hf_change c;
	size_t len = change_read(w->now.base + w->now_at, &c);

	if (!tell(n, w, &c))
		return false;
	w->now_at += len;
	if (w->now_at < w->now.len)
		return true;
	buf_free(&w->now);
	w->now_at = 0;
	return true;
}

/* Look at one change. false: there is none, or it isn't taken, or the watch is
 * gone. */
static bool step(struct node *n, struct watcher *w)
{
	uint64_t at = w->at;
	struct hf_change c;
	int rc;

	if (w->now_at < w->now.len)
		return step_now(n, w);
	rc = ring_next(&n->ring, &at, &c);
	if (rc == 0)
		return false;
	if (rc == HF_EGAP) {
		at = n->ring.tail;
		c = gap_up_to(n->ring.past);
	}
	if (c.index > w->after &&
	    (rc == HF_EGAP || watch_matches(&w->options, c.name, c.name_len)) &&
	    !tell(n, w, &c))
		return false;
	w->at = at;
	return true;
}

/* What `from` has comes before what `to` has. */
static void move_front(struct list *to, struct list *from)
{
	while (!list_empty(from)) {
		struct list *last = from->prev;

		list_remove(last);
		list_insert(to->next, last);
	}
}

/* In turn, so that those that a turn doesn't come to are the first in the
 * next. A callback may end any watch, and begin others: these wait. */
void watches_callbacks(struct node *n)
{
	size_t left = WATCH_TURN_MAX;
	struct list todo;

	if (!watches_waiting(n))
		return;
	n->watch_more = false;
	n->watched = n->ring.head;
	list_init(&todo);
	move_front(&todo, &n->watchers);
	while (!list_empty(&todo) && left > 0) {
		struct watcher *w = first_of(&todo);
		size_t slice = left < WATCH_SLICE ? left : WATCH_SLICE;

		list_remove(&w->node);
		list_push(&n->watchers, &w->node);
		left--;
		while (slice > 0 && !w->stalled && step(n, w)) {
			slice--;
			left -= left > 0;
		}
		if (slice == 0)
			n->watch_more = true;
	}
	if (!list_empty(&todo))
		n->watch_more = true;
	move_front(&n->watchers, &todo);
}

bool watches_waiting(const struct node *n)
{
	return n->watchers_len > 0 && !n->over &&
	       (n->watch_more || n->watched != n->ring.head);
}
