/* What a node keeps is bounded, and what must be told isn't what gives way. */
#include "lib/fakedisk.h"
#include "lib/single.h"
#include "lib/suite.h"

#define MANY (2 * EVENTS_MAX + 3)

static void on_closed(void *arg, bool clean)
{
	(void)clean;
	((struct single *)arg)->closed = true;
}

static void say(struct node *n, enum hf_event_type type,
		enum hf_session_state state)
{
	struct hf_event e = { .type = type };

	n->keeper.state = state;
	node_event(n, &e);
}

START_TEST(a_failure_is_told_whatever_else_there_is)
{
	static struct single s;

	single_open(&s);
	for (int i = 0; i < MANY; i++)
		say(s.node, HF_EVENT_LEADER, HF_SESSION_SAFE);
	node_fail(s.node, HF_EIO, "the disk has gone");
	for (int i = 0; i < MANY; i++)
		say(s.node, HF_EVENT_SESSION, HF_SESSION_UNSURE);
	single_turn(&s);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_FAILED), 1);
	const struct hf_event *last = &s.events[s.events_len - 1];
	ck_assert_int_eq(last->type, HF_EVENT_FAILED);
	ck_assert_int_eq(last->rc, HF_EIO);
	ck_assert_str_eq(last->text, "the disk has gone");
	single_run(&s, 1000000);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_FAILED), 1);
	single_close(&s);
}
END_TEST

START_TEST(the_end_of_a_session_is_told_among_many_events)
{
	static struct single s;
	bool lost = false;

	single_open(&s);
	for (int i = 0; i < MANY; i++)
		say(s.node, HF_EVENT_SESSION, HF_SESSION_UNSURE);
	say(s.node, HF_EVENT_SESSION, HF_SESSION_LOST);
	for (int i = 0; i < MANY; i++)
		say(s.node, HF_EVENT_LEADER, HF_SESSION_SAFE);
	single_turn(&s);
	for (size_t i = 0; i < s.events_len; i++)
		lost = lost || s.events[i].session == HF_SESSION_LOST;
	ck_assert(lost);
	ck_assert_uint_le(s.events_len, EVENTS_MAX + 1);
	single_close(&s);
}
END_TEST

START_TEST(every_lost_hold_is_told)
{
	static struct single s;
	struct claim *claims[MANY];
	uint32_t lost[MANY];

	single_open(&s);
	for (unsigned i = 0; i < MANY; i++) {
		claims[i] = single_hold(&s, i);
		node_claim_watch(claims[i],
				 &(struct hold_watch){ .lost = &lost[i] });
	}
	s.events_len = 0;
	keeper_lost(s.node, s.node->keeper.id);
	single_turn(&s);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_LOST), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		bool told = false;
		for (size_t k = 0; k < s.events_len; k++)
			told = told || (s.events[k].type == HF_EVENT_LOST &&
					s.events[k].token ==
						node_claim_token(claims[i]));
		ck_assert(told && lost[i]);
	}
	single_close(&s);
}
END_TEST

START_TEST(a_quiet_node_tells_nothing_and_everything_later)
{
	static struct single s;

	single_open(&s);
	for (unsigned i = 0; i < 3; i++)
		single_hold(&s, i);
	s.events_len = 0;
	node_quiet(s.node, true);
	for (int i = 0; i < MANY; i++)
		say(s.node, HF_EVENT_LEADER, HF_SESSION_SAFE);
	keeper_lost(s.node, s.node->keeper.id);
	uint64_t turns = s.turns;
	single_run(&s, 1000000);
	ck_assert_uint_eq(s.events_len, 0);
	ck_assert_uint_lt(s.turns - turns, 1000); /* it doesn't spin */
	node_quiet(s.node, false);
	single_turn(&s);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_LOST), 3);
	ck_assert_uint_ge(single_told(&s, HF_EVENT_SESSION), 1);
	ck_assert_uint_le(s.events_len, EVENTS_MAX + 3);
	single_close(&s);
}
END_TEST

/* Whoever is told has room for so many, and says so in the last of them. */
START_TEST(a_node_that_is_made_quiet_in_an_event_tells_of_no_other_revocation)
{
	static struct single s;

	single_open(&s);
	struct claim *claims[5];
	for (unsigned i = 0; i < 5; i++)
		claims[i] = single_hold(&s, i);
	s.events_len = 0;
	s.quiet_at = 2;
	for (unsigned i = 0; i < 5; i++) {
		struct output o = { .kind = OUTPUT_REVOKED,
				    .node = 1,
				    .session = s.node->keeper.id,
				    .seq = claims[i]->acquire.seq,
				    .token = node_claim_token(claims[i]),
				    .deadline = s.fake.now + 60000000,
				    .number = s.fake.now + 60000000 };
		node_output(s.node, &o);
	}
	single_run(&s, 100000);
	ck_assert_uint_eq(s.events_len, 2);
	s.quiet_at = 0;
	node_quiet(s.node, false);
	single_turn(&s);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_REVOKED), 5);
	single_close(&s);
}
END_TEST

START_TEST(a_quiet_node_that_closes_tells_the_rest_afterwards)
{
	struct fake_member *m;
	static struct single s;

	single_open(&s);
	m = &s.fake.members[0];
	single_hold(&s, 1);
	s.events_len = 0;
	node_quiet(s.node, true);
	keeper_lost(s.node, s.node->keeper.id);
	node_fail(s.node, HF_EIO, "the disk has gone");
	node_close(s.node, 1000000, on_closed, &s);
	single_run(&s, 3000000);
	ck_assert(s.closed);
	ck_assert_uint_eq(s.events_len, 0);
	node_tell_rest(s.node);
	node_tell_rest(s.node);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_LOST), 1);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_FAILED), 1);
	node_free(s.node);
	fake_disk_lose(m);
	fake_disk_free(&m->disk);
}
END_TEST

START_TEST(questions_on_their_way_are_bounded)
{
	static struct single s;

	single_open(&s);
	struct claim *claim = single_hold(&s, 1);
	struct query q = { .kind = QUERY_VALIDATE,
			   .session = node_claim_session(claim),
			   .token = node_claim_token(claim) };
	for (unsigned i = 0; i < 2 * SERVED_MAX; i++)
		serve_query(s.node, 1, &q);
	ck_assert_uint_eq(s.node->served, SERVED_MAX);
	single_run(&s, 100000);
	ck_assert_uint_eq(s.node->served, 0);
	single_close(&s);
}
END_TEST

static void on_validated(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	ck_assert_int_eq(rc, 0);
	++*(size_t *)arg;
}

START_TEST(a_question_that_was_refused_is_asked_again)
{
	static struct single s;
	size_t answered = 0;

	single_open(&s);
	struct claim *claim = single_hold(&s, 1);
	for (unsigned i = 0; i < 2 * SERVED_MAX + 1; i++)
		node_validate(s.node, claim, UINT64_MAX, on_validated,
			      &answered);
	single_run(&s, 5000000);
	ck_assert_uint_eq(answered, 2 * SERVED_MAX + 1);
	ck_assert_uint_eq(s.node->served, 0);
	single_close(&s);
}
END_TEST

static void on_acquired(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	*(int *)arg = rc;
}

START_TEST(a_request_waits_for_memory_without_spinning)
{
	struct acquire_options options = { .name = "n",
					   .name_len = 1,
					   .timeout_us = UINT64_MAX };
	static struct single s;
	struct claim *claim;
	int rc = 1;

	single_open(&s);
	ck_assert_int_eq(
		node_acquire(s.node, &options, on_acquired, &rc, &claim), 0);
	s.starved = 4096; /* a segment of the table of requests */
	single_turn(&s);
	ck_assert_uint_gt(s.wake, s.fake.now);
	uint64_t turns = s.turns;
	single_run(&s, 100000);
	ck_assert_uint_lt(s.turns - turns, 50);
	ck_assert_int_eq(rc, 1);
	s.starved = 0;
	single_run(&s, 200000);
	ck_assert_int_eq(rc, 0);
	single_close(&s);
}
END_TEST

START_TEST(an_overloaded_leader_is_told_apart_from_a_held_lock)
{
	struct acquire_options options = { .name = "n",
					   .name_len = 1,
					   .timeout_us = 500000 };
	static struct single s;
	struct claim *claim;
	int rc = 1;

	single_open(&s);
	s.fake.members[0].disk_us = 2000000; /* nothing is answered meanwhile */
	ck_assert_int_eq(
		node_acquire(s.node, &options, on_acquired, &rc, &claim), 0);
	single_run(&s, 100000);
	struct output busy = { .kind = OUTPUT_ANSWER,
			       .op = OP_ACQUIRE,
			       .node = 1,
			       .session = s.node->keeper.id,
			       .seq = s.node->next_seq - 1,
			       .status = HF_EBUSY };
	node_output(s.node, &busy);
	single_run(&s, 300000);
	ck_assert_int_eq(rc, 1); /* it is asked again */
	single_run(&s, 200000);
	ck_assert_int_eq(rc, HF_EBUSY);
	s.fake.members[0].disk_us = 100;
	single_run(&s, 3000000);
	single_close(&s);
}
END_TEST

SUITE(a_failure_is_told_whatever_else_there_is,
      the_end_of_a_session_is_told_among_many_events, every_lost_hold_is_told,
      a_quiet_node_tells_nothing_and_everything_later,
      a_node_that_is_made_quiet_in_an_event_tells_of_no_other_revocation,
      a_quiet_node_that_closes_tells_the_rest_afterwards,
      questions_on_their_way_are_bounded,
      a_question_that_was_refused_is_asked_again,
      a_request_waits_for_memory_without_spinning,
      an_overloaded_leader_is_told_apart_from_a_held_lock)
