/* The simulator's own rule of admission, and its search for deadlocks, find
 * what they are for: each with one thing wrong. */
#include "lib/suite.h"
#include "sim/lib/tangle.h"

#include <string.h>

/* Lock 0 has no limit, lock 1 is a semaphore of three, lock 2 a barrier. */
struct scene {
	struct lines lines;
	struct line_piece pieces[16];
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){ .lines = { .pieces = s->pieces, .locks_len = 3 } };
	s->lines.locks[1].limit = 3;
	s->lines.locks[2].barrier = true;
}

/* Pieces come in the order of their locks, holders before waiters. */
static struct line_piece *add(struct scene *s, unsigned lock, uint64_t token,
			      uint64_t place, enum mode mode)
{
	struct line_lock *l = &s->lines.locks[lock];
	struct line_piece *p = &s->pieces[s->lines.len];

	if (!l->len++)
		l->first = s->lines.len;
	s->lines.len++;
	*p = (struct line_piece){ .session = 1,
				  .seq = place,
				  .owner = place,
				  .place = place,
				  .token = token,
				  .mode = mode,
				  .permits = mode == MODE_PERMITS ? 2 : 0,
				  .parts = 1,
				  .lock = lock };
	return p;
}

static bool settled(const struct scene *s)
{
	return !lines_settled(&s->lines).checker;
}

START_TEST(who_could_go_in_and_still_waits_is_found)
{
	struct scene s;

	scene_init(&s);
	add(&s, 0, 5, 1, MODE_SHARED);
	add(&s, 0, 0, 2, MODE_EXCLUSIVE);
	add(&s, 0, 0, 3, MODE_SHARED); /* behind it */
	ck_assert(settled(&s));
	s.pieces[2].priority = 1;
	ck_assert_str_eq(lines_settled(&s.lines).checker, "line");
	s.pieces[2].priority = 0;
	s.pieces[1].from = 5; /* its own hold isn't in its way */
	ck_assert(!settled(&s));
	s.lines.locks[0].delayed = true;
	ck_assert(settled(&s));
}
END_TEST

START_TEST(permits_count_for_shared_holds_too)
{
	struct scene s;

	scene_init(&s);
	add(&s, 1, 5, 1, MODE_PERMITS);
	add(&s, 1, 6, 2, MODE_SHARED);
	add(&s, 1, 0, 3, MODE_SHARED);
	ck_assert(settled(&s));
	s.lines.locks[1].limit = 4;
	ck_assert(!settled(&s));
}
END_TEST

START_TEST(a_waiter_for_several_locks_must_fit_in_all)
{
	struct scene s;

	scene_init(&s);
	add(&s, 0, 0, 2, MODE_EXCLUSIVE)->parts = 2;
	add(&s, 1, 5, 1, MODE_PERMITS);
	add(&s, 1, 0, 2, MODE_EXCLUSIVE)->parts = 2;
	ck_assert(settled(&s));
	s.pieces[1].place = 1;
	s.pieces[1].mode = MODE_EXCLUSIVE;
	ck_assert(settled(&s));
	s.lines.locks[1] = (struct line_lock){ .first = 2, .len = 1 };
	ck_assert(!settled(&s));
}
END_TEST

static uint64_t no_conversion(void *ctx, const struct line_piece *piece)
{
	(void)piece;
	return *(const uint64_t *)ctx;
}

static bool granted(const struct scene *s, uint64_t arrivals, uint64_t from)
{
	struct lines before = { .arrivals = arrivals };
	struct entry entry = { 0 };
	struct grants g = { .before = &before,
			    .now = &s->lines,
			    .index = 9,
			    .entry = &entry,
			    .converted = no_conversion,
			    .ctx = &from };

	before.locks[1].limit = 3;
	return !lines_granted(&g).checker;
}

START_TEST(who_takes_something_from_somebody_before_is_found)
{
	struct scene s;

	scene_init(&s);
	add(&s, 0, 6, 3, MODE_SHARED)->index = 9;
	add(&s, 0, 0, 2, MODE_EXCLUSIVE);
	ck_assert(!granted(&s, 3, 0));
	ck_assert(granted(&s, 1, 0)); /* that one came later in the entry */
	ck_assert(granted(&s, 3, 5)); /* it has converted */
	s.pieces[0].priority = 1;
	ck_assert(granted(&s, 3, 0));
	s.pieces[1].from = 4; /* conversions go first */
	ck_assert(!granted(&s, 3, 0));
}
END_TEST

START_TEST(who_doesnt_fit_beside_the_holders_is_found)
{
	struct scene s;

	scene_init(&s);
	add(&s, 0, 5, 1, MODE_SHARED);
	add(&s, 0, 6, 2, MODE_EXCLUSIVE)->index = 9;
	ck_assert(!granted(&s, 2, 0));
	scene_init(&s);
	add(&s, 1, 5, 1, MODE_PERMITS);
	add(&s, 1, 6, 2, MODE_PERMITS)->index = 9;
	ck_assert(!granted(&s, 2, 0));
	s.pieces[1].permits = 1;
	ck_assert(granted(&s, 2, 0));
}
END_TEST

/* Two owners, each of whom holds a lock and waits for the other's. */
static void ring(struct scene *s)
{
	scene_init(s);
	s->lines.locks[1].limit = 0;
	add(s, 0, 5, 1, MODE_EXCLUSIVE)->owner = 1;
	add(s, 0, 0, 4, MODE_EXCLUSIVE)->owner = 2;
	add(s, 1, 6, 2, MODE_EXCLUSIVE)->owner = 2;
	add(s, 1, 0, 3, MODE_EXCLUSIVE)->owner = 1;
}

START_TEST(a_deadlock_of_which_nobody_was_told_is_found)
{
	struct scene s;

	ring(&s);
	ck_assert_str_eq(tangle_left(&s.lines).checker, "deadlock");
	s.pieces[3].owner = 3; /* others, who give up what they hold */
	ck_assert_ptr_null(tangle_left(&s.lines).checker);
}
END_TEST

START_TEST(a_false_alarm_is_found)
{
	struct scene s;
	struct line_piece refused;

	ring(&s);
	refused = s.pieces[3];
	s.lines.len--;
	s.lines.locks[1].len--;
	ck_assert_ptr_null(tangle_refused(&s.lines, &refused, 1).checker);
	s.lines.locks[1].limit = 3;
	s.pieces[2].mode = MODE_PERMITS;
	refused.mode = MODE_PERMITS;
	s.pieces[2].permits = refused.permits = 1; /* there are free ones */
	ck_assert_str_eq(tangle_refused(&s.lines, &refused, 1).checker,
			 "deadlock");
}
END_TEST

START_TEST(two_upgraders_are_a_deadlock_and_one_is_none)
{
	struct scene s;
	struct line_piece second;

	scene_init(&s);
	add(&s, 0, 5, 1, MODE_SHARED)->owner = 1;
	add(&s, 0, 6, 2, MODE_SHARED)->owner = 2;
	second = s.pieces[1];
	second.token = 0;
	second.from = 6;
	second.place = UINT64_MAX;
	second.mode = MODE_EXCLUSIVE;
	ck_assert_str_eq(tangle_refused(&s.lines, &second, 1).checker,
			 "deadlock");
	add(&s, 0, 0, 3, MODE_EXCLUSIVE)->owner = 1;
	s.pieces[2].from = 5;
	ck_assert_ptr_null(tangle_refused(&s.lines, &second, 1).checker);
}
END_TEST

START_TEST(a_limit_refused_without_a_deadlock_is_found)
{
	struct scene s;

	ring(&s);
	s.lines.locks[1].limit = 3;
	s.pieces[2].mode = s.pieces[3].mode = MODE_PERMITS;
	s.pieces[2].permits = s.pieces[3].permits = 1;
	ck_assert_ptr_null(tangle_limited(&s.lines, 1, 1).checker);
	ck_assert_str_eq(tangle_limited(&s.lines, 1, 2).checker, "deadlock");
}
END_TEST

SUITE(who_could_go_in_and_still_waits_is_found,
      permits_count_for_shared_holds_too,
      a_waiter_for_several_locks_must_fit_in_all,
      who_takes_something_from_somebody_before_is_found,
      who_doesnt_fit_beside_the_holders_is_found,
      a_deadlock_of_which_nobody_was_told_is_found, a_false_alarm_is_found,
      two_upgraders_are_a_deadlock_and_one_is_none,
      a_limit_refused_without_a_deadlock_is_found)
