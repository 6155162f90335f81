/* How long a holder may believe in its lease, and what stops it where it is
 * wrong: rules that other lock services learnt the hard way. doc/lessons.md
 * lists them all; a test's number is its rule's. */
#include "lib/machine.h"
#include "lib/suite.h"
#include "node/lease.h"

#define TTL (10 * SECOND)
#define DRIFT_PPM 1000
#define MARGIN_US 500000

/* The holder's clocks at this real time; `wall` is anything. */
static struct clocks at(uint64_t real, uint64_t wall)
{
	return (struct clocks){
		.monotonic = real, .raw = real, .boottime = real, .wall = wall
	};
}

/* Renew at the cluster, and let the holder know what it has asked at `sent`. */
static void renew(struct machine *m, struct lease *l, uint64_t s,
		  const struct clocks *sent)
{
	const struct caution caution = { DRIFT_PPM, MARGIN_US };

	ck_assert_int_eq(machine_renew(m, 1, s), 0);
	lease_extend(l, sent, m->answer.stamp, m->answer.deadline, caution);
}

static bool lives(const struct machine *m, uint64_t s)
{
	struct record r;

	return core_session(m->core, s, &r);
}

START_TEST(lesson_01_only_the_token_stops_who_woke_too_late)
{
	struct machine m;
	struct hf_guard resource = { 0 };

	machine_init(&m, 1);
	uint64_t late = machine_open(&m, 1, TTL);
	ck_assert_int_eq(machine_acquire(&m, 1, late, "a", 0), 0);
	uint64_t old = m.answer.token;
	ck_assert_int_eq(hf_guard_check(&resource, HF_EXCLUSIVE, old), 0);
	/* It looks, finds that it holds, and is stopped before it writes. */
	machine_pass(&m, TTL);
	uint64_t s = machine_open(&m, 2, TTL);
	ck_assert_int_eq(machine_acquire(&m, 2, s, "a", 0), 0);
	uint64_t new = m.answer.token;
	ck_assert_int_eq(hf_guard_check(&resource, HF_EXCLUSIVE, new), 0);
	ck_assert_int_eq(hf_guard_check(&resource, HF_EXCLUSIVE, old),
			 HF_EFENCED);
	ck_assert_int_eq(hf_guard_check(&resource, HF_SHARED, old), HF_EFENCED);
	ck_assert_int_eq(hf_guard_check(&resource, HF_EXCLUSIVE, new), 0);
	machine_end(&m);
}
END_TEST

/* The answer takes four seconds to come: the lease runs from the question. */
START_TEST(lesson_05_a_lease_counts_from_before_the_question_was_sent)
{
	struct machine m;
	struct lease l = { 0 };
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, TTL);
	lease_begin(&l, s);
	machine_pass(&m, 2 * SECOND);
	struct clocks sent = at(7 * SECOND, 0);
	renew(&m, &l, s, &sent);
	struct clocks now = at(11 * SECOND, 0);
	ck_assert_uint_le(lease_left(&l, s, &now), TTL - 4 * SECOND);
	/* When it ends for the holder it lives in the cluster. */
	now = at(7 * SECOND + TTL - MARGIN_US, 0);
	ck_assert_uint_eq(lease_left(&l, s, &now), 0);
	machine_pass(&m, TTL - MARGIN_US);
	ck_assert(lives(&m, s));
	machine_end(&m);
}
END_TEST

/* A clock that stands still in a suspend, or that somebody slews, doesn't make
 * a lease longer. */
START_TEST(lesson_05_a_suspend_uses_up_a_lease)
{
	struct machine m;
	struct lease l = { 0 };
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, TTL);
	lease_begin(&l, s);
	struct clocks sent = at(SECOND, 0);
	renew(&m, &l, s, &sent);
	struct clocks awake = sent;
	awake.boottime += TTL;
	ck_assert_uint_eq(lease_left(&l, s, &awake), 0);
	struct clocks slewed = sent;
	slewed.raw += TTL;
	ck_assert_uint_eq(lease_left(&l, s, &slewed), 0);
	machine_end(&m);
}
END_TEST

/* Wall clocks of two machines are years apart, and jump. */
START_TEST(lesson_05_wall_clocks_decide_nothing)
{
	const uint64_t year = 365 * 86400 * SECOND;
	struct machine m;
	struct lease l = { 0 };
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, TTL);
	lease_begin(&l, s);
	struct clocks sent = at(SECOND, 50 * year);
	renew(&m, &l, s, &sent);
	for (uint64_t wall = 0; wall < 100 * year; wall += 10 * year) {
		struct entry entry = { .version = SEMANTICS_VERSION,
				       .stamp = m.now,
				       .wall = wall };
		struct clocks now = at(2 * SECOND, wall);

		ck_assert_int_eq(machine_feed(&m, m.index + 1, &entry), 0);
		ck_assert(lives(&m, s));
		ck_assert_uint_gt(lease_left(&l, s, &now), TTL / 2);
	}
	machine_end(&m);
}
END_TEST

SUITE(lesson_01_only_the_token_stops_who_woke_too_late,
      lesson_05_a_lease_counts_from_before_the_question_was_sent,
      lesson_05_a_suspend_uses_up_a_lease, lesson_05_wall_clocks_decide_nothing)
