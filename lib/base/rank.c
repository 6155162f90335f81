/* A treap: ordered by key from left to right, and a heap by priority from the
 * root down. A priority is a digest of the key, so that the shape is that of a
 * tree whose keys came in random order, whatever order they came in. */
#include "base/rank.h"

#include <assert.h>

/* The finalizer of splitmix64: a bijection, in which every bit of the input
 * changes half of the output. */
static uint64_t mixed(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t priority(const struct rank_node *n)
{
	return mixed(mixed(n->major) ^ n->minor);
}

static bool before(const struct rank_node *a, const struct rank_node *b)
{
	return a->major != b->major ? a->major < b->major : a->minor < b->minor;
}

static size_t len_of(const struct rank_node *n)
{
	return n ? n->len : 0;
}

static struct rank_weight sum_of(const struct rank_node *n)
{
	return n ? n->sum : (struct rank_weight){ 0, 0 };
}

/* Length and sum of a subtree, from those of its halves. */
static void add_up(struct rank_node *n)
{
	n->len = 1 + len_of(n->left) + len_of(n->right);
	n->sum = rank_add(n->own, rank_add(sum_of(n->left), sum_of(n->right)));
}

static void add_up_from(struct rank_node *n)
{
	for (; n; n = n->parent)
		add_up(n);
}

/* The pointer that leads to `n` from above. */
static struct rank_node **slot_to(struct rank *r, const struct rank_node *n)
{
	struct rank_node *p = n->parent;

	if (!p)
		return &r->root;
	return p->left == n ? &p->left : &p->right;
}

static void link_child(struct rank_node **slot, struct rank_node *child,
		       struct rank_node *parent)
{
	*slot = child;
	if (child)
		child->parent = parent;
}

/* Rotate `n` above its parent; the order from left to right stays. */
static void lift(struct rank *r, struct rank_node *n)
{
	struct rank_node *p = n->parent;

	link_child(slot_to(r, p), n, p->parent);
	if (p->left == n) {
		link_child(&p->left, n->right, p);
		link_child(&n->right, p, n);
	} else {
		link_child(&p->right, n->left, p);
		link_child(&n->left, p, n);
	}
	add_up(p);
	add_up(n);
}

void rank_insert(struct rank *r, struct rank_node *n, uint64_t major,
		 uint64_t minor, struct rank_weight own)
{
	struct rank_node *parent = NULL, **slot = &r->root;

	assert(n->len == 0);
	*n = (struct rank_node){ .major = major, .minor = minor, .own = own };
	while (*slot) {
		parent = *slot;
		assert(before(n, parent) || before(parent, n));
		slot = before(n, parent) ? &parent->left : &parent->right;
	}
	link_child(slot, n, parent);
	add_up_from(n);
	while (n->parent && priority(n) > priority(n->parent))
		lift(r, n);
}

/* The child that may stand above the other. */
static struct rank_node *upper_child(const struct rank_node *n)
{
	if (!n->left || !n->right)
		return n->left ? n->left : n->right;
	return priority(n->left) > priority(n->right) ? n->left : n->right;
}

void rank_remove(struct rank *r, struct rank_node *n)
{
	struct rank_node *child;

	if (n->len == 0)
		return;
	while ((child = upper_child(n)))
		lift(r, child);
	*slot_to(r, n) = NULL;
	add_up_from(n->parent);
	*n = (struct rank_node){ 0 };
}

static struct rank_node *leftmost(struct rank_node *n)
{
	while (n && n->left)
		n = n->left;
	return n;
}

struct rank_node *rank_first(const struct rank *r)
{
	return leftmost(r->root);
}

struct rank_node *rank_next(const struct rank_node *n)
{
	if (n->right)
		return leftmost(n->right);
	while (n->parent && n->parent->right == n)
		n = n->parent;
	return n->parent;
}

size_t rank_place(const struct rank_node *n)
{
	size_t place = len_of(n->left);

	for (; n->parent; n = n->parent)
		if (n->parent->right == n)
			place += 1 + len_of(n->parent->left);
	return place;
}

struct rank_weight rank_before(const struct rank_node *n)
{
	struct rank_weight sum = sum_of(n->left);

	for (; n->parent; n = n->parent)
		if (n->parent->right == n)
			sum = rank_add(sum, rank_add(n->parent->own,
						     sum_of(n->parent->left)));
	return sum;
}
