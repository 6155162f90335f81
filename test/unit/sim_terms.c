/* What the simulator keeps of the ends of holds, of values and of those who
 * wait for them finds what it is for: each with one thing wrong. */
#include "holdfast.h"
#include "lib/suite.h"
#include "sim/lib/ledger.h"
#include "sim/lib/sum.h"
#include "sim/lib/terms.h"

#include <string.h>

#define NAME ((const uint8_t *)"x")

/* A core with a session and its hold. */
struct scene {
	struct core *core;
	uint64_t index, session, token, seq;
	struct output last;
	struct terms terms;
	struct ledger ledger;
	const struct op *op;
};

static void emit(void *ctx, const struct output *o)
{
	struct scene *s = ctx;
	struct said said = { .core = s->core, .output = o };

	if (o->kind == OUTPUT_ANSWER)
		said.op = s->op;
	s->last = *o;
	terms_said(&s->terms, &said, o->token);
	ledger_said(&s->ledger, &said);
}

static int apply(struct scene *s, uint64_t stamp, struct op op)
{
	struct entry entry = { .version = SEMANTICS_VERSION,
			       .stamp = stamp,
			       .proposer = 1,
			       .term = 1,
			       .ops = &op,
			       .ops_len = op.kind > 0 };
	struct output_sink sink = { emit, s };

	op.node = 1;
	op.session = op.kind == OP_OPEN ? 0 : s->session;
	op.seq = ++s->seq;
	s->op = &op;
	entry.serial = ++s->index;
	ck_assert_int_eq(core_apply(s->core, s->index, &entry, &sink), 0);
	return s->last.status;
}

static void begin(struct scene *s, uint64_t hold_us)
{
	static const struct mem libc;
	static const struct line_name names[] = { { "x", 1 } };
	struct record r;

	*s = (struct scene){ .core = core_create(&libc, 1) };
	s->ledger.names = names;
	s->ledger.names_len = 1;
	apply(s, 1000,
	      (struct op){ .kind = OP_OPEN,
			   .open = { .boot = 1, .nth = 1, .ttl = 1000000 } });
	s->session = s->last.session;
	s->seq = 0;
	apply(s, 1000,
	      (struct op){ .kind = OP_ACQUIRE,
			   .acquire = { .name = NAME,
					.name_len = 1,
					.hold = hold_us } });
	s->token = s->last.token;
	ck_assert(core_hold(s->core, s->token, &r));
	terms_granted(&s->terms, &r, 0);
}

static const char *end(struct scene *s)
{
	terms_end(&s->terms, s->core);
	ledger_end(&s->ledger, s->core);
	const char *checker = s->terms.wrong.checker ? s->terms.wrong.checker
						     : s->ledger.wrong.checker;
	core_destroy(s->core);
	terms_free(&s->terms);
	ledger_free(&s->ledger);
	return checker;
}

static int revoke(struct scene *s, uint64_t grace)
{
	return apply(
		s, 2000,
		(struct op){ .kind = OP_REVOKE,
			     .revoke = { .token = s->token, .grace = grace } });
}

static void say(struct scene *s, enum output_kind kind, int status)
{
	struct output o = { .kind = kind,
			    .op = OP_RENEW,
			    .status = status,
			    .session = s->session,
			    .token = s->token };

	emit(s, &o);
}

START_TEST(a_revoked_hold_and_its_end_pass)
{
	struct scene s;

	begin(&s, 0);
	ck_assert_int_eq(revoke(&s, 5000), 0);
	apply(&s, 2000,
	      (struct op){ .kind = OP_NOTED,
			   .noted = { .token = s.token, .noted_at = 7000 } });
	apply(&s, 8000, (struct op){ 0 });
	ck_assert_uint_eq(s.terms.taken, 1);
	ck_assert_ptr_null(end(&s));
}
END_TEST

START_TEST(a_hold_that_is_taken_too_early_is_found)
{
	struct scene s;

	begin(&s, 0);
	say(&s, OUTPUT_ENDED, HF_EREVOKED); /* not revoked at all */
	ck_assert_str_eq(end(&s), "terms");
	begin(&s, 0);
	revoke(&s, 0);
	say(&s, OUTPUT_ENDED, HF_EREVOKED); /* its holder hasn't heard */
	ck_assert_str_eq(end(&s), "terms");
}
END_TEST

START_TEST(a_hold_that_is_taken_too_late_is_found)
{
	struct scene s;

	begin(&s, 0);
	revoke(&s, 0);
	s.terms.items[0].at = 1500;
	ck_assert_str_eq(end(&s), "terms");
}
END_TEST

START_TEST(a_hold_beyond_its_limit_or_before_it_is_found)
{
	struct scene s;

	begin(&s, 5000);
	ck_assert_ptr_null(end(&s));
	begin(&s, 5000);
	s.terms.items[0].hold_until = 1000;
	ck_assert_str_eq(end(&s), "terms");
	begin(&s, 5000);
	say(&s, OUTPUT_ENDED, HF_EEXPIRED);
	ck_assert_str_eq(end(&s), "terms");
}
END_TEST

START_TEST(a_renewal_without_its_notices_is_found)
{
	struct scene s;

	begin(&s, 0);
	revoke(&s, 5000);
	apply(&s, 3000, (struct op){ .kind = OP_RENEW });
	ck_assert_ptr_null(s.terms.wrong.checker);
	s.op = NULL;
	say(&s, OUTPUT_ANSWER, 0);
	ck_assert_str_eq(end(&s), "terms");
}
END_TEST

START_TEST(a_revocation_is_told_once_with_who_and_why)
{
	struct scene s;
	uint64_t why = terms_digest("", 0);

	begin(&s, 0);
	revoke(&s, 5000);
	uint64_t root = s.terms.said[0].root;
	ck_assert(!terms_tell(&s.terms, root, 2, why));
	ck_assert(!terms_tell(&s.terms, root, 1, why + 1));
	ck_assert(terms_tell(&s.terms, root, 1, why));
	ck_assert(!terms_tell(&s.terms, root, 1, why));
	end(&s);
}
END_TEST

static struct op put(uint64_t expect, uint64_t guard)
{
	return (struct op){ .kind = OP_PUT,
			    .value = { .name = NAME,
				       .name_len = 1,
				       .expect = expect,
				       .guard = guard } };
}

static struct op add(int64_t delta)
{
	return (struct op){ .kind = OP_ADD,
			    .value = { .name = NAME,
				       .name_len = 1,
				       .expect = EXPECT_ANY,
				       .delta = delta } };
}

START_TEST(writes_and_refusals_by_the_rules_pass)
{
	struct scene s;

	begin(&s, 0);
	ck_assert_int_eq(apply(&s, 2000, put(EXPECT_NONE, s.token)), 0);
	ck_assert_int_eq(apply(&s, 2000, put(EXPECT_NONE, 0)), HF_EVERSION);
	ck_assert_int_eq(apply(&s, 2000, put(EXPECT_ANY, 12345)), HF_ENOTHELD);
	ck_assert_int_eq(apply(&s, 2000, add(1)), HF_EKIND);
	ck_assert_ptr_null(end(&s));
}
END_TEST

/* The core has written it; the operation is said to have been another. */
static const char *write_and_say(struct op op, struct op said)
{
	struct scene s;
	struct output answer;

	begin(&s, 0);
	apply(&s, 2000, op);
	answer = s.last;
	s.ledger.pending = true;
	said.session = s.session;
	s.op = &said;
	answer.op = said.kind;
	emit(&s, &answer);
	return end(&s);
}

START_TEST(a_write_against_the_rules_is_found)
{
	ck_assert_ptr_null(write_and_say(put(EXPECT_ANY, 0), put(0, 0)));
	ck_assert_str_eq(write_and_say(put(EXPECT_ANY, 0), put(77, 0)),
			 "value");
	ck_assert_str_eq(
		write_and_say(put(EXPECT_ANY, 0), put(EXPECT_ANY, 12345)),
		"value");
	ck_assert_str_eq(write_and_say(add(1), add(2)), "value");
}
END_TEST

START_TEST(a_write_that_nobody_asked_for_is_found)
{
	struct scene s;
	struct output o = { .kind = OUTPUT_CHANGED,
			    .change = CHANGE_PUT,
			    .token = 900,
			    .name = NAME,
			    .name_len = 1 };

	begin(&s, 0);
	emit(&s, &o);
	ck_assert_str_eq(end(&s), "value");
}
END_TEST

START_TEST(a_value_that_outlives_its_session_is_found)
{
	struct scene s;
	struct op op = put(EXPECT_ANY, 0);

	op.value.flags = PUT_EPHEMERAL;
	begin(&s, 0);
	apply(&s, 2000, op);
	ck_assert_ptr_null(s.ledger.wrong.checker);
	s.ledger.values[0].session++;
	ck_assert_str_eq(end(&s), "value");
}
END_TEST

static struct op await(enum condition condition, int64_t number)
{
	return (struct op){ .kind = OP_AWAIT,
			    .await = { .name = NAME,
				       .name_len = 1,
				       .condition = condition,
				       .number = number,
				       .wait = WAIT_FOREVER } };
}

START_TEST(a_wait_that_comes_true_passes_and_one_that_misses_it_is_found)
{
	struct scene s;

	begin(&s, 0);
	apply(&s, 2000, await(AWAIT_AT_LEAST, 3));
	apply(&s, 2000, add(3));
	ck_assert_uint_eq(s.ledger.awaited, 1);
	ck_assert_ptr_null(end(&s));
	begin(&s, 0);
	apply(&s, 2000, await(AWAIT_AT_LEAST, 3));
	s.ledger.waits[0].number = 2;
	apply(&s, 2000, add(2));
	ck_assert_str_eq(end(&s), "await");
}
END_TEST

START_TEST(a_wait_that_ends_before_it_is_true_is_found)
{
	struct scene s;

	begin(&s, 0);
	apply(&s, 2000, await(AWAIT_AT_LEAST, 3));
	s.ledger.waits[0].number = 4;
	apply(&s, 2000, add(3));
	ck_assert_str_eq(end(&s), "await");
}
END_TEST

START_TEST(what_was_is_known_for_the_time_of_a_request)
{
	struct scene s;

	begin(&s, 0);
	s.ledger.time = 10;
	apply(&s, 2000, add(3));
	s.ledger.time = 20;
	apply(&s, 2000, add(1));
	ck_assert(ledger_counted(&s.ledger, 0, 3, 15));
	ck_assert(!ledger_counted(&s.ledger, 0, 3, 25));
	ck_assert(ledger_counted(&s.ledger, 0, 0, 5));
	ck_assert(!ledger_counted(&s.ledger, 0, 0, 15));
	ck_assert(ledger_true(&s.ledger, 0, AWAIT_ABSENT, 0, 5));
	ck_assert(!ledger_true(&s.ledger, 0, AWAIT_ABSENT, 0, 15));
	ck_assert(ledger_had(&s.ledger, 0, 0, 5));
	end(&s);
}
END_TEST

START_TEST(a_sum_that_no_choice_explains_is_found)
{
	const int64_t of[] = { 5, -3, 7 };

	ck_assert(sum_of_some(of, 3, 0));
	ck_assert(sum_of_some(of, 3, 4));
	ck_assert(sum_of_some(of, 3, -3));
	ck_assert(sum_of_some(of, 3, 12));
	ck_assert(!sum_of_some(of, 3, 1));
	ck_assert(!sum_of_some(of, 3, 10));
	ck_assert(!sum_of_some(of, 3, -4));
	ck_assert(!sum_of_some(NULL, 0, 1));
}
END_TEST

SUITE(a_revoked_hold_and_its_end_pass, a_hold_that_is_taken_too_early_is_found,
      a_hold_that_is_taken_too_late_is_found,
      a_hold_beyond_its_limit_or_before_it_is_found,
      a_renewal_without_its_notices_is_found,
      a_revocation_is_told_once_with_who_and_why,
      writes_and_refusals_by_the_rules_pass, a_write_against_the_rules_is_found,
      a_write_that_nobody_asked_for_is_found,
      a_value_that_outlives_its_session_is_found,
      a_wait_that_comes_true_passes_and_one_that_misses_it_is_found,
      a_wait_that_ends_before_it_is_true_is_found,
      what_was_is_known_for_the_time_of_a_request,
      a_sum_that_no_choice_explains_is_found)
