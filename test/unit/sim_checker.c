/* The simulator's checkers find what they are for: legal histories pass, and
 * each with one thing wrong in it doesn't. */
#include "lib/suite.h"
#include "sim/lib/belief.h"
#include "sim/lib/dice.h"
#include "sim/lib/oracle.h"
#include "sim/lib/reigns.h"

#include <stdlib.h>

#define NAMES 3
#define HOLDS 900

/* Lock 0 is exclusive, 1 exclusive and shared, 2 a semaphore of two. */
static void legal_hold(struct history *h, struct random *r, unsigned name,
		       uint64_t token, uint64_t *free_at)
{
	struct hold_record *x = history_add(h);
	uint64_t from = *free_at + 1 + random_below(r, 50);
	uint64_t to = from + 1 + random_below(r, 100);

	x->name = name;
	x->token = token;
	x->session = 1 + random_below(r, 5);
	x->mode = name == 2 ? HF_PERMITS : HF_EXCLUSIVE;
	x->permits = name == 2 ? 2 : 0;
	x->limit = name == 2 ? 2 : 0;
	x->called = from - random_below(r, from < 500 ? from : 500);
	x->granted = from + random_below(r, to - from);
	x->release_called = to;
	x->release_confirmed = to + random_below(r, 30);
	x->held_until = x->granted;
	*free_at = to;
	if (random_below(r, 10))
		return;
	x->release_confirmed = NEVER; /* it expired */
	x->held_until = dice_between(r, x->granted, to);
}

static void legal(struct history *h)
{
	struct random r = { 7 };
	uint64_t free_at[NAMES] = { 0 };

	*h = (struct history){ 0 };
	for (uint64_t token = 1; token <= HOLDS; token++) {
		unsigned name = (unsigned)random_below(&r, NAMES);
		legal_hold(h, &r, name, token, &free_at[name]);
	}
}

static const char *check(struct history *h)
{
	const struct hold_record *at;
	const char *wrong = history_check(h, NAMES, &at);

	history_free(h);
	return wrong;
}

/* The n-th of a lock, of those in the middle of the history. */
static struct hold_record *pick(struct history *h, unsigned name, size_t n)
{
	for (size_t i = h->len / 2; i < h->len; i++)
		if (h->records[i]->name == name && n-- == 0)
			return h->records[i];
	abort();
}

START_TEST(a_legal_history_passes)
{
	struct history h;

	legal(&h);
	ck_assert_ptr_null(check(&h));
}
END_TEST

START_TEST(a_token_given_twice_is_found)
{
	struct history h;

	legal(&h);
	pick(&h, 0, 1)->token = pick(&h, 1, 0)->token;
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

START_TEST(a_token_that_falls_is_found)
{
	struct history h;
	uint64_t token;

	legal(&h);
	token = pick(&h, 0, 0)->token;
	pick(&h, 0, 0)->token = pick(&h, 0, 8)->token;
	pick(&h, 0, 8)->token = token;
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

START_TEST(overlapping_exclusive_holds_are_found)
{
	struct history h;
	struct hold_record *x;

	legal(&h);
	x = pick(&h, 0, 0);
	x->release_confirmed = NEVER;
	x->held_until = pick(&h, 0, 1)->granted + 1;
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

START_TEST(an_end_at_the_next_grant_is_no_overlap)
{
	struct history h;
	struct hold_record *x;

	legal(&h);
	x = pick(&h, 0, 0);
	x->release_confirmed = NEVER;
	x->held_until = pick(&h, 0, 1)->granted;
	ck_assert_ptr_null(check(&h));
}
END_TEST

START_TEST(shared_holds_overlap_but_not_with_an_exclusive_one)
{
	struct history h;
	struct hold_record *x, *y;

	legal(&h);
	x = pick(&h, 1, 0);
	y = pick(&h, 1, 1);
	x->mode = y->mode = HF_SHARED;
	x->release_confirmed = NEVER;
	x->held_until = y->granted + 1;
	ck_assert_ptr_null(check(&h));
	legal(&h);
	x = pick(&h, 1, 0);
	x->mode = HF_SHARED;
	x->release_confirmed = NEVER;
	x->held_until = pick(&h, 1, 1)->granted + 1;
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

START_TEST(permits_above_the_limit_are_found)
{
	struct history h;
	struct hold_record *x;

	legal(&h);
	x = pick(&h, 2, 0);
	x->permits = 1;
	pick(&h, 2, 1)->permits = 1;
	x->release_confirmed = NEVER;
	x->held_until = pick(&h, 2, 1)->granted + 1;
	ck_assert_ptr_null(check(&h));
	legal(&h);
	x = pick(&h, 2, 0);
	x->release_confirmed = NEVER;
	x->held_until = pick(&h, 2, 1)->granted + 1;
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

START_TEST(a_confirmed_release_reaches_to_its_call)
{
	struct history h;
	struct hold_record *x;

	legal(&h);
	x = pick(&h, 0, 0);
	x->release_called = pick(&h, 0, 1)->granted + 1;
	x->release_confirmed = x->release_called + 1;
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

START_TEST(a_hold_after_its_confirmed_release_is_found)
{
	struct history h;

	legal(&h);
	struct hold_record *x = pick(&h, 0, 0);
	x->release_called = x->release_confirmed = x->granted;
	x->held_until = x->granted;
	ck_assert_ptr_null(check(&h));
	legal(&h);
	x = pick(&h, 0, 0);
	x->release_called = x->release_confirmed = x->granted;
	x->held_until = x->granted + 1; /* it was validated since */
	ck_assert_ptr_nonnull(check(&h));
}
END_TEST

static uint64_t certain(void *ctx, const struct belief *b)
{
	(void)ctx;
	return *(const uint64_t *)b->holder;
}

START_TEST(two_certain_beliefs_conflict_and_one_that_isnt_certain_does_not)
{
	struct list name;
	uint64_t left[] = { 5, 5 };
	struct hold_record r[] = { { .token = 1 }, { .token = 2 } };
	struct belief b[] = { { .record = &r[0], .holder = &left[0] },
			      { .record = &r[1], .holder = &left[1] } };

	list_init(&name);
	beliefs_begin(&name, &b[0]);
	beliefs_begin(&name, &b[1]);
	ck_assert_ptr_eq(beliefs_conflict(&name, &b[1], certain, NULL), &b[0]);
	left[0] = 0;
	ck_assert_ptr_null(beliefs_conflict(&name, &b[1], certain, NULL));
	left[0] = 5;
	b[0].mode = b[1].mode = HF_SHARED;
	ck_assert_ptr_null(beliefs_conflict(&name, &b[1], certain, NULL));
	b[0].mode = HF_EXCLUSIVE;
	beliefs_end(&b[0]);
	ck_assert_ptr_null(beliefs_conflict(&name, &b[1], certain, NULL));
}
END_TEST

/* An entry as a leader writes it, on this disk. */
static void write_entry(struct vdisk *d, uint64_t stamp)
{
	struct entry head = { .version = SEMANTICS_VERSION,
			      .stamp = stamp,
			      .proposer = 1,
			      .term = 1,
			      .serial = d->len + 1 };
	struct disk_entry e = { .term = 1,
				.type = RAFT_COMMAND,
				.len = entry_bytes(0) };

	e.bytes = malloc(e.len);
	ck_assert_ptr_nonnull(e.bytes);
	entry_encode(e.bytes, &head, NULL, 0);
	if (d->len == 0)
		d->first = 1;
	vdisk_append(d, &e);
}

START_TEST(an_entry_that_no_majority_has_is_found)
{
	struct vdisk d[3] = { 0 }, *disks[] = { &d[0], &d[1], &d[2] };
	struct oracle o;

	oracle_init(&o);
	write_entry(&d[0], 10);
	write_entry(&d[1], 20);
	ck_assert_str_eq(oracle_follow(&o, disks, 3, 1, 0).checker, "oracle");
	oracle_free(&o);
	for (int i = 0; i < 3; i++)
		vdisk_free(&d[i]);
}
END_TEST

START_TEST(a_state_that_differs_is_found)
{
	struct vdisk d[3] = { 0 }, *disks[] = { &d[0], &d[1], &d[2] };
	struct oracle o;

	oracle_init(&o);
	write_entry(&d[0], 10);
	write_entry(&d[2], 10);
	ck_assert_str_eq(oracle_follow(&o, disks, 3, 1, 12345).checker, "hash");
	ck_assert_ptr_null(
		oracle_follow(&o, disks, 3, 1, core_hash(o.core)).checker);
	oracle_free(&o);
	for (int i = 0; i < 3; i++)
		vdisk_free(&d[i]);
}
END_TEST

/* Three leaders in a row, each after `apart` of the one before. */
static uint64_t runs(uint64_t apart, uint64_t expired)
{
	struct counters counters = { 0 };
	struct reigns r = { 0 };

	for (unsigned i = 0; i < 4; i++)
		reigns_next(&r, &counters, i % 2 + 1, i + 1, 1000 + apart * i,
			    i < 2 ? 0 : expired, 1000);
	return counters.three_leaders;
}

START_TEST(a_run_of_three_leaders_is_brief_and_lets_nothing_expire)
{
	ck_assert_uint_eq(runs(999, 0), 1);
	ck_assert_uint_eq(runs(1000, 0), 0);
	ck_assert_uint_eq(runs(999, 1), 0);
}
END_TEST

SUITE(a_legal_history_passes, a_token_given_twice_is_found,
      a_token_that_falls_is_found, overlapping_exclusive_holds_are_found,
      an_end_at_the_next_grant_is_no_overlap,
      shared_holds_overlap_but_not_with_an_exclusive_one,
      permits_above_the_limit_are_found,
      a_confirmed_release_reaches_to_its_call,
      a_hold_after_its_confirmed_release_is_found,
      two_certain_beliefs_conflict_and_one_that_isnt_certain_does_not,
      an_entry_that_no_majority_has_is_found, a_state_that_differs_is_found,
      a_run_of_three_leaders_is_brief_and_lets_nothing_expire)
