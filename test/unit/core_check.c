/* The checker notices every broken invariant. This test alone, with broken.h,
 * reaches into the state machine and breaks it. */
#include "lib/broken.h"
#include "lib/suite.h"

#include <string.h>

START_TEST(broken_peers_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(peer->node, 0, "isn't found");
	NOTICED(peer->node, 9, "isn't found");
	NOTICED(peer->session, p.other, "isn't its last");
	NOTICED(peer->nth, p.peer->nth + 1, "another boot");
	NOTICED(peer->boot, p.peer->boot + 1, "another boot");
	NOTICED(session->peer, p.other->peer, "another's session");
	machine_end(&m);
}
END_TEST

START_TEST(broken_sessions_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(session->id, 99, "isn't found");
	NOTICED(session->deadline, SECOND, "should have ended");
	NOTICED(session->deadline, 900 * SECOND, "isn't its deadline");
	NOTICED(session->object.timer.tie, 7, "isn't its deadline");
	NOTICED(session->window.low, 0, "above its slots");
	NOTICED(session->window.low, 16, "above its slots");
	NOTICED(session->window.high, 1000, "wider than its ring");
	NOTICED(session->window.high, 15, "highest slot");
	NOTICED(session->window.used, 4, "aren't those counted");
	NOTICED(session->window.sum, 4, "aren't those counted");
	NOTICED(session->window.ring[1].seq, 9, "out of place");
	NOTICED(session->window.ring[1].seq, 0, "aren't those counted");
	NOTICED(other->window.high, 1, "highest slot");
	NOTICED(core->scratch_cap, 1, "larger than the scratch");
	NOTICED(hold->session, p.other, "another's request");
	NOTICED(hold->place, p.wait->place, "out of order");
	machine_end(&m);
}
END_TEST

START_TEST(broken_locks_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(a->id, 0, "wasn't given");
	NOTICED(a->id, 999, "wasn't given");
	NOTICED(a->name[0], 'z', "isn't found");
	NOTICED(a->marked, true, "should have vanished");
	NOTICED(d->delay_until, 0, "should have vanished");
	NOTICED(d->delay_until, SECOND, "should have ended");
	NOTICED(d->delay_until, 5 * SECOND, "isn't its delay");
	NOTICED(a->use.alone, 2, "aren't those counted");
	NOTICED(a->use.alone, 0, "aren't those counted");
	NOTICED(s->use.units, 1, "aren't those counted");
	NOTICED(a->flags, LOCK_BARRIER, "as what it isn't");
	NOTICED(b->flags, 0, "as what it isn't");
	NOTICED(a->line->lock, p.s, "nobody needs");
	NOTICED(d->line, p.a->line, "nobody needs");
	NOTICED(wait->parts[0].permits, 1, "than there are");
	machine_end(&m);
}
END_TEST

START_TEST(broken_requests_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(hold->state, REQUEST_WAITING, "doesn't hold it");
	NOTICED(hold->parts[0].lock, p.s, "doesn't hold it");
	NOTICED(hold->parts[0].mode, MODE_BARRIER, "as what it isn't");
	NOTICED(wait->parts[0].mode, MODE_BARRIER, "as what it isn't");
	NOTICED(wait->parts[0].mode, MODE_SHARED, "isn't in its place");
	NOTICED(wait->state, REQUEST_HELD, "doesn't wait for it");
	NOTICED(wait->parts[0].lock, p.s, "doesn't wait for it");
	NOTICED(shared->token, p.permits->token, "out of order");
	NOTICED(hold->seq, 99, "isn't found");
	NOTICED(await->place, 99, "from the future");
	NOTICED(wait->deadline, 9 * SECOND, "isn't its deadline");
	NOTICED(await->deadline, SECOND, "isn't its deadline");
	NOTICED(hold->deadline, 9 * SECOND, "isn't its deadline");
	NOTICED(ended->parts[0].lock, p.a, "half ended");
	NOTICED(both->parts[1].number, 2, "half ended");
	NOTICED(hold->status, HF_EHELD, "half ended");
	NOTICED(ended->token, 1, "doesn't hold");
	NOTICED(wait->token, 1, "doesn't hold");
	NOTICED(hold->token, 77, "says otherwise");
	machine_end(&m);
}
END_TEST

START_TEST(broken_rests_of_requests_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(shared->extra->request, p.hold, "another's extra");
	NOTICED(shared->extra->hold_until, 300 * SECOND, "isn't its deadline");
	NOTICED(shared->extra->noted, true, "lost its notice");
	NOTICED(up->extra->hold_until, 1, "at place");
	NOTICED(shared->extra->conversion, p.both, "converts nothing");
	NOTICED(wait->owner->session, p.other, "another's owner");
	NOTICED(wait->owner->waits, 0, "aren't as counted");
	machine_end(&m);
}
END_TEST

START_TEST(broken_leavers_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(out->parts[0].lock, p.a, "left by one who doesn't");
	NOTICED(out->parts[0].mode, MODE_BARRIER, "left by one who doesn't");
	NOTICED(in->state, REQUEST_WAITING, "doesn't hold it");
	machine_end(&m);
}
END_TEST

START_TEST(broken_values_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(bytes->id, 999, "wasn't given");
	NOTICED(bytes->name[0], 'z', "isn't found");
	NOTICED(bytes->version, 0, "should have vanished");
	NOTICED(bytes->version, 999, "should have vanished");
	NOTICED(bytes->counter, true, "two things");
	NOTICED(counter->session, NULL, "of no session");
	NOTICED(waited->counter, true, "isn't there");
	NOTICED(await->extra->condition, AWAIT_ABSENT, "by who doesn't");
	machine_end(&m);
}
END_TEST

START_TEST(a_token_that_is_not_found_is_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	/* Out of its slot's reach, so that only the map can know. */
	p.session->window.low = 17;
	p.session->window.high = 16;
	p.session->window.used = 0;
	p.session->window.sum = 0;
	memset(p.session->window.ring, 0,
	       p.session->window.cap * sizeof(struct slot));
	NOTICED(hold->token, 1, "token 1 isn't found");
	NOTICED(hold->token, 9999, "token 9999 isn't found");
	machine_end(&m);
}
END_TEST

/* Of the digests, and of what is counted, all is as it should be. */
static void expect_complaint(struct parts *p, const char *text)
{
	broken_rehash(p->core);
	ck_assert_int_eq(core_check(p->core), HF_ECORRUPT);
	ck_assert_msg(strstr(core_error(p->core), text), "%s",
		      core_error(p->core));
}

START_TEST(two_holders_of_an_exclusive_lock_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	p.shared->parts[0].mode = MODE_EXCLUSIVE;
	p.s->use.units--;
	p.s->use.alone++;
	expect_complaint(&p, "and by others");
	machine_end(&m);
}
END_TEST

START_TEST(a_waiter_who_could_be_let_in_is_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	p.hold->parts[0].mode = MODE_SHARED;
	p.a->use = (struct rank_weight){ 0, 1 };
	p.wait->parts[0].mode = MODE_SHARED;
	rank_remove(&p.a->line->waiters, &p.wait->parts[0].in_line);
	rank_insert(&p.a->line->waiters, &p.wait->parts[0].in_line, 0,
		    p.wait->place, (struct rank_weight){ 0, 1 });
	expect_complaint(&p, "been let in");
	machine_end(&m);
}
END_TEST

START_TEST(waiters_out_of_order_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);
	struct rank_node *n = &p.wait->parts[0].in_line;

	n->minor = 99;
	expect_complaint(&p, "isn't in its place");
	machine_end(&m);
}
END_TEST

START_TEST(broken_totals_are_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	NOTICED(core->waits, 50, "waits or holds");
	NOTICED(core->holds, 50, "waits or holds");
	NOTICED(core->len[RECORD_LOCK], 50, "aren't as counted");
	NOTICED(core->peers.len, 9, "a map isn't");
	NOTICED(core->sessions.len, 9, "a map isn't");
	NOTICED(core->locks.len, 9, "a map isn't");
	NOTICED(core->requests.len, 9, "a map isn't");
	NOTICED(core->tokens.len, 9, "a map isn't");
	NOTICED(core->deadlines.len, 9, "deadlines are pending");
	NOTICED(core->values_by.len, 9, "a map isn't");
	NOTICED(core->held_parts, 9, "aren't as counted");
	NOTICED(core->waiting_parts, 9, "aren't as counted");
	NOTICED(core->values, 9, "aren't as counted");
	NOTICED(core->bytes, 9, "aren't as counted");
	NOTICED(core->touched, &p.a->object, "left unsettled");
	NOTICED(core->marked, p.a, "left unsettled");
	NOTICED(a->object.dead, true, "can't be there");
	NOTICED(a->object.touched, true, "can't be there");
	machine_end(&m);
}
END_TEST

START_TEST(a_change_without_a_touch_is_noticed)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	p.hold->delay++;
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "changed untouched"));
	p.hold->delay--;
	p.core->hash++;
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "isn't the state's"));
	machine_end(&m);
}
END_TEST

START_TEST(what_an_apply_breaks_poisons_after_it)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	core_check_every(p.core, 1000);
	p.session->window.used++;
	ck_assert_int_eq(machine_apply(&m, NULL, 0), 0);
	ck_assert_int_eq(machine_apply(&m,
				       &(struct op){ .kind = OP_RENEW,
						     .node = 1,
						     .session = p.session->id },
				       1),
			 HF_ECORRUPT);
	ck_assert_int_eq(core_poisoned(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "aren't those"));
	machine_end(&m);
}
END_TEST

START_TEST(every_kth_apply_checks_all)
{
	struct machine m;
	struct parts p = broken_fill(&m);

	core_check_every(p.core, 3);
	p.core->waits++;
	ck_assert_int_eq(machine_apply(&m, NULL, 0), 0);
	ck_assert_int_eq(machine_apply(&m, NULL, 0), 0);
	ck_assert_int_eq(machine_apply(&m, NULL, 0), HF_ECORRUPT);
	machine_end(&m);
}
END_TEST

START_TEST(a_long_complaint_is_cut_off)
{
	struct machine m;
	struct parts p = broken_fill(&m);
	char text[2 * ERROR_TEXT];

	for (size_t len = ERROR_TEXT - 25; len < ERROR_TEXT + 5; len++) {
		memset(text, 'x', len);
		strcpy(text + len, "%");
		core_complain(p.core, text, UINT64_MAX, 0);
		ck_assert_uint_lt(strlen(core_error(p.core)), ERROR_TEXT);
	}
	machine_end(&m);
}
END_TEST

SUITE(broken_peers_are_noticed, broken_rests_of_requests_are_noticed,
      broken_leavers_are_noticed, broken_values_are_noticed,
      broken_sessions_are_noticed, broken_locks_are_noticed,
      broken_requests_are_noticed, a_token_that_is_not_found_is_noticed,
      two_holders_of_an_exclusive_lock_are_noticed,
      a_waiter_who_could_be_let_in_is_noticed, waiters_out_of_order_are_noticed,
      broken_totals_are_noticed, a_change_without_a_touch_is_noticed,
      what_an_apply_breaks_poisons_after_it, every_kth_apply_checks_all,
      a_long_complaint_is_cut_off)
