/* Looking at the state, and entries that can't be. */
#include "lib/machine.h"
#include "lib/suite.h"

#include <string.h>

#define LONG (1000 * SECOND)

START_TEST(counts_are_those_of_the_whole_cluster)
{
	struct machine m;
	struct counts c;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_open(&m, 2, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	machine_acquire(&m, 1, s, "b", 0);
	machine_acquire(&m, 1, s, "b", WAIT_FOREVER);
	core_counts(m.core, &c);
	ck_assert_uint_eq(c.sessions, 2);
	ck_assert_uint_eq(c.locks, 2);
	ck_assert_uint_eq(c.holds, 2);
	ck_assert_uint_eq(c.waits, 1);
	machine_end(&m);
}
END_TEST

START_TEST(a_hold_is_found_by_its_token)
{
	struct machine m;
	struct record r;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	ck_assert(core_hold(m.core, m.answer.token, &r));
	ck_assert_uint_eq(r.request.session, s);
	ck_assert_uint_eq(r.request.token, m.answer.token);
	ck_assert_uint_eq(r.request.index, m.index);
	ck_assert(!core_hold(m.core, 0, &r));
	ck_assert(!core_hold(m.core, m.answer.token + 1, &r));
	machine_end(&m);
}
END_TEST

struct stop_after {
	size_t len, max;
	struct record last;
};

static bool count(void *ctx, const struct record *r)
{
	struct stop_after *s = ctx;

	s->last = *r;
	return ++s->len < s->max;
}

START_TEST(a_visit_stops_where_it_is_told)
{
	struct machine m;
	struct stop_after seen;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_open(&m, 2, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	for (int i = 0; i < 3; i++)
		machine_acquire(&m, 1, s, "a", WAIT_FOREVER);
	for (size_t max = 1; max <= 4; max++) {
		seen = (struct stop_after){ .max = max };
		core_visit_lock(m.core, "a", 1, count, &seen);
		ck_assert_uint_eq(seen.len, max);
		ck_assert_uint_eq(seen.last.request.seq, max);
		seen = (struct stop_after){ .max = max };
		core_visit_session(m.core, s, count, &seen);
		ck_assert_uint_eq(seen.len, max);
		seen = (struct stop_after){ .max = max };
		core_visit_all(m.core, count, &seen);
		ck_assert_uint_eq(seen.len, max);
		seen = (struct stop_after){ .max = max };
		core_visit_sessions(m.core, count, &seen);
		ck_assert_uint_eq(seen.len, max < 2 ? max : 2);
	}
	machine_end(&m);
}
END_TEST

START_TEST(what_is_not_there_is_not_visited)
{
	struct machine m;
	struct record r;
	struct stop_after seen = { .max = 10 };

	machine_init(&m, 1);
	ck_assert(!core_session(m.core, 1, &r));
	ck_assert(!core_lock(m.core, "a", 1, &r));
	core_visit_session(m.core, 1, count, &seen);
	core_visit_lock(m.core, "a", 1, count, &seen);
	core_visit_sessions(m.core, count, &seen);
	ck_assert_uint_eq(seen.len, 0);
	machine_end(&m);
}
END_TEST

struct names {
	char text[16];
	size_t len;
};

static bool add_name(void *ctx, const struct record *r)
{
	struct names *n = ctx;

	ck_assert_uint_lt(n->len, sizeof(n->text) - 1);
	n->text[n->len++] = (char)(r->kind == RECORD_LOCK ? r->lock.name[0]
							  : r->value.name[0]);
	return true;
}

static void expect_names(const struct core *core, const char *text)
{
	struct names n = { .len = 0 };

	core_visit_locks(core, add_name, &n);
	n.text[n.len++] = ' ';
	core_visit_values(core, add_name, &n);
	ck_assert_str_eq(n.text, text);
}

static void put(struct machine *m, uint64_t s, const char *name)
{
	struct op op = { .kind = OP_PUT,
			 .node = 1,
			 .session = s,
			 .seq = ++m->seq[1],
			 .value = { .name = (const uint8_t *)name,
				    .name_len = 1,
				    .expect = EXPECT_ANY } };

	ck_assert_int_eq(machine_do(m, &op), 0);
}

/* What changes while an image is taken is given to it first, so its order is
 * another one. */
START_TEST(locks_and_values_are_listed_oldest_first_after_a_restore_too)
{
	static const char names[][2] = { "a", "b", "c" };
	struct machine m, other;
	struct image_copy image = { .len = 0 };
	const struct image_sink sink = { image_copy_put, &image };
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(machine_acquire(&m, 1, s, names[i], 0), 0);
		put(&m, s, names[i]);
	}
	core_image_begin(m.core, &sink);
	machine_acquire(&m, 1, s, "c", WAIT_FOREVER);
	put(&m, s, "b");
	while (!core_image_step(m.core, 1))
		;
	machine_init(&other, 2);
	ck_assert_int_eq(image_copy_restore(&image, other.core), 0);
	expect_names(m.core, "abc abc");
	expect_names(other.core, "abc abc");
	image_copy_free(&image);
	machine_end(&other);
	machine_end(&m);
}
END_TEST

/* Apply an entry that can't be: nothing changes, and the reason is said. */
static void expect_poison(struct entry entry, uint64_t index, const char *text)
{
	struct machine m;
	uint64_t hash;

	machine_init(&m, 1);
	machine_open(&m, 1, LONG);
	machine_pass(&m, SECOND);
	hash = core_hash(m.core);
	ck_assert_int_eq(core_poisoned(m.core), 0);
	ck_assert_int_eq(core_apply(m.core, index, &entry, NULL), HF_ECORRUPT);
	ck_assert_int_eq(core_poisoned(m.core), HF_ECORRUPT);
	ck_assert_str_eq(core_error(m.core), text);
	ck_assert_uint_eq(core_hash(m.core), hash);
	ck_assert_int_eq(machine_apply(&m, NULL, 0), HF_ECORRUPT);
	machine_end(&m);
}

START_TEST(an_entry_that_can_not_be_poisons)
{
	const struct op op = { .kind = (enum op_kind)17 };
	const struct op none = { .kind = (enum op_kind)0 };

	expect_poison((struct entry){ .version = SEMANTICS_VERSION }, 2,
		      "entry 2 comes after entry 2");
	expect_poison((struct entry){ .version = SEMANTICS_VERSION - 1 }, 9,
		      "entry 9 has semantics 1, unknown here");
	expect_poison((struct entry){ .version = 0 }, 9,
		      "entry 9 has semantics 0, unknown here");
	expect_poison((struct entry){ .version = SEMANTICS_VERSION + 1 }, 9,
		      "entry 9 has semantics 3, unknown here");
	expect_poison((struct entry){ .version = SEMANTICS_VERSION,
				      .ops = &op,
				      .ops_len = 1 },
		      9, "entry 9 has an operation of kind 17");
	expect_poison((struct entry){ .version = SEMANTICS_VERSION,
				      .ops = &none,
				      .ops_len = 1 },
		      9, "entry 9 has an operation of kind 0");
	expect_poison((struct entry){ .version = SEMANTICS_VERSION,
				      .hash_index = 2,
				      .proposer = 7 },
		      9, "the state at index 2 differs from that of member 7");
}
END_TEST

START_TEST(the_hash_of_another_index_is_not_compared)
{
	struct machine m;
	struct entry entry = { .version = SEMANTICS_VERSION,
			       .hash_index = 1,
			       .hash = 5 };

	machine_init(&m, 1);
	machine_pass(&m, SECOND);
	machine_pass(&m, SECOND);
	ck_assert_int_eq(core_apply(m.core, 9, &entry, NULL), 0);
	entry.hash_index = 9;
	entry.hash = core_hash(m.core);
	ck_assert_int_eq(core_apply(m.core, 10, &entry, NULL), 0);
	machine_end(&m);
}
END_TEST

START_TEST(outputs_may_go_nowhere)
{
	struct machine m;
	struct op op = machine_open_op(1, 1, 1, LONG);
	const struct entry entry = { .version = SEMANTICS_VERSION,
				     .ops = &op,
				     .ops_len = 1 };
	const struct output_sink nowhere = { NULL, NULL };

	machine_init(&m, 1);
	ck_assert_int_eq(core_apply(m.core, 1, &entry, &nowhere), 0);
	ck_assert_int_eq(core_apply(m.core, 2, &entry, NULL), 0);
	machine_end(&m);
}
END_TEST

START_TEST(limits_begin_with_their_first_values)
{
	struct machine m;

	machine_init(&m, 1);
#define X(name, first, least, greatest) \
	ck_assert_uint_eq(core_limits(m.core)->name, first);
	LIMITS(X)
#undef X
	machine_end(&m);
}
END_TEST

SUITE(counts_are_those_of_the_whole_cluster, a_hold_is_found_by_its_token,
      a_visit_stops_where_it_is_told, what_is_not_there_is_not_visited,
      locks_and_values_are_listed_oldest_first_after_a_restore_too,
      an_entry_that_can_not_be_poisons,
      the_hash_of_another_index_is_not_compared, outputs_may_go_nowhere,
      limits_begin_with_their_first_values)
