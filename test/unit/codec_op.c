#include "codec/entry.h"

#include "lib/damage.h"
#include "lib/samples.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <string.h>

#define ROUNDS 20000

static int decode_op(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct buf b = { 0 };
	struct op_part room[PARTS_MAX - 1];
	struct op op;
	int rc = op_decode(&r, room, &op);

	if (rc != 0)
		return rc;
	if (reader_left(&r) > 0)
		return HF_ECORRUPT;
	op_encode(&b, &op);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, len);
	ck_assert_uint_le(len, op_bytes_bound(&op));
	ck_assert_mem_eq(b.base, bytes, len);
	buf_free(&b);
	return 0;
}

/* Bytes of an operation that may be wrong, which op_encode would not write. */
static int decode_fields(enum op_kind kind, const uint64_t *fields, size_t n)
{
	struct buf b = { 0 };

	buf_put8(&b, (uint8_t)kind);
	for (size_t i = 0; i < n; i++)
		buf_put_varint(&b, fields[i]);
	int rc = decode_copy(decode_op, b.base, b.len);
	buf_free(&b);
	return rc;
}

#define FIELDS(kind, ...)                                      \
	decode_fields(kind, (const uint64_t[]){ __VA_ARGS__ }, \
		      sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

START_TEST(operations_survive_a_round_trip)
{
	struct random r = { 1 };
	struct buf b = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct op op = sample_any_op(&r), got;
		struct op_part room[PARTS_MAX - 1];

		buf_clear(&b);
		op_encode(&b, &op);
		ck_assert_uint_le(b.len, op_bytes_bound(&op));
		struct reader in = reader_of(b.base, b.len);
		ck_assert_int_eq(op_decode(&in, room, &got), 0);
		ck_assert_uint_eq(reader_left(&in), 0);
		check_same_op(&op, &got);
	}
	buf_free(&b);
}
END_TEST

/* Of a kind, with the longest of all numbers. */
static struct op longest(enum op_kind kind)
{
	struct op op;

	memset(&op, 0, sizeof(op));
	op.kind = kind;
	op.node = UINT64_MAX;
	op.session = op_in_session(kind) ? INT64_MAX : 0;
	op.seq = UINT64_MAX;
	op.low = op_sequenced(kind) ? UINT64_MAX : 0;
	return op;
}

static void check_longest(const struct op *op, size_t least)
{
	struct buf b = { 0 };

	op_encode(&b, op);
	ck_assert_uint_ge(b.len, least);
	ck_assert_uint_le(b.len, op_bytes_bound(op));
	ck_assert_uint_le(op_bytes_bound(op), OP_BYTES_MAX);
	ck_assert_int_eq(decode_copy(decode_op, b.base, b.len), 0);
	buf_free(&b);
}

START_TEST(the_largest_acquire_fits)
{
	static const uint8_t bytes[SHOWN_MAX];
	struct op_part more[PARTS_MAX - 1];
	struct op op = longest(OP_ACQUIRE);

	for (size_t i = 0; i < PARTS_MAX - 1; i++)
		more[i] = (struct op_part){ bytes, LOCK_NAME_MAX, MODE_PERMITS,
					    UINT32_MAX, UINT32_MAX };
	op.acquire.owner = UINT64_MAX;
	op.acquire.name = bytes;
	op.acquire.name_len = LOCK_NAME_MAX;
	op.acquire.mode = MODE_PERMITS;
	op.acquire.permits = op.acquire.limit = UINT32_MAX;
	op.acquire.wait = WAIT_FOREVER;
	op.acquire.delay = DURATION_MAX;
	op.acquire.priority = -128;
	op.acquire.line = UINT32_MAX;
	op.acquire.hold = op.acquire.lease = DURATION_MAX;
	op.acquire.shown = bytes;
	op.acquire.shown_len = SHOWN_MAX;
	op.acquire.from = INT64_MAX;
	check_longest(&op, SHOWN_MAX + LOCK_NAME_MAX);
	op.acquire.from = 0;
	op.acquire.more = more;
	op.acquire.more_len = PARTS_MAX - 1;
	check_longest(&op, SHOWN_MAX + PARTS_MAX * LOCK_NAME_MAX);
}
END_TEST

START_TEST(the_largest_of_the_others_fit)
{
	static const uint8_t bytes[VALUE_MAX];
	struct op op = longest(OP_PUT);

	op.value.name = op.value.bytes = bytes;
	op.value.name_len = LOCK_NAME_MAX;
	op.value.bytes_len = VALUE_MAX;
	op.value.expect = op.value.guard = INT64_MAX;
	op.value.flags = PUT_EPHEMERAL;
	check_longest(&op, VALUE_MAX + LOCK_NAME_MAX);
	op = longest(OP_ADD);
	op.value.name = bytes;
	op.value.name_len = LOCK_NAME_MAX;
	op.value.guard = INT64_MAX;
	op.value.delta = -COUNT_MAX;
	op.value.flags = PUT_EPHEMERAL;
	check_longest(&op, LOCK_NAME_MAX);
	op = longest(OP_AWAIT);
	op.await.name = bytes;
	op.await.name_len = LOCK_NAME_MAX;
	op.await.condition = AWAIT_AT_LEAST;
	op.await.number = -COUNT_MAX;
	op.await.wait = WAIT_FOREVER;
	check_longest(&op, LOCK_NAME_MAX);
	op = longest(OP_REVOKE);
	op.revoke.token = INT64_MAX;
	op.revoke.grace = DURATION_MAX;
	op.revoke.reason = bytes;
	op.revoke.reason_len = REASON_MAX;
	check_longest(&op, REASON_MAX);
	op = longest(OP_LIMITS);
#define X(name, first, least, greatest) op.limits.name = greatest;
	LIMITS(X)
#undef X
	check_longest(&op, 50);
}
END_TEST

START_TEST(a_truncated_or_longer_operation_is_refused)
{
	struct random r = { 2 };

	for (int kind = OP_OPEN; kind <= OP_ANNOUNCE; kind++) {
		struct op op = sample_op(&r, (enum op_kind)kind);
		struct buf b = { 0 };

		op_encode(&b, &op);
		check_truncation(decode_op, b.base, b.len);
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_changed_byte_gives_a_valid_operation_or_none)
{
	struct random r = { 3 };

	for (int i = 0; i < 200; i++) {
		struct op op = sample_any_op(&r);
		struct buf b = { 0 };

		op_encode(&b, &op);
		check_mutation(decode_op, b.base, b.len, false);
		buf_free(&b);
	}
}
END_TEST

START_TEST(garbage_gives_a_valid_operation_or_none)
{
	for (uint8_t kind = 0; kind <= OP_ANNOUNCE + 1; kind++)
		check_garbage(decode_op, &kind, 1, ROUNDS / 4);
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
	for (int kind = 0; kind < 256; kind++)
		if (kind < OP_OPEN || kind > OP_ANNOUNCE)
			ck_assert_int_eq(FIELDS((enum op_kind)kind, 1, 1, 1),
					 HF_ECORRUPT);
}
END_TEST

START_TEST(ids_are_neither_zero_nor_beyond_63_bits)
{
	uint64_t high = UINT64_C(1) << 63;

	ck_assert_int_eq(FIELDS(OP_CLOSE, 1, 0, 1), 0);
	ck_assert_int_eq(FIELDS(OP_CLOSE, 0, 0, 1), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_CLOSE, 1, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_CLOSE, 1, 0, high), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, high - 1, 0), 0);
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, high, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, 1, UINT64_MAX), 0);
	ck_assert_int_eq(FIELDS(OP_EXTEND, 1, 0, 1, 1), 0);
	ck_assert_int_eq(FIELDS(OP_EXTEND, 1, 0, 1, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_NOTED, 1, 0, 1, high - 1, high - 1), 0);
	ck_assert_int_eq(FIELDS(OP_NOTED, 1, 0, 1, high, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_NOTED, 1, 0, 1, 1, high), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ANNOUNCE, 1, 1, 1, 0, 1, 0), 0);
	ck_assert_int_eq(FIELDS(OP_ANNOUNCE, 1, 1, 1, 0, 0, 0), HF_ECORRUPT);
}
END_TEST

START_TEST(sequenced_operations_begin_at_1)
{
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 0, 1, 0, 5, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_REVOKE, 1, 0, 1, 0, 5, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_REVOKE, 1, 1, 1, 0, 5, 0, 0), 0);
	ck_assert_int_eq(FIELDS(OP_CANCEL, 1, 0, 1, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_CANCEL, 1, 1, 1, 0), 0);
	ck_assert_int_eq(FIELDS(OP_RENEW, 1, 0, 1, 0), 0);
}
END_TEST

#define X 1, 'x' /* a name */

/* owner 7, wait, delay, extras, then the lock: mode, [permits,] [limit,] name
 */
#define ACQUIRE(...) FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, __VA_ARGS__)

START_TEST(the_mode_says_whether_there_are_permits)
{
	uint64_t large = UINT64_C(1) << 32;

	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_EXCLUSIVE, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_SHARED, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, 5, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_PERMITS, 3, 3, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_PERMITS, 3, 0, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_PERMITS, 4, 3, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_PERMITS, 0, 3, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_PERMITS, 1, large, X),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_BARRIER, 1, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_BARRIER, 0, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_BARRIER, large, X), HF_ECORRUPT);
}
END_TEST

START_TEST(durations_and_names_are_bounded)
{
	uint64_t max = DURATION_MAX;

	ck_assert_int_eq(ACQUIRE(max, max, 0, 0, X), 0);
	ck_assert_int_eq(ACQUIRE(max + 1, 0, 0, 0, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, max + 1, 0, 0, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(WAIT_FOREVER, 0, 0, 0, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, 0, LOCK_NAME_MAX + 1), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_REVOKE, 1, 1, 1, 0, 5, max, 0), 0);
	ck_assert_int_eq(FIELDS(OP_REVOKE, 1, 1, 1, 0, 5, max + 1, 0),
			 HF_ECORRUPT);
}
END_TEST

/* Extras: 1 more locks, 2 priority, 4 line, 8 hold, 16 lease, 32 from, 64 shown
 */
START_TEST(what_is_there_beyond_a_plain_acquire_is_not_zero)
{
	ck_assert_int_eq(ACQUIRE(0, 0, 128, 0, X), HF_ECORRUPT);
	for (unsigned extra = 1; extra < 64; extra *= 2)
		ck_assert_int_eq(ACQUIRE(0, 0, extra, 0, X, 0), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 64, 0, X, 0), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 2, 0, X, 254), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 2, 0, X, 255), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 2, 0, X, 256), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 4, 0, X, UINT32_MAX), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 4, 0, X, UINT64_C(1) << 32),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 8, 0, X, DURATION_MAX), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 8, 0, X, DURATION_MAX + 1), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 16, 0, X, DURATION_MAX + 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 32, 0, X, INT64_MAX), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 32, 0, X, UINT64_C(1) << 63),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 64, 0, X, 2, 'a', 'b'), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 64, 0, X, SHOWN_MAX + 1), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 2 | 16, 0, X, 3, 4), 0);
}
END_TEST

START_TEST(only_plain_locks_and_permits_come_together)
{
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 0, X, 1, 0, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 2, 1, 1, X, 2, 1, X, 2, 3, 0, X), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 0, X, 1, 2, 0, 0, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 0, X, 1, MODE_BARRIER, 1, X),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, MODE_BARRIER, 1, X, 1, 0, X),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 0, X, 1, MODE_LEAVE, X), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 1 | 32, MODE_LEAVE, X, 1, 0, X, 9),
			 HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 0, X, 1, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 1, 0, X, PARTS_MAX), HF_ECORRUPT);
}
END_TEST

START_TEST(a_conversion_is_of_one_lock_and_leaving_is_of_a_hold)
{
	ck_assert_int_eq(ACQUIRE(0, 0, 32, 0, X, 9), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 1 | 32, 0, X, 1, 0, X, 9), HF_ECORRUPT);
	ck_assert_int_eq(ACQUIRE(0, 0, 32, MODE_LEAVE, X, 9), 0);
	ck_assert_int_eq(ACQUIRE(0, 0, 0, MODE_LEAVE, X), HF_ECORRUPT);
}
END_TEST

/* name, guard, version + 1, flags, bytes */
START_TEST(a_value_has_a_version_that_is_expected_or_any)
{
	uint64_t high = UINT64_C(1) << 63;

	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, 0, 0, 0, 0), 0);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, 0, 1, 0, X), 0);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, 0, high, 0, 0), 0);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, 0, high + 1, 0, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, high, 0, 0, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, 0, 0, 2, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, 0, 0, 0, 0, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_PUT, 1, 1, 1, 0, X, 0, 0, 0, VALUE_MAX + 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_DELETE, 1, 1, 1, 0, X, high - 1, high), 0);
	ck_assert_int_eq(FIELDS(OP_DELETE, 1, 1, 1, 0, X, 0, high + 1),
			 HF_ECORRUPT);
}
END_TEST

/* A number of either sign is doubled; one below zero is one less, positive. */
START_TEST(counts_are_bounded_on_both_sides)
{
	uint64_t max = (uint64_t)COUNT_MAX * 2;

	ck_assert_int_eq(FIELDS(OP_ADD, 1, 1, 1, 0, X, 0, 0, 0, max), 0);
	ck_assert_int_eq(FIELDS(OP_ADD, 1, 1, 1, 0, X, 0, 0, 1, max - 1), 0);
	ck_assert_int_eq(FIELDS(OP_ADD, 1, 1, 1, 0, X, 0, 0, 0, max + 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ADD, 1, 1, 1, 0, X, 0, 0, 0, max + 2),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ADD, 1, 1, 1, 0, X, 0, 0, 0, UINT64_MAX),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ADD, 1, 1, 1, 0, X, 0, 0, 2, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, 5, max), 0);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, 4, max + 1),
			 HF_ECORRUPT);
}
END_TEST

/* name, wait, condition, [number] */
START_TEST(a_condition_says_whether_there_is_a_number)
{
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, AWAIT_ABSENT), 0);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, AWAIT_PRESENT), 0);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, AWAIT_PRESENT, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, AWAIT_NEWER),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, AWAIT_NEWER, 0), 0);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, 0, 6, 0), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, DURATION_MAX + 1, 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_AWAIT, 1, 1, 1, 0, X, WAIT_FOREVER, 1), 0);
}
END_TEST

START_TEST(reasons_and_what_is_shown_are_bounded)
{
	static const uint8_t bytes[SHOWN_MAX];
	struct random r = { 6 };
	struct op op = sample_op(&r, OP_REVOKE);

	op.revoke.reason = bytes;
	op.revoke.reason_len = REASON_MAX;
	ck_assert(op_valid(&op));
	op.revoke.reason_len++;
	ck_assert(!op_valid(&op));
	op = sample_op(&r, OP_ANNOUNCE);
	op.announce.shown = bytes;
	op.announce.shown_len = SHOWN_MAX;
	ck_assert(op_valid(&op));
	op.announce.shown_len++;
	ck_assert(!op_valid(&op));
	ck_assert_int_eq(FIELDS(OP_REVOKE, 1, 1, 1, 0, 5, 0, REASON_MAX + 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ANNOUNCE, 1, 1, 1, 0, 1, SHOWN_MAX + 1),
			 HF_ECORRUPT);
}
END_TEST

START_TEST(what_a_kind_does_not_have_is_zero)
{
	struct random r = { 7 };
	struct op op;

	op = sample_op(&r, OP_DELETE);
	op.value.bytes_len = 1;
	ck_assert(!op_valid(&op));
	op = sample_op(&r, OP_DELETE);
	op.value.flags = PUT_EPHEMERAL;
	ck_assert(!op_valid(&op));
	op = sample_op(&r, OP_PUT);
	op.value.delta = 1;
	ck_assert(!op_valid(&op));
	op = sample_op(&r, OP_AWAIT);
	op.await.condition = AWAIT_ABSENT;
	op.await.number = 1;
	ck_assert(!op_valid(&op));
	op = sample_op(&r, OP_EXTEND);
	op.low = 1;
	ck_assert(!op_valid(&op));
	op = sample_op(&r, OP_LIMITS);
	op.session = 1;
	ck_assert(!op_valid(&op));
}
END_TEST

#undef X

START_TEST(limits_lie_between_their_least_and_greatest)
{
#define X(name, first, least, greatest) first,
	uint64_t fields[] = { 1, 0, LIMITS(X) };
#undef X
#define X(name, first, least, greatest) least,
	const uint64_t leasts[] = { 0, 0, LIMITS(X) };
#undef X
#define X(name, first, least, greatest) greatest,
	const uint64_t greatests[] = { 0, 0, LIMITS(X) };
#undef X
	size_t n = sizeof(fields) / sizeof(*fields);

	ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n), 0);
	for (size_t i = 2; i < n; i++) {
		uint64_t was = fields[i];

		fields[i] = greatests[i];
		ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n), 0);
		fields[i]++;
		ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n),
				 HF_ECORRUPT);
		fields[i] = leasts[i];
		ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n), 0);
		fields[i]--;
		ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n),
				 HF_ECORRUPT);
		fields[i] = was;
	}
}
END_TEST

START_TEST(unknown_flags_and_long_numbers_are_refused)
{
	struct random r = { 4 };
	struct op op = sample_op(&r, OP_OPEN);
	struct buf b = { 0 };
	/* kind, node 1 in two bytes, seq, session */
	const uint8_t padded[] = { OP_CLOSE, 0x81, 0, 0, 1 };

	op_encode(&b, &op);
	b.base[b.len - 1] = 2;
	ck_assert_int_eq(decode_copy(decode_op, b.base, b.len), HF_ECORRUPT);
	ck_assert_int_eq(decode_copy(decode_op, padded, 5), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

SUITE(operations_survive_a_round_trip, the_largest_acquire_fits,
      the_largest_of_the_others_fit, a_truncated_or_longer_operation_is_refused,
      a_changed_byte_gives_a_valid_operation_or_none,
      garbage_gives_a_valid_operation_or_none, unknown_kinds_are_refused,
      ids_are_neither_zero_nor_beyond_63_bits, sequenced_operations_begin_at_1,
      the_mode_says_whether_there_are_permits, durations_and_names_are_bounded,
      what_is_there_beyond_a_plain_acquire_is_not_zero,
      only_plain_locks_and_permits_come_together,
      a_conversion_is_of_one_lock_and_leaving_is_of_a_hold,
      a_value_has_a_version_that_is_expected_or_any,
      counts_are_bounded_on_both_sides,
      a_condition_says_whether_there_is_a_number,
      reasons_and_what_is_shown_are_bounded, what_a_kind_does_not_have_is_zero,
      limits_lie_between_their_least_and_greatest,
      unknown_flags_and_long_numbers_are_refused)
