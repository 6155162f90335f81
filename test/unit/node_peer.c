/* What a confused or hostile peer may say: nothing that ends a claim or an ask
 * wrongly, or breaks the node. */
#include "lib/single.h"
#include "lib/suite.h"

#include "node/ask.h"

struct end {
	struct claim *claim;
	int rc; /* 1: not yet */
};

static void on_end(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	((struct end *)arg)->rc = rc;
}

static void on_answered(void *arg, int rc, uint64_t token)
{
	(void)token;
	((struct end *)arg)->rc = rc;
}

static void ask(struct single *s, struct end *e, enum hf_mode mode)
{
	struct acquire_options o = { .name = "n",
				     .name_len = 1,
				     .mode = mode,
				     .timeout_us = UINT64_MAX };

	e->rc = 1;
	ck_assert_int_eq(node_acquire(s->node, &o, on_end, e, &e->claim), 0);
	single_run(s, 50000);
}

static struct output said(const struct single *s, enum output_kind kind,
			  uint64_t seq)
{
	return (struct output){ .kind = kind,
				.node = 1,
				.session = s->node->keeper.id,
				.seq = seq,
				.index = UINT32_MAX };
}

/* A hold has a token. */
START_TEST(a_wait_that_ended_without_an_error_is_not_held)
{
	static struct single s;
	struct end a, b;

	single_open(&s);
	ask(&s, &a, HF_EXCLUSIVE);
	ask(&s, &b, HF_EXCLUSIVE);
	ck_assert_int_eq(b.rc, 1);
	struct output o = said(&s, OUTPUT_ENDED, b.claim->acquire.seq);
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert_int_eq(b.rc, HF_ENOTHELD);
	o.seq = a.claim->acquire.seq;
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert_int_eq(a.claim->lost_rc, HF_ENOTHELD);
	node_release(s.node, a.claim, 1000000, on_end, &a);
	single_run(&s, 100000);
	ck_assert_int_eq(a.rc, HF_ENOTHELD);
	single_close(&s);
}
END_TEST

static void begin_conversion(struct single *s, struct end *a, struct end *b,
			     struct end *converted)
{
	single_open(s);
	ask(s, a, HF_SHARED);
	ask(s, b, HF_SHARED);
	converted->rc = 1;
	node_convert(s->node, a->claim, HF_EXCLUSIVE, 0, UINT64_MAX, on_end,
		     converted);
	single_run(s, 50000);
	ck_assert_int_eq(converted->rc, 1);
}

START_TEST(a_conversion_that_ended_without_an_error_did_not_happen)
{
	static struct single s;
	struct end a, b, converted;

	begin_conversion(&s, &a, &b, &converted);
	struct output o = said(&s, OUTPUT_ENDED, a.claim->converting->call.seq);
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert_int_eq(converted.rc, HF_ENOTHELD);
	ck_assert_int_eq(a.claim->options.mode, HF_SHARED);
	single_close(&s);
}
END_TEST

/* Else the hold would have a token that no operation may name. */
START_TEST(a_cancel_that_left_a_hold_without_a_token_is_no_message)
{
	static struct single s;
	struct peer two = { .id = 2 };
	struct buf b = { .mem = &s.mem };

	single_open(&s);
	struct output o = said(&s, OUTPUT_ANSWER, 1);
	o.op = OP_CANCEL;
	outputs_begin(&b);
	outputs_add(&b, &o);
	ck_assert_int_eq(dispatch(s.node, &two, FRAME_OUTPUTS, b.base, b.len),
			 HF_ECORRUPT);
	o.token = 7;
	outputs_begin(&b);
	outputs_add(&b, &o);
	ck_assert_int_eq(dispatch(s.node, &two, FRAME_OUTPUTS, b.base, b.len),
			 0);
	buf_free(&b);
	single_close(&s);
}
END_TEST

START_TEST(an_answer_to_noted_answers_nothing_else)
{
	struct op put = { .kind = OP_PUT,
			  .value = { .name = (const uint8_t *)"a",
				     .name_len = 1,
				     .expect = EXPECT_ANY } };
	static struct single s;
	struct end a, b, converted, e = { .rc = 1 };

	begin_conversion(&s, &a, &b, &converted);
	s.fake.members[0].disk_us = 200000;
	ck_assert_int_eq(node_ask(s.node, &put, 5000000, on_answered, &e), 0);
	single_run(&s, 10000);
	struct output o = said(&s, OUTPUT_ANSWER, s.node->next_seq - 1);
	o.op = OP_NOTED;
	node_output(s.node, &o);
	o.seq = a.claim->converting->call.seq;
	o.token = 1000;
	node_output(s.node, &o);
	single_run(&s, 10000);
	ck_assert_int_eq(e.rc, 1);
	ck_assert_int_eq(converted.rc, 1);
	single_run(&s, 1000000);
	ck_assert_int_eq(e.rc, 0);
	single_close(&s);
}
END_TEST

SUITE(a_wait_that_ended_without_an_error_is_not_held,
      a_conversion_that_ended_without_an_error_did_not_happen,
      a_cancel_that_left_a_hold_without_a_token_is_no_message,
      an_answer_to_noted_answers_nothing_else)
