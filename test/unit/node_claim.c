/* What a node believes of its holds, and what it drops in the cluster. */
#include "lib/single.h"
#include "lib/suite.h"

#include <string.h>

#define S UINT64_C(1000000)

struct hold {
	struct claim *claim;
	int rc;   /* of the acquisition; 1: not yet */
	int next; /* of what was asked last; 1: not yet */
	uint32_t lost;
	uint64_t token, cap[2];
};

static void on_held(void *arg, struct claim *claim, int rc)
{
	struct hold *h = arg;

	h->rc = rc;
	if (rc)
		return;
	h->claim = claim;
	node_claim_watch(claim, &(struct hold_watch){ .lost = &h->lost,
						      .token = &h->token,
						      .cap = h->cap });
}

static void on_next(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	((struct hold *)arg)->next = rc;
}

static void ask(struct single *s, struct hold *h,
		const struct acquire_options *options)
{
	struct acquire_options o = *options;

	memset(h, 0, sizeof(*h));
	h->rc = h->next = 1;
	o.name = "n";
	o.name_len = 1;
	o.timeout_us = UINT64_MAX;
	ck_assert_int_eq(node_acquire(s->node, &o, on_held, h, &h->claim), 0);
}

static void hold(struct single *s, struct hold *h,
		 const struct acquire_options *options)
{
	ask(s, h, options);
	single_run(s, 50000);
	ck_assert_int_eq(h->rc, 0);
}

static uint64_t left(const struct single *s, const struct hold *h)
{
	struct clocks now = { s->fake.now, s->fake.now, s->fake.now, 0 };

	return node_claim_left(h->claim, &now);
}

static struct output revoked(const struct single *s, const struct hold *h,
			     uint64_t us)
{
	uint64_t now = core_now(node_core(s->node));

	return (struct output){ .kind = OUTPUT_REVOKED,
				.node = 1,
				.session = s->node->keeper.id,
				.seq = h->claim->acquire.seq,
				.token = node_claim_token(h->claim),
				.deadline = now + 10 * S,
				.number = now + us,
				.by = 2,
				.bytes = (const uint8_t *)"why",
				.bytes_len = 3 };
}

static bool count(void *ctx, const struct record *r)
{
	(void)r;
	++*(size_t *)ctx;
	return true;
}

static size_t count_of_session(const struct single *s)
{
	size_t n = 0;

	core_visit_session(node_core(s->node), s->node->keeper.id, count, &n);
	return n;
}

START_TEST(a_hold_is_certain_until_its_own_limit_or_its_sessions)
{
	struct acquire_options limited = { .hold_us = 2 * S };
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &limited);
	ck_assert_uint_le(left(&s, &h), 2 * S);
	ck_assert_uint_gt(left(&s, &h), 2 * S - 100000);
	limited.hold_us = 60 * S;
	single_run(&s, 3 * S);
	ck_assert_uint_eq(left(&s, &h), 0);
	ck_assert(h.lost);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_LOST), 1);
	node_release(s.node, h.claim, S, on_next, &h);
	single_run(&s, 100000);
	ck_assert_int_eq(h.next, HF_EEXPIRED);
	hold(&s, &h, &limited);
	ck_assert_uint_le(left(&s, &h), 5 * S);
	ck_assert_uint_gt(left(&s, &h), 3 * S);
	single_close(&s);
}
END_TEST

START_TEST(what_the_cluster_keeps_of_a_lost_hold_is_dropped)
{
	struct acquire_options limited = { .hold_us = 1 * S };
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &limited);
	ck_assert_uint_eq(count_of_session(&s), 1);
	single_run(&s, 2 * S);
	ck_assert(h.lost);
	ck_assert_uint_eq(count_of_session(&s), 0);
	/* Its owner hasn't given it back yet, and does so only now. */
	node_release(s.node, h.claim, S, on_next, &h);
	single_run(&s, 100000);
	ck_assert_int_eq(h.next, HF_EEXPIRED);
	ck_assert(list_empty(&s.node->claims));
	single_close(&s);
}
END_TEST

START_TEST(a_revocation_is_told_once_and_what_it_leaves_never_rises)
{
	struct acquire_options leased = { .lease_us = 3 * S };
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &leased);
	struct output o = revoked(&s, &h, 1 * S);
	node_output(s.node, &o);
	single_turn(&s);
	ck_assert_uint_le(left(&s, &h), 1 * S);
	uint64_t before = left(&s, &h);
	node_renew(s.node, h.claim, S, on_next, &h);
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert_int_eq(h.next, 0);
	ck_assert_uint_le(left(&s, &h), before - 100000);
	/* One that is later says nothing new. */
	o.number += 500000;
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert_uint_le(left(&s, &h), before - 200000);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_REVOKED), 1);
	o.number -= 1000000;
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_REVOKED), 2);
	ck_assert_uint_le(left(&s, &h), before - 600000);
	single_close(&s);
}
END_TEST

START_TEST(without_memory_for_its_event_a_revocation_counts_and_is_told_later)
{
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &(struct acquire_options){ 0 });
	char reason[REASON_MAX];
	memset(reason, 'x', sizeof(reason));
	struct output o = revoked(&s, &h, 1 * S);
	o.bytes = (const uint8_t *)reason;
	o.bytes_len = sizeof(reason);
	node_output(s.node, &o);
	s.starved = REASON_MAX;
	single_turn(&s);
	s.starved = 0;
	ck_assert_uint_le(left(&s, &h), 1 * S);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_REVOKED), 0);
	node_output(s.node, &o);
	single_turn(&s);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_REVOKED), 1);
	single_close(&s);
}
END_TEST

/* The grant's own answer may come behind it. */
START_TEST(a_revocation_counts_for_a_hold_that_is_not_known_yet)
{
	static struct single s;
	struct hold h;

	single_open(&s);
	s.fake.members[0].disk_us = 200000;
	ask(&s, &h, &(struct acquire_options){ 0 });
	single_run(&s, 50000);
	ck_assert_int_eq(h.rc, 1);
	struct output o = revoked(&s, &h, 1 * S);
	o.token = 1;
	node_output(s.node, &o);
	single_run(&s, 400000);
	ck_assert_int_eq(h.rc, 0);
	ck_assert_uint_lt(left(&s, &h), 1 * S);
	ck_assert_uint_eq(single_told(&s, HF_EVENT_REVOKED), 1);
	single_close(&s);
}
END_TEST

/* An answer may be to what was said of another revocation, or of the token
 * before a conversion. */
START_TEST(that_it_is_noted_is_said_until_the_cluster_has_heard_it)
{
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &(struct acquire_options){ 0 });
	struct output o = revoked(&s, &h, 1 * S);
	struct output answer = { .kind = OUTPUT_ANSWER,
				 .op = OP_NOTED,
				 .node = 1,
				 .session = s.node->keeper.id,
				 .seq = h.claim->acquire.seq };
	node_output(s.node, &o);
	node_quiet(s.node, true);
	single_turn(&s);
	node_quiet(s.node, false);
	certain_events(s.node); /* told, and nothing sent yet */
	node_output(s.node, &answer);
	s.fake.members[0].disk_us = 100000;
	single_turn(&s);
	ck_assert(h.claim->revoked->again.node.queued);
	answer.status = HF_ENOTHELD;
	node_output(s.node, &answer);
	single_turn(&s);
	ck_assert(h.claim->revoked->again.node.queued);
	single_run(&s, 500000);
	ck_assert(!h.claim->revoked->again.node.queued);
	single_close(&s);
}
END_TEST

static void renew(struct single *s, struct output *o)
{
	struct keeper *k = &s->node->keeper;
	uint64_t now = core_now(node_core(s->node));

	k->attempt++;
	k->attempts[k->attempt % ATTEMPTS].id = k->attempt;
	k->attempts[k->attempt % ATTEMPTS].sent = s->node->now;
	*o = (struct output){ .kind = OUTPUT_ANSWER,
			      .op = OP_RENEW,
			      .node = 1,
			      .session = k->id,
			      .seq = k->attempt,
			      .stamp = now,
			      .deadline = now + 60 * S };
}

/* Between a hold's end, which nobody heard, and the resync that tells of it, a
 * renewal's answer must not make the hold certain again. */
START_TEST(a_renewal_counts_only_once_a_resync_has_come_on_its_way)
{
	static struct single s;
	struct output o;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &(struct acquire_options){ 0 });
	s.node->route.attached = false;
	s.node->route.next_at = UINT64_MAX;
	renew(&s, &o);
	node_output(s.node, &o);
	single_turn(&s);
	ck_assert_uint_le(left(&s, &h), 5 * S);
	s.node->route.next_at = 0;
	single_turn(&s);
	ck_assert(s.node->route.attached);
	ck_assert_uint_gt(left(&s, &h), 50 * S);
	single_close(&s);
}
END_TEST

START_TEST(a_resync_asked_for_before_something_was_lost_is_not_enough)
{
	static struct single s;
	struct output o;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &(struct acquire_options){ 0 });
	buf_free(&s.node->outputs);
	s.starved = 1;
	renew(&s, &o);
	node_output(s.node, &o); /* lost */
	s.starved = 0;
	ck_assert(!s.node->route.attached);
	ck_assert_uint_eq(s.node->route.nonce, s.node->resyncs);
	node_output(s.node, &o);
	single_run(&s, 100000);
	ck_assert(s.node->route.attached);
	ck_assert_uint_gt(left(&s, &h), 0);
	single_close(&s);
}
END_TEST

/* Its end and the refusal to hand it over may come in either order. */
START_TEST(a_hold_that_ended_while_it_was_handed_over_is_not_believed_in)
{
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &(struct acquire_options){ 0 });
	struct output ended = { .kind = OUTPUT_ENDED,
				.node = 1,
				.session = s.node->keeper.id,
				.seq = h.claim->acquire.seq,
				.status = HF_EREVOKED,
				.index = UINT32_MAX };
	node_hand_over(s.node, h.claim, 2, S, on_next, &h);
	node_output(s.node, &ended);
	single_run(&s, 200000);
	ck_assert_int_eq(h.next, HF_EREVOKED);
	ck_assert(list_empty(&s.node->claims));
	ck_assert_uint_eq(count_of_session(&s), 0);
	single_close(&s);
}
END_TEST

START_TEST(a_conversion_given_up_for_an_unlock_leaves_nothing_behind)
{
	struct acquire_options shared = { .mode = HF_SHARED };
	static struct single s;
	struct hold a, b;

	single_open(&s);
	hold(&s, &a, &shared);
	hold(&s, &b, &shared);
	node_convert(s.node, a.claim, HF_EXCLUSIVE, 0, UINT64_MAX, on_next, &a);
	single_run(&s, 100000);
	ck_assert_int_eq(a.next, 1);
	/* The grant and the unlock cross. */
	node_release(s.node, b.claim, S, on_next, &b);
	struct hold end = { .next = 1 };
	node_release(s.node, a.claim, S, on_next, &end);
	single_run(&s, 200000);
	ck_assert_int_eq(a.next, HF_ECANCELED);
	ck_assert_int_eq(b.next, 0);
	ck_assert_int_eq(end.next, 0);
	ck_assert_uint_eq(count_of_session(&s), 0);
	ck_assert(list_empty(&s.node->claims) && list_empty(&s.node->strays));
	single_close(&s);
}
END_TEST

static void begin_conversion(struct single *s, struct hold *a, struct hold *b,
			     struct hold *converted)
{
	struct acquire_options shared = { .mode = HF_SHARED };

	hold(s, b, &shared);
	shared.hold_us = 1 * S;
	hold(s, a, &shared);
	converted->next = 1;
	node_convert(s->node, a->claim, HF_EXCLUSIVE, 0, UINT64_MAX, on_next,
		     converted);
	single_run(s, 100000);
	ck_assert_int_eq(converted->next, 1);
}

START_TEST(a_conversion_ends_with_its_hold)
{
	static struct single s;
	struct hold a, b, converted;

	single_open(&s);
	begin_conversion(&s, &a, &b, &converted);
	single_run(&s, 2 * S);
	ck_assert_int_eq(converted.next, HF_ENOTHELD);
	ck_assert(a.lost && !b.lost);
	ck_assert_uint_eq(count_of_session(&s), 1);
	ck_assert(list_empty(&s.node->strays));
	single_close(&s);
}
END_TEST

START_TEST(a_conversion_ends_with_its_session)
{
	static struct single s;
	struct hold a, b, converted;

	single_open(&s);
	begin_conversion(&s, &a, &b, &converted);
	keeper_lost(s.node, s.node->keeper.id);
	single_turn(&s);
	ck_assert_int_eq(converted.next, HF_ESESSION);
	ck_assert(a.lost && b.lost);
	ck_assert(list_empty(&s.node->strays));
	single_close(&s);
}
END_TEST

/* Its owner has been told that it is rid of the lock. */
START_TEST(a_hand_over_that_is_refused_too_late_goes_to_the_line)
{
	static struct single s;
	struct hold h;

	single_open(&s);
	hold(&s, &h, &(struct acquire_options){ 0 });
	s.fake.members[0].disk_us = 300000;
	node_hand_over(s.node, h.claim, 2, 100000, on_next, &h);
	single_run(&s, 200000);
	ck_assert_int_eq(h.next, HF_EUNKNOWN);
	s.fake.members[0].disk_us = 100;
	single_run(&s, 1 * S);
	ck_assert_uint_eq(count_of_session(&s), 0);
	ck_assert(list_empty(&s.node->claims));
	single_close(&s);
}
END_TEST

START_TEST(a_question_about_a_hold_that_is_converted_is_about_the_new_one)
{
	struct acquire_options shared = { .mode = HF_SHARED };
	static struct single s;
	struct hold a, b, converted = { .next = 1 };

	single_open(&s);
	hold(&s, &a, &shared);
	hold(&s, &b, &shared);
	node_convert(s.node, a.claim, HF_EXCLUSIVE, 0, UINT64_MAX, on_next,
		     &converted);
	single_run(&s, 100000);
	/* "No" may be about a token that isn't the hold's any more. */
	node_validate(s.node, a.claim, 5 * S, on_next, &a);
	struct reply no = { .id = s.node->questions.serial,
			    .status = HF_ENOTHELD };
	questions_reply(s.node, &no);
	single_run(&s, 500000);
	ck_assert_int_eq(a.next, 0);
	/* Asked before the conversion, sent behind it. */
	struct output granted = { .kind = OUTPUT_GRANTED,
				  .node = 1,
				  .session = s.node->keeper.id,
				  .seq = a.claim->converting->call.seq,
				  .token = 1000,
				  .index = UINT32_MAX };
	a.next = 1;
	node_validate(s.node, a.claim, 5 * S, on_next, &a);
	node_output(s.node, &granted);
	single_run(&s, 500000);
	ck_assert_int_eq(converted.next, 0);
	ck_assert_uint_eq(a.token, 1000);
	ck_assert_int_eq(a.next, HF_ENOTHELD); /* the leader knows no 1000 */
	single_close(&s);
}
END_TEST

/* As a resync does that doesn't name what the cluster has undone. */
static void miss(struct single *s, struct errand *e)
{
	const struct output gone = { .kind = OUTPUT_ENDED,
				     .status = HF_ENOTHELD };

	e->call.kind->output(s->node, &e->call, &gone);
}

START_TEST(a_conversion_whose_cancel_wasnt_answered_leaves_the_hold)
{
	const struct acquire_options shared = { .mode = HF_SHARED };
	static struct single s;
	struct hold h, other;

	single_open(&s);
	hold(&s, &h, &shared);
	hold(&s, &other, &shared);
	node_convert(s.node, h.claim, HF_EXCLUSIVE, 0, 2 * S, on_next, &h);
	single_run(&s, S);
	struct errand *e = h.claim->converting;
	ck_assert_ptr_nonnull(e);
	e->settled_rc = HF_ETIMEDOUT;
	call_cancel(s.node, &e->call, CANCEL_WAIT);
	miss(&s, e);
	single_turn(&s);
	ck_assert_int_eq(h.next, HF_ETIMEDOUT);
	ck_assert(node_claim_held(h.claim) && !h.lost);
	single_close(&s);
}
END_TEST

SUITE(a_conversion_whose_cancel_wasnt_answered_leaves_the_hold,
      a_hold_is_certain_until_its_own_limit_or_its_sessions,
      what_the_cluster_keeps_of_a_lost_hold_is_dropped,
      a_revocation_is_told_once_and_what_it_leaves_never_rises,
      without_memory_for_its_event_a_revocation_counts_and_is_told_later,
      a_revocation_counts_for_a_hold_that_is_not_known_yet,
      that_it_is_noted_is_said_until_the_cluster_has_heard_it,
      a_renewal_counts_only_once_a_resync_has_come_on_its_way,
      a_resync_asked_for_before_something_was_lost_is_not_enough,
      a_hold_that_ended_while_it_was_handed_over_is_not_believed_in,
      a_conversion_given_up_for_an_unlock_leaves_nothing_behind,
      a_conversion_ends_with_its_hold, a_conversion_ends_with_its_session,
      a_hand_over_that_is_refused_too_late_goes_to_the_line,
      a_question_about_a_hold_that_is_converted_is_about_the_new_one)
