/* Looking at who waits: places in lines, edges of the wait-for graph; and at
 * values. */
#include "lib/machine.h"
#include "lib/suite.h"

#include <stdio.h>
#include <string.h>

#define LONG (1000 * SECOND)

/* Where request `seq` stands in its line, 0: it doesn't wait. */
static uint64_t place_of(const struct machine *m, uint64_t session,
			 uint64_t seq, uint64_t *line)
{
	uint64_t place, pace;

	if (!core_place(m->core, session, seq, &place, line, &pace))
		return 0;
	return place;
}

static int acquire(struct machine *m, uint64_t node, uint64_t s,
		   const char *name, enum mode mode, int32_t priority)
{
	struct op op = machine_acquire_op(m, node, s, name, WAIT_FOREVER);

	op.acquire.mode = mode;
	op.acquire.priority = priority;
	op.acquire.owner = m->seq[node];
	op.acquire.limit = mode == MODE_BARRIER ? 5 : 0;
	return machine_do(m, &op);
}

START_TEST(a_place_counts_those_who_come_before)
{
	struct machine m;
	uint64_t s, line = 0;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire(&m, 1, s, "a", MODE_EXCLUSIVE, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		acquire(&m, 1, s, "a", MODE_EXCLUSIVE, 0);
		ck_assert_uint_eq(place_of(&m, s, 1 + i, &line), i);
		ck_assert_uint_eq(line, i);
	}
	acquire(&m, 1, s, "a", MODE_EXCLUSIVE, 1);
	ck_assert_uint_eq(place_of(&m, s, 5, &line), 1);
	ck_assert_uint_eq(place_of(&m, s, 4, &line), 4);
	ck_assert_uint_eq(place_of(&m, s, 1, &line), 0);
	ck_assert_uint_eq(place_of(&m, s, 99, &line), 0);
	ck_assert_uint_eq(place_of(&m, s + 1, 1, &line), 0);
	machine_end(&m);
}
END_TEST

START_TEST(of_several_lines_the_last_place_counts)
{
	static const struct op_part more = { .name = (const uint8_t *)"b",
					     .name_len = 1 };
	struct machine m;
	struct op op;
	uint64_t s, line = 0;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire(&m, 1, s, "a", MODE_EXCLUSIVE, 0);
	acquire(&m, 1, s, "b", MODE_EXCLUSIVE, 0);
	acquire(&m, 1, s, "b", MODE_EXCLUSIVE, 0);
	op = machine_acquire_op(&m, 1, s, "a", WAIT_FOREVER);
	op.acquire.more = &more;
	op.acquire.more_len = 1;
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	acquire(&m, 1, s, "b", MODE_EXCLUSIVE, 0);
	ck_assert_uint_eq(place_of(&m, s, 4, &line), 2);
	ck_assert_uint_eq(line, 3);
	machine_end(&m);
}
END_TEST

START_TEST(the_pace_is_that_of_the_grants_of_late)
{
	struct machine m;
	uint64_t s, place, line, pace = 1, token;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire(&m, 1, s, "a", MODE_EXCLUSIVE, 0);
	token = m.answer.token;
	for (int i = 0; i < 20; i++)
		acquire(&m, 1, s, "a", MODE_EXCLUSIVE, 0);
	ck_assert(core_place(m.core, s, 21, &place, &line, &pace));
	ck_assert_uint_eq(pace, 0);
	for (int i = 0; i < 15; i++) {
		machine_pass(&m, SECOND);
		machine_release(&m, 1, s, token);
		token = machine_said(&m, OUTPUT_GRANTED)->token;
	}
	ck_assert(core_place(m.core, s, 21, &place, &line, &pace));
	ck_assert_uint_eq(place, 5);
	ck_assert_uint_ge(pace, SECOND / 2);
	ck_assert_uint_le(pace, 2 * SECOND);
	machine_end(&m);
}
END_TEST

/* The edges, as far as they have been seen, in words. */
struct edges {
	char text[1024];
	size_t len, max;
};

static bool see(void *ctx, const struct wait_edge *edge)
{
	struct edges *e = ctx;
	size_t at = strlen(e->text);

	snprintf(e->text + at, sizeof(e->text) - at,
		 "%ju.%ju>%ju.%ju %.*s %ju;", (uintmax_t)edge->waiter.node,
		 (uintmax_t)edge->waiter.owner, (uintmax_t)edge->blocker.node,
		 (uintmax_t)edge->blocker.owner, (int)edge->name_len,
		 (const char *)edge->name, (uintmax_t)edge->token);
	return ++e->len < e->max;
}

static void expect_edges(const struct machine *m, size_t max, const char *text)
{
	struct edges e = { .max = max };

	core_visit_waits(m->core, see, &e);
	ck_assert_str_eq(e.text, text);
}

START_TEST(who_waits_has_an_edge_to_each_holder_and_to_the_one_before)
{
	struct machine m;
	uint64_t s1, s2;

	machine_init(&m, 1);
	s1 = machine_open(&m, 1, LONG);
	s2 = machine_open(&m, 2, LONG);
	expect_edges(&m, 99, "");
	acquire(&m, 1, s1, "a", MODE_SHARED, 0);    /* owner 1, token 4 */
	acquire(&m, 2, s2, "a", MODE_SHARED, 0);    /* owner 1, token 5 */
	acquire(&m, 1, s1, "a", MODE_EXCLUSIVE, 0); /* owner 2 */
	expect_edges(&m, 99, "1.2>1.1 a 4;1.2>2.1 a 5;");
	acquire(&m, 2, s2, "a", MODE_EXCLUSIVE, 0); /* owner 2 */
	expect_edges(&m, 99,
		     "1.2>1.1 a 4;1.2>2.1 a 5;"
		     "2.2>1.1 a 4;2.2>2.1 a 5;2.2>1.2 a 0;");
	expect_edges(&m, 1, "1.2>1.1 a 4;");
	expect_edges(&m, 2, "1.2>1.1 a 4;1.2>2.1 a 5;");
	machine_end(&m);
}
END_TEST

START_TEST(waits_for_barriers_and_values_are_no_edges)
{
	struct machine m;
	struct op op;
	uint64_t s, line = 0;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	acquire(&m, 1, s, "b", MODE_BARRIER, 0);
	acquire(&m, 1, s, "b", MODE_BARRIER, 0);
	op = (struct op){ .kind = OP_AWAIT,
			  .node = 1,
			  .session = s,
			  .seq = ++m.seq[1],
			  .await = { .name = (const uint8_t *)"v",
				     .name_len = 1,
				     .condition = AWAIT_PRESENT,
				     .wait = WAIT_FOREVER } };
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	expect_edges(&m, 99, "");
	ck_assert_uint_eq(place_of(&m, s, 2, &line), 2);
	ck_assert_uint_eq(place_of(&m, s, 3, &line), 0);
	machine_end(&m);
}
END_TEST

static int put(struct machine *m, uint64_t s, enum op_kind kind,
	       const char *name)
{
	struct op op = { .kind = kind,
			 .node = 1,
			 .session = s,
			 .seq = ++m->seq[1],
			 .value = { .name = (const uint8_t *)name,
				    .name_len = strlen(name),
				    .expect = EXPECT_ANY } };

	if (kind == OP_PUT) {
		op.value.bytes = (const uint8_t *)name;
		op.value.bytes_len = strlen(name);
	}
	op.value.delta = kind == OP_ADD;
	return machine_do(m, &op);
}

static bool collect(void *ctx, const struct record *r)
{
	struct edges *e = ctx;

	strncat(e->text, (const char *)r->value.name, r->value.name_len);
	return ++e->len < e->max;
}

START_TEST(values_are_looked_at_oldest_first_and_by_name)
{
	struct machine m;
	struct edges e = { .max = 9 };
	struct record r;
	struct counts counts;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	put(&m, s, OP_PUT, "x");
	put(&m, s, OP_ADD, "n");
	put(&m, s, OP_PUT, "gone");
	put(&m, s, OP_PUT, "long-name");
	put(&m, s, OP_DELETE, "gone");
	core_visit_values(m.core, collect, &e);
	ck_assert_str_eq(e.text, "xnlong-name");
	e = (struct edges){ .max = 2 };
	core_visit_values(m.core, collect, &e);
	ck_assert_str_eq(e.text, "xn");
	core_counts(m.core, &counts);
	ck_assert_uint_eq(counts.values, 3);
	ck_assert(core_value(m.core, "n", 1, &r));
	ck_assert(r.value.counter && r.value.number == 1);
	ck_assert(core_value(m.core, "long-name", 9, &r));
	ck_assert_uint_eq(r.value.bytes_len, 9);
	ck_assert(memcmp(r.value.bytes, "long-name", 9) == 0);
	ck_assert(!core_value(m.core, "gone", 4, &r));
	machine_end(&m);
}
END_TEST

START_TEST(a_value_that_is_only_waited_for_is_not_there)
{
	struct machine m;
	struct record r;
	struct counts counts;
	struct edges e = { .max = 9 };
	struct op op = { .kind = OP_AWAIT, .node = 1, .seq = 1 };

	machine_init(&m, 1);
	op.session = machine_open(&m, 1, LONG);
	op.await.name = (const uint8_t *)"v";
	op.await.name_len = 1;
	op.await.condition = AWAIT_PRESENT;
	op.await.wait = WAIT_FOREVER;
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	ck_assert(!core_value(m.core, "v", 1, &r));
	core_visit_values(m.core, collect, &e);
	ck_assert_uint_eq(e.len, 0);
	core_counts(m.core, &counts);
	ck_assert_uint_eq(counts.values, 0);
	ck_assert_uint_eq(counts.waits, 1);
	machine_end(&m);
}
END_TEST

/* As its own lock's lines show it. */
static bool check_part(void *ctx, const struct record *r)
{
	const struct record *want = ctx;

	ck_assert_uint_eq(r->request.lock, want->request.lock);
	ck_assert_int_eq(r->request.mode, want->request.mode);
	ck_assert_uint_eq(r->request.permits, want->request.permits);
	ck_assert_uint_eq(r->request.token, want->request.token);
	return true;
}

START_TEST(in_each_of_several_locks_a_hold_is_seen_as_it_is_there)
{
	static const struct op_part more = { .name = (const uint8_t *)"b",
					     .name_len = 1,
					     .mode = MODE_PERMITS,
					     .permits = 2,
					     .limit = 3 };
	struct machine m;
	struct record lock, want = { .kind = RECORD_REQUEST };
	struct op op;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	op = machine_acquire_op(&m, 1, s, "a", 0);
	op.acquire.more = &more;
	op.acquire.more_len = 1;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert(core_lock(m.core, "b", 1, &lock));
	want.request.lock = lock.lock.id;
	want.request.mode = MODE_PERMITS;
	want.request.permits = 2;
	want.request.token = m.answer.token + 1;
	core_visit_lock(m.core, "b", 1, check_part, &want);
	ck_assert(core_lock(m.core, "a", 1, &lock));
	want.request.lock = lock.lock.id;
	want.request.mode = MODE_EXCLUSIVE;
	want.request.permits = 0;
	want.request.token = m.answer.token;
	core_visit_lock(m.core, "a", 1, check_part, &want);
	ck_assert(core_hold(m.core, m.answer.token + 1, &lock));
	ck_assert_uint_eq(lock.request.seq, 1);
	machine_end(&m);
}
END_TEST

SUITE(a_place_counts_those_who_come_before,
      of_several_lines_the_last_place_counts,
      the_pace_is_that_of_the_grants_of_late,
      who_waits_has_an_edge_to_each_holder_and_to_the_one_before,
      waits_for_barriers_and_values_are_no_edges,
      values_are_looked_at_oldest_first_and_by_name,
      a_value_that_is_only_waited_for_is_not_there,
      in_each_of_several_locks_a_hold_is_seen_as_it_is_there)
