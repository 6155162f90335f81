/* What is asked for a hold while a conversion gives it another token. */
#include "lib/single.h"
#include "lib/suite.h"

#define S UINT64_C(1000000)

struct end {
	struct claim *claim;
	int rc; /* 1: not yet */
};

static void on_end(void *arg, struct claim *claim, int rc)
{
	(void)claim;
	((struct end *)arg)->rc = rc;
}

static void hold(struct single *s, struct end *e)
{
	struct acquire_options o = { .name = "n",
				     .name_len = 1,
				     .mode = HF_SHARED,
				     .lease_us = 3 * S,
				     .timeout_us = UINT64_MAX };

	e->rc = 1;
	ck_assert_int_eq(node_acquire(s->node, &o, on_end, e, &e->claim), 0);
	single_run(s, 50000);
	ck_assert_int_eq(e->rc, 0);
}

/* The entry that converts is on its way, and `a` doesn't know of it yet. */
static void begin_grant(struct single *s, struct end *a, struct end *converted)
{
	static struct end b;

	single_open(s);
	hold(s, a);
	hold(s, &b);
	converted->rc = 1;
	node_convert(s->node, a->claim, HF_EXCLUSIVE, 0, UINT64_MAX, on_end,
		     converted);
	single_run(s, 50000);
	s->fake.members[0].disk_us = 100000;
	node_release(s->node, b.claim, S, on_end, &b);
	single_run(s, 10000);
	ck_assert_int_eq(converted->rc, 1);
}

START_TEST(a_renewal_that_crosses_a_conversion_renews_the_new_hold)
{
	static struct single s;
	struct end a, converted, renewed = { .rc = 1 };

	begin_grant(&s, &a, &converted);
	node_renew(s.node, a.claim, 5 * S, on_end, &renewed);
	single_run(&s, 1 * S);
	ck_assert_int_eq(converted.rc, 0);
	ck_assert_int_eq(renewed.rc, 0);
	ck_assert(list_empty(&s.node->strays));
	single_close(&s);
}
END_TEST

START_TEST(what_is_shown_meanwhile_is_shown_by_the_new_hold)
{
	static struct single s;
	struct end a, converted, shown = { .rc = 1 };
	struct record r;

	begin_grant(&s, &a, &converted);
	node_show(s.node, a.claim, "here", 4, 5 * S, on_end, &shown);
	single_run(&s, 1 * S);
	ck_assert_int_eq(converted.rc, 0);
	ck_assert_int_eq(shown.rc, 0);
	ck_assert(core_hold(node_core(s.node), node_claim_token(a.claim), &r));
	ck_assert_uint_eq(r.request.shown_len, 4);
	ck_assert(list_empty(&s.node->strays));
	single_close(&s);
}
END_TEST

SUITE(a_renewal_that_crosses_a_conversion_renews_the_new_hold,
      what_is_shown_meanwhile_is_shown_by_the_new_hold)
