/* The simulator's checks of watches, of what is told of revocations and of
 * conversions find what is wrong. */
#include "lib/suite.h"
#include "sim/lib/check.h"
#include "sim/lib/ending.h"
#include "sim/lib/spoil.h"

#define CHANGES 4

/* Of lock "a", one for each index. */
static struct output said(size_t i)
{
	return (struct output){ .kind = OUTPUT_CHANGED,
				.change = CHANGE_HELD,
				.index = i + 1,
				.token = 10 + i,
				.name = (const uint8_t *)"a",
				.name_len = 1 };
}

static struct watchman *listen(struct world *w)
{
	struct watchman *m = &member(w, 0)->watchmen[0];

	w->oracle.changes = (struct changes){ 0 };
	for (size_t i = 0; i < CHANGES; i++) {
		struct output o = said(i);
		changes_add(&w->oracle.changes, &o);
	}
	*m = (struct watchman){ .process = member(w, 0),
				.options = { .flags = HF_WATCH_PREFIX } };
	m->process->first_index = 0;
	m->installed = member(w, 0)->installed;
	m->watcher = (struct watcher *)m; /* there is one */
	return m;
}

static struct hf_change told(size_t i)
{
	return (struct hf_change){ .type = HF_CHANGE_HELD,
				   .index = i + 1,
				   .token = 10 + i,
				   .name = "a",
				   .name_len = 1 };
}

static void hear(struct watchman *m, struct hf_change c)
{
	watchman_hears(m, &c);
}

static void all_in_order(struct world *w)
{
	struct watchman *m = listen(w);

	for (size_t i = 0; i < CHANGES; i++)
		hear(m, told(i));
	watchman_check(m);
}

static void one_missing(struct world *w)
{
	struct watchman *m = listen(w);

	hear(m, told(0));
	hear(m, told(2));
}

static void one_twice(struct world *w)
{
	struct watchman *m = listen(w);

	hear(m, told(0));
	hear(m, told(0));
}

static void last_missing(struct world *w)
{
	struct watchman *m = listen(w);

	for (size_t i = 0; i < CHANGES - 1; i++)
		hear(m, told(i));
	watchman_check(m);
}

static void another_token(struct world *w)
{
	struct hf_change c = told(0);

	c.token++;
	hear(listen(w), c);
}

START_TEST(a_watch_that_misses_or_repeats_a_change_is_found)
{
	CAUGHT(3, all_in_order, "none");
	CAUGHT(3, one_missing, "watch");
	CAUGHT(3, one_twice, "watch");
	CAUGHT(3, last_missing, "watch");
	CAUGHT(3, another_token, "watch");
}
END_TEST

static const struct hf_change gap = { .type = HF_CHANGE_GAP,
				      .index = 2,
				      .rc = HF_EGAP };

static void gap_without_reason(struct world *w)
{
	hear(listen(w), gap);
}

static void gap_after_snapshot(struct world *w)
{
	struct watchman *m = listen(w);

	m->process->first_index = 2;
	hear(m, gap);
	hear(m, told(2));
	hear(m, told(3));
	watchman_check(m);
}

static void gap_of_a_small_ring(struct world *w)
{
	w->plan.ring_bytes = 128;
	hear(listen(w), gap);
}

static void told_behind_the_gap(struct world *w)
{
	struct watchman *m = listen(w);

	m->process->first_index = 2;
	hear(m, gap);
	hear(m, told(1));
}

START_TEST(a_gap_must_have_a_reason_and_ends_where_it_says)
{
	CAUGHT(3, gap_without_reason, "watch");
	CAUGHT(3, gap_after_snapshot, "none");
	CAUGHT(3, gap_of_a_small_ring, "none");
	CAUGHT(3, told_behind_the_gap, "watch");
}
END_TEST

/* What is at the beginning: two holds. */
static struct watchman *listen_now(struct world *w)
{
	struct watchman *m = listen(w);

	m->now = 2;
	m->expected = calloc(2, sizeof(*m->expected));
	m->expected_len = 2;
	memcpy(m->expected, w->oracle.changes.items, 2 * sizeof(*m->expected));
	watchman_seek(m, 2);
	return m;
}

static struct hf_change now(size_t i)
{
	struct hf_change c = told(i);

	c.index = 2;
	return c;
}

static void all_that_is(struct world *w)
{
	struct watchman *m = listen_now(w);

	hear(m, now(1));
	hear(m, now(0));
	hear(m, told(2));
}

static void half_of_what_is(struct world *w)
{
	struct watchman *m = listen_now(w);

	hear(m, now(1));
	hear(m, told(2));
}

static void what_isnt(struct world *w)
{
	hear(listen_now(w), now(3));
}

START_TEST(what_is_at_first_must_be_all_that_is)
{
	CAUGHT(3, all_that_is, "none");
	CAUGHT(3, half_of_what_is, "watch");
	CAUGHT(3, what_isnt, "watch");
}
END_TEST

static void revocation_of_nothing(struct world *w)
{
	const struct hf_event event = {
		.type = HF_EVENT_REVOKED, .token = 5, .by = 2, .text = "why"
	};

	check_revoked(member(w, 0), &event);
}

static void certain_when_taken(struct world *w)
{
	believe(w, 0, 5);
	check_hold_ended(w, 1, session_of(w, 0), 5);
}

static void lost_by_another_way(struct world *w)
{
	believe(w, 0, 5);
	answer_released(some_user(w), HF_EREVOKED);
}

/* Only what has ended is looked at again. */
static void lost_and_not_told(struct world *w)
{
	believe(w, 0, 5);
	w->agenda = (struct agenda){ .now = world_now(w) };
	w->plan.beyond_bound = true;
	member(w, 0)->session = HF_SESSION_SAFE;
	check_hold_ended(w, 1, session_of(w, 0), 5);
	agenda_step(&w->agenda, UINT64_MAX);
}

START_TEST(an_end_by_itself_that_is_told_wrongly_is_found)
{
	CAUGHT(3, revocation_of_nothing, "told");
	CAUGHT(3, certain_when_taken, "certain");
	CAUGHT(3, lost_by_another_way, "answer");
	CAUGHT(3, lost_and_not_told, "told");
}
END_TEST

static void refused_conversion(struct world *w)
{
	believe(w, 0, 5);
	some_user(w)->convert.token = 5;
	answer_conversion(some_user(w), HF_EDEADLK);
}

static void converted_to_nothing(struct world *w)
{
	believe(w, 0, 5);
	answer_converted(some_user(w));
}

static void lost_conversion(struct world *w)
{
	w->plan.unsure_is_lost = false;
	believe(w, 0, 5);
	answer_conversion(some_user(w), HF_ENOTHELD);
}

static void errand_without_end(struct world *w)
{
	struct user *u = some_user(w);

	believe(w, 0, 5);
	u->errand = ticket_new(u, USER_CONVERTING);
	answer_set_apart(u);
	ticket_take(ticket_new(u, USER_RELEASING), 0);
}

START_TEST(conversions_that_are_told_wrongly_are_found)
{
	CAUGHT(3, refused_conversion, "answer");
	CAUGHT(3, converted_to_nothing, "answer");
	CAUGHT(3, lost_conversion, "answer");
	CAUGHT(3, errand_without_end, "callback");
}
END_TEST

SUITE(a_watch_that_misses_or_repeats_a_change_is_found,
      a_gap_must_have_a_reason_and_ends_where_it_says,
      what_is_at_first_must_be_all_that_is,
      an_end_by_itself_that_is_told_wrongly_is_found,
      conversions_that_are_told_wrongly_are_found)
