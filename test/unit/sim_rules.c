/* The simulator's rules of entries find what they are for: each with one thing
 * wrong. */
#include "lib/suite.h"
#include "sim/lib/once.h"

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

START_TEST(somebody_who_passes_a_waiter_is_found)
{
	struct record first = { .request = { .state = REQUEST_WAITING,
					     .place = 7 } };
	struct record second = { .request = { .state = REQUEST_HELD,
					      .place = 6 } };
	struct rules_line line = { 0 };

	rules_place(&line, &first);
	rules_place(&line, &second);
	ck_assert(!rules_passed(&line));
	second.request.place = 8;
	rules_place(&line, &second);
	ck_assert(rules_passed(&line));
}
END_TEST

static const struct record held = { .request = { .state = REQUEST_HELD,
						 .mode = MODE_SHARED } };

/* Does what this record says bar an acquire? */
static bool bars(enum mode mode, uint32_t permits, const struct record *r)
{
	const struct op op = {
		.kind = OP_ACQUIRE,
		.acquire = { .mode = mode, .permits = permits, .limit = 2 }
	};
	struct rules_bars b = { .op = &op };

	rules_bars(&b, r);
	return b.barred;
}

START_TEST(a_lock_is_barred_by_what_conflicts_and_by_who_waits)
{
	struct record r = held;

	ck_assert(!bars(MODE_SHARED, 0, &r));
	ck_assert(bars(MODE_EXCLUSIVE, 0, &r));
	r.request.state = REQUEST_WAITING;
	ck_assert(bars(MODE_SHARED, 0, &r));
	r = held;
	r.request.mode = MODE_EXCLUSIVE;
	ck_assert(bars(MODE_SHARED, 0, &r));
	r.request.mode = MODE_PERMITS;
	r.request.permits = 1;
	ck_assert(!bars(MODE_PERMITS, 1, &r));
	ck_assert(bars(MODE_PERMITS, 2, &r));
}
END_TEST

START_TEST(a_refusal_of_what_is_free_or_would_be_waited_for_is_found)
{
	static const struct mem libc;
	struct core *core = core_create(&libc, 1);
	struct op op = { .kind = OP_ACQUIRE,
			 .acquire = { .name = (const uint8_t *)"x",
				      .name_len = 1 } };

	ck_assert_str_eq(rules_refused(core, &op).checker, "line");
	op.acquire.wait = 5;
	ck_assert_str_eq(rules_refused(core, &op).checker, "line");
	core_destroy(core);
}
END_TEST

START_TEST(a_refusal_is_remembered_for_its_owner_and_looked_at_once)
{
	struct once o = { 0 };

	ck_assert(!once_was_refused(&o, 1, 50));
	ck_assert(once_refused(&o, 1, 7, 50));
	ck_assert(!once_refused(&o, 1, 7, 50));
	ck_assert(once_was_refused(&o, 1, 50));
	ck_assert(!once_was_refused(&o, 1, 51));
	ck_assert(!once_was_refused(&o, 2, 50));
	once_free(&o);
}
END_TEST

SUITE(one_acquire_with_two_tokens_is_found,
      somebody_let_in_before_all_ends_is_found,
      a_session_ended_by_its_own_renewal_is_found,
      a_grant_in_a_lock_delay_is_found, somebody_who_passes_a_waiter_is_found,
      a_lock_is_barred_by_what_conflicts_and_by_who_waits,
      a_refusal_of_what_is_free_or_would_be_waited_for_is_found,
      a_refusal_is_remembered_for_its_owner_and_looked_at_once)
