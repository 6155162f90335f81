/* A binary min-heap of nodes that live in their owners, without memory of its
 * own: pushing can't fail, and push, remove and pop cost O(log n). Equal keys
 * are ordered by `tie`, which the owner makes unique, so that the order is the
 * same in every replica. */
#ifndef HF_BASE_HEAP_H
#define HF_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node { /* all zero: in no heap */
	struct heap_node *parent, *left, *right;
	uint64_t key, tie;
	bool queued;
};

struct heap { /* all zero: empty */
	struct heap_node *root;
	size_t len;
};

void heap_push(struct heap *h, struct heap_node *n, uint64_t key, uint64_t tie);
void heap_remove(struct heap *h, struct heap_node *n); /* no-op if not queued */

static inline struct heap_node *heap_first(const struct heap *h)
{
	return h->root;
}

#endif
