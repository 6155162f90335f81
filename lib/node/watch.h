/* Watches: what changes on this member's replica, told in order.
 *
 * A watch reads the node's ring of changes at a position of its own, in the
 * node's turn. One that is too slow meets a gap; nobody waits for it. */
#ifndef HF_NODE_WATCH_H
#define HF_NODE_WATCH_H

#include "base/buf.h"
#include "base/list.h"
#include "holdfast.h"

/* Watches of one node. */
#define WATCHES_MAX 65536
/* Changes that a turn looks at in all, and for one watch before the next has
 * its turn. */
#define WATCH_TURN_MAX 4096
#define WATCH_SLICE 256
/* Bytes of what HF_WATCH_NOW tells first, and locks and values that it looks at
 * for a prefix, in one go: some ten milliseconds. Where there is more, it tells
 * a gap instead: whoever watches has to look by himself. */
#define WATCH_NOW_MAX (16u << 20)
#define WATCH_NOW_NAMES_MAX 500000

struct node;
struct core;
struct watcher;

struct watch_options {
	const void *name; /* copied; at most HF_NAME_MAX */
	size_t name_len;
	unsigned flags; /* enum hf_watch_flag */
	uint64_t after; /* as hf_watch */
	/* The node is being freed, and the watch with it. NULL: nobody cares.
	 */
	void (*ended)(void *arg);
};

/* Inside node_turn; may call anything that callbacks may, node_unwatch of this
 * watch included. false: not now; the same change is offered again after
 * node_watch_more, or a gap where it is gone by then. */
typedef bool (*watch_cb)(void *arg, const struct hf_change *change);

/* 0, HF_EINVAL, HF_EBUSY (too many), HF_ENOMEM, HF_ECLOSED. */
int node_watch(struct node *node, const struct watch_options *options,
	       watch_cb cb, void *arg, struct watcher **watcher);
/* No callback after that, `ended` included. */
void node_unwatch(struct node *node, struct watcher *watcher);
void node_watch_more(struct node *node, struct watcher *watcher);

/* --- for lib/node --- */

/* All that the options name, as it is now, as copies of changes one behind the
 * other. false: out of memory, or beyond the limits. */
bool watch_now(const struct core *core, const struct watch_options *o,
	       struct buf *b);
bool watch_matches(const struct watch_options *o, const void *name, size_t len);

#endif
