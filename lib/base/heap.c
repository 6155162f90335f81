/* A complete binary tree by pointers: the nodes, numbered from 1 in the order
 * of their rows, have the children 2i and 2i + 1, so that the bits of a number
 * below its highest are the way to it from the root. */
#include "base/heap.h"

#include <assert.h>

static bool before(const struct heap_node *a, const struct heap_node *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

/* The pointer that holds, or will hold, the node of that number; `*parent` gets
 * the node above it. */
static struct heap_node **slot_of(struct heap *h, size_t number,
				  struct heap_node **parent)
{
	struct heap_node **slot = &h->root;
	size_t bit = 1;

	*parent = NULL;
	while (bit <= number / 2)
		bit *= 2;
	for (bit /= 2; bit > 0; bit /= 2) {
		*parent = *slot;
		slot = number & bit ? &(*slot)->right : &(*slot)->left;
	}
	return slot;
}

/* The pointer that leads to `n` from above. */
static struct heap_node **slot_to(struct heap *h, const struct heap_node *n)
{
	struct heap_node *p = n->parent;

	if (!p)
		return &h->root;
	return p->left == n ? &p->left : &p->right;
}

/* Put `n`, which is nowhere, between `parent` and these children. */
static void place(struct heap_node **slot, struct heap_node *n,
		  struct heap_node *parent, struct heap_node *left,
		  struct heap_node *right)
{
	*slot = n;
	n->parent = parent;
	n->left = left;
	n->right = right;
	if (left)
		left->parent = n;
	if (right)
		right->parent = n;
}

/* Exchange a node with its parent. */
static void lift(struct heap *h, struct heap_node *n)
{
	struct heap_node *p = n->parent, *left = n->left, *right = n->right;

	place(slot_to(h, p), n, p->parent, p->left == n ? p : p->left,
	      p->right == n ? p : p->right);
	place(p == n->left ? &n->left : &n->right, p, n, left, right);
}

static void sift_up(struct heap *h, struct heap_node *n)
{
	while (n->parent && before(n, n->parent))
		lift(h, n);
}

static void sift_down(struct heap *h, struct heap_node *n)
{
	for (;;) {
		struct heap_node *least = n;

		if (n->left && before(n->left, least))
			least = n->left;
		if (n->right && before(n->right, least))
			least = n->right;
		if (least == n)
			return;
		lift(h, least);
	}
}

void heap_push(struct heap *h, struct heap_node *n, uint64_t key, uint64_t tie)
{
	struct heap_node *parent;

	assert(!n->queued);
	n->key = key;
	n->tie = tie;
	n->queued = true;
	struct heap_node **slot = slot_of(h, ++h->len, &parent);
	place(slot, n, parent, NULL, NULL);
	sift_up(h, n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *parent;

	if (!n->queued)
		return;
	assert(h->len > 0);
	struct heap_node **slot = slot_of(h, h->len--, &parent);
	struct heap_node *last = *slot;
	*slot = NULL;
	if (last != n) {
		place(slot_to(h, n), last, n->parent, n->left, n->right);
		sift_up(h, last);
		sift_down(h, last);
	}
	*n = (struct heap_node){ 0 };
}
