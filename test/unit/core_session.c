/* Sessions and cluster time: what lives how long. */
#include "lib/machine.h"
#include "lib/suite.h"

#define LONG (1000 * SECOND)

static bool lives(const struct machine *m, uint64_t session)
{
	struct record r;

	return core_session(m->core, session, &r);
}

/* Open with a process and number of its own; the answer's status. */
static int open_as(struct machine *m, uint64_t node, uint64_t boot,
		   uint64_t nth, uint32_t flags)
{
	struct op op = machine_open_op(node, boot, nth, LONG);

	op.open.flags = flags;
	return machine_do(m, &op);
}

START_TEST(a_session_lives_until_its_last_renewal_and_ttl)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, 10 * SECOND);
	ck_assert_uint_eq(m.answer.deadline, 10 * SECOND);
	ck_assert_uint_eq(core_deadline(m.core), 10 * SECOND);
	machine_pass(&m, 6 * SECOND);
	ck_assert_int_eq(machine_renew(&m, 1, s), 0);
	ck_assert_uint_eq(m.answer.stamp, 6 * SECOND);
	ck_assert_uint_eq(m.answer.deadline, 16 * SECOND);
	machine_pass(&m, 10 * SECOND - 1);
	ck_assert(lives(&m, s));
	machine_pass(&m, 1);
	ck_assert(!lives(&m, s));
	ck_assert_int_eq(machine_said(&m, OUTPUT_SESSION_ENDED)->status,
			 HF_ESESSION);
	ck_assert_uint_eq(core_deadline(m.core), UINT64_MAX);
	machine_end(&m);
}
END_TEST

START_TEST(a_late_renewal_does_not_revive_a_session)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, 10 * SECOND);
	m.now += 10 * SECOND;
	ck_assert_int_eq(machine_renew(&m, 1, s), HF_ESESSION);
	ck_assert(!lives(&m, s));
	machine_end(&m);
}
END_TEST

START_TEST(a_repeated_open_answers_as_the_first)
{
	struct machine m;
	struct op op = machine_open_op(1, 1, 1, 10 * SECOND);
	uint64_t s;

	machine_init(&m, 1);
	ck_assert_int_eq(machine_do(&m, &op), 0);
	s = m.answer.session;
	machine_pass(&m, 5 * SECOND);
	machine_renew(&m, 1, s);
	op.seq = 2;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	ck_assert_uint_eq(m.answer.session, s);
	ck_assert_uint_eq(m.answer.stamp, 0);
	ck_assert_uint_eq(m.answer.deadline, 10 * SECOND);
	ck_assert_uint_eq(m.answer.seq, 2);
	machine_close(&m, 1, s);
	ck_assert_int_eq(machine_do(&m, &op), HF_ESESSION);
	machine_end(&m);
}
END_TEST

START_TEST(an_old_boot_opens_no_session)
{
	struct machine m;

	machine_init(&m, 1);
	ck_assert_int_eq(open_as(&m, 1, 5, 2, 0), 0);
	ck_assert_int_eq(open_as(&m, 1, 4, 3, 0), HF_EOLDBOOT);
	ck_assert_int_eq(open_as(&m, 1, 5, 1, 0), HF_ESESSION);
	machine_close(&m, 1, 1);
	ck_assert_int_eq(open_as(&m, 1, 4, 9, OPEN_MEMBER), HF_EOLDBOOT);
	ck_assert_int_eq(open_as(&m, 2, 1, 1, 0), 0);
	ck_assert_int_eq(open_as(&m, 1, 5, 3, 0), 0);
	machine_end(&m);
}
END_TEST

START_TEST(a_restarted_members_session_ends_at_once)
{
	struct machine m;

	machine_init(&m, 1);
	open_as(&m, 1, 1, 1, OPEN_MEMBER);
	open_as(&m, 1, 2, 1, OPEN_MEMBER);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_SESSION_ENDED)->session, 1);
	ck_assert(!lives(&m, 1));
	ck_assert(lives(&m, 2));
	machine_end(&m);
}
END_TEST

START_TEST(a_restarted_clients_session_waits_out_its_ttl)
{
	struct machine m;

	machine_init(&m, 1);
	open_as(&m, 1, 1, 1, 0);
	open_as(&m, 1, 2, 1, 0);
	ck_assert(lives(&m, 1));
	open_as(&m, 1, 2, 2, 0);
	ck_assert(lives(&m, 1));
	ck_assert(!lives(&m, 2));
	open_as(&m, 1, 3, 1, OPEN_MEMBER);
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_SESSION_ENDED), 2);
	ck_assert(!lives(&m, 1));
	machine_end(&m);
}
END_TEST

START_TEST(a_refused_open_ends_nothing)
{
	struct machine m;
	struct op op = machine_open_op(1, 2, 1, 1);

	machine_init(&m, 1);
	open_as(&m, 1, 1, 1, 0);
	op.open.flags = OPEN_MEMBER;
	ck_assert_int_eq(machine_do(&m, &op), HF_ELIMIT);
	op.open.ttl = DURATION_MAX;
	ck_assert_int_eq(machine_do(&m, &op), HF_ELIMIT);
	ck_assert(lives(&m, 1));
	machine_end(&m);
}
END_TEST

START_TEST(the_lease_is_alive_when_the_grant_is_applied)
{
	struct machine m;
	uint64_t s1, s2, s3;

	machine_init(&m, 1);
	s1 = machine_open(&m, 1, 10 * SECOND);
	s2 = machine_open(&m, 2, 11 * SECOND);
	s3 = machine_open(&m, 3, LONG);
	machine_acquire(&m, 1, s1, "a", 0);
	machine_acquire(&m, 2, s2, "a", WAIT_FOREVER);
	machine_acquire(&m, 3, s3, "a", 19 * SECOND);
	machine_acquire(&m, 3, s3, "a", WAIT_FOREVER);
	machine_pass(&m, 20 * SECOND);
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_GRANTED), 1);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->session, s3);
	ck_assert_uint_eq(machine_said(&m, OUTPUT_GRANTED)->seq, 2);
	machine_end(&m);
}
END_TEST

START_TEST(a_sessions_end_grants_nothing_to_its_own_waits)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_acquire(&m, 1, s, "a", 0);
	machine_acquire(&m, 1, s, "a", WAIT_FOREVER);
	machine_close(&m, 1, s);
	ck_assert_ptr_null(machine_said(&m, OUTPUT_GRANTED));
	ck_assert_uint_eq(machine_said_often(&m, OUTPUT_SESSION_ENDED), 1);
	ck_assert_ptr_null(machine_said(&m, OUTPUT_ENDED));
	machine_end(&m);
}
END_TEST

/* A hold with a delay of 5 s ends in one of three ways. */
static uint64_t delay_after(struct machine *m,
			    void (*end)(struct machine *m, uint64_t s))
{
	struct record r;
	struct op op;
	uint64_t s;

	machine_init(m, 1);
	s = machine_open(m, 1, 10 * SECOND);
	op = machine_acquire_op(m, 1, s, "a", 0);
	op.acquire.delay = 5 * SECOND;
	ck_assert_int_eq(machine_do(m, &op), 0);
	end(m, s);
	return core_lock(m->core, "a", 1, &r) ? r.lock.delay_until : 0;
}

static void by_expiry(struct machine *m, uint64_t s)
{
	(void)s;
	machine_pass(m, 10 * SECOND);
}

static void by_release(struct machine *m, uint64_t s)
{
	machine_release(m, 1, s, m->answer.token);
}

static void by_replacement(struct machine *m, uint64_t s)
{
	(void)s;
	open_as(m, 1, 2, 1, OPEN_MEMBER);
}

START_TEST(a_lock_delay_comes_from_failures_only)
{
	struct machine m;

	ck_assert_uint_eq(delay_after(&m, by_release), 0);
	machine_end(&m);
	ck_assert_uint_eq(delay_after(&m, by_replacement), 5 * SECOND);
	machine_end(&m);
	ck_assert_uint_eq(delay_after(&m, by_expiry), 15 * SECOND);
	ck_assert_uint_eq(core_deadline(m.core), 15 * SECOND);
	machine_pass(&m, 5 * SECOND);
	ck_assert_uint_eq(core_deadline(m.core), UINT64_MAX);
	machine_end(&m);
}
END_TEST

START_TEST(cluster_time_never_goes_back)
{
	struct machine m;

	machine_init(&m, 1);
	machine_pass(&m, 10 * SECOND);
	m.now = 4 * SECOND;
	machine_pass(&m, 0);
	ck_assert_uint_eq(core_now(m.core), 10 * SECOND);
	m.now = 0;
	machine_pass(&m, 0);
	ck_assert_uint_eq(core_now(m.core), 10 * SECOND);
	machine_end(&m);
}
END_TEST

/* README, N8: with a clamp alone the second entry would end the session. */
START_TEST(a_session_renewed_in_a_cut_step_has_its_whole_life)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, 100 * SECOND);
	m.now = 3600 * SECOND;
	ck_assert_int_eq(machine_renew(&m, 1, s), 0);
	ck_assert_uint_eq(m.answer.stamp, 60 * SECOND);
	ck_assert_uint_eq(m.answer.deadline, 160 * SECOND);
	ck_assert_uint_eq(core_deadline(m.core), 3700 * SECOND);
	machine_pass(&m, 59 * SECOND);
	machine_pass(&m, 41 * SECOND - 1);
	ck_assert(lives(&m, s));
	machine_pass(&m, 1);
	ck_assert(!lives(&m, s));
	machine_end(&m);
}
END_TEST

START_TEST(a_new_term_continues_from_cluster_time)
{
	struct machine m;

	machine_init(&m, 1);
	machine_pass(&m, 3600 * SECOND);
	m.term = 1;
	m.now = core_now(m.core);
	machine_pass(&m, SECOND);
	ck_assert_uint_eq(core_now(m.core), 61 * SECOND);
	machine_end(&m);
}
END_TEST

START_TEST(cluster_time_stops_before_sums_overflow)
{
	struct machine m;
	struct op op = { .kind = OP_LIMITS, .node = 1 };

	machine_init(&m, 1);
	op.limits = *core_limits(m.core);
	op.limits.step_max_us = DURATION_MAX;
	ck_assert_int_eq(machine_do(&m, &op), 0);
	core_check_every(m.core, 0);
	m.now = UINT64_MAX;
	for (uint64_t i = 0; i < (UINT64_C(1) << 22) + 2; i++) {
		m.term++;
		machine_apply(&m, NULL, 0);
	}
	ck_assert_uint_eq(core_now(m.core), UINT64_C(1) << 62);
	ck_assert_uint_gt(machine_open(&m, 1, SECOND), 0);
	ck_assert_uint_eq(m.answer.deadline, (UINT64_C(1) << 62) + SECOND);
	machine_end(&m);
}
END_TEST

START_TEST(wall_time_is_kept_and_means_nothing)
{
	struct machine m;
	struct entry entry = { .version = SEMANTICS_VERSION, .wall = 500 };

	machine_init(&m, 1);
	ck_assert_int_eq(core_apply(m.core, 1, &entry, NULL), 0);
	entry.wall = 400;
	ck_assert_int_eq(core_apply(m.core, 2, &entry, NULL), 0);
	ck_assert_uint_eq(core_wall(m.core), 500);
	ck_assert_uint_eq(core_now(m.core), 0);
	ck_assert_uint_eq(core_index(m.core), 2);
	machine_end(&m);
}
END_TEST

START_TEST(only_a_sessions_own_node_may_name_it)
{
	struct machine m;
	uint64_t s;

	machine_init(&m, 1);
	s = machine_open(&m, 1, LONG);
	machine_open(&m, 2, LONG);
	ck_assert_int_eq(machine_renew(&m, 2, s), HF_ESESSION);
	ck_assert_int_eq(machine_close(&m, 2, s), HF_ESESSION);
	ck_assert_int_eq(machine_acquire(&m, 2, s, "a", 0), HF_ESESSION);
	ck_assert_int_eq(machine_cancel(&m, 2, s, 1), HF_ESESSION);
	ck_assert(lives(&m, s));
	machine_end(&m);
}
END_TEST

SUITE(a_session_lives_until_its_last_renewal_and_ttl,
      a_late_renewal_does_not_revive_a_session,
      a_repeated_open_answers_as_the_first, an_old_boot_opens_no_session,
      a_restarted_members_session_ends_at_once,
      a_restarted_clients_session_waits_out_its_ttl,
      a_refused_open_ends_nothing, the_lease_is_alive_when_the_grant_is_applied,
      a_sessions_end_grants_nothing_to_its_own_waits,
      a_lock_delay_comes_from_failures_only, cluster_time_never_goes_back,
      a_session_renewed_in_a_cut_step_has_its_whole_life,
      a_new_term_continues_from_cluster_time,
      cluster_time_stops_before_sums_overflow,
      wall_time_is_kept_and_means_nothing, only_a_sessions_own_node_may_name_it)
