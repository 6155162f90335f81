#include "base/buf.h"

#include "lib/random.h"
#include "lib/suite.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 200
#define STEPS 100

static const struct {
	uint64_t value;
	size_t len;
} varints[] = {
	{ 0, 1 },
	{ 1, 1 },
	{ 127, 1 },
	{ 128, 2 },
	{ 16383, 2 },
	{ 16384, 3 },
	{ UINT32_MAX, 5 },
	{ (UINT64_C(1) << 63) - 1, 9 },
	{ UINT64_C(1) << 63, 10 },
	{ UINT64_MAX, 10 },
};

static uint64_t read_varint(const void *bytes, size_t len, bool *ok)
{
	struct reader r = reader_of(bytes, len);
	uint64_t v = reader_get_varint(&r);

	*ok = !r.failed && reader_left(&r) == 0;
	return v;
}

START_TEST(an_all_zero_buffer_is_empty)
{
	struct buf b = { 0 };

	buf_clear(&b);
	buf_drop(&b, 0);
	buf_put(&b, NULL, 0);
	ck_assert_uint_eq(b.len, 0);
	ck_assert(!b.failed);
	buf_free(&b);
	buf_free(&b);
	buf_free(NULL);
}
END_TEST

START_TEST(numbers_are_little_endian)
{
	const uint8_t want[] = { 1,  3,  2,  7,  6,  5, 4, 15,
				 14, 13, 12, 11, 10, 9, 8 };
	struct buf b = { 0 };

	buf_put8(&b, 0x01);
	buf_put16(&b, 0x0203);
	buf_put32(&b, 0x04050607);
	buf_put64(&b, UINT64_C(0x08090a0b0c0d0e0f));
	ck_assert_uint_eq(b.len, sizeof(want));
	ck_assert_mem_eq(b.base, want, sizeof(want));
	buf_free(&b);
}
END_TEST

START_TEST(a_varint_takes_as_few_bytes_as_possible)
{
	for (size_t i = 0; i < sizeof(varints) / sizeof(*varints); i++) {
		struct buf b = { 0 };
		bool ok;

		buf_put_varint(&b, varints[i].value);
		ck_assert_uint_eq(b.len, varints[i].len);
		ck_assert(read_varint(b.base, b.len, &ok) == varints[i].value);
		ck_assert(ok);
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_varint_longer_than_needed_is_malformed)
{
	const uint8_t zero[] = { 0x80, 0x00 };
	const uint8_t one[] = { 0x81, 0x80, 0x00 };
	bool ok;

	ck_assert(read_varint(zero, sizeof(zero), &ok) == 0 && !ok);
	ck_assert(read_varint(one, sizeof(one), &ok) == 0 && !ok);
}
END_TEST

START_TEST(a_varint_beyond_64_bits_is_malformed)
{
	uint8_t bytes[11] = { 0 };
	bool ok;

	memset(bytes, 0xff, 9);
	bytes[9] = 0x01;
	ck_assert(read_varint(bytes, 10, &ok) == UINT64_MAX && ok);
	bytes[9] = 0x02;
	ck_assert(read_varint(bytes, 10, &ok) == 0 && !ok);
	bytes[9] = 0x81;
	ck_assert(read_varint(bytes, 11, &ok) == 0 && !ok);
}
END_TEST

START_TEST(dropping_from_the_front_keeps_the_rest)
{
	struct buf b = { 0 };

	buf_put(&b, "abcdef", 6);
	buf_drop(&b, 2);
	ck_assert_uint_eq(b.len, 4);
	ck_assert_mem_eq(b.base, "cdef", 4);
	buf_drop(&b, 4);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(reserved_bytes_count_only_once_taken)
{
	struct buf b = { 0 };
	uint8_t *at = buf_reserve(&b, 3);

	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(b.len, 0);
	memcpy(at, "xyz", 3);
	b.len += 3;
	buf_put8(&b, '!');
	ck_assert_mem_eq(b.base, "xyz!", 4);
	buf_free(&b);
}
END_TEST

START_TEST(a_failed_buffer_takes_nothing_until_it_is_cleared)
{
	struct buf b = { 0 };

	buf_put8(&b, 1);
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	ck_assert(b.failed);
	buf_put8(&b, 2);
	buf_put_varint(&b, 3);
	buf_put(&b, "4", 1);
	ck_assert_uint_eq(b.len, 1);
	ck_assert(b.failed);
	buf_clear(&b);
	buf_put8(&b, 5);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.base[0], 5);
	buf_free(&b);
}
END_TEST

START_TEST(a_failed_reader_gives_nothing_more)
{
	const uint8_t bytes[] = { 1, 2, 3 };
	struct reader r = reader_of(bytes, sizeof(bytes));

	ck_assert_uint_eq(reader_get8(&r), 1);
	ck_assert_uint_eq(reader_left(&r), 2);
	ck_assert_uint_eq(reader_get32(&r), 0);
	ck_assert(r.failed);
	ck_assert_uint_eq(reader_left(&r), 0);
	ck_assert_uint_eq(reader_get8(&r), 0);
	ck_assert_ptr_null(reader_take(&r, 0));
	ck_assert(reader_get_varint(&r) == 0);
}
END_TEST

START_TEST(a_reader_of_nothing_is_at_its_end)
{
	struct reader r = reader_of(NULL, 0);

	ck_assert_uint_eq(reader_left(&r), 0);
	reader_take(&r, 0);
	ck_assert(!r.failed);
	ck_assert_uint_eq(reader_get8(&r), 0);
	ck_assert(r.failed);
}
END_TEST

/* What a seed puts; also with what it must be read back. */
static void put_some(struct buf *b, uint64_t seed)
{
	struct random random = { seed };

	for (int i = 0; i < STEPS; i++) {
		uint64_t v = random_width(&random);

		switch (random_below(&random, 6)) {
		case 0:
			buf_put8(b, (uint8_t)v);
			break;
		case 1:
			buf_put16(b, (uint16_t)v);
			break;
		case 2:
			buf_put32(b, (uint32_t)v);
			break;
		case 3:
			buf_put64(b, v);
			break;
		case 4:
			buf_put_varint(b, v);
			break;
		default:
			buf_put(b, &v, v % (sizeof(v) + 1));
		}
	}
}

static bool same_next(struct reader *r, uint64_t kind, uint64_t v)
{
	const uint8_t *at;

	switch (kind) {
	case 0:
		return reader_get8(r) == (uint8_t)v;
	case 1:
		return reader_get16(r) == (uint16_t)v;
	case 2:
		return reader_get32(r) == (uint32_t)v;
	case 3:
		return reader_get64(r) == v;
	case 4:
		return reader_get_varint(r) == v;
	default:
		at = reader_take(r, v % (sizeof(v) + 1));
		return at && memcmp(at, &v, v % (sizeof(v) + 1)) == 0;
	}
}

/* How many of the seed's numbers come back before one doesn't. */
static int read_some(struct reader *r, uint64_t seed)
{
	struct random random = { seed };
	int n = 0;

	while (n < STEPS) {
		uint64_t v = random_width(&random);
		uint64_t kind = random_below(&random, 6);

		if (!same_next(r, kind, v) || r->failed)
			break;
		n++;
	}
	return n;
}

START_TEST(what_was_put_is_read_back)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		struct buf b = { 0 };

		put_some(&b, seed);
		ck_assert(!b.failed);
		struct reader r = reader_of(b.base, b.len);
		ck_assert_int_eq(read_some(&r, seed), STEPS);
		ck_assert_uint_eq(reader_left(&r), 0);
		buf_free(&b);
	}
}
END_TEST

/* The copy is as long as what is cut, so that a sanitizer sees one byte read
 * too many. */
START_TEST(no_truncation_goes_unnoticed)
{
	struct buf b = { 0 };

	put_some(&b, 7);
	buf_put8(&b, 1); /* the last number may have been of no bytes */
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *copy = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, b.base, len);
		struct reader r = reader_of(copy, len);
		read_some(&r, 7);
		reader_get8(&r);
		ck_assert(r.failed);
		free(copy);
	}
	buf_free(&b);
}
END_TEST

START_TEST(any_bytes_are_either_the_shortest_varint_or_refused)
{
	struct random random = { 3 };

	for (int i = 0; i < 20000; i++) {
		uint64_t bytes[2] = { random_next(&random),
				      random_next(&random) };
		struct reader r = reader_of(bytes, sizeof(bytes));
		uint64_t v;
		struct buf b = { 0 };

		if (random_below(&random, 2)) /* long ones are rare */
			bytes[0] |= UINT64_C(0x8080808080808080);
		v = reader_get_varint(&r);
		buf_put_varint(&b, v);
		if (!r.failed) {
			size_t len = sizeof(bytes) - reader_left(&r);

			ck_assert_uint_eq(b.len, len);
			ck_assert_mem_eq(b.base, bytes, len);
		}
		buf_free(&b);
	}
}
END_TEST

SUITE(an_all_zero_buffer_is_empty, numbers_are_little_endian,
      a_varint_takes_as_few_bytes_as_possible,
      a_varint_longer_than_needed_is_malformed,
      a_varint_beyond_64_bits_is_malformed,
      dropping_from_the_front_keeps_the_rest,
      reserved_bytes_count_only_once_taken,
      a_failed_buffer_takes_nothing_until_it_is_cleared,
      a_failed_reader_gives_nothing_more, a_reader_of_nothing_is_at_its_end,
      what_was_put_is_read_back, no_truncation_goes_unnoticed,
      any_bytes_are_either_the_shortest_varint_or_refused)
