/* The simulator's checks of what users are told find an answer that is wrong.
 */
#include "lib/suite.h"
#include "sim/lib/ending.h"
#include "sim/lib/spoil.h"

static void still_asks(struct world *w)
{
	some_user(w)->state = USER_ASKING;
	ending_check_idle(w);
}

static void twice(struct world *w)
{
	struct ticket *t = ticket_new(some_user(w), USER_ASKING);

	if (!ticket_take(t, 0) || w->violation[0])
		return;
	ticket_new(some_user(w), USER_ASKING);
	ticket_take(t, 0);
}

static void not_due(struct world *w)
{
	struct ticket *t = ticket_new(some_user(w), USER_RELEASING);

	some_user(w)->state = USER_HOLDING;
	ticket_take(t, 0);
}

START_TEST(a_callback_that_is_missing_or_comes_twice_is_found)
{
	CAUGHT(3, still_asks, "callback");
	CAUGHT(3, twice, "callback");
	CAUGHT(3, not_due, "callback");
}
END_TEST

static void odd_end(struct world *w)
{
	answer_refused(some_user(w), 0, HF_EFENCED);
}

static void odd_limit(struct world *w)
{
	w->plan.limits_every_us = 0;
	answer_refused(some_user(w), 0, HF_ELIMIT);
}

static void held_by_nobody(struct world *w)
{
	answer_refused(some_user(w), session_of(w, 0), HF_EHELD);
}

static void validated_late(struct world *w)
{
	believe(w, 0, 5);
	some_user(w)->held = false;
	answer_validated(some_user(w), 0);
}

static void lost_but_lives(struct world *w)
{
	w->plan.unsure_is_lost = false;
	believe(w, 0, 5);
	answer_released(some_user(w), HF_ESESSION);
}

START_TEST(answers_that_cant_be_are_found)
{
	CAUGHT(3, odd_end, "answer");
	CAUGHT(3, odd_limit, "answer");
	CAUGHT(3, held_by_nobody, "answer");
	CAUGHT(3, validated_late, "answer");
	CAUGHT(3, lost_but_lives, "answer");
}
END_TEST

static void ask_for(struct world *w, uint64_t timeout_us, uint64_t took_us,
		    int rc)
{
	struct user *u = some_user(w);

	u->called = world_now(w);
	u->wish.timeout_us = timeout_us;
	answer_deadline(u);
	w->agenda.now += took_us;
	answer_in_time(u, rc);
}

static void in_time(struct world *w)
{
	ask_for(w, SECOND, SECOND, HF_ETIMEDOUT);
	ask_for(w, SECOND, SECOND / 2, HF_EHELD);
}

static void too_late(struct world *w)
{
	ask_for(w, SECOND, 2 * SECOND, HF_ETIMEDOUT);
}

static void too_early(struct world *w)
{
	ask_for(w, SECOND, SECOND / 2, HF_ETIMEDOUT);
}

START_TEST(an_end_before_or_after_its_deadline_is_found)
{
	CAUGHT(3, in_time, "none");
	CAUGHT(3, too_late, "deadline");
	CAUGHT(3, too_early, "deadline");
}
END_TEST

SUITE(a_callback_that_is_missing_or_comes_twice_is_found,
      answers_that_cant_be_are_found,
      an_end_before_or_after_its_deadline_is_found)
