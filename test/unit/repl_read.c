/* Read index: who may say what the state is now. */
#include "lib/fakeio.h"
#include "lib/suite.h"

#include "repl/message.h"

#define SECOND UINT64_C(1000000)
#define PENDING 1

static const struct repl_config plain = { .check_every = 64 };

struct reading {
	struct repl_read read;
	int rc;
	uint64_t at;
	struct fake_member *m;
};

static void done(struct repl_read *read, int rc)
{
	struct reading *r = container_of(read, struct reading, read);

	ck_assert_int_eq(r->rc, PENDING);
	r->rc = rc;
	r->at = r->m->fake->now;
}

static void ask(struct reading *r, struct fake_member *m)
{
	*r = (struct reading){ .read.cb = done, .rc = PENDING, .m = m };
	repl_read(m->repl, &r->read);
	ck_assert_int_eq(r->rc, PENDING);
	m->wake = m->fake->now;
}

static bool count_polls(struct fake *f, struct fake_message *m, void *ctx)
{
	(void)f;
	*(size_t *)ctx += m->bytes[0] == MESSAGE_POLL;
	return true;
}

static bool lose_polls(struct fake *f, struct fake_message *m, void *ctx)
{
	size_t *left = ctx;

	(void)f;
	if (m->bytes[0] != MESSAGE_POLL || *left == 0)
		return true;
	--*left;
	return false;
}

static bool lose_answers(struct fake *f, struct fake_message *m, void *ctx)
{
	(void)f;
	(void)ctx;
	return m->bytes[0] != MESSAGE_TERM;
}

START_TEST(a_leader_is_granted_a_read_after_one_round_trip)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t asked = f.now;
	ask(&r, m);
	fake_run(&f, 2000);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_uint_le(r.at - asked, 2 * f.latency_us + 100);
	fake_free(&f);
}
END_TEST

START_TEST(a_member_alone_is_granted_a_read_at_once)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	ask(&r, fake_elect(&f));
	fake_run(&f, 10);
	ck_assert_int_eq(r.rc, 0);
	fake_free(&f);
}
END_TEST

START_TEST(a_follower_is_refused)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	ask(&r, fake_at(&f, m->id % 3 + 1));
	fake_run(&f, 1000);
	ck_assert_int_eq(r.rc, HF_ENOLEADER);
	fake_free(&f);
}
END_TEST

START_TEST(an_isolated_leader_is_refused_in_the_end)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	fake_isolate(&f, m->id, true);
	ask(&r, m);
	fake_run(&f, 3 * SECOND);
	ck_assert_int_eq(r.rc, HF_ENOLEADER);
	fake_free(&f);
}
END_TEST

START_TEST(a_leader_that_wakes_deposed_is_never_granted_a_read)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	fake_pause(&f, m->id, 5 * SECOND);
	fake_run(&f, 5 * SECOND - 1);
	ck_assert_ptr_ne(fake_leader(&f), m);
	ck_assert(repl_serving(m->repl)); /* as it believes */
	ask(&r, m);
	fake_run(&f, SECOND);
	ck_assert_int_eq(r.rc, HF_ENOLEADER);
	fake_free(&f);
}
END_TEST

START_TEST(reads_that_wait_share_a_round)
{
	struct fake f;
	struct reading r[101];
	size_t polls = 0;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	f.filter = count_polls;
	f.filter_ctx = &polls;
	for (int i = 0; i < 100; i++)
		ask(&r[i], m);
	fake_run(&f, 200);
	ck_assert_uint_eq(polls, 2);
	ask(&r[100], m); /* for the next round: this one was asked before */
	fake_run(&f, 5000);
	ck_assert_uint_eq(polls, 4);
	for (int i = 0; i <= 100; i++)
		ck_assert_int_eq(r[i].rc, 0);
	ck_assert_uint_gt(r[100].at, r[99].at);
	fake_free(&f);
}
END_TEST

START_TEST(lost_polls_are_sent_again)
{
	struct fake f;
	struct reading r;
	size_t lose = 3;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	f.filter = lose_polls;
	f.filter_ctx = &lose;
	ask(&r, m);
	fake_run(&f, 10000);
	ck_assert_int_eq(r.rc, PENDING);
	fake_run(&f, 150000);
	ck_assert_int_eq(r.rc, 0);
	fake_free(&f);
}
END_TEST

START_TEST(without_answers_no_read_is_granted)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	f.filter = lose_answers;
	ask(&r, m);
	fake_run(&f, 5 * SECOND);
	ck_assert_int_eq(r.rc, PENDING); /* it still leads */
	fake_stop(&f, m->id);
	ck_assert_int_eq(r.rc, HF_ENOLEADER);
	fake_free(&f);
}
END_TEST

static void answer(struct fake_member *m, uint64_t from, uint64_t nonce,
		   uint64_t term)
{
	struct buf b = { 0 };

	buf_put8(&b, MESSAGE_TERM);
	buf_put64(&b, nonce);
	buf_put64(&b, term);
	ck_assert_int_eq(repl_receive(m->repl, from, b.base, b.len), 0);
	buf_free(&b);
}

START_TEST(only_current_answers_of_voters_with_no_higher_term_count)
{
	struct fake f;
	struct reading r;

	fake_init(&f, 3, &plain);
	fake_start_all(&f);
	struct fake_member *m = fake_elect(&f);
	uint64_t other = m->id % 3 + 1, term = repl_term(m->repl);
	f.filter = lose_answers;
	ask(&r, m);
	fake_run(&f, 100);
	uint64_t nonce = m->repl->reads.nonce;
	answer(m, other, nonce - 1, term); /* of another round */
	answer(m, other, nonce, term + 1); /* it may have voted */
	answer(m, 4, nonce, term);         /* a stranger */
	answer(m, m->id, nonce, term);     /* counted already */
	m->wake = f.now;
	fake_run(&f, 1000);
	ck_assert_int_eq(r.rc, PENDING);
	answer(m, other, nonce, term - 1);
	m->wake = f.now;
	fake_run(&f, 10);
	ck_assert_int_eq(r.rc, 0);
	fake_free(&f);
}
END_TEST

START_TEST(a_malformed_message_closes_the_link)
{
	struct fake f;
	static const uint8_t wrong[][4] = { { 0 }, { 1, 2 }, { 2, 0 }, { 9 } };

	fake_init(&f, 1, &plain);
	fake_start_all(&f);
	struct repl *repl = fake_at(&f, 1)->repl;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_int_eq(repl_receive(repl, 2, wrong[i], 4),
				 HF_ECORRUPT);
	ck_assert_int_eq(repl_receive(repl, 2, wrong[0], 0), HF_ECORRUPT);
	fake_free(&f);
}
END_TEST

SUITE(a_leader_is_granted_a_read_after_one_round_trip,
      a_member_alone_is_granted_a_read_at_once, a_follower_is_refused,
      an_isolated_leader_is_refused_in_the_end,
      a_leader_that_wakes_deposed_is_never_granted_a_read,
      reads_that_wait_share_a_round, lost_polls_are_sent_again,
      without_answers_no_read_is_granted,
      only_current_answers_of_voters_with_no_higher_term_count,
      a_malformed_message_closes_the_link)
