#include "codec/record.h"

#include "lib/damage.h"
#include "lib/samples.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <string.h>

static int decode_record(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct record_room room = { 0 };
	struct buf b = { 0 };
	struct record rec;
	int rc = record_decode(&r, &room, &rec);

	ck_assert_uint_le(room.slots_cap, len + 64);
	if (rc == 0 && reader_left(&r) > 0)
		rc = HF_ECORRUPT;
	if (rc == 0) {
		record_encode(&b, &rec);
		ck_assert_uint_eq(b.len, len);
		ck_assert_mem_eq(b.base, bytes, len);
	}
	buf_free(&b);
	record_room_free(&room);
	return rc;
}

static enum record_kind kind_of(uint64_t i)
{
	return (enum record_kind)(RECORD_STATE + i % RECORD_VALUE);
}

START_TEST(records_survive_a_round_trip)
{
	struct random r = { 1 };
	struct record_room room = { 0 };
	struct buf b = { 0 };

	for (unsigned i = 0; i < 5000; i++) {
		struct record rec = sample_record(&r, kind_of(i)), got;

		buf_clear(&b);
		record_encode(&b, &rec);
		struct reader in = reader_of(b.base, b.len);
		ck_assert_int_eq(record_decode(&in, &room, &got), 0);
		ck_assert_uint_eq(reader_left(&in), 0);
		check_same_record(&rec, &got);
	}
	record_room_free(&room);
	buf_free(&b);
}
END_TEST

START_TEST(a_truncated_record_is_refused)
{
	struct random r = { 2 };

	for (unsigned i = 0; i < 36; i++) {
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

	for (unsigned i = 0; i < 60; i++) {
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
	for (uint8_t kind = 0; kind <= RECORD_VALUE + 1; kind++)
		check_garbage(decode_record, &kind, 1, 10000);
}
END_TEST

START_TEST(slots_that_cannot_fit_take_no_memory)
{
	struct random r = { 4 };
	struct record rec = sample_record(&r, RECORD_SESSION), got;
	struct record_room room = { 0 };
	struct buf b = { 0 };

	rec.session.slots_len = 0;
	record_encode(&b, &rec);
	b.len--; /* the number of slots comes last */
	buf_put_varint(&b, RECORD_SLOTS_MAX);
	struct reader in = reader_of(b.base, b.len);
	ck_assert_int_eq(record_decode(&in, &room, &got), HF_ECORRUPT);
	ck_assert_uint_eq(room.slots_cap, 0);
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

/* Of a held request; what it doesn't have is zero. */
static struct record held(void)
{
	struct record rec;

	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_REQUEST;
	rec.request.session = rec.request.seq = rec.request.lock = 1;
	rec.request.state = REQUEST_HELD;
	rec.request.token = 1;
	return rec;
}

/* What there is besides a plain request: its bits, then it. */
static int try_extras(const uint64_t *fields, size_t n)
{
	struct record rec = held();
	struct buf b = { 0 };

	record_encode(&b, &rec);
	b.len--;
	for (size_t i = 0; i < n; i++)
		buf_put_varint(&b, fields[i]);
	int rc = decode_copy(decode_record, b.base, b.len);
	buf_free(&b);
	return rc;
}

#define EXTRAS(...)                                   \
	try_extras((const uint64_t[]){ __VA_ARGS__ }, \
		   sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

START_TEST(what_a_request_has_besides_is_not_zero)
{
	uint64_t high = UINT64_C(1) << 63;

	ck_assert_int_eq(EXTRAS(0), 0);
	for (unsigned extra = 1; extra <= 512; extra *= 2)
		ck_assert_int_eq(EXTRAS(extra, 0, 0, 0, 0, 0), HF_ECORRUPT);
	for (unsigned extra = 1; extra <= 128; extra *= 2)
		ck_assert_int_eq(EXTRAS(extra, 0), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(1024, 1), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(2, 255), 0);
	ck_assert_int_eq(EXTRAS(2, 256), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(4, DURATION_MAX), 0);
	ck_assert_int_eq(EXTRAS(4, DURATION_MAX + 1), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(8, DURATION_MAX + 1), HF_ECORRUPT);
	for (unsigned extra = 16; extra <= 64; extra *= 2) {
		ck_assert_int_eq(EXTRAS(extra, high - 1), 0);
		ck_assert_int_eq(EXTRAS(extra, high), HF_ECORRUPT);
	}
	ck_assert_int_eq(EXTRAS(128, 1, 'x'), 0);
	ck_assert_int_eq(EXTRAS(128, SHOWN_MAX + 1), HF_ECORRUPT);
}
END_TEST

/* 1: number, then lock, mode and permits of each */
START_TEST(further_locks_are_few_and_of_plain_modes)
{
	ck_assert_int_eq(EXTRAS(1, 1, 7, 0, 0), 0);
	ck_assert_int_eq(EXTRAS(1, 2, 7, 0, 0, 8, 2, UINT32_MAX), 0);
	ck_assert_int_eq(EXTRAS(1, 1, 7, MODE_BARRIER, 0), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(1, PARTS_MAX, 7, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(1, 1, 7, 2, UINT64_C(1) << 32), HF_ECORRUPT);
}
END_TEST

/* 256: at, noted at, by, noted, reason */
START_TEST(a_revocation_is_noted_or_not)
{
	ck_assert_int_eq(EXTRAS(256, 1, 0, 0, 0, 0), 0);
	ck_assert_int_eq(EXTRAS(256, 1, 2, 3, 1, 1, 'x'), 0);
	ck_assert_int_eq(EXTRAS(256, 1, 2, 3, 2, 0), HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(256, 1, UINT64_C(1) << 63, 3, 1, 0),
			 HF_ECORRUPT);
	ck_assert_int_eq(EXTRAS(256, 1, 2, 3, 1, REASON_MAX + 1), HF_ECORRUPT);
}
END_TEST

START_TEST(a_request_waits_for_a_lock_or_for_a_value)
{
	struct record rec = held();
	struct buf b = { 0 };

	rec.request.lock = 0;
	rec.request.value = 9;
	rec.request.condition = AWAIT_AT_LEAST;
	rec.request.number = -COUNT_MAX;
	record_encode(&b, &rec);
	ck_assert_int_eq(decode_copy(decode_record, b.base, b.len), 0);
	b.base[4] = 1; /* kind, session, seq, owner, lock */
	ck_assert_int_eq(decode_copy(decode_record, b.base, b.len),
			 HF_ECORRUPT);
	buf_free(&b);
	ck_assert_int_eq(EXTRAS(512, 9, 3, 0), HF_ECORRUPT);
}
END_TEST

START_TEST(an_ended_wait_for_a_value_says_what_it_waited_for)
{
	struct record rec = held(), got;
	struct record_room room = { 0 };
	struct buf b = { 0 };

	rec.request.state = REQUEST_ENDED;
	rec.request.lock = 0;
	rec.request.condition = AWAIT_AT_MOST;
	rec.request.number = 5;
	record_encode(&b, &rec);
	struct reader in = reader_of(b.base, b.len);
	ck_assert_int_eq(record_decode(&in, &room, &got), 0);
	check_same_record(&rec, &got);
	record_room_free(&room);
	buf_free(&b);
}
END_TEST

static int encoded(const struct record *rec)
{
	struct buf b = { 0 };

	record_encode(&b, rec);
	ck_assert_uint_le(b.len, RECORD_BYTES_MAX);
	int rc = decode_copy(decode_record, b.base, b.len);
	buf_free(&b);
	return rc;
}

START_TEST(the_largest_request_and_value_fit)
{
	static const uint8_t bytes[VALUE_MAX];
	struct record_part parts[PARTS_MAX - 1];
	struct random r = { 6 };
	struct record rec = sample_record(&r, RECORD_REQUEST);

	for (size_t i = 0; i < PARTS_MAX - 1; i++)
		parts[i] = (struct record_part){ UINT64_MAX, MODE_PERMITS,
						 UINT32_MAX };
	memset(&rec.request, 0xff, sizeof(rec.request));
	rec.request.session = rec.request.token = INT64_MAX;
	rec.request.stamp = rec.request.deadline = INT64_MAX;
	rec.request.state = REQUEST_HELD;
	rec.request.mode = MODE_PERMITS;
	rec.request.delay = rec.request.hold = DURATION_MAX;
	rec.request.lease = DURATION_MAX;
	rec.request.status = -999;
	rec.request.priority = -128;
	rec.request.more = parts;
	rec.request.more_len = PARTS_MAX - 1;
	rec.request.hold_until = rec.request.lease_until = INT64_MAX;
	rec.request.from = INT64_MAX;
	rec.request.shown = rec.request.revoke.reason = bytes;
	rec.request.shown_len = SHOWN_MAX;
	rec.request.revoke.reason_len = REASON_MAX;
	rec.request.revoke.at = rec.request.revoke.noted_at = INT64_MAX;
	rec.request.revoke.noted = true;
	rec.request.value = 0;
	rec.request.condition = (enum condition)0;
	rec.request.number = 0;
	ck_assert_int_eq(encoded(&rec), 0);
	rec = sample_record(&r, RECORD_VALUE);
	rec.value.version = rec.value.session = INT64_MAX;
	rec.value.counter = false;
	rec.value.number = 0;
	rec.value.name = rec.value.bytes = bytes;
	rec.value.name_len = LOCK_NAME_MAX;
	rec.value.bytes_len = VALUE_MAX;
	ck_assert_int_eq(encoded(&rec), 0);
}
END_TEST

/* id, version, session, name, counter, then number or bytes */
static int try_value(const uint64_t *fields, size_t n)
{
	struct buf b = { 0 };

	buf_put8(&b, RECORD_VALUE);
	for (size_t i = 0; i < n; i++)
		buf_put_varint(&b, fields[i]);
	int rc = decode_copy(decode_record, b.base, b.len);
	buf_free(&b);
	return rc;
}

#define VALUE(...)                                   \
	try_value((const uint64_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

START_TEST(a_value_that_is_not_there_has_nothing)
{
	uint64_t high = UINT64_C(1) << 63, max = (uint64_t)COUNT_MAX * 2;

	ck_assert_int_eq(VALUE(1, 0, 0, 1, 'x', 0, 0), 0);
	ck_assert_int_eq(VALUE(1, 0, 0, 1, 'x', 1, 0), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 0, 0, 1, 'x', 0, 1, 'y'), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 0, 2, 1, 'x', 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 9, 2, 1, 'x', 0, 1, 'y'), 0);
	ck_assert_int_eq(VALUE(0, 9, 2, 1, 'x', 0, 1, 'y'), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, high, 2, 1, 'x', 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 9, high, 1, 'x', 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 9, 2, 0, 0, 0), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 9, 2, 1, 'x', 1, max), 0);
	ck_assert_int_eq(VALUE(1, 9, 2, 1, 'x', 1, max + 1), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 9, 2, 1, 'x', 2, 0), HF_ECORRUPT);
	ck_assert_int_eq(VALUE(1, 9, 2, 1, 'x', 0, VALUE_MAX + 1), HF_ECORRUPT);
}
END_TEST

START_TEST(unknown_flags_of_a_lock_are_refused)
{
	struct record rec;
	struct buf b = { 0 };

	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_LOCK;
	rec.lock.id = 1;
	rec.lock.name = (const uint8_t *)"x";
	rec.lock.name_len = 1;
	rec.lock.flags = LOCK_BARRIER | LOCK_PINNED;
	record_encode(&b, &rec);
	ck_assert_int_eq(decode_copy(decode_record, b.base, b.len), 0);
	b.base[2] = 4; /* kind, id, flags */
	ck_assert_int_eq(decode_copy(decode_record, b.base, b.len),
			 HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

SUITE(records_survive_a_round_trip, a_truncated_record_is_refused,
      a_changed_byte_gives_a_valid_record_or_none,
      garbage_gives_a_valid_record_or_none,
      slots_that_cannot_fit_take_no_memory, a_hold_has_a_token,
      what_a_request_has_besides_is_not_zero,
      further_locks_are_few_and_of_plain_modes, a_revocation_is_noted_or_not,
      a_request_waits_for_a_lock_or_for_a_value,
      an_ended_wait_for_a_value_says_what_it_waited_for,
      the_largest_request_and_value_fit, a_value_that_is_not_there_has_nothing,
      unknown_flags_of_a_lock_are_refused)
