#include "codec/crc.h"
#include "codec/image.h"
#include "codec/image_format.h"

#include "lib/damage.h"
#include "lib/samples.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

/* All pieces of a finished image, in one block. */
static struct buf joined(const struct image_writer *w)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < w->pieces_len; i++)
		buf_put(&b, w->pieces[i].base, w->pieces[i].len);
	ck_assert(!b.failed);
	ck_assert_uint_eq(b.len, IMAGE_HEAD + w->packed_bytes);
	return b;
}

static struct buf finish(struct image_writer *w)
{
	ck_assert_int_eq(image_finish(w), 0);
	struct buf b = joined(w);
	image_writer_free(w);
	return b;
}

static enum record_kind sample_kind(struct random *r)
{
	return (enum record_kind)(2 + random_below(r, RECORD_VALUE - 1));
}

static struct buf sample_image(uint64_t seed, size_t records)
{
	struct random r = { seed };
	struct image_writer w = { 0 };
	struct record rec = sample_record(&r, RECORD_STATE);

	image_put(&w, &rec);
	for (size_t i = 1; i < records; i++) {
		rec = sample_record(&r, sample_kind(&r));
		image_put(&w, &rec);
	}
	return finish(&w);
}

/* Expects the records of sample_image, in order. */
struct expected {
	struct random r;
	size_t seen;
};

static int expect(void *ctx, const struct record *got)
{
	struct expected *e = ctx;
	enum record_kind kind = e->seen++ ? sample_kind(&e->r) : RECORD_STATE;
	struct record rec = sample_record(&e->r, kind);

	check_same_record(&rec, got);
	return 0;
}

static int rewrite(void *ctx, const struct record *got)
{
	image_put((struct image_writer *)ctx, got);
	return 0;
}

static int decode_image(const uint8_t *bytes, size_t len)
{
	struct image_writer w = { 0 };
	int rc = image_read(bytes, len, rewrite, &w);

	if (rc == 0)
		ck_assert_int_eq(image_finish(&w), 0);
	image_writer_free(&w);
	return rc;
}

/* Make a one-chunk image's checksums right again. */
static void seal(struct buf *b)
{
	uint8_t *chunk = b->base + IMAGE_HEAD;
	uint32_t crc = crc32c(0, b->base, IMAGE_HEAD_CRC_AT);
	uint32_t chunk_crc = crc32c(0, chunk, CHUNK_CRC_AT);

	chunk_crc = crc32c(chunk_crc, chunk + CHUNK_HEAD,
			   b->len - IMAGE_HEAD - CHUNK_HEAD);
	for (int i = 0; i < 4; i++) {
		b->base[IMAGE_HEAD_CRC_AT + i] = (uint8_t)(crc >> (8 * i));
		chunk[CHUNK_CRC_AT + i] = (uint8_t)(chunk_crc >> (8 * i));
	}
}

START_TEST(images_survive_a_round_trip)
{
	static const size_t records[] = { 1, 2, 10, 100, 5000 };

	for (uint64_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		struct buf b = sample_image(i, records[i]);
		struct expected e = { .r = { i } };

		ck_assert_int_eq(image_read(b.base, b.len, expect, &e), 0);
		ck_assert_uint_eq(e.seen, records[i]);
		buf_free(&b);
	}
}
END_TEST

START_TEST(an_image_does_not_look_like_an_lz4_frame)
{
	const uint8_t magic[] = { 0x04, 0x22, 0x4d, 0x18 };
	struct buf b = sample_image(1, 1);

	ck_assert_mem_ne(b.base, magic, sizeof(magic));
	buf_free(&b);
}
END_TEST

START_TEST(likeness_is_packed_and_chance_is_stored)
{
	struct random r = { 3 };
	struct record rec = sample_record(&r, RECORD_STATE);
	struct image_writer w = { 0 };
	uint8_t name[LOCK_NAME_MAX];

	image_put(&w, &rec);
	for (int i = 0; i < 1000; i++) {
		for (size_t k = 0; k < sizeof(name); k++)
			name[k] = (uint8_t)(i < 500 ? random_next(&r) : 'x');
		rec = (struct record){ .kind = RECORD_LOCK };
		rec.lock.name = name;
		rec.lock.name_len = sizeof(name);
		image_put(&w, &rec);
	}
	struct buf b = finish(&w);
	ck_assert_uint_gt(b.len, 500 * LOCK_NAME_MAX);
	ck_assert_uint_lt(b.len, 600 * LOCK_NAME_MAX);
	ck_assert_int_eq(decode_copy(decode_image, b.base, b.len), 0);
	buf_free(&b);
}
END_TEST

static int count_slots(void *ctx, const struct record *got)
{
	if (got->kind == RECORD_SESSION)
		*(size_t *)ctx = got->session.slots_len;
	return 0;
}

START_TEST(a_session_with_a_full_window_fits)
{
	static struct slot slots[RECORD_SLOTS_MAX];
	struct random r = { 4 };
	struct record rec = sample_record(&r, RECORD_STATE);
	struct image_writer w = { 0 };
	size_t len = 0;

	image_put(&w, &rec);
	for (size_t i = 0; i < RECORD_SLOTS_MAX; i++)
		slots[i] = (struct slot){ .seq = UINT64_MAX - i,
					  .status = -999,
					  .token = INT64_MAX,
					  .stamp = INT64_MAX };
	rec = sample_record(&r, RECORD_SESSION);
	rec.session.slots = slots;
	rec.session.slots_len = RECORD_SLOTS_MAX;
	image_put(&w, &rec);
	ck_assert_uint_le(w.raw.len, RECORD_BYTES_MAX);
	struct buf b = finish(&w);
	ck_assert_int_eq(image_read(b.base, b.len, count_slots, &len), 0);
	ck_assert_uint_eq(len, RECORD_SLOTS_MAX);
	buf_free(&b);
}
END_TEST

static int count_bytes(void *ctx, const struct record *got)
{
	if (got->kind == RECORD_VALUE)
		*(size_t *)ctx += got->value.bytes_len;
	return 0;
}

START_TEST(the_largest_values_fit)
{
	static uint8_t bytes[VALUE_MAX];
	struct random r = { 15 };
	struct record rec = sample_record(&r, RECORD_STATE);
	struct image_writer w = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < VALUE_MAX; i++)
		bytes[i] = (uint8_t)random_next(&r);
	image_put(&w, &rec);
	for (int i = 0; i < 3; i++) {
		do {
			rec = sample_record(&r, RECORD_VALUE);
		} while (rec.value.version == 0 || rec.value.counter);
		rec.value.bytes = bytes;
		rec.value.bytes_len = VALUE_MAX;
		image_put(&w, &rec);
	}
	struct buf b = finish(&w);
	ck_assert_int_eq(image_read(b.base, b.len, count_bytes, &len), 0);
	ck_assert_uint_eq(len, 3 * VALUE_MAX);
	buf_free(&b);
}
END_TEST

START_TEST(a_truncated_image_is_refused)
{
	struct buf small = sample_image(5, 20), large = sample_image(6, 1000);

	check_truncation(decode_image, small.base, small.len);
	for (size_t len = 0; len < large.len; len += 997)
		ck_assert_int_eq(decode_copy(decode_image, large.base, len),
				 HF_ECORRUPT);
	buf_free(&small);
	buf_free(&large);
}
END_TEST

START_TEST(any_changed_byte_is_refused)
{
	struct buf b = sample_image(7, 20);

	check_mutation(decode_image, b.base, b.len, true);
	buf_free(&b);
}
END_TEST

START_TEST(a_changed_byte_under_right_checksums_is_valid_or_refused)
{
	struct buf b = sample_image(8, 12);

	for (size_t at = 0; at < b.len; at++) {
		uint8_t was = b.base[at];

		for (unsigned bit = 0; bit < 8; bit++) {
			b.base[at] = (uint8_t)(was ^ 1u << bit);
			seal(&b);
			int rc = decode_copy(decode_image, b.base, b.len);
			ck_assert(rc == 0 || rc == HF_ECORRUPT);
		}
		b.base[at] = was;
	}
	buf_free(&b);
}
END_TEST

START_TEST(garbage_is_refused)
{
	check_garbage(decode_image, NULL, 0, 10000);
	check_garbage(decode_image, (const uint8_t *)"hf-image\1\0\1", 12,
		      10000);
}
END_TEST

START_TEST(a_chunk_that_claims_too_much_is_refused)
{
	struct buf b = sample_image(9, 12);
	uint8_t *raw_len = b.base + IMAGE_HEAD;

	raw_len[3] = 0x7f; /* 2 GiB */
	seal(&b);
	ck_assert_int_eq(decode_copy(decode_image, b.base, b.len), HF_ECORRUPT);
	raw_len[3] = 0;
	raw_len[2] = 0x1f; /* 2 MiB out of a few bytes */
	seal(&b);
	ck_assert_int_eq(decode_copy(decode_image, b.base, b.len), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

START_TEST(the_head_must_agree_with_what_follows)
{
	/* Semantics version, chunks, index, records, bytes. */
	static const size_t fields[] = { 10, 12, 16, 24, 32 };
	struct buf b = sample_image(10, 12);

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		for (int step = -1; step <= 1; step += 2) {
			uint8_t was = b.base[fields[i]];

			b.base[fields[i]] = (uint8_t)(was + step);
			seal(&b);
			ck_assert_int_eq(
				decode_copy(decode_image, b.base, b.len),
				HF_ECORRUPT);
			b.base[fields[i]] = was;
		}
	}
	seal(&b);
	ck_assert_int_eq(decode_copy(decode_image, b.base, b.len), 0);
	buf_free(&b);
}
END_TEST

START_TEST(chunks_cannot_change_places)
{
	struct random r = { 11 };
	struct image_writer w = { 0 };
	struct record rec = sample_record(&r, RECORD_STATE);

	image_put(&w, &rec);
	while (w.pieces_len < 4) {
		rec = sample_record(&r, RECORD_SESSION);
		image_put(&w, &rec);
	}
	ck_assert_int_eq(image_finish(&w), 0);
	struct image_piece piece = w.pieces[2];
	w.pieces[2] = w.pieces[3];
	w.pieces[3] = piece;
	struct buf b = joined(&w);
	ck_assert_int_eq(decode_copy(decode_image, b.base, b.len), HF_ECORRUPT);
	buf_free(&b);
	image_writer_free(&w);
}
END_TEST

static int third_fails(void *ctx, const struct record *got)
{
	(void)got;
	return ++*(int *)ctx == 3 ? HF_ENOMEM : 0;
}

START_TEST(reading_stops_at_the_first_error_of_the_caller)
{
	struct buf b = sample_image(12, 10);
	int calls = 0;

	ck_assert_int_eq(image_read(b.base, b.len, third_fails, &calls),
			 HF_ENOMEM);
	ck_assert_int_eq(calls, 3);
	buf_free(&b);
}
END_TEST

START_TEST(finishing_twice_gives_the_same_image)
{
	struct random r = { 13 };
	struct image_writer w = { 0 };
	struct record rec = sample_record(&r, RECORD_STATE);

	image_put(&w, &rec);
	ck_assert_int_eq(image_finish(&w), 0);
	struct buf one = joined(&w);
	ck_assert_int_eq(image_finish(&w), 0);
	struct buf two = joined(&w);
	ck_assert_uint_eq(one.len, two.len);
	ck_assert_mem_eq(one.base, two.base, one.len);
	buf_free(&one);
	buf_free(&two);
	image_writer_free(&w);
	image_writer_free(&w);
}
END_TEST

START_TEST(an_image_beyond_the_limit_is_given_up)
{
	struct random r = { 14 };
	struct image_writer w = { .packed_bytes = IMAGE_BYTES_MAX - 64 };
	struct record rec = sample_record(&r, RECORD_STATE);

	image_put(&w, &rec);
	ck_assert_int_eq(image_finish(&w), HF_ELIMIT);
	rec = sample_record(&r, RECORD_PEER);
	image_put(&w, &rec);
	ck_assert_int_eq(image_finish(&w), HF_ELIMIT);
	image_writer_free(&w);
}
END_TEST

SUITE(images_survive_a_round_trip, an_image_does_not_look_like_an_lz4_frame,
      likeness_is_packed_and_chance_is_stored,
      a_session_with_a_full_window_fits, the_largest_values_fit,
      a_truncated_image_is_refused, any_changed_byte_is_refused,
      a_changed_byte_under_right_checksums_is_valid_or_refused,
      garbage_is_refused, a_chunk_that_claims_too_much_is_refused,
      the_head_must_agree_with_what_follows, chunks_cannot_change_places,
      reading_stops_at_the_first_error_of_the_caller,
      finishing_twice_gives_the_same_image,
      an_image_beyond_the_limit_is_given_up)
