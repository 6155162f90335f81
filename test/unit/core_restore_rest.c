/* Restores of what few requests have, of several locks, of barriers and values:
 * what no rule allows is refused, even if the image has the hash of it. */
#include "lib/broken.h"
#include "lib/suite.h"

static struct image_copy image;

/* The n-th record of that kind, counting from 0. */
static struct record *nth(enum record_kind kind, size_t n)
{
	for (size_t i = 0; i < image.len; i++) {
		if (image.records[i].kind == kind && n-- == 0)
			return &image.records[i];
	}
	ck_abort_msg("no such record");
	return NULL;
}

static struct record *request(uint64_t seq)
{
	for (size_t i = 0;; i++) {
		struct record *r = nth(RECORD_REQUEST, i);

		if (r->request.seq == seq)
			return r;
	}
}

static struct record *named(enum record_kind kind, char name)
{
	for (size_t i = 0;; i++) {
		struct record *r = nth(kind, i);

		if (kind == RECORD_LOCK ? r->lock.name[0] == name
					: r->value.name[0] == name)
			return r;
	}
}

static int restore_as_it_is(void)
{
	struct machine m;
	uint64_t was = image.records[0].state.hash;
	int rc;

	image_copy_rehash(&image);
	machine_init(&m, 2);
	rc = image_copy_restore(&image, m.core);
	machine_end(&m);
	image.records[0].state.hash = was;
	return rc;
}

#define REFUSED(which, field, value)                                    \
	do {                                                            \
		struct record *r_ = (which);                            \
		struct record was_ = *r_;                               \
		r_->field = (value);                                    \
		ck_assert_msg(restore_as_it_is() == HF_ECORRUPT,        \
			      "%s of %s = %s is taken", #field, #which, \
			      #value);                                  \
		*r_ = was_;                                             \
	} while (0)

/* With this lock besides its own it is refused, too. */
static void add_part(struct record *r, const struct record_part *part)
{
	struct record was = *r;

	r->request.more = part;
	r->request.more_len = 1;
	ck_assert_int_eq(restore_as_it_is(), HF_ECORRUPT);
	*r = was;
}

static void begin(struct machine *m)
{
	broken_fill(m);
	image_copy_take(&image, m->core);
	ck_assert_int_eq(restore_as_it_is(), 0);
}

static void end(struct machine *m)
{
	image_copy_free(&image);
	machine_end(m);
}

#define BARRIER named(RECORD_LOCK, 'b')
#define SEMAPHORE named(RECORD_LOCK, 's')
#define PLAIN named(RECORD_LOCK, 'a')

START_TEST(a_restore_refuses_locks_that_are_two_things)
{
	struct machine m;

	begin(&m);
	REFUSED(BARRIER, lock.flags, 0);
	REFUSED(BARRIER, lock.flags, 8);
	REFUSED(BARRIER, lock.flags, LOCK_BARRIER | LOCK_PINNED);
	REFUSED(BARRIER, lock.limit, 0);
	REFUSED(PLAIN, lock.flags, LOCK_BARRIER);
	REFUSED(PLAIN, lock.flags, LOCK_PINNED);
	end(&m);
}
END_TEST

#define HOLD request(1)
#define WAIT request(2)
#define ENDED request(3)
#define PERMITS request(4)
#define REVOKED request(5)
#define UP request(6)
#define BOTH request(7)
#define IN request(8)
#define OUT request(10)
#define AWAIT request(13)

START_TEST(a_restore_refuses_impossible_parts)
{
	struct machine m;
	struct record_part part;

	begin(&m);
	REFUSED(BOTH, request.more_len, PARTS_MAX);
	part = BOTH->request.more[0];
	part.lock = 0;
	REFUSED(BOTH, request.more, &part);
	part.lock = 77;
	REFUSED(BOTH, request.more, &part);
	part.lock = SEMAPHORE->lock.id; /* the first one */
	REFUSED(BOTH, request.more, &part);
	part.lock = BARRIER->lock.id;
	REFUSED(BOTH, request.more, &part);
	part = BOTH->request.more[0];
	part.mode = MODE_BARRIER;
	REFUSED(BOTH, request.more, &part);
	part.mode = (enum mode)9;
	REFUSED(BOTH, request.more, &part);
	part.mode = MODE_PERMITS;
	REFUSED(BOTH, request.more, &part);
	part.mode = MODE_SHARED;
	part.permits = 1;
	REFUSED(BOTH, request.more, &part);
	end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_conversions)
{
	struct machine m;

	begin(&m);
	REFUSED(UP, request.from, 77);
	REFUSED(UP, request.from, HOLD->request.token);
	REFUSED(WAIT, request.from, REVOKED->request.token);
	REFUSED(HOLD, request.from, PERMITS->request.token);
	REFUSED(BOTH, request.from, REVOKED->request.token);
	REFUSED(UP, request.lock, PLAIN->lock.id);
	end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_ends_of_holds)
{
	struct machine m;

	begin(&m);
	REFUSED(REVOKED, request.hold_until, SECOND);
	REFUSED(REVOKED, request.lease_until, 9 * SECOND);
	REFUSED(REVOKED, request.revoke.noted_at, UINT64_MAX);
	REFUSED(ENDED, request.lease, 9);
	REFUSED(REVOKED, request.hold, DURATION_MAX + 1);
	REFUSED(WAIT, request.hold_until, 9 * SECOND);
	REFUSED(REVOKED, request.revoke.at, 0);
	REFUSED(REVOKED, request.revoke.at, SECOND);
	REFUSED(WAIT, request.revoke.at, 9 * SECOND);
	REFUSED(WAIT, request.revoke.noted, true);
	REFUSED(WAIT, request.priority, 128);
	REFUSED(ENDED, request.owner, 1);
	end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_waits_at_barriers_and_values)
{
	struct machine m;

	begin(&m);
	REFUSED(IN, request.mode, MODE_SHARED);
	REFUSED(OUT, request.lock, PLAIN->lock.id);
	REFUSED(WAIT, request.mode, MODE_LEAVE);
	REFUSED(AWAIT, request.value, 0);
	REFUSED(AWAIT, request.value, 77);
	REFUSED(AWAIT, request.value, PLAIN->lock.id);
	REFUSED(AWAIT, request.condition, (enum condition)0);
	REFUSED(AWAIT, request.condition, (enum condition)6);
	REFUSED(AWAIT, request.condition, AWAIT_ABSENT);
	REFUSED(AWAIT, request.number, INT64_MIN);
	REFUSED(AWAIT, request.lock, PLAIN->lock.id);
	REFUSED(WAIT, request.value, named(RECORD_VALUE, 'w')->value.id);
	end(&m);
}
END_TEST

#define BYTES named(RECORD_VALUE, 'v')
#define COUNTER named(RECORD_VALUE, 'n')
#define WAITED named(RECORD_VALUE, 'w')

/* A barrier is for one lock. With others it would be waited for as a lock is,
 * and a pass over its line might never end. */
START_TEST(a_restore_refuses_barriers_among_several_locks)
{
	struct record_part part = { .mode = MODE_EXCLUSIVE };
	struct parts p;
	struct machine m;
	struct op op;

	p = broken_fill(&m);
	op = machine_acquire_op(&m, 1, p.session->id, "c", WAIT_FOREVER);
	op.acquire.mode = MODE_BARRIER;
	op.acquire.limit = 2;
	ck_assert_int_eq(machine_do(&m, &op), STATUS_WAITING);
	image_copy_take(&image, m.core);
	part.lock = PLAIN->lock.id;
	add_part(request(op.seq), &part);
	add_part(OUT, &part);
	part.lock = BARRIER->lock.id;
	part.mode = MODE_BARRIER;
	add_part(WAIT, &part);
	part.mode = MODE_LEAVE;
	add_part(WAIT, &part);
	end(&m);
}
END_TEST

/* Who leaves has left before it waits. */
START_TEST(a_restore_refuses_a_hold_of_what_is_left)
{
	struct machine m;

	begin(&m);
	REFUSED(IN, request.mode, MODE_LEAVE);
	OUT->request.token = OUT->request.lock; /* no hold has this one */
	OUT->request.deadline = 0;
	OUT->request.index = 1;
	REFUSED(OUT, request.state, REQUEST_HELD);
	end(&m);
}
END_TEST

START_TEST(a_restore_refuses_waits_for_values_that_have_what_holds_have)
{
	struct machine m;

	begin(&m);
	REFUSED(AWAIT, request.from, HOLD->request.token);
	REFUSED(AWAIT, request.from, 12345);
	REFUSED(AWAIT, request.hold, SECOND);
	REFUSED(AWAIT, request.lease, SECOND);
	REFUSED(AWAIT, request.shown_len, 1); /* all have room for that */
	end(&m);
}
END_TEST

START_TEST(a_restore_refuses_impossible_values)
{
	struct machine m;

	begin(&m);
	REFUSED(BYTES, value.id, 0);
	REFUSED(BYTES, value.id, 999);
	REFUSED(BYTES, value.id, COUNTER->value.id);
	REFUSED(BYTES, value.name, COUNTER->value.name);
	REFUSED(BYTES, value.name_len, 0);
	REFUSED(BYTES, value.name_len, LOCK_NAME_MAX + 1);
	REFUSED(BYTES, value.version, 0);
	REFUSED(BYTES, value.version, 999);
	REFUSED(BYTES, value.session, 77);
	REFUSED(BYTES, value.counter, true);
	REFUSED(BYTES, value.bytes_len, VALUE_MAX + 1);
	REFUSED(COUNTER, value.number, COUNT_MAX + 1);
	REFUSED(COUNTER, value.number, INT64_MIN);
	REFUSED(COUNTER, value.bytes_len, 1);
	REFUSED(WAITED, value.counter, true);
	REFUSED(WAITED, value.session, nth(RECORD_SESSION, 0)->session.id);
	end(&m);
}
END_TEST

SUITE(a_restore_refuses_locks_that_are_two_things,
      a_restore_refuses_impossible_parts,
      a_restore_refuses_impossible_conversions,
      a_restore_refuses_impossible_ends_of_holds,
      a_restore_refuses_impossible_waits_at_barriers_and_values,
      a_restore_refuses_barriers_among_several_locks,
      a_restore_refuses_a_hold_of_what_is_left,
      a_restore_refuses_waits_for_values_that_have_what_holds_have,
      a_restore_refuses_impossible_values)
