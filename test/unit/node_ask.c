/* Asks: what they say when no answer comes, and that they are settled. */
#include "lib/single.h"
#include "lib/suite.h"

#include "node/ask.h"

struct end {
	int rc;
	uint64_t token;
	unsigned calls;
};

static void on_end(void *arg, int rc, uint64_t token)
{
	struct end *e = arg;

	e->rc = rc;
	e->token = token;
	e->calls++;
}

static struct op put_op(void)
{
	return (struct op){ .kind = OP_PUT,
			    .value = { .name = (const uint8_t *)"a",
				       .name_len = 1,
				       .bytes = (const uint8_t *)"x",
				       .bytes_len = 1,
				       .expect = EXPECT_ANY } };
}

static struct op await_op(enum condition condition, uint64_t wait)
{
	return (struct op){ .kind = OP_AWAIT,
			    .await = { .name = (const uint8_t *)"a",
				       .name_len = 1,
				       .condition = condition,
				       .wait = wait } };
}

static void ask(struct single *s, const struct op *op, uint64_t timeout_us,
		struct end *e)
{
	*e = (struct end){ .rc = 1 };
	ck_assert_int_eq(node_ask(s->node, op, timeout_us, on_end, e), 0);
}

static void nothing_left(const struct single *s)
{
	ck_assert(list_empty(&s->node->asks));
	ck_assert_uint_eq(s->node->asks_bytes, 0);
	ck_assert_uint_eq(s->node->asks_sent, 0);
	ck_assert(list_empty(&s->node->outstanding));
	ck_assert(list_empty(&s->node->answered));
	ck_assert_uint_eq(calls_low(s->node), s->node->next_seq);
}

/* A disk that takes its time: nothing is answered before. */
static void stall(struct single *s, uint64_t us)
{
	s->fake.members[0].disk_us = us;
}

START_TEST(what_was_sent_and_not_answered_is_unknown_and_settled_later)
{
	static struct single s;
	struct op op = put_op();
	struct end e;

	single_open(&s);
	stall(&s, 800000);
	ask(&s, &op, 200000, &e);
	single_run(&s, 300000);
	ck_assert_int_eq(e.rc, HF_EUNKNOWN);
	ck_assert(!list_empty(&s.node->asks));
	stall(&s, 100);
	single_run(&s, 2000000);
	ck_assert_uint_eq(e.calls, 1);
	nothing_left(&s);
	struct record r;
	ck_assert(core_value(node_core(s.node), "a", 1, &r));
	single_close(&s);
}
END_TEST

START_TEST(what_was_only_refused_did_not_happen)
{
	static struct single s;
	struct op op = put_op();
	struct end e;

	single_open(&s);
	stall(&s, 900000);
	ask(&s, &op, 100000, &e);
	single_turn(&s);
	struct output busy = { .kind = OUTPUT_ANSWER,
			       .op = OP_PUT,
			       .node = 1,
			       .session = s.node->keeper.id,
			       .seq = s.node->next_seq - 1,
			       .deadline = 150000,
			       .status = HF_EBUSY };
	node_output(s.node, &busy);
	single_turn(&s);
	ck_assert_uint_gt(s.node->busy_us, 100000);
	ck_assert_uint_ge(node_retry_us(s.node, 0), 75000);
	ck_assert_uint_ge(node_retry_us(s.node, 3), 600000);
	single_run(&s, 250000);
	ck_assert_int_eq(e.calls, 1);
	ck_assert_int_eq(e.rc, HF_EBUSY); /* it wasn't sent again so soon */
	stall(&s, 100);
	single_run(&s, 2000000);
	nothing_left(&s);
	single_close(&s);
}
END_TEST

START_TEST(what_was_never_sent_did_not_happen)
{
	static struct single s;
	struct op op = put_op();
	struct end e;
	struct record r;

	single_open(&s);
	s.node->number_at = UINT64_MAX; /* as without memory for its number */
	ask(&s, &op, 100000, &e);
	single_run(&s, 200000);
	ck_assert_int_eq(e.rc, HF_ETIMEDOUT);
	s.node->number_at = 0;
	single_run(&s, 1000000);
	ck_assert_uint_eq(e.calls, 1);
	nothing_left(&s);
	ck_assert(!core_value(node_core(s.node), "a", 1, &r));
	single_close(&s);
}
END_TEST

START_TEST(a_wait_that_ends_leaves_nothing_behind)
{
	static struct single s;
	struct op op = await_op(AWAIT_PRESENT, WAIT_FOREVER), put = put_op();
	struct end waiting, timed, written;
	struct counts counts;

	single_open(&s);
	ask(&s, &op, UINT64_MAX, &waiting);
	ask(&s, &op, 50000, &timed);
	single_run(&s, 500000);
	ck_assert_int_eq(waiting.calls, 0);
	ck_assert_int_eq(timed.rc, HF_ETIMEDOUT);
	/* One is gone from the cluster, too, and a wait holds back no number.
	 */
	core_counts(node_core(s.node), &counts);
	ck_assert_uint_eq(counts.waits, 1);
	ck_assert_uint_eq(calls_low(s.node), s.node->next_seq);
	ask(&s, &put, UINT64_MAX, &written);
	single_run(&s, 500000);
	ck_assert_int_eq(written.rc, 0);
	ck_assert_int_eq(waiting.rc, 0);
	ck_assert_uint_eq(waiting.token, written.token);
	ck_assert_uint_eq(waiting.calls, 1);
	ck_assert_uint_eq(timed.calls, 1);
	nothing_left(&s);
	core_counts(node_core(s.node), &counts);
	ck_assert_uint_eq(counts.waits, 0);
	single_close(&s);
}
END_TEST

/* The end of the wait is heard by a resync alone. */
START_TEST(a_wait_that_came_true_unheard_is_found_by_a_resync)
{
	static struct single s;
	struct op op = await_op(AWAIT_PRESENT, WAIT_FOREVER), put = put_op();
	struct end waiting, written;
	struct record r;

	single_open(&s);
	ask(&s, &op, UINT64_MAX, &waiting);
	single_run(&s, 100000);
	ask(&s, &put, UINT64_MAX, &written);
	stall(&s, 1000);
	single_turn(&s); /* it is on its way */
	/* Whatever comes in the next turns isn't for this session. */
	uint64_t session = s.node->keeper.id;
	s.node->keeper.id = session + 1000;
	while (!core_value(node_core(s.node), "a", 1, &r))
		single_run(&s, 100);
	single_turn(&s);
	ck_assert_uint_eq(waiting.calls, 0);
	s.node->keeper.id = session;
	s.node->route.attached = false;
	single_run(&s, 3000000);
	ck_assert_int_eq(written.rc, 0);
	ck_assert_int_eq(waiting.rc, 0);
	ck_assert_uint_eq(waiting.token, written.token);
	nothing_left(&s);
	single_close(&s);
}
END_TEST

START_TEST(the_end_of_the_session_ends_what_was_sent)
{
	static struct single s;
	struct op op = await_op(AWAIT_ABSENT, WAIT_FOREVER), put = put_op();
	struct end first, waiting, sent;

	single_open(&s);
	ask(&s, &put, UINT64_MAX, &first);
	single_run(&s, 100000);
	ask(&s, &op, UINT64_MAX, &waiting);
	single_run(&s, 100000);
	ck_assert_uint_eq(waiting.calls, 0);
	stall(&s, 500000);
	ask(&s, &put, UINT64_MAX, &sent);
	single_turn(&s);
	keeper_lost(s.node, s.node->keeper.id);
	single_turn(&s);
	ck_assert_int_eq(waiting.rc, HF_ESESSION);
	ck_assert_int_eq(sent.rc, HF_EUNKNOWN);
	stall(&s, 100);
	single_run(&s, 3000000);
	ck_assert_uint_eq(waiting.calls, 1);
	ck_assert_uint_eq(sent.calls, 1);
	nothing_left(&s);
	single_close(&s);
}
END_TEST

START_TEST(what_asks_keep_is_bounded)
{
	static struct single s;
	static uint8_t large[65536];
	struct op op = put_op();
	struct end e = { 0 };
	unsigned asked = 0;

	single_open(&s);
	s.node->number_at = UINT64_MAX;
	op.value.bytes = large;
	op.value.bytes_len = sizeof(large);
	while (asked < 2000 &&
	       node_ask(s.node, &op, UINT64_MAX, on_end, &e) == 0)
		asked++;
	ck_assert_uint_gt(asked, 200);
	ck_assert_uint_lt(asked, 300);
	ck_assert_int_eq(node_ask(s.node, &op, UINT64_MAX, on_end, &e),
			 HF_EBUSY);
	s.node->number_at = 0;
	single_run(&s, 20000000);
	ck_assert_uint_eq(e.calls, asked);
	ck_assert_int_eq(e.rc, 0);
	nothing_left(&s);
	single_close(&s);
}
END_TEST

START_TEST(an_operation_that_cannot_be_is_refused)
{
	static struct single s;
	struct op op = put_op();
	struct end e = { 0 };

	single_open(&s);
	op.value.name_len = 0;
	ck_assert_int_eq(node_ask(s.node, &op, 1, on_end, &e), HF_EINVAL);
	op = put_op();
	op.kind = OP_RELEASE;
	ck_assert_int_eq(node_ask(s.node, &op, 1, on_end, &e), HF_EINVAL);
	op.kind = (enum op_kind)99;
	ck_assert_int_eq(node_ask(s.node, &op, 1, on_end, &e), HF_EINVAL);
	op = await_op((enum condition)6, 0);
	ck_assert_int_eq(node_ask(s.node, &op, 1, on_end, &e), HF_EINVAL);
	single_run(&s, 10000);
	ck_assert_uint_eq(e.calls, 0);
	single_close(&s);
}
END_TEST

static void on_released(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	((struct end *)arg)->rc = rc;
}

/* Others' operations, as many as the leader takes. */
static void fill_leader(struct single *s)
{
	struct op op = put_op();
	struct buf b = { .mem = &s->mem };

	op.node = 2;
	op.session = op.seq = op.low = 1;
	op_encode(&b, &op);
	while (repl_submit(s->node->repl, &op, b.base, b.len) == 0)
		;
	buf_free(&b);
}

/* The answer to an opening that was lost, of a session that has ended since. */
START_TEST(an_opening_that_came_too_late_ends_no_ask)
{
	static struct single s;
	struct op op = put_op();
	struct end e;

	single_open(&s);
	stall(&s, 900000);
	keeper_lost(s.node, s.node->keeper.id);
	single_turn(&s);
	struct output o = { .kind = OUTPUT_ANSWER,
			    .op = OP_OPEN,
			    .node = 1,
			    .status = HF_ESESSION };
	for (size_t i = 0; i < 7; i++)
		o.seq = o.seq << 8 | s.node->keeper.nonce[i];
	ask(&s, &op, 100000, &e);
	node_output(s.node, &o);
	single_run(&s, 200000);
	ck_assert_int_eq(e.rc, HF_ENOLEADER);
	stall(&s, 100);
	single_run(&s, 3000000);
	single_close(&s);
}
END_TEST

/* The cluster's window goes on from the last number that it has seen. */
START_TEST(numbers_that_are_given_up_leave_no_gap_in_the_window)
{
	static struct end ends[3000];
	static struct single s;
	struct op op = put_op();
	struct end e;

	single_open(&s);
	struct claim *claim = single_hold(&s, 1);
	stall(&s, 3000000);
	fill_leader(&s);
	single_turn(&s);
	fill_leader(&s);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 3000; i++)
			ask(&s, &op, 100000, &ends[i]);
		single_run(&s, 300000);
		for (size_t i = 0; i < 3000; i++)
			ck_assert_int_eq(hf_outcome(ends[i].rc),
					 HF_OUTCOME_NOTHING);
	}
	stall(&s, 100);
	single_run(&s, 6000000);
	ask(&s, &op, 1000000, &e);
	single_run(&s, 1000000);
	ck_assert_int_eq(e.rc, 0);
	e.rc = 1;
	node_release(s.node, claim, 1000000, on_released, &e);
	single_run(&s, 1000000);
	ck_assert_int_eq(e.rc, 0);
	nothing_left(&s);
	single_close(&s);
}
END_TEST

SUITE(an_opening_that_came_too_late_ends_no_ask,
      numbers_that_are_given_up_leave_no_gap_in_the_window,
      what_was_sent_and_not_answered_is_unknown_and_settled_later,
      what_was_only_refused_did_not_happen, what_was_never_sent_did_not_happen,
      a_wait_that_ends_leaves_nothing_behind,
      a_wait_that_came_true_unheard_is_found_by_a_resync,
      the_end_of_the_session_ends_what_was_sent, what_asks_keep_is_bounded,
      an_operation_that_cannot_be_is_refused)
