/* The checker notices every broken invariant. This test alone reaches into the
 * state machine and breaks it. */
#include "core/state.h"
#include "lib/machine.h"
#include "lib/suite.h"

#include <string.h>

#define LONG (1000 * SECOND)

/* What is broken: all of one small state. */
struct parts {
	struct core *core;
	struct peer *peer;
	struct session *session, *other;
	struct lock *a, *s, *d; /* held with a line; a semaphore; delayed */
	struct request *hold, *wait, *ended, *permits, *shared;
};

static struct request *request_of(struct core *core, uint64_t session,
				  uint64_t seq)
{
	struct request *r = core_request_find(core, session, seq);

	ck_assert_ptr_nonnull(r);
	return r;
}

static void acquire_permits(struct machine *m, uint64_t s)
{
	struct op op = machine_acquire_op(m, 1, s, "s", 0);

	op.acquire.mode = MODE_PERMITS;
	op.acquire.permits = 2;
	op.acquire.limit = 3;
	ck_assert_int_eq(machine_do(m, &op), 0);
}

static void acquire_shared(struct machine *m, uint64_t s)
{
	struct op op = machine_acquire_op(m, 1, s, "s", 0);

	op.acquire.mode = MODE_SHARED;
	ck_assert_int_eq(machine_do(m, &op), 0);
}

static void leave_a_delay(struct machine *m)
{
	uint64_t s = machine_open(m, 3, SECOND);
	struct op op = machine_acquire_op(m, 3, s, "d", 0);

	op.acquire.delay = 500 * SECOND;
	machine_do(m, &op);
}

static struct parts fill(struct machine *m)
{
	struct parts p;
	uint64_t s;

	machine_init(m, 1);
	s = machine_open(m, 1, LONG);
	machine_open(m, 1, LONG);
	p.core = m->core;
	s = m->answer.session;
	m->seq[1] = 0;
	machine_acquire(m, 1, s, "a", 0);
	machine_acquire(m, 1, s, "a", 500 * SECOND);
	machine_acquire(m, 1, s, "a", SECOND);
	acquire_permits(m, s);
	acquire_shared(m, s);
	leave_a_delay(m);
	machine_open(m, 2, LONG);
	machine_pass(m, 2 * SECOND);
	p.peer = core_peer_find(p.core, 1);
	p.session = core_session_find(p.core, s);
	p.other = core_session_find(p.core,
				    core_peer_find(p.core, 2)->session->id);
	p.a = core_lock_find(p.core, "a", 1);
	p.s = core_lock_find(p.core, "s", 1);
	p.d = core_lock_find(p.core, "d", 1);
	p.hold = request_of(p.core, s, 1);
	p.wait = request_of(p.core, s, 2);
	p.ended = request_of(p.core, s, 3);
	p.permits = request_of(p.core, s, 4);
	p.shared = request_of(p.core, s, 5);
	ck_assert_int_eq(core_check(p.core), 0);
	return p;
}

/* The digests follow, so that a claim about the broken part is what fails. */
static void rehash(struct core *core)
{
	core->sum = 0;
	for (size_t kind = 0; kind < KINDS; kind++) {
		list_for (it, &core->all[kind]) {
			object_of(it)->digest = core_digest(object_of(it));
			core->sum += object_of(it)->digest;
		}
	}
	core->hash = core->sum + core_state_digest(core);
}

#define NOTICED(field, value, text)                                            \
	do {                                                                   \
		__typeof__(p.field) was_ = p.field;                            \
		p.field = (value);                                             \
		rehash(p.core);                                                \
		ck_assert_msg(core_check(p.core) == HF_ECORRUPT,               \
			      "%s = %s wasn't noticed", #field, #value);       \
		ck_assert_msg(strstr(core_error(p.core), text), "%s = %s: %s", \
			      #field, #value, core_error(p.core));             \
		p.field = was_;                                                \
		rehash(p.core);                                                \
		ck_assert_int_eq(core_check(p.core), 0);                       \
	} while (0)

START_TEST(broken_peers_are_noticed)
{
	struct machine m;
	struct parts p = fill(&m);

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
	struct parts p = fill(&m);

	NOTICED(session->id, 99, "isn't found");
	NOTICED(session->deadline, SECOND, "should have ended");
	NOTICED(session->deadline, 900 * SECOND, "isn't its deadline");
	NOTICED(session->object.timer.tie, 7, "isn't its deadline");
	NOTICED(session->window.low, 0, "above its slots");
	NOTICED(session->window.low, 7, "above its slots");
	NOTICED(session->window.high, 1000, "wider than its ring");
	NOTICED(session->window.high, 6, "highest slot");
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
	struct parts p = fill(&m);

	NOTICED(a->id, 0, "wasn't given");
	NOTICED(a->id, 999, "wasn't given");
	NOTICED(a->name[0], 'z', "isn't found");
	NOTICED(a->marked, true, "should have vanished");
	NOTICED(d->delay_until, 0, "should have vanished");
	NOTICED(d->delay_until, SECOND, "should have ended");
	NOTICED(d->delay_until, 5 * SECOND, "isn't its delay");
	NOTICED(a->exclusive, 2, "aren't those counted");
	NOTICED(a->exclusive, 0, "aren't those counted");
	NOTICED(s->shared, 0, "aren't those counted");
	NOTICED(s->permits, 1, "aren't those counted");
	NOTICED(a->waiting, 0, "isn't as counted");
	NOTICED(s->limit, 1, "are held than are");
	NOTICED(wait->permits, 1, "than there are");
	machine_end(&m);
}
END_TEST

START_TEST(broken_requests_are_noticed)
{
	struct machine m;
	struct parts p = fill(&m);

	NOTICED(hold->state, REQUEST_WAITING, "doesn't hold it");
	NOTICED(hold->lock, p.s, "doesn't hold it");
	NOTICED(wait->state, REQUEST_HELD, "doesn't wait for it");
	NOTICED(wait->lock, p.s, "doesn't wait for it");
	NOTICED(shared->token, p.permits->token, "out of order");
	NOTICED(hold->seq, 99, "isn't found");
	NOTICED(shared->place, 99, "from the future");
	NOTICED(hold->deadline, 9 * SECOND, "isn't its deadline");
	NOTICED(wait->deadline, 9 * SECOND, "isn't its deadline");
	NOTICED(ended->lock, p.a, "half ended");
	NOTICED(ended->status, 0, "half ended");
	NOTICED(ended->state, REQUEST_HELD, "half ended");
	NOTICED(wait->token, 1, "doesn't hold");
	NOTICED(hold->token, 77, "says otherwise");
	machine_end(&m);
}
END_TEST

START_TEST(a_token_that_is_not_found_is_noticed)
{
	struct machine m;
	struct parts p = fill(&m);

	/* Out of its slot's reach, so that only the map can know. */
	p.session->window.low = 7;
	p.session->window.high = 6;
	p.session->window.used = 0;
	p.session->window.sum = 0;
	memset(p.session->window.ring, 0, 8 * sizeof(struct slot));
	NOTICED(hold->token, 1, "token 1 isn't found");
	NOTICED(hold->token, 9999, "token 9999 isn't found");
	machine_end(&m);
}
END_TEST

START_TEST(two_holders_of_an_exclusive_lock_are_noticed)
{
	struct machine m;
	struct parts p = fill(&m);

	p.shared->mode = MODE_EXCLUSIVE;
	p.s->shared = 0;
	p.s->exclusive = 1;
	rehash(p.core);
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "and by others"));
	machine_end(&m);
}
END_TEST

START_TEST(a_waiter_who_could_be_let_in_is_noticed)
{
	struct machine m;
	struct parts p = fill(&m);

	p.hold->mode = p.wait->mode = MODE_SHARED;
	p.a->exclusive = 0;
	p.a->shared = 1;
	rehash(p.core);
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "been let in"));
	machine_end(&m);
}
END_TEST

START_TEST(waiters_out_of_order_are_noticed)
{
	struct machine m;
	struct parts p = fill(&m);
	struct request *second;

	machine_acquire(&m, 1, p.session->id, "a", 0);
	m.seq[1] = 10;
	machine_acquire(&m, 1, p.session->id, "a", WAIT_FOREVER);
	second = request_of(p.core, p.session->id, 11);
	list_remove(&p.wait->in_lock);
	list_push(&second->in_lock, &p.wait->in_lock);
	list_remove(&second->in_lock);
	list_insert(&p.wait->in_lock, &second->in_lock);
	rehash(p.core);
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "out of order"));
	machine_end(&m);
}
END_TEST

START_TEST(broken_totals_are_noticed)
{
	struct machine m;
	struct parts p = fill(&m);

	NOTICED(core->waits, 5, "waits or holds");
	NOTICED(core->holds, 5, "waits or holds");
	NOTICED(core->len[RECORD_LOCK], 5, "aren't as counted");
	NOTICED(core->peers.len, 9, "a map isn't");
	NOTICED(core->sessions.len, 9, "a map isn't");
	NOTICED(core->locks.len, 9, "a map isn't");
	NOTICED(core->requests.len, 9, "a map isn't");
	NOTICED(core->tokens.len, 9, "a map isn't");
	NOTICED(core->deadlines.len, 9, "deadlines are pending");
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
	struct parts p = fill(&m);

	p.hold->owner++;
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "changed untouched"));
	p.hold->owner--;
	p.core->hash++;
	ck_assert_int_eq(core_check(p.core), HF_ECORRUPT);
	ck_assert_ptr_nonnull(strstr(core_error(p.core), "isn't the state's"));
	machine_end(&m);
}
END_TEST

START_TEST(what_an_apply_breaks_poisons_after_it)
{
	struct machine m;
	struct parts p = fill(&m);

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
	struct parts p = fill(&m);

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
	struct parts p = fill(&m);
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

SUITE(broken_peers_are_noticed, broken_sessions_are_noticed,
      broken_locks_are_noticed, broken_requests_are_noticed,
      a_token_that_is_not_found_is_noticed,
      two_holders_of_an_exclusive_lock_are_noticed,
      a_waiter_who_could_be_let_in_is_noticed, waiters_out_of_order_are_noticed,
      broken_totals_are_noticed, a_change_without_a_touch_is_noticed,
      what_an_apply_breaks_poisons_after_it, every_kth_apply_checks_all,
      a_long_complaint_is_cut_off)
