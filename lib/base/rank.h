/* An ordered tree of nodes that live in their owners, with the sum of what
 * stands before each: its place, and how much those before it ask for.
 *
 * Keys are (major, minor), smaller ones first; the owner makes them unique. A
 * node has a weight, and the tree keeps the sums of all subtrees, so that
 * insertion, removal, place and sum before a node cost O(log n). It needs no
 * memory of its own: inserting can't fail. Its shape follows from the keys
 * alone (a treap whose priorities are digests of them), and no result depends
 * on the shape. */
#ifndef HF_BASE_RANK_H
#define HF_BASE_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rank_weight {
	uint64_t alone; /* those that exclude all others */
	uint64_t units; /* what the others take together */
};

static inline struct rank_weight rank_add(struct rank_weight a,
					  struct rank_weight b)
{
	return (struct rank_weight){ a.alone + b.alone, a.units + b.units };
}

static inline struct rank_weight rank_sub(struct rank_weight a,
					  struct rank_weight b)
{
	return (struct rank_weight){ a.alone - b.alone, a.units - b.units };
}

struct rank_node { /* all zero: in no tree */
	struct rank_node *parent, *left, *right;
	uint64_t major, minor;
	struct rank_weight own, sum; /* its own; of its subtree */
	size_t len;                  /* of its subtree; 0: in no tree */
};

struct rank { /* all zero: empty */
	struct rank_node *root;
};

/* `n` is in no tree. */
void rank_insert(struct rank *r, struct rank_node *n, uint64_t major,
		 uint64_t minor, struct rank_weight own);
void rank_remove(struct rank *r, struct rank_node *n); /* no-op if not in */

struct rank_node *rank_first(const struct rank *r);     /* NULL: empty */
struct rank_node *rank_next(const struct rank_node *n); /* NULL: the last */
/* How many stand before it, and what they ask for together. */
size_t rank_place(const struct rank_node *n);
struct rank_weight rank_before(const struct rank_node *n);

static inline size_t rank_len(const struct rank *r)
{
	return r->root ? r->root->len : 0;
}

/* Of all. */
static inline struct rank_weight rank_sum(const struct rank *r)
{
	return r->root ? r->root->sum : (struct rank_weight){ 0, 0 };
}

#endif
