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
	struct op op;
	int rc = op_decode(&r, &op);

	if (rc != 0)
		return rc;
	if (reader_left(&r) > 0)
		return HF_ECORRUPT;
	op_encode(&b, &op);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, len);
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
	if (kind == OP_ACQUIRE)
		buf_put8(&b, 'x');
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

		buf_clear(&b);
		op_encode(&b, &op);
		ck_assert_uint_le(b.len, OP_BYTES_MAX);
		struct reader in = reader_of(b.base, b.len);
		ck_assert_int_eq(op_decode(&in, &got), 0);
		ck_assert_uint_eq(reader_left(&in), 0);
		check_same_op(&op, &got);
	}
	buf_free(&b);
}
END_TEST

START_TEST(the_largest_operation_fits)
{
	static const uint8_t name[LOCK_NAME_MAX];
	struct op op = { .kind = OP_ACQUIRE,
			 .node = UINT64_MAX,
			 .session = INT64_MAX,
			 .seq = UINT64_MAX,
			 .low = UINT64_MAX };
	struct buf b = { 0 };

	op.acquire.owner = UINT64_MAX;
	op.acquire.name = name;
	op.acquire.name_len = sizeof(name);
	op.acquire.mode = MODE_PERMITS;
	op.acquire.permits = op.acquire.limit = UINT32_MAX;
	op.acquire.wait = WAIT_FOREVER;
	op.acquire.delay = DURATION_MAX;
	op_encode(&b, &op);
	ck_assert_uint_le(b.len, OP_BYTES_MAX);
	ck_assert_int_eq(decode_copy(decode_op, b.base, b.len), 0);
	buf_free(&b);
}
END_TEST

START_TEST(a_truncated_or_longer_operation_is_refused)
{
	struct random r = { 2 };

	for (int kind = OP_OPEN; kind <= OP_LIMITS; kind++) {
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
	for (uint8_t kind = 0; kind <= OP_LIMITS + 1; kind++)
		check_garbage(decode_op, &kind, 1, ROUNDS / 4);
}
END_TEST

START_TEST(unknown_kinds_are_refused)
{
	for (int kind = 0; kind < 256; kind++)
		if (kind < OP_OPEN || kind > OP_LIMITS)
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
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, high - 1), 0);
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, high), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 1, 1, 0, 0), HF_ECORRUPT);
}
END_TEST

START_TEST(sequenced_operations_begin_at_1)
{
	ck_assert_int_eq(FIELDS(OP_RELEASE, 1, 0, 1, 0, 5), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_CANCEL, 1, 0, 1), HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_CANCEL, 1, 1, 1), 0);
	ck_assert_int_eq(FIELDS(OP_RENEW, 1, 0, 1, 0), 0);
}
END_TEST

/* node, seq, session, low, owner, mode, [permits, limit,] wait, delay, name */
START_TEST(the_mode_says_whether_there_are_permits)
{
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, 0, 0, 1), 0);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 1, 0, 0, 1), 0);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 3, 0, 0, 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 2, 3, 3, 0, 0, 1),
			 0);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 2, 4, 3, 0, 0, 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 2, 0, 3, 0, 0, 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 2, 1,
				UINT64_C(1) << 32, 0, 0, 1),
			 HF_ECORRUPT);
}
END_TEST

START_TEST(durations_and_names_are_bounded)
{
	uint64_t max = DURATION_MAX;

	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, max, max, 1), 0);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, max + 1, 0, 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, 0, max + 1, 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(
		FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, WAIT_FOREVER, 0, 1), 0);
	ck_assert_int_eq(FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, 0, 0, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(
		FIELDS(OP_ACQUIRE, 1, 1, 1, 0, 7, 0, 0, 0, LOCK_NAME_MAX + 1),
		HF_ECORRUPT);
}
END_TEST

START_TEST(limits_lie_between_their_least_and_greatest)
{
#define X(name, first, least, greatest) first,
	uint64_t fields[] = { 1, 0, LIMITS(X) };
#undef X
	size_t n = sizeof(fields) / sizeof(*fields);

	ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n), 0);
	for (size_t i = 2; i < n; i++) {
		uint64_t was = fields[i];

		fields[i] = UINT64_MAX;
		ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n),
				 HF_ECORRUPT);
		fields[i] = was;
	}
	fields[2] = 0;
	ck_assert_int_eq(decode_fields(OP_LIMITS, fields, n), HF_ECORRUPT);
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

SUITE(operations_survive_a_round_trip, the_largest_operation_fits,
      a_truncated_or_longer_operation_is_refused,
      a_changed_byte_gives_a_valid_operation_or_none,
      garbage_gives_a_valid_operation_or_none, unknown_kinds_are_refused,
      ids_are_neither_zero_nor_beyond_63_bits, sequenced_operations_begin_at_1,
      the_mode_says_whether_there_are_permits, durations_and_names_are_bounded,
      limits_lie_between_their_least_and_greatest,
      unknown_flags_and_long_numbers_are_refused)
