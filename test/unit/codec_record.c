#include "codec/record.h"

#include "lib/damage.h"
#include "lib/samples.h"
#include "lib/suite.h"

#include "holdfast.h"

static int decode_record(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct slot_array a = { 0 };
	struct buf b = { 0 };
	struct record rec;
	int rc = record_decode(&r, &a, &rec);

	ck_assert_uint_le(a.cap, len + 64);
	if (rc == 0 && reader_left(&r) > 0)
		rc = HF_ECORRUPT;
	if (rc == 0) {
		record_encode(&b, &rec);
		ck_assert_uint_eq(b.len, len);
		ck_assert_mem_eq(b.base, bytes, len);
	}
	buf_free(&b);
	slot_array_free(&a);
	return rc;
}

static enum record_kind kind_of(uint64_t i)
{
	return (enum record_kind)(RECORD_STATE + i % RECORD_REQUEST);
}

START_TEST(records_survive_a_round_trip)
{
	struct random r = { 1 };
	struct slot_array a = { 0 };
	struct buf b = { 0 };

	for (unsigned i = 0; i < 5000; i++) {
		struct record rec = sample_record(&r, kind_of(i)), got;

		buf_clear(&b);
		record_encode(&b, &rec);
		struct reader in = reader_of(b.base, b.len);
		ck_assert_int_eq(record_decode(&in, &a, &got), 0);
		ck_assert_uint_eq(reader_left(&in), 0);
		check_same_record(&rec, &got);
	}
	slot_array_free(&a);
	buf_free(&b);
}
END_TEST

START_TEST(a_truncated_record_is_refused)
{
	struct random r = { 2 };

	for (unsigned i = 0; i < 15; i++) {
		struct record rec = sample_record(&r, kind_of(i));
		struct buf b = { 0 };

		record_encode(&b, &rec);
		check_truncation(decode_record, b.base, b.len);
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_changed_byte_gives_a_valid_record_or_none)
{
	struct random r = { 3 };

	for (unsigned i = 0; i < 50; i++) {
		struct record rec = sample_record(&r, kind_of(i));
		struct buf b = { 0 };

		if (rec.kind == RECORD_SESSION)
			rec.session.slots_len %= 4;
		record_encode(&b, &rec);
		check_mutation(decode_record, b.base, b.len, false);
		buf_free(&b);
	}
}
END_TEST

START_TEST(garbage_gives_a_valid_record_or_none)
{
	for (uint8_t kind = 0; kind <= RECORD_REQUEST + 1; kind++)
		check_garbage(decode_record, &kind, 1, 10000);
}
END_TEST

START_TEST(slots_that_cannot_fit_take_no_memory)
{
	struct random r = { 4 };
	struct record rec = sample_record(&r, RECORD_SESSION), got;
	struct slot_array a = { 0 };
	struct buf b = { 0 };

	rec.session.slots_len = 0;
	record_encode(&b, &rec);
	b.len--; /* the number of slots comes last */
	buf_put_varint(&b, RECORD_SLOTS_MAX);
	struct reader in = reader_of(b.base, b.len);
	ck_assert_int_eq(record_decode(&in, &a, &got), HF_ECORRUPT);
	ck_assert_uint_eq(a.cap, 0);
	buf_free(&b);
}
END_TEST

START_TEST(a_hold_has_a_token)
{
	struct random r = { 5 };
	struct record rec = sample_record(&r, RECORD_REQUEST);
	struct buf b = { 0 };

	rec.request = (__typeof__(rec.request)){
		.session = 1, .seq = 1, .lock = 1, .state = REQUEST_ENDED
	};
	record_encode(&b, &rec);
	ck_assert_int_eq(decode_record(b.base, b.len), 0);
	b.base[5] = REQUEST_WAITING; /* kind, session, seq, owner, lock */
	ck_assert_int_eq(decode_record(b.base, b.len), 0);
	b.base[5] = REQUEST_HELD;
	ck_assert_int_eq(decode_record(b.base, b.len), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

SUITE(records_survive_a_round_trip, a_truncated_record_is_refused,
      a_changed_byte_gives_a_valid_record_or_none,
      garbage_gives_a_valid_record_or_none,
      slots_that_cannot_fit_take_no_memory, a_hold_has_a_token)
