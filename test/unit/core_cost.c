/* What an operation costs, where lines are long: counted in steps along a line,
 * since a clock would count the neighbours' work too.
 *
 * The sources that walk along lines are part of this program, so that their
 * steps can be counted. */
#include "core/search.h"

#include "lib/machine.h"
#include "lib/suite.h"

static size_t walked;

static struct rank_node *count_next(const struct rank_node *n)
{
	walked++;
	return rank_next(n);
}

#define rank_next count_next
#include "core/convert.c"
#include "core/line.c"
#include "core/revoke.c"
#include "core/search.c"
#undef rank_next

#define LONG (1000 * SECOND)
#define FIRST_SEARCH 100000 /* the first value of limits.search */

enum { MANY = 1000 };

/* Sessions 1 to 3 of those nodes, and a line that is not checked after each
 * apply, which would take long. */
struct crowd {
	struct machine m;
	uint64_t s[4];
};

static void set_search(struct crowd *c, uint64_t steps)
{
	struct op op = { .kind = OP_LIMITS,
			 .node = 1,
			 .limits = *core_limits(c->m.core) };

	op.limits.search = steps;
	ck_assert_int_eq(machine_do(&c->m, &op), 0);
}

static void begin(struct crowd *c)
{
	machine_init(&c->m, 1);
	core_check_every(c->m.core, 0);
	for (uint64_t node = 1; node <= 3; node++)
		c->s[node] = machine_open(&c->m, node, LONG);
}

static void end(struct crowd *c)
{
	ck_assert_msg(core_check(c->m.core) == 0, "%s", core_error(c->m.core));
	machine_end(&c->m);
}

static int ask(struct crowd *c, uint64_t node, uint64_t owner, const char *name,
	       enum mode mode)
{
	struct op op =
		machine_acquire_op(&c->m, node, c->s[node], name, WAIT_FOREVER);

	op.low = op.seq;
	op.acquire.owner = owner;
	op.acquire.mode = mode;
	return machine_do(&c->m, &op);
}

/* Node 1 has a and b. MANY owners of node 2 wait to read a and to write b, whom
 * no search has looked at. Returns the token of a. */
static uint64_t fill(struct crowd *c)
{
	uint64_t token;

	begin(c);
	set_search(c, 0);
	ck_assert_int_eq(ask(c, 1, 0, "a", MODE_EXCLUSIVE), 0);
	token = c->m.answer.token;
	ck_assert_int_eq(ask(c, 1, 0, "b", MODE_EXCLUSIVE), 0);
	for (uint64_t owner = 1; owner <= MANY; owner++) {
		ck_assert_int_eq(ask(c, 2, owner, "a", MODE_SHARED),
				 STATUS_WAITING);
		ck_assert_int_eq(ask(c, 2, owner, "b", MODE_EXCLUSIVE),
				 STATUS_WAITING);
	}
	return token;
}

/* All get into a at once, and into b one by one; each of those changes a. */
START_TEST(a_search_passes_each_waiter_a_few_times)
{
	struct crowd c;

	fill(&c);
	set_search(&c, FIRST_SEARCH);
	ck_assert_int_eq(ask(&c, 3, 1, "a", MODE_SHARED), STATUS_WAITING);
	walked = 0;
	ck_assert_int_eq(ask(&c, 3, 1, "b", MODE_EXCLUSIVE), STATUS_WAITING);
	ck_assert_uint_ge(walked, MANY);
	ck_assert_uint_le(walked, 16 * MANY);
	end(&c);
}
END_TEST

START_TEST(a_search_ends_after_the_steps_that_it_may_take)
{
	static const uint64_t limits[] = { 1, 100, 1000, 3000, 5000 };
	struct crowd c;

	fill(&c);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		uint64_t owner = i + 1;

		set_search(&c, limits[i]);
		ck_assert_int_eq(ask(&c, 3, owner, "a", MODE_SHARED),
				 STATUS_WAITING);
		walked = 0;
		ck_assert_int_eq(ask(&c, 3, owner, "b", MODE_EXCLUSIVE),
				 STATUS_WAITING);
		ck_assert_uint_le(walked, limits[i] + 8);
	}
	end(&c);
}
END_TEST

/* They counted the same in the line (README, N13). */
START_TEST(letting_in_readers_who_wait_elsewhere_makes_no_search)
{
	struct crowd c;
	uint64_t token = fill(&c), searches;

	set_search(&c, FIRST_SEARCH);
	searches = c.m.core->searches;
	ck_assert_int_eq(machine_release(&c.m, 1, c.s[1], token), 0);
	ck_assert_uint_eq(machine_said_often(&c.m, OUTPUT_GRANTED), MANY);
	ck_assert_uint_eq(c.m.core->searches, searches);
	end(&c);
}
END_TEST

/* Node 1 has x; node 2 waits for it, MANY times. Returns the token. */
static uint64_t fill_line(struct crowd *c)
{
	uint64_t token;

	begin(c);
	ck_assert_int_eq(ask(c, 1, 0, "x", MODE_EXCLUSIVE), 0);
	token = c->m.answer.token;
	for (size_t i = 0; i < MANY; i++)
		ck_assert_int_eq(ask(c, 2, 0, "x", MODE_EXCLUSIVE),
				 STATUS_WAITING);
	return token;
}

static int hand_over(struct crowd *c, uint64_t token, uint64_t to)
{
	struct op op = machine_release_op(&c->m, 1, c->s[1], token);

	op.release.to = to;
	walked = 0;
	return machine_do(&c->m, &op);
}

START_TEST(a_hand_over_to_nobody_walks_along_no_long_line)
{
	struct crowd c;
	uint64_t token = fill_line(&c);

	ck_assert_int_eq(hand_over(&c, token, 9), HF_ENOCANDIDATE);
	ck_assert_uint_eq(walked, 0);
	ck_assert_int_eq(hand_over(&c, token, 3), HF_ENOCANDIDATE);
	ck_assert_uint_le(walked, 1);
	ck_assert_int_eq(ask(&c, 3, 0, "y", MODE_EXCLUSIVE), 0);
	ck_assert_int_eq(ask(&c, 3, 0, "y", MODE_EXCLUSIVE), STATUS_WAITING);
	ck_assert_int_eq(hand_over(&c, token, 3), HF_ENOCANDIDATE);
	ck_assert_uint_le(walked, 3);
	end(&c);
}
END_TEST

START_TEST(a_hand_over_to_the_last_in_a_long_line_finds_it_by_its_node)
{
	struct crowd c;
	uint64_t token = fill_line(&c);

	ck_assert_int_eq(ask(&c, 3, 0, "x", MODE_EXCLUSIVE), STATUS_WAITING);
	ck_assert_int_eq(hand_over(&c, token, 3), 0);
	ck_assert_uint_eq(machine_said(&c.m, OUTPUT_GRANTED)->session, c.s[3]);
	ck_assert_uint_le(walked, 3);
	end(&c);
}
END_TEST

static int set_limit(struct crowd *c, uint32_t limit)
{
	struct op op = { .kind = OP_PERMITS,
			 .node = 1,
			 .session = c->s[1],
			 .seq = ++c->m.seq[1],
			 .permits = { .name = (const uint8_t *)"x",
				      .name_len = 1,
				      .limit = limit } };

	return machine_do(&c->m, &op);
}

START_TEST(a_higher_limit_walks_along_no_long_line)
{
	struct crowd c;

	fill_line(&c);
	ck_assert_int_eq(set_limit(&c, 5), 0);
	walked = 0;
	ck_assert_int_eq(set_limit(&c, 6), 0);
	ck_assert_uint_le(walked, 1);
	end(&c);
}
END_TEST

/* For permits of x, of which there are MANY; to convert that hold, or 0. */
static int ask_permits(struct crowd *c, uint32_t permits, uint64_t from)
{
	struct op op = machine_acquire_op(&c->m, 1, c->s[1], "x", WAIT_FOREVER);

	op.low = op.seq;
	op.acquire.mode = MODE_PERMITS;
	op.acquire.permits = permits;
	op.acquire.limit = MANY;
	op.acquire.from = from;
	return machine_do(&c->m, &op);
}

/* All would have one permit more. The last one's wait ends. */
START_TEST(a_pass_looks_at_no_conversion_while_no_permit_is_free)
{
	struct crowd c;
	uint64_t tokens[MANY];

	begin(&c);
	set_search(&c, 0);
	for (size_t i = 0; i < MANY; i++) {
		ck_assert_int_eq(ask_permits(&c, 1, 0), 0);
		tokens[i] = c.m.answer.token;
	}
	for (size_t i = 0; i < MANY; i++)
		ck_assert_int_eq(ask_permits(&c, 2, tokens[i]), STATUS_WAITING);
	walked = 0;
	ck_assert_int_eq(machine_cancel(&c.m, 1, c.s[1], c.m.seq[1]),
			 HF_ECANCELED);
	ck_assert_uint_le(walked, 1);
	end(&c);
}
END_TEST

SUITE(a_search_passes_each_waiter_a_few_times,
      a_search_ends_after_the_steps_that_it_may_take,
      letting_in_readers_who_wait_elsewhere_makes_no_search,
      a_hand_over_to_nobody_walks_along_no_long_line,
      a_hand_over_to_the_last_in_a_long_line_finds_it_by_its_node,
      a_higher_limit_walks_along_no_long_line,
      a_pass_looks_at_no_conversion_while_no_permit_is_free)
