/* Rules about leaders and time that other lock services learnt the hard way, on
 * a group of three in virtual time. doc/lessons.md lists them all; a test's
 * number is its rule's. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#include <string.h>

#define SECOND UINT64_C(1000000)
#define TTL (5 * SECOND)
#define DELAY (2 * SECOND)
#define ELECTION SECOND       /* at most, with the default timeout */
#define ANSWERED (SECOND / 2) /* also a renewal that waits for company */

static const struct repl_config plain = { .check_every = 64 };

static struct fake_member *begin(struct fake *f)
{
	fake_init(f, 3, &plain);
	fake_start_all(f);
	struct fake_member *m = fake_elect(f);
	ck_assert_ptr_nonnull(m);
	return m;
}

static bool lives(const struct fake_member *m, uint64_t session)
{
	struct record r;

	return core_session(repl_core(m->repl), session, &r);
}

static uint64_t deadline(const struct fake_member *m, uint64_t session)
{
	struct record r;

	ck_assert(core_session(repl_core(m->repl), session, &r));
	return r.session.deadline;
}

static void isolate_all(struct fake *f, bool cut)
{
	for (uint64_t id = 1; id <= 3; id++)
		fake_isolate(f, id, cut);
}

static void acquire(struct fake_member *m, uint64_t node, uint64_t session,
		    uint64_t delay)
{
	struct op op = { .kind = OP_ACQUIRE,
			 .node = node,
			 .session = session,
			 .seq = 1,
			 .acquire = { .name = (const uint8_t *)"a",
				      .name_len = 1,
				      .wait = WAIT_FOREVER,
				      .delay = delay } };
	struct buf b = { 0 };

	op_encode(&b, &op);
	ck_assert_int_eq(repl_submit(m->repl, &op, b.base, b.len), 0);
	buf_free(&b);
	m->wake = m->fake->now;
	fake_run(m->fake, 10000);
}

/* The leader is cut off until there is another. */
static void change_leader(struct fake *f)
{
	struct fake_member *m = fake_elect(f);

	fake_isolate(f, m->id, true);
	fake_run(f, SECOND / 2);
	ck_assert_ptr_nonnull(fake_elect(f));
	fake_isolate(f, m->id, false);
}

/* The holder is silent from now on: how long until the next in line has it? The
 * leader changes so often meanwhile, each time just before the lease is over.
 */
static uint64_t silence(struct fake *f, int changes)
{
	uint64_t began = f->now, changed = began;
	const struct output *o = NULL;

	while (!o && f->now < began + 60 * SECOND) {
		if (changes > 0 && f->now > changed + TTL * 9 / 10) {
			changes--;
			change_leader(f);
			changed = f->now;
		}
		o = fake_last(fake_elect(f), OUTPUT_GRANTED, 0);
		fake_run(f, 10000);
	}
	ck_assert(o && o->node == 2);
	return f->now - began;
}

/* TTL + election + 1 s + lock delay; doc/guarantees.md publishes it. */
START_TEST(lesson_06_a_failure_is_noticed_between_the_ttl_and_its_bound)
{
	for (int changes = 0; changes < 3; changes++) {
		struct fake f;
		struct fake_member *m = begin(&f);

		ck_assert_uint_eq(fake_session(&f, 1, TTL), 1);
		ck_assert_uint_eq(fake_session(&f, 2, 10 * TTL), 2);
		acquire(m, 1, 1, DELAY);
		acquire(m, 2, 2, 0);
		fake_renew(m, 1, 1);
		uint64_t took = silence(&f, changes);
		ck_assert_uint_ge(took, TTL + DELAY);
		ck_assert_uint_le(took, TTL + DELAY + SECOND +
						(uint64_t)changes *
							(SECOND + ELECTION));
		fake_free(&f);
	}
}
END_TEST

START_TEST(lesson_07_a_new_leader_ends_nothing_that_it_could_not_hear)
{
	struct fake f;
	struct fake_member *m = begin(&f);
	uint64_t session = fake_session(&f, 1, TTL);

	/* Three times in a row nobody leads for longer than the lease, */
	for (int i = 0; i < 3; i++) {
		isolate_all(&f, true);
		fake_run(&f, 3 * TTL);
		isolate_all(&f, false);
		m = fake_elect(&f);
		ck_assert_ptr_nonnull(m);
		fake_run(&f, SECOND / 2);
		ck_assert(lives(m, session));
		ck_assert_int_eq(fake_renew(m, 1, session), 0);
		fake_run(&f, ANSWERED);
		const struct output *o = fake_last(m, OUTPUT_ANSWER, OP_RENEW);
		ck_assert(o && o->status == 0);
	}
	/* and then all are down for a minute. */
	ck_assert(fake_settle(&f));
	for (uint64_t id = 1; id <= 3; id++)
		fake_crash(&f, id);
	fake_run(&f, 60 * SECOND);
	fake_start_all(&f);
	m = fake_elect(&f);
	fake_run(&f, SECOND / 2);
	ck_assert(lives(m, session));
	fake_free(&f);
}
END_TEST

START_TEST(lesson_07_elections_do_not_refresh_a_lease)
{
	struct fake f;
	uint64_t session;

	begin(&f);
	session = fake_session(&f, 1, TTL);
	/* No leadership lasts as long as the lease. */
	for (int i = 0; i < 8; i++) {
		fake_run(&f, SECOND * 6 / 5);
		change_leader(&f);
	}
	ck_assert(!lives(fake_elect(&f), session));
	fake_free(&f);
}
END_TEST

START_TEST(lesson_08_a_stale_leader_ends_and_renews_nothing)
{
	struct fake f;
	struct fake_member *old = begin(&f), *m;
	uint64_t session = fake_session(&f, 1, TTL), until;

	/* It is stopped for longer than the lease, which others renew. */
	fake_pause(&f, old->id, 3 * TTL);
	fake_run(&f, 2 * SECOND);
	m = fake_elect(&f);
	ck_assert_ptr_ne(m, old);
	while (f.now + SECOND < old->paused_until) {
		ck_assert_int_eq(fake_renew(m, 1, session), 0);
		fake_run(&f, ANSWERED);
	}
	/* It wakes, believes that it leads, finds the lease over by its own
	 * clock, and a renewal of somebody who still believes so, too. */
	ck_assert(repl_serving(old->repl));
	until = deadline(m, session);
	size_t said = old->outputs_len;
	ck_assert_int_eq(fake_renew(old, 1, session), 0);
	fake_run(&f, 2 * SECOND);
	ck_assert(!repl_serving(old->repl));
	ck_assert_uint_eq(old->outputs_len, said);
	ck_assert(lives(m, session));
	ck_assert_uint_eq(deadline(m, session), until);
	ck_assert(fake_settle(&f));
	ck_assert(lives(old, session));
	fake_free(&f);
}
END_TEST

struct reading {
	struct repl_read read;
	int rc;
};

static void was_read(struct repl_read *read, int rc)
{
	container_of(read, struct reading, read)->rc = rc;
}

START_TEST(lesson_09_an_isolated_leader_leads_and_answers_nobody)
{
	struct fake f;
	struct fake_member *old = begin(&f);
	uint64_t session = fake_session(&f, 1, 10 * TTL);
	struct reading r = { .read.cb = was_read, .rc = 1 };
	struct counts counts;

	fake_isolate(&f, old->id, true);
	size_t said = old->outputs_len;
	/* A request and a read that it took before it knew. */
	acquire(old, 1, session, 0);
	repl_read(old->repl, &r.read);
	old->wake = f.now;
	fake_run(&f, 2 * SECOND);
	ck_assert(!repl_serving(old->repl));
	ck_assert_int_eq(r.rc, HF_ENOLEADER);
	ck_assert_int_eq(fake_renew(old, 1, session), HF_ENOLEADER);
	ck_assert_uint_eq(old->outputs_len, said);
	/* Nor does what it took come true later. */
	fake_isolate(&f, old->id, false);
	fake_run(&f, SECOND);
	ck_assert(fake_settle(&f));
	core_counts(repl_core(old->repl), &counts);
	ck_assert_uint_eq(counts.holds, 0);
	fake_free(&f);
}
END_TEST

SUITE(lesson_06_a_failure_is_noticed_between_the_ttl_and_its_bound,
      lesson_07_a_new_leader_ends_nothing_that_it_could_not_hear,
      lesson_07_elections_do_not_refresh_a_lease,
      lesson_08_a_stale_leader_ends_and_renews_nothing,
      lesson_09_an_isolated_leader_leads_and_answers_nobody)
