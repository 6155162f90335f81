#include "base/heap.h"

#include "lib/random.h"
#include "lib/suite.h"

#include <stdlib.h>
#include <string.h>

#define NODES 300

static int by_order(const void *a, const void *b)
{
	const struct heap_node *const *x = a, *const *y = b;

	if ((*x)->key != (*y)->key)
		return (*x)->key < (*y)->key ? -1 : 1;
	return (*x)->tie < (*y)->tie ? -1 : (*x)->tie > (*y)->tie;
}

/* The model: the queued nodes, in no order. */
struct model {
	struct heap_node nodes[NODES], *queued[NODES];
	size_t len;
};

static void model_check(struct model *m, const struct heap *h)
{
	qsort(m->queued, m->len, sizeof(*m->queued), by_order);
	ck_assert_uint_eq(h->len, m->len);
	ck_assert_ptr_eq(heap_first(h), m->len ? m->queued[0] : NULL);
}

static void model_remove(struct model *m, struct heap *h, size_t i)
{
	heap_remove(h, m->queued[i]);
	ck_assert(!m->queued[i]->queued);
	m->queued[i] = m->queued[--m->len];
}

/* Keys from few values, so that there are many ties. */
static void model_push(struct model *m, struct heap *h, struct random *random,
		       size_t i)
{
	heap_push(h, &m->nodes[i], random_below(random, 20), i);
	m->queued[m->len++] = &m->nodes[i];
}

START_TEST(an_all_zero_heap_is_empty)
{
	struct heap h = { 0 };
	struct heap_node n = { 0 };

	ck_assert_ptr_null(heap_first(&h));
	heap_remove(&h, &n);
	ck_assert_uint_eq(h.len, 0);
}
END_TEST

START_TEST(nodes_come_out_in_the_order_of_key_then_tie)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct model m = { 0 };
		struct heap h = { 0 };
		struct random random = { seed };
		size_t count = random_below(&random, NODES) + 1;

		for (size_t i = 0; i < count; i++)
			model_push(&m, &h, &random, i);
		model_check(&m, &h);
		for (size_t i = 0; i < count; i++) {
			ck_assert_ptr_eq(heap_first(&h), m.queued[i]);
			heap_remove(&h, m.queued[i]);
		}
		ck_assert_ptr_null(heap_first(&h));
	}
}
END_TEST

START_TEST(the_first_is_the_least_whatever_is_pushed_and_removed)
{
	struct random random = { 11 };
	struct model m = { 0 };
	struct heap h = { 0 };

	for (int step = 0; step < 20000; step++) {
		size_t i = random_below(&random, NODES);
		bool growing = step / 2000 % 2 == 0;

		if (!m.nodes[i].queued && (growing || random_below(&random, 4)))
			model_push(&m, &h, &random, i);
		else if (m.len > 0 && (!growing || random_below(&random, 3)))
			model_remove(&m, &h, random_below(&random, m.len));
		model_check(&m, &h);
	}
}
END_TEST

START_TEST(a_removed_node_can_be_pushed_again_with_another_key)
{
	struct heap_node a = { 0 }, b = { 0 };
	struct heap h = { 0 };

	heap_push(&h, &a, 5, 1);
	heap_push(&h, &b, 6, 2);
	heap_remove(&h, &a);
	heap_push(&h, &a, 7, 1);
	ck_assert_ptr_eq(heap_first(&h), &b);
	heap_remove(&h, &b);
	ck_assert_ptr_eq(heap_first(&h), &a);
	heap_remove(&h, &a);
	ck_assert_uint_eq(h.len, 0);
}
END_TEST

START_TEST(a_removed_node_is_all_zero_again)
{
	struct heap_node a = { 0 }, b = { 0 }, zero = { 0 };
	struct heap h = { 0 };

	heap_push(&h, &a, 1, 1);
	heap_push(&h, &b, 2, 2);
	heap_remove(&h, &a);
	heap_remove(&h, &a);
	ck_assert_mem_eq(&a, &zero, sizeof(zero));
	ck_assert_uint_eq(h.len, 1);
}
END_TEST

START_TEST(the_largest_keys_have_their_order_too)
{
	struct heap_node a = { 0 }, b = { 0 };
	struct heap h = { 0 };

	heap_push(&h, &a, UINT64_MAX, UINT64_MAX);
	heap_push(&h, &b, UINT64_MAX, UINT64_MAX - 1);
	ck_assert_ptr_eq(heap_first(&h), &b);
}
END_TEST

SUITE(an_all_zero_heap_is_empty, nodes_come_out_in_the_order_of_key_then_tie,
      the_first_is_the_least_whatever_is_pushed_and_removed,
      a_removed_node_can_be_pushed_again_with_another_key,
      a_removed_node_is_all_zero_again, the_largest_keys_have_their_order_too)
