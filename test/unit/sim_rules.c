/* The simulator's rules of entries find what they are for: each with one thing
 * wrong. */
#include "holdfast.h"
#include "lib/suite.h"
#include "sim/lib/once.h"
#include "sim/lib/rules.h"

#include <string.h>

START_TEST(one_acquire_with_two_tokens_is_found)
{
	struct once o = { 0 };
	bool first;

	ck_assert_ptr_null(once_granted(&o, 1, 7, 100).checker);
	ck_assert_ptr_null(once_granted(&o, 1, 7, 100).checker);
	ck_assert_ptr_null(once_granted(&o, 1, 8, 101).checker);
	ck_assert_ptr_null(once_granted(&o, 2, 7, 102).checker);
	ck_assert_str_eq(once_granted(&o, 1, 7, 103).checker, "once");
	ck_assert_ptr_null(once_held(&o, 1, 50, 100, &first).checker);
	ck_assert(first);
	ck_assert_ptr_null(once_held(&o, 1, 50, 100, &first).checker);
	ck_assert(!first);
	ck_assert_str_eq(once_held(&o, 1, 50, 101, &first).checker, "once");
	once_free(&o);
}
END_TEST

static const struct output granted = { .kind = OUTPUT_GRANTED };
static const struct output answer = { .kind = OUTPUT_ANSWER };
static const struct output ended = { .kind = OUTPUT_SESSION_ENDED,
				     .node = 1,
				     .session = 9 };

START_TEST(somebody_let_in_before_all_ends_is_found)
{
	struct entry entry = { 0 };
	struct rules r = { 0 };

	rules_begin(&r, &entry);
	rules_output(&r, &ended);
	rules_output(&r, &granted);
	ck_assert_ptr_null(r.wrong.checker);
	rules_output(&r, &ended);
	ck_assert_str_eq(r.wrong.checker, "order");
	rules_begin(&r, &entry); /* by an operation, now */
	rules_output(&r, &granted);
	rules_output(&r, &answer);
	rules_output(&r, &ended);
	ck_assert_ptr_null(r.wrong.checker);
	rules_free(&r);
}
END_TEST

START_TEST(a_session_ended_by_its_own_renewal_is_found)
{
	struct op renew = { .kind = OP_RENEW, .node = 1, .session = 8 };
	struct entry entry = { .ops = &renew, .ops_len = 1 };
	struct rules r = { 0 };

	rules_begin(&r, &entry);
	ck_assert(rules_output(&r, &ended));
	ck_assert_ptr_null(r.wrong.checker);
	renew.session = 9;
	rules_begin(&r, &entry);
	ck_assert(rules_output(&r, &ended));
	ck_assert_str_eq(r.wrong.checker, "renewal");
	rules_free(&r);
}
END_TEST

static void end_session(struct rules *r, const struct core *core,
			const struct entry *entry)
{
	rules_begin(r, entry);
	rules_output(r, &ended);
	rules_end(r, core);
	rules_begin(r, entry);
}

START_TEST(a_grant_in_a_lock_delay_is_found)
{
	static const struct mem libc;
	struct core *core = core_create(&libc, 1);
	struct record hold = { .request = { .session = 9,
					    .token = 5,
					    .lock = 3,
					    .delay = 1000 } };
	struct record next = { .request = {
				       .session = 2, .token = 6, .lock = 4 } };
	struct entry entry = { 0 };
	struct rules r = { 0 };

	rules_begin(&r, &entry);
	rules_grant(&r, core, &hold);
	end_session(&r, core, &entry);
	rules_grant(&r, core, &next);
	ck_assert_ptr_null(r.wrong.checker);
	next.request.lock = 3;
	rules_grant(&r, core, &next);
	ck_assert_str_eq(r.wrong.checker, "delay");
	rules_free(&r);
	core_destroy(core);
}
END_TEST

START_TEST(a_wait_that_ends_after_somebody_was_let_in_is_found)
{
	const struct output deadlock = { .kind = OUTPUT_ENDED,
					 .status = HF_EDEADLK };
	const struct output late = { .kind = OUTPUT_ENDED,
				     .status = HF_ETIMEDOUT };
	struct entry entry = { 0 };
	struct rules r = { 0 };

	rules_begin(&r, &entry);
	rules_output(&r, &granted);
	rules_output(&r, &deadlock);
	ck_assert_ptr_null(r.wrong.checker);
	rules_output(&r, &late);
	ck_assert_str_eq(r.wrong.checker, "order");
	rules_free(&r);
}
END_TEST

START_TEST(a_grant_after_a_hold_that_was_taken_is_found)
{
	static const struct mem libc;
	const struct output taken = { .kind = OUTPUT_ENDED,
				      .status = HF_EREVOKED,
				      .token = 5 };
	struct core *core = core_create(&libc, 1);
	struct record hold = { .request = { .session = 9,
					    .token = 5,
					    .lock = 3,
					    .delay = 1000 } };
	struct record next = { .request = {
				       .session = 2, .token = 6, .lock = 3 } };
	struct entry entry = { 0 };
	struct rules r = { 0 };

	rules_begin(&r, &entry);
	rules_grant(&r, core, &hold);
	rules_begin(&r, &entry);
	rules_output(&r, &taken);
	rules_end(&r, core);
	rules_begin(&r, &entry);
	rules_grant(&r, core, &next);
	ck_assert_str_eq(r.wrong.checker, "delay");
	rules_free(&r);
	core_destroy(core);
}
END_TEST

static void ask(struct once *o, uint64_t session, uint64_t seq, uint64_t owner,
		const char *shown, uint64_t from)
{
	struct op op = { .kind = OP_ACQUIRE,
			 .session = session,
			 .seq = seq,
			 .acquire = { .owner = owner,
				      .shown = (const uint8_t *)shown,
				      .shown_len = shown ? 8 : 0,
				      .from = from } };

	once_again(o, &op);
}

START_TEST(a_refusal_is_remembered_for_who_asked)
{
	struct once o = { 0 };
	uint64_t shown;

	memcpy(&shown, "identity", sizeof(shown));
	ask(&o, 1, 7, 50, NULL, 0);
	ask(&o, 1, 8, 50, "identity", 0);
	ask(&o, 1, 9, 50, NULL, 33);
	ck_assert(!once_was_refused(&o, 1, 50, HF_EHELD));
	once_refused(&o, 1, 7, HF_EHELD);
	ck_assert(once_was_refused(&o, 1, 50, HF_EHELD));
	ck_assert(!once_was_refused(&o, 1, 50, HF_EDEADLK));
	ck_assert(!once_was_refused(&o, 2, 50, HF_EHELD));
	once_refused(&o, 1, 8, HF_ELINE);
	ck_assert(once_was_refused(&o, 1, shown, HF_ELINE));
	once_refused(&o, 1, 9, HF_EDEADLK);
	ck_assert(once_was_refused(&o, 1, 33, HF_EDEADLK));
	ck_assert(!once_was_refused(&o, 1, 50, HF_EDEADLK));
	once_free(&o);
}
END_TEST

SUITE(one_acquire_with_two_tokens_is_found,
      somebody_let_in_before_all_ends_is_found,
      a_session_ended_by_its_own_renewal_is_found,
      a_grant_in_a_lock_delay_is_found,
      a_wait_that_ends_after_somebody_was_let_in_is_found,
      a_grant_after_a_hold_that_was_taken_is_found,
      a_refusal_is_remembered_for_who_asked)
