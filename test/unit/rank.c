#include "base/rank.h"

#include "lib/random.h"
#include "lib/suite.h"

#include <stdlib.h>

#define NODES 300
#define MANY 100000

/* The model: an array of the nodes that are in, sorted by key. */
struct model {
	struct rank_node nodes[NODES], *in[NODES];
	size_t len;
};

static bool less(const struct rank_node *n, uint64_t major, uint64_t minor)
{
	return n->major != major ? n->major < major : n->minor < minor;
}

static void model_insert(struct model *m, struct rank *r, size_t node,
			 uint64_t major, struct rank_weight own)
{
	size_t at = m->len++;

	rank_insert(r, &m->nodes[node], major, node, own);
	for (; at > 0 && !less(m->in[at - 1], major, node); at--)
		m->in[at] = m->in[at - 1];
	m->in[at] = &m->nodes[node];
}

static void model_remove(struct model *m, struct rank *r, size_t at)
{
	static const struct rank_node zero;

	rank_remove(r, m->in[at]);
	ck_assert_mem_eq(m->in[at], &zero, sizeof(zero));
	m->len--;
	for (; at < m->len; at++)
		m->in[at] = m->in[at + 1];
}

static void assert_weights(struct rank_weight a, struct rank_weight b)
{
	ck_assert_uint_eq(a.alone, b.alone);
	ck_assert_uint_eq(a.units, b.units);
}

/* Order, places and sums are those of the array. */
static void model_check(const struct model *m, const struct rank *r)
{
	struct rank_weight sum = { 0, 0 };
	struct rank_node *n = rank_first(r);

	for (size_t i = 0; i < m->len; i++, n = rank_next(n)) {
		ck_assert_ptr_eq(n, m->in[i]);
		ck_assert_uint_eq(rank_place(n), i);
		assert_weights(rank_before(n), sum);
		sum.alone += n->own.alone;
		sum.units += n->own.units;
	}
	ck_assert_ptr_null(n);
	ck_assert_uint_eq(rank_len(r), m->len);
	assert_weights(rank_sum(r), sum);
}

/* Majors from few values, so that minors decide often. */
static void model_step(struct model *m, struct rank *r, struct random *random,
		       bool growing)
{
	size_t node = random_below(random, NODES);
	bool insert = random_below(random, 4) != 0;

	if (insert == growing && m->nodes[node].len == 0)
		model_insert(m, r, node, random_below(random, 20),
			     (struct rank_weight){ random_below(random, 2),
						   random_below(random, 9) });
	else if (m->len > 0)
		model_remove(m, r, random_below(random, m->len));
}

START_TEST(an_all_zero_tree_is_empty)
{
	struct rank r = { 0 };

	ck_assert_ptr_null(rank_first(&r));
	ck_assert_uint_eq(rank_len(&r), 0);
	assert_weights(rank_sum(&r), (struct rank_weight){ 0, 0 });
}
END_TEST

START_TEST(order_places_and_sums_are_those_of_a_sorted_array)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct model m = { 0 };
		struct rank r = { 0 };
		struct random random = { seed };

		for (int step = 0; step < 4000; step++) {
			model_step(&m, &r, &random, step / 500 % 2 == 0);
			model_check(&m, &r);
		}
	}
}
END_TEST

START_TEST(removing_what_is_not_in_changes_nothing)
{
	struct model m = { 0 };
	struct rank r = { 0 };
	struct rank_node never = { 0 };

	for (size_t i = 0; i < 10; i++)
		model_insert(&m, &r, i, i, (struct rank_weight){ 1, i });
	rank_remove(&r, &never);
	model_check(&m, &r);
	model_remove(&m, &r, 4);
	rank_remove(&r, &m.nodes[4]);
	model_check(&m, &r);
}
END_TEST

START_TEST(a_removed_node_can_be_inserted_again_with_another_key)
{
	struct rank_node a = { 0 }, b = { 0 };
	struct rank r = { 0 };

	rank_insert(&r, &a, 5, 1, (struct rank_weight){ 1, 0 });
	rank_insert(&r, &b, 6, 2, (struct rank_weight){ 0, 3 });
	rank_remove(&r, &a);
	rank_insert(&r, &a, 7, 1, (struct rank_weight){ 1, 0 });
	ck_assert_ptr_eq(rank_first(&r), &b);
	ck_assert_ptr_eq(rank_next(&b), &a);
	assert_weights(rank_before(&a), (struct rank_weight){ 0, 3 });
}
END_TEST

START_TEST(the_largest_keys_have_their_order_too)
{
	struct rank_node a = { 0 }, b = { 0 }, c = { 0 };
	struct rank r = { 0 };

	rank_insert(&r, &a, UINT64_MAX, UINT64_MAX,
		    (struct rank_weight){ 0, 0 });
	rank_insert(&r, &b, UINT64_MAX, 0, (struct rank_weight){ 0, 0 });
	rank_insert(&r, &c, 0, UINT64_MAX, (struct rank_weight){ 0, 0 });
	ck_assert_uint_eq(rank_place(&c), 0);
	ck_assert_uint_eq(rank_place(&b), 1);
	ck_assert_uint_eq(rank_place(&a), 2);
}
END_TEST

static size_t depth_of(const struct rank_node *n)
{
	size_t depth = 0;

	for (; n; n = n->parent)
		depth++;
	return depth;
}

/* Three times log2(100,000): a random tree of that size has about twice. */
static void assert_shallow(const struct rank_node *nodes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_le(depth_of(&nodes[i]), 51);
}

START_TEST(keys_that_come_in_order_make_no_deep_tree)
{
	struct rank_node *nodes = calloc(MANY, sizeof(*nodes));
	struct rank r = { 0 };

	ck_assert_ptr_nonnull(nodes);
	for (size_t i = 0; i < MANY; i++)
		rank_insert(&r, &nodes[i], 7, i, (struct rank_weight){ 0, 1 });
	assert_shallow(nodes, MANY);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(rank_before(&nodes[i]).units, i);
	for (size_t i = 0; i < MANY / 2; i++)
		rank_remove(&r, &nodes[i]);
	assert_shallow(nodes, MANY);
	ck_assert_ptr_eq(rank_first(&r), &nodes[MANY / 2]);
	ck_assert_uint_eq(rank_len(&r), MANY / 2);
	free(nodes);
}
END_TEST

START_TEST(majors_that_come_in_order_make_no_deep_tree)
{
	struct rank_node *nodes = calloc(MANY, sizeof(*nodes));
	struct rank r = { 0 };

	ck_assert_ptr_nonnull(nodes);
	for (size_t i = 0; i < MANY; i++)
		rank_insert(&r, &nodes[i], MANY - i, 0,
			    (struct rank_weight){ 1, 0 });
	assert_shallow(nodes, MANY);
	free(nodes);
}
END_TEST

SUITE(an_all_zero_tree_is_empty,
      order_places_and_sums_are_those_of_a_sorted_array,
      removing_what_is_not_in_changes_nothing,
      a_removed_node_can_be_inserted_again_with_another_key,
      the_largest_keys_have_their_order_too,
      keys_that_come_in_order_make_no_deep_tree,
      majors_that_come_in_order_make_no_deep_tree)
