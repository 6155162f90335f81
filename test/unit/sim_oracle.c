/* What the simulator's oracle says of barriers, hand-overs, refusals and sums:
 * each with one thing wrong. */
#include "holdfast.h"
#include "lib/suite.h"
#include "sim/lib/oracle.h"
#include "sim/lib/spoil.h"
#include "sim/lib/sum.h"

#define NAME ((const uint8_t *)"x")

static uint64_t apply(struct oracle *o, struct op *op)
{
	struct entry entry = { .version = SEMANTICS_VERSION,
			       .stamp = 1000,
			       .proposer = 1,
			       .term = 1,
			       .serial = o->next,
			       .ops = op,
			       .ops_len = 1 };
	struct output_sink sink = { oracle_say, o };

	op->node = 1;
	o->entry = &entry;
	o->answered = o->grants_len = 0;
	core_apply(o->core, o->next++, &entry, &sink);
	o->entry = NULL;
	return o->grants_len ? o->grants[0].token : 0;
}

static void begin(struct oracle *o)
{
	struct op op = { .kind = OP_OPEN,
			 .open = { .boot = 1, .nth = 1, .ttl = 1000000 } };

	oracle_init(o);
	o->names[0] = (struct line_name){ "x", 1 };
	o->names_len = 1;
	apply(o, &op);
}

static struct op acquire(const struct oracle *o, enum mode mode, uint64_t wait)
{
	struct op op = { .kind = OP_ACQUIRE,
			 .session = 1,
			 .seq = o->next,
			 .acquire = { .name = NAME,
				      .name_len = 1,
				      .owner = 300 + o->next,
				      .mode = mode,
				      .wait = wait } };

	op.acquire.limit = mode == MODE_BARRIER ? 1 : 0;
	return op;
}

static const char *verdict(struct oracle *o)
{
	const char *checker = o->rules.wrong.checker;

	oracle_free(o);
	return checker ? checker : "none";
}

static struct oracle *oracle_new(void)
{
	struct oracle *o = malloc(sizeof(*o));

	if (!o)
		abort();
	begin(o);
	return o;
}

START_TEST(a_barrier_that_lets_in_somebody_beside_others_is_found)
{
	struct oracle *o = oracle_new();
	struct op op = acquire(o, MODE_BARRIER, WAIT_FOREVER);
	struct output said = { .kind = OUTPUT_GRANTED, .session = 1 };

	said.token = apply(o, &op);
	ck_assert_uint_gt(said.token, 0);
	ck_assert_ptr_null(o->rules.wrong.checker);
	op = (struct op){ .kind = OP_RENEW, .session = 1 };
	apply(o, &op); /* it has been in since before */
	oracle_say(o, &said);
	ck_assert_str_eq(verdict(o), "barrier");
	free(o);
}
END_TEST

START_TEST(one_who_has_left_while_others_are_in_is_found)
{
	struct oracle *o = oracle_new();
	struct op op = acquire(o, MODE_BARRIER, WAIT_FOREVER);
	struct output said = { .kind = OUTPUT_ENDED, .session = 1, .seq = 50 };

	apply(o, &op);
	pairs_put(&o->leaves, 1, 50, 1);
	oracle_say(o, &said);
	ck_assert_str_eq(verdict(o), "barrier");
	free(o);
}
END_TEST

START_TEST(a_hand_over_to_somebody_else_is_found)
{
	struct oracle *o = oracle_new();
	struct op op = { .kind = OP_RELEASE,
			 .node = 1,
			 .session = 1,
			 .seq = 60,
			 .release = { .token = 5, .to = 2 } };
	struct entry entry = { .ops = &op, .ops_len = 1 };
	struct output said = { .kind = OUTPUT_ANSWER,
			       .op = OP_RELEASE,
			       .node = 1,
			       .session = 1,
			       .seq = 60 };

	o->entry = &entry;
	o->rules.entry = &entry;
	o->answered = 0;
	o->let_in.node = 3;
	oracle_say(o, &said);
	ck_assert_str_eq(verdict(o), "line");
	free(o);
}
END_TEST

/* What the core didn't say of the lock as it is. */
static const char *say(int status, uint64_t wait, bool held)
{
	struct oracle *o = oracle_new();
	struct op op = acquire(o, MODE_EXCLUSIVE, 0);

	if (held)
		apply(o, &op);
	op = acquire(o, MODE_EXCLUSIVE, wait);
	op.node = 1;
	op.seq = 70;
	struct entry entry = { .ops = &op, .ops_len = 1 };
	struct output said = { .kind = OUTPUT_ANSWER,
			       .op = OP_ACQUIRE,
			       .status = status,
			       .node = 1,
			       .session = 1,
			       .seq = 70 };
	o->entry = &entry;
	o->rules.entry = &entry;
	o->answered = 0;
	oracle_say(o, &said);
	const char *checker = verdict(o);
	free(o);
	return checker;
}

START_TEST(a_refusal_of_what_is_free_or_would_be_waited_for_is_found)
{
	ck_assert_str_eq(say(HF_EHELD, 0, true), "none");
	ck_assert_str_eq(say(HF_EHELD, 0, false), "line");
	ck_assert_str_eq(say(HF_EHELD, 5, true), "line");
	ck_assert_str_eq(say(HF_EDEADLK, 5, true), "deadlock");
}
END_TEST

static void one_added_twice(struct world *w)
{
	w->values[1].added--;
	sum_check_all(w);
}

static void one_that_may_be(struct world *w)
{
	static int64_t unknown[] = { 1 };

	w->values[1].added--;
	w->values[1].unknown = unknown;
	w->values[1].unknown_len = 1;
	sum_check_all(w);
}

static void sums(struct world *w)
{
	sum_check_all(w);
}

START_TEST(a_counter_that_isnt_the_sum_of_what_was_added_is_found)
{
	CAUGHT(3, sums, "none");
	CAUGHT(3, one_added_twice, "sum");
	CAUGHT(3, one_that_may_be, "none");
}
END_TEST

SUITE(a_barrier_that_lets_in_somebody_beside_others_is_found,
      one_who_has_left_while_others_are_in_is_found,
      a_hand_over_to_somebody_else_is_found,
      a_refusal_of_what_is_free_or_would_be_waited_for_is_found,
      a_counter_that_isnt_the_sum_of_what_was_added_is_found)
