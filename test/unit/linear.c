/* The two checkers of histories share no reasoning, and must agree: on legal
 * histories of any shape, and on those with one to three things changed, many
 * of which are legal still. */
#include "lib/linear.h"
#include "lib/random.h"
#include "lib/suite.h"

#include <stdlib.h>

#define HISTORIES 20000
#define HOLDS_MAX 6
#define LIMIT 3

struct maker {
	struct random *random;
	struct history history;
	unsigned kind; /* 0: exclusive; 1: shared, too; 2: permits */
	uint64_t now;
	struct hold_record *held[HOLDS_MAX];
	size_t held_len;
};

static uint64_t below(struct maker *m, uint64_t n)
{
	return random_below(m->random, n);
}

static uint64_t between(struct maker *m, uint64_t lo, uint64_t hi)
{
	return lo + below(m, hi - lo + 1);
}

static bool admissible(const struct maker *m, const struct hold_record *r)
{
	uint64_t used = r->permits;

	for (size_t i = 0; i < m->held_len; i++) {
		if (modes_conflict(m->held[i], r))
			return false;
		used += m->held[i]->permits;
	}
	return m->kind < 2 || used <= LIMIT;
}

/* The times of its grant and its end are known: let less of it be known. */
static void blur(struct maker *m, struct hold_record *r, uint64_t granted,
		 uint64_t ended)
{
	r->called = granted - below(m, 10);
	r->granted = between(m, granted, ended);
	r->release_called = between(m, r->granted, ended);
	r->release_confirmed = ended + below(m, 10);
	if (below(m, 2))
		r->held_until = between(m, r->granted, r->release_called);
	if (below(m, 4))
		return;
	r->release_confirmed = NEVER;
	r->held_until = below(m, 4) ? between(m, granted, ended) : 0;
}

static void end_one(struct maker *m)
{
	size_t i = below(m, m->held_len);

	blur(m, m->held[i], m->held[i]->granted, m->now);
	m->held[i] = m->held[--m->held_len];
}

static void grant_one(struct maker *m)
{
	struct hold_record r = { .token = m->history.len + 1,
				 .granted = m->now };

	if (m->kind == 1 && below(m, 3))
		r.mode = HF_SHARED;
	if (m->kind == 2) {
		r.mode = HF_PERMITS;
		r.permits = (uint32_t)between(m, 1, LIMIT);
		r.limit = LIMIT;
	}
	r.release_confirmed = NEVER;
	if (!admissible(m, &r))
		return;
	m->held[m->held_len] = history_add(&m->history);
	*m->held[m->held_len++] = r;
}

/* A lock's life as it may be, in steps of little time. */
static struct history legal(struct random *random)
{
	struct maker m = { .random = random, .now = 100 };

	size_t len = between(&m, 1, HOLDS_MAX);
	m.kind = (unsigned)below(&m, 3);
	while (m.history.len < len || m.held_len) {
		m.now += below(&m, 4);
		if (m.held_len && (m.history.len == len || below(&m, 2)))
			end_one(&m);
		else if (m.history.len < len)
			grant_one(&m);
	}
	return m.history;
}

static void change_time(struct random *random, uint64_t *time)
{
	if (*time != NEVER)
		*time += 12 - random_below(random, 25);
}

static void change(struct random *random, struct history *h)
{
	struct hold_record *r = h->records[random_below(random, h->len)];
	struct hold_record *other = h->records[random_below(random, h->len)];
	uint64_t token = r->token;

	switch (random_below(random, 9)) {
	case 0:
		r->token = other->token;
		other->token = token;
		break;
	case 1:
		r->token = other->token;
		break;
	case 2:
		change_time(random, &r->called);
		break;
	case 3:
		change_time(random, &r->granted);
		break;
	case 4:
		change_time(random, &r->release_called);
		break;
	case 5:
		change_time(random, &r->release_confirmed);
		break;
	case 6:
		change_time(random, &r->held_until);
		break;
	case 7:
		r->mode = r->mode == HF_SHARED ? HF_EXCLUSIVE : HF_SHARED;
		break;
	default:
		r->permits++;
	}
}

/* What both say; and let the history go. */
static bool both_accept(struct history *h)
{
	const struct hold_record *at;
	const char *wrong = history_check(h, 1, &at);
	enum linear_verdict verdict = linear_check(h->records, h->len);

	ck_assert_int_ne(verdict, LINEAR_TIRED);
	ck_assert_int_eq(wrong == NULL, verdict == LINEAR_LEGAL);
	history_free(h);
	return wrong == NULL;
}

START_TEST(both_accept_legal_histories)
{
	struct random r = { 1 };

	for (int i = 0; i < HISTORIES; i++) {
		struct history h = legal(&r);
		ck_assert(both_accept(&h));
	}
}
END_TEST

START_TEST(both_agree_on_changed_histories)
{
	struct random r = { 2 };
	int accepted = 0;

	for (int i = 0; i < HISTORIES; i++) {
		struct history h = legal(&r);
		for (uint64_t n = 1 + random_below(&r, 3); n; n--)
			change(&r, &h);
		accepted += both_accept(&h);
	}
	ck_assert_int_gt(accepted, HISTORIES / 10);
	ck_assert_int_lt(accepted, HISTORIES * 9 / 10);
}
END_TEST

/* Sixteen shared holds at one time and an exclusive one in the midst: so many
 * orders are wrong that the search gives up. */
START_TEST(a_search_ends)
{
	struct history h = { 0 };
	const struct hold_record *at;

	for (unsigned i = 0; i < LINEAR_HOLDS_MAX; i++) {
		struct hold_record *r = history_add(&h);
		r->mode = i == 16 ? HF_EXCLUSIVE : HF_SHARED;
		r->token = i + 1;
		r->granted = r->held_until = 100;
		r->called = i == 31 ? 100 : 0;
	}
	h.records[16]->held_until = 101;
	ck_assert_int_ne(linear_check(h.records, h.len), LINEAR_LEGAL);
	ck_assert_ptr_nonnull(history_check(&h, 1, &at));
	history_free(&h);
}
END_TEST

START_TEST(long_histories_are_looked_at_in_windows)
{
	struct history h = { 0 };
	const struct hold_record *at;
	uint64_t windows = 0;

	for (unsigned i = 0; i < 100; i++) {
		struct hold_record *r = history_add(&h);
		r->name = i % 2;
		r->token = i + 1;
		r->called = r->granted = r->held_until = 10 * i + 10;
	}
	ck_assert(linear_check_windows(&h, 2, &windows, &at));
	ck_assert_uint_gt(windows, 10);
	h.records[71]->held_until = 900;
	ck_assert(!linear_check_windows(&h, 2, &windows, &at));
	ck_assert_uint_eq(at->name, 1);
	history_free(&h);
}
END_TEST

SUITE(both_accept_legal_histories, both_agree_on_changed_histories,
      a_search_ends, long_histories_are_looked_at_in_windows)
