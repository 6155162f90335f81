/* Restores: records in any order make the same state, and what is no image is
 * refused. */
#include "lib/machine.h"
#include "lib/suite.h"

#include <string.h>

#define LONG (1000 * SECOND)

/* Two sessions of two nodes (1, 2); locks a (3, held by 4 with a delay of 1 s,
 * a waiter behind it), s (5, a semaphore, held by 6) and d (delayed: its holder
 * failed); an ended wait. Time is 3 s. */
static void fill(struct machine *m)
{
	struct op op;
	uint64_t s1, s2, s3;

	machine_init(m, 1);
	s1 = machine_open(m, 1, LONG);
	s2 = machine_open(m, 2, LONG);
	op = machine_acquire_op(m, 1, s1, "a", 0);
	op.acquire.delay = SECOND;
	machine_do(m, &op);
	machine_acquire(m, 2, s2, "a", 100 * SECOND);
	op = machine_acquire_op(m, 2, s2, "s", 0);
	op.acquire.mode = MODE_PERMITS;
	op.acquire.permits = 2;
	op.acquire.limit = 3;
	machine_do(m, &op);
	s3 = machine_open(m, 3, 2 * SECOND);
	op = machine_acquire_op(m, 3, s3, "d", 0);
	op.acquire.delay = 50 * SECOND;
	machine_do(m, &op);
	machine_acquire(m, 1, s1, "s", SECOND);
	machine_pass(m, 3 * SECOND);
}

/* The n-th record of that kind, counting from 0. */
static struct record *nth(struct image_copy *image, enum record_kind kind,
			  size_t n)
{
	for (size_t i = 0; i < image->len; i++) {
		if (image->records[i].kind == kind && n-- == 0)
			return &image->records[i];
	}
	ck_abort_msg("no such record");
	return NULL;
}

static int restore(const struct image_copy *image)
{
	struct machine m;
	int rc;

	machine_init(&m, 2);
	rc = image_copy_restore(image, m.core);
	ck_assert(rc == 0 || (strlen(core_error(m.core)) > 0 &&
			      core_poisoned(m.core) == rc));
	if (rc)
		ck_assert_int_eq(image_copy_restore(image, m.core), rc);
	machine_end(&m);
	return rc;
}

START_TEST(records_may_come_in_any_order)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	for (size_t i = 1; i < image.len; i++) {
		size_t j = 1 + (i * 5 + 3) % (image.len - 1);
		struct record r = image.records[i];

		image.records[i] = image.records[j];
		image.records[j] = r;
		ck_assert_int_eq(restore(&image), 0);
	}
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

static bool rising(void *ctx, const struct record *r)
{
	uint64_t *last = ctx;

	ck_assert_uint_gt(r->session.id, *last);
	*last = r->session.id;
	return true;
}

START_TEST(sessions_are_looked_at_by_id_after_a_restore_too)
{
	struct machine m, to;
	struct image_copy image = { .len = 0 };
	uint64_t last = 0;

	machine_init(&m, 1);
	for (uint64_t node = 1; node <= 9; node++)
		machine_open(&m, node, LONG);
	image_copy_take(&image, m.core);
	for (size_t i = 1; i < image.len / 2; i++) {
		struct record r = image.records[i];

		image.records[i] = image.records[image.len - i];
		image.records[image.len - i] = r;
	}
	machine_init(&to, 2);
	ck_assert_int_eq(image_copy_restore(&image, to.core), 0);
	core_visit_sessions(to.core, rising, &last);
	ck_assert_uint_gt(last, 0);
	image_copy_free(&image);
	machine_end(&to);
	machine_end(&m);
}
END_TEST

/* Change one field of one record and expect a refusal. Whatever else it might
 * be, a change that no rule forbids still has another hash. */
#define REFUSED(which, field, value)                                          \
	do {                                                                  \
		struct record *r_ = (which);                                  \
		struct record was_ = *r_;                                     \
		r_->field = (value);                                          \
		ck_assert_msg(restore(&image) == HF_ECORRUPT,                 \
			      "%s of %s = %s wasn't noticed", #field, #which, \
			      #value);                                        \
		*r_ = was_;                                                   \
	} while (0)

#define STATE nth(&image, RECORD_STATE, 0)
#define PEER nth(&image, RECORD_PEER, 0)
#define SESSION nth(&image, RECORD_SESSION, 0)
#define SESSION2 nth(&image, RECORD_SESSION, 1)
#define LOCK_A nth(&image, RECORD_LOCK, 0)
#define LOCK_S nth(&image, RECORD_LOCK, 1)
#define LOCK_D nth(&image, RECORD_LOCK, 2)
#define HOLD nth(&image, RECORD_REQUEST, 0)
#define WAIT nth(&image, RECORD_REQUEST, 1)
#define PERMITS nth(&image, RECORD_REQUEST, 2)
#define ENDED nth(&image, RECORD_REQUEST, 3)

START_TEST(a_restore_refuses_an_impossible_state)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	REFUSED(STATE, state.version, 0);
	REFUSED(STATE, state.version, SEMANTICS_VERSION + 1);
	REFUSED(STATE, state.limits.line, 0);
	REFUSED(STATE, state.now, UINT64_MAX);
	REFUSED(STATE, state.now, 0);
	REFUSED(STATE, state.counter, UINT64_MAX);
	REFUSED(STATE, state.counter, 2);
	REFUSED(STATE, state.arrivals, UINT64_MAX);
	REFUSED(STATE, state.arrivals, 1);
	REFUSED(STATE, state.hash, 1);
	REFUSED(STATE, state.term, 1);
	REFUSED(STATE, state.skew, 1);
	REFUSED(STATE, state.wall, 1);
	REFUSED(STATE, state.index, 1);
	REFUSED(STATE, kind, RECORD_PEER);
	REFUSED(PEER, kind, RECORD_STATE);
	REFUSED(PEER, kind, (enum record_kind)9);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_peers)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	REFUSED(PEER, peer.node, 0);
	REFUSED(PEER, peer.node, 2);
	REFUSED(PEER, peer.node, 7);
	REFUSED(PEER, peer.boot, 0);
	REFUSED(PEER, peer.boot, 9);
	REFUSED(PEER, peer.nth, 0);
	REFUSED(PEER, peer.session, 0);
	REFUSED(PEER, peer.session, 2);
	REFUSED(PEER, peer.session, 77);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_sessions)
{
	struct machine m;
	struct image_copy image = { .len = 0 };
	struct slot *slots;

	fill(&m);
	image_copy_take(&image, m.core);
	REFUSED(SESSION, session.id, 0);
	REFUSED(SESSION, session.id, 2);
	REFUSED(SESSION, session.id, 77);
	REFUSED(SESSION, session.node, 2);
	REFUSED(SESSION, session.node, 0);
	REFUSED(SESSION, session.boot, 2);
	REFUSED(SESSION, session.nth, 2);
	REFUSED(SESSION, session.ttl, UINT64_MAX);
	REFUSED(SESSION, session.opened, UINT64_MAX);
	REFUSED(SESSION, session.deadline, 0);
	REFUSED(SESSION, session.deadline, 3 * SECOND);
	REFUSED(SESSION, session.deadline, UINT64_MAX);
	REFUSED(SESSION, session.flags, 1);
	REFUSED(SESSION, session.nonce[3], 1);
	REFUSED(SESSION, session.low, 0);
	REFUSED(SESSION, session.low, 2);
	REFUSED(SESSION, session.low, UINT64_MAX);
	REFUSED(SESSION, session.slots_len, 0);
	REFUSED(SESSION2, session.slots_len, 1);
	slots = (struct slot *)(uintptr_t)SESSION->session.slots;
	slots[1].seq = 1;
	ck_assert_int_eq(restore(&image), HF_ECORRUPT);
	slots[1].seq = 70000;
	ck_assert_int_eq(restore(&image), HF_ECORRUPT);
	slots[1].seq = 2;
	slots[1].stamp = UINT64_MAX;
	ck_assert_int_eq(restore(&image), HF_ECORRUPT);
	slots[1].stamp = 0;
	slots[0].token = UINT64_MAX;
	ck_assert_int_eq(restore(&image), HF_ECORRUPT);
	slots[0].token = 2;
	ck_assert_int_eq(restore(&image), HF_ECORRUPT);
	slots[0].token = 4;
	slots[0].status = HF_EHELD;
	ck_assert_int_eq(restore(&image), HF_ECORRUPT);
	slots[0].status = 0;
	ck_assert_int_eq(restore(&image), 0);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_locks)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	ck_assert_uint_gt(LOCK_D->lock.delay_until, 0);
	REFUSED(LOCK_A, lock.id, 0);
	REFUSED(LOCK_A, lock.id, 1);
	REFUSED(LOCK_A, lock.id, LOCK_S->lock.id);
	REFUSED(LOCK_A, lock.id, 77);
	REFUSED(LOCK_A, lock.name, LOCK_S->lock.name);
	REFUSED(LOCK_A, lock.name, (const uint8_t *)"z");
	REFUSED(LOCK_A, lock.name_len, 0);
	REFUSED(LOCK_A, lock.name_len, LOCK_NAME_MAX + 1);
	REFUSED(LOCK_S, lock.limit, 1);
	REFUSED(LOCK_S, lock.limit, 4);
	REFUSED(LOCK_D, lock.delay_until, 0);
	REFUSED(LOCK_D, lock.delay_until, 1);
	REFUSED(LOCK_D, lock.delay_until, UINT64_MAX);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_requests)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	ck_assert_int_eq(HOLD->request.state, REQUEST_HELD);
	ck_assert_int_eq(WAIT->request.state, REQUEST_WAITING);
	ck_assert_int_eq(PERMITS->request.mode, MODE_PERMITS);
	ck_assert_int_eq(ENDED->request.state, REQUEST_ENDED);
	REFUSED(HOLD, request.session, 0);
	REFUSED(HOLD, request.session, 2);
	REFUSED(HOLD, request.seq, 0);
	REFUSED(HOLD, request.seq, 2);
	REFUSED(HOLD, request.lock, 0);
	REFUSED(HOLD, request.lock, 77);
	REFUSED(HOLD, request.lock, LOCK_S->lock.id);
	REFUSED(HOLD, request.lock, LOCK_D->lock.id);
	REFUSED(HOLD, request.owner, 9);
	REFUSED(HOLD, request.state, (enum request_state)0);
	REFUSED(HOLD, request.state, REQUEST_ENDED);
	REFUSED(HOLD, request.state, REQUEST_WAITING);
	REFUSED(HOLD, request.mode, (enum mode)3);
	REFUSED(HOLD, request.mode, MODE_SHARED);
	REFUSED(HOLD, request.mode, MODE_PERMITS);
	REFUSED(HOLD, request.permits, 1);
	REFUSED(HOLD, request.token, 0);
	REFUSED(HOLD, request.token, 77);
	REFUSED(HOLD, request.token, PERMITS->request.token);
	REFUSED(HOLD, request.stamp, UINT64_MAX);
	REFUSED(HOLD, request.index, UINT64_MAX);
	REFUSED(HOLD, request.index, 0);
	REFUSED(HOLD, request.place, 0);
	REFUSED(HOLD, request.place, 2);
	REFUSED(HOLD, request.place, 77);
	REFUSED(HOLD, request.deadline, 9 * SECOND);
	REFUSED(HOLD, request.delay, UINT64_MAX);
	REFUSED(HOLD, request.delay, 2);
	REFUSED(HOLD, request.status, HF_EHELD);
	REFUSED(HOLD, request.status, 1);
	REFUSED(WAIT, request.state, REQUEST_HELD);
	REFUSED(WAIT, request.token, 3);
	REFUSED(WAIT, request.deadline, SECOND);
	REFUSED(WAIT, request.deadline, UINT64_MAX);
	REFUSED(WAIT, request.deadline, 0);
	REFUSED(WAIT, request.lock, LOCK_S->lock.id);
	REFUSED(PERMITS, request.permits, 0);
	REFUSED(PERMITS, request.permits, 4);
	REFUSED(ENDED, request.status, 0);
	REFUSED(ENDED, request.lock, LOCK_A->lock.id);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(a_restore_refuses_an_image_without_one_of_its_records)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	for (size_t i = 0; i < image.len; i++) {
		struct image_copy less = image;
		struct record records[32];

		ck_assert_uint_le(image.len, 32);
		memcpy(records, image.records, i * sizeof(*records));
		memcpy(records + i, image.records + i + 1,
		       (image.len - i - 1) * sizeof(*records));
		less.records = records;
		less.len--;
		ck_assert_int_eq(restore(&less), HF_ECORRUPT);
	}
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

START_TEST(an_empty_image_is_none)
{
	struct machine m;
	const struct image_copy nothing = { .len = 0 };

	ck_assert_int_eq(restore(&nothing), HF_ECORRUPT);
	fill(&m);
	ck_assert_int_eq(core_restore_end(m.core), HF_ECORRUPT);
	machine_end(&m);
}
END_TEST

START_TEST(a_state_is_restored_into_a_fresh_core_only)
{
	struct machine m;
	struct image_copy image = { .len = 0 };

	fill(&m);
	image_copy_take(&image, m.core);
	ck_assert_int_eq(core_restore(m.core, &image.records[0]), HF_ECORRUPT);
	image_copy_free(&image);
	machine_end(&m);
}
END_TEST

SUITE(records_may_come_in_any_order,
      sessions_are_looked_at_by_id_after_a_restore_too,
      a_restore_refuses_an_impossible_state, a_restore_refuses_impossible_peers,
      a_restore_refuses_impossible_sessions, a_restore_refuses_impossible_locks,
      a_restore_refuses_impossible_requests,
      a_restore_refuses_an_image_without_one_of_its_records,
      an_empty_image_is_none, a_state_is_restored_into_a_fresh_core_only)
