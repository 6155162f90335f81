#include "codec/crc.h"
#include "codec/entry.h"

#include "lib/damage.h"
#include "lib/samples.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 72

struct bytes {
	uint8_t *base;
	size_t len;
};

static struct bytes encode(const struct entry *e)
{
	struct buf ops = { 0 };

	for (size_t i = 0; i < e->ops_len; i++)
		op_encode(&ops, &e->ops[i]);
	struct bytes out = { .len = entry_bytes(ops.len) };
	out.base = malloc(out.len);
	ck_assert_ptr_nonnull(out.base);
	entry_encode(out.base, e, ops.base, ops.len);
	buf_free(&ops);
	return out;
}

static int decode_entry(const uint8_t *bytes, size_t len)
{
	struct op_array a = { 0 };
	struct entry e;
	int rc = entry_decode(bytes, len, &a, &e);

	if (rc == 0 && e.version == SEMANTICS_VERSION) {
		struct bytes again = encode(&e);

		ck_assert_uint_eq(again.len, len);
		ck_assert_mem_eq(again.base, bytes, len);
		free(again.base);
	}
	op_array_free(&a);
	return rc;
}

static struct entry sample_entry(struct random *r, struct op *ops, size_t len)
{
	struct entry e = { .version = SEMANTICS_VERSION,
			   .stamp = sample_number(r),
			   .wall = sample_number(r),
			   .proposer = sample_id(r),
			   .term = sample_id(r),
			   .serial = random_width(r),
			   .ops = ops,
			   .ops_len = len };

	if (random_below(r, 2)) {
		e.hash_index = sample_id(r);
		e.hash = random_next(r);
	}
	for (size_t i = 0; i < len; i++)
		ops[i] = sample_any_op(r);
	return e;
}

/* Make the checksum right again. */
static void seal(struct bytes *b)
{
	uint32_t crc = crc32c(crc32c(0, b->base, 4), b->base + 8, b->len - 8);

	for (int i = 0; i < 4; i++)
		b->base[4 + i] = (uint8_t)(crc >> (8 * i));
}

START_TEST(entries_survive_a_round_trip)
{
	struct random r = { 1 };
	struct op_array a = { 0 };
	struct op ops[20];

	for (int i = 0; i < 2000; i++) {
		struct entry e = sample_entry(&r, ops, random_below(&r, 20));
		struct bytes b = encode(&e);
		struct entry got;

		ck_assert_uint_eq(b.len % 8, 0);
		ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), 0);
		ck_assert_uint_eq(got.version, e.version);
		ck_assert_uint_eq(got.stamp, e.stamp);
		ck_assert_uint_eq(got.wall, e.wall);
		ck_assert_uint_eq(got.proposer, e.proposer);
		ck_assert_uint_eq(got.term, e.term);
		ck_assert_uint_eq(got.serial, e.serial);
		ck_assert_uint_eq(got.hash_index, e.hash_index);
		ck_assert_uint_eq(got.hash, e.hash);
		ck_assert_uint_eq(got.ops_len, e.ops_len);
		for (size_t k = 0; k < e.ops_len; k++)
			check_same_op(&ops[k], &got.ops[k]);
		free(b.base);
	}
	op_array_free(&a);
}
END_TEST

START_TEST(a_full_entry_survives_a_round_trip)
{
	struct random r = { 2 };
	struct op *ops = calloc(ENTRY_OPS_MAX, sizeof(*ops));

	ck_assert_ptr_nonnull(ops);
	struct entry e = sample_entry(&r, ops, ENTRY_OPS_MAX);
	struct bytes b = encode(&e);
	ck_assert_int_eq(decode_entry(b.base, b.len), 0);
	free(b.base);
	free(ops);
}
END_TEST

/* A batch is made of two chunks, each as long as half an entry. */
START_TEST(operations_of_the_largest_size_survive_in_an_entry)
{
	static uint8_t bytes[VALUE_MAX];
	struct random r = { 7 };
	struct op ops[3];
	struct entry e = sample_entry(&r, ops, 3);

	for (size_t i = 0; i < 3; i++) {
		ops[i] = sample_op(&r, OP_PUT);
		ops[i].value.bytes = bytes;
		ops[i].value.bytes_len = VALUE_MAX;
	}
	struct bytes b = encode(&e);
	ck_assert_int_eq(decode_copy(decode_entry, b.base, b.len), 0);
	free(b.base);
}
END_TEST

/* Their array moves while it grows, and is used again for the next entry. */
START_TEST(further_locks_of_many_operations_survive)
{
	struct random r = { 8 };
	struct op_array a = { 0 };
	struct op *ops = calloc(ENTRY_OPS_MAX, sizeof(*ops));

	ck_assert_ptr_nonnull(ops);
	for (size_t len = 1; len <= 1000; len *= 10) {
		struct entry e = sample_entry(&r, ops, len), got;

		for (size_t i = 0; i < len; i++) {
			while (i % 3 > 0 && (ops[i].kind != OP_ACQUIRE ||
					     ops[i].acquire.more_len == 0))
				ops[i] = sample_op(&r, OP_ACQUIRE);
		}
		struct bytes b = encode(&e);
		ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), 0);
		for (size_t i = 0; i < len; i++)
			check_same_op(&ops[i], &got.ops[i]);
		ck_assert_uint_le(a.parts_cap, 2 * PARTS_MAX * (len + 4));
		free(b.base);
	}
	op_array_free(&a);
	ck_assert_uint_eq(a.parts_cap, 0);
	free(ops);
}
END_TEST

/* Memory that fails after some successes. */
static void *failing(void *ctx, void *ptr, size_t len)
{
	int *left = ctx;

	if (len > 0 && --*left < 0)
		return NULL;
	if (len > 0)
		return realloc(ptr, len);
	free(ptr);
	return NULL;
}

START_TEST(an_entry_that_memory_runs_out_for_is_decoded_later)
{
	struct random r = { 9 };
	struct op ops[200];
	struct entry e = sample_entry(&r, ops, 200), got;
	int left = 0, tries = 0, rc;
	const struct mem mem = { failing, &left };
	struct op_array a = { .mem = &mem };

	for (size_t i = 0; i < 200; i++)
		ops[i] = sample_op(&r, OP_ACQUIRE);
	struct bytes b = encode(&e);
	for (; (rc = entry_decode(b.base, b.len, &a, &got)) != 0; tries++) {
		ck_assert_int_eq(rc, HF_ENOMEM);
		left = 1;
	}
	ck_assert_int_gt(tries, 2);
	for (size_t i = 0; i < 200; i++)
		check_same_op(&ops[i], &got.ops[i]);
	op_array_free(&a);
	free(b.base);
}
END_TEST

START_TEST(a_truncated_entry_is_refused)
{
	struct random r = { 3 };
	struct op ops[5];

	for (int i = 0; i < 20; i++) {
		struct entry e = sample_entry(&r, ops, random_below(&r, 5));
		struct bytes b = encode(&e);

		check_truncation(decode_entry, b.base, b.len);
		free(b.base);
	}
}
END_TEST

START_TEST(any_changed_byte_is_refused)
{
	struct random r = { 4 };
	struct op ops[5];

	for (int i = 0; i < 20; i++) {
		struct entry e = sample_entry(&r, ops, random_below(&r, 5));
		struct bytes b = encode(&e);

		check_mutation(decode_entry, b.base, b.len, true);
		free(b.base);
	}
}
END_TEST

/* Somebody who can compute the checksum must not harm us either. */
START_TEST(a_changed_byte_under_a_right_checksum_is_valid_or_refused)
{
	struct random r = { 5 };
	struct op ops[5];
	struct entry e = sample_entry(&r, ops, 5);
	struct bytes b = encode(&e);

	for (size_t at = 0; at < b.len; at++) {
		uint8_t was = b.base[at];

		for (int value = 0; value < 256; value++) {
			b.base[at] = (uint8_t)value;
			seal(&b);
			int rc = decode_copy(decode_entry, b.base, b.len);
			ck_assert(rc == 0 || rc == HF_ECORRUPT);
		}
		b.base[at] = was;
	}
	free(b.base);
}
END_TEST

START_TEST(garbage_is_refused)
{
	const uint8_t prefix[] = { 0xe7, 1, 2, 0 };

	check_garbage(decode_entry, NULL, 0, 20000);
	check_garbage(decode_entry, prefix, sizeof(prefix), 20000);
}
END_TEST

START_TEST(a_count_that_lies_takes_no_memory)
{
	struct op op = { .kind = OP_CLOSE, .node = 1, .session = 1 };
	struct entry e = { .version = 2, .proposer = 1, .term = 1 }, got;
	struct op_array a = { 0 };

	e.ops = &op;
	e.ops_len = 1;
	struct bytes b = encode(&e);
	b.base[9] = 0x10; /* 4097 operations */
	seal(&b);
	ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), HF_ECORRUPT);
	b.base[9] = 0x01;
	seal(&b);
	ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), HF_ECORRUPT);
	ck_assert_uint_eq(a.cap, 0);
	free(b.base);
}
END_TEST

START_TEST(padding_is_zero_and_no_longer_than_needed)
{
	struct op op = { .kind = OP_CLOSE, .node = 1, .session = 1 };
	struct entry e = { .version = 2, .proposer = 1, .term = 1 };

	e.ops = &op;
	e.ops_len = 1;
	struct bytes b = encode(&e);
	ck_assert_uint_eq(b.len, HEAD + 8);
	b.base[b.len - 1] = 1;
	seal(&b);
	ck_assert_int_eq(decode_copy(decode_entry, b.base, b.len), HF_ECORRUPT);
	free(b.base);
}
END_TEST

START_TEST(another_version_is_decoded_as_far_as_its_head)
{
	struct random r = { 6 };
	struct op_array a = { 0 };
	struct op ops[3];
	struct entry e = sample_entry(&r, ops, 3), got;
	struct bytes b = encode(&e);

	b.base[2] = SEMANTICS_VERSION + 1;
	b.base[HEAD] = 200; /* an operation that we don't know */
	seal(&b);
	ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), 0);
	ck_assert_uint_eq(got.version, SEMANTICS_VERSION + 1);
	ck_assert_uint_eq(got.term, e.term);
	ck_assert_uint_eq(got.ops_len, 0);
	b.base[2] = SEMANTICS_VERSION - 1;
	seal(&b);
	ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), 0);
	ck_assert_uint_eq(got.ops_len, 0);
	b.base[2] = 0;
	seal(&b);
	ck_assert_int_eq(entry_decode(b.base, b.len, &a, &got), HF_ECORRUPT);
	free(b.base);
	op_array_free(&a);
}
END_TEST

SUITE(entries_survive_a_round_trip, a_full_entry_survives_a_round_trip,
      operations_of_the_largest_size_survive_in_an_entry,
      further_locks_of_many_operations_survive,
      an_entry_that_memory_runs_out_for_is_decoded_later,
      a_truncated_entry_is_refused, any_changed_byte_is_refused,
      a_changed_byte_under_a_right_checksum_is_valid_or_refused,
      garbage_is_refused, a_count_that_lies_takes_no_memory,
      padding_is_zero_and_no_longer_than_needed,
      another_version_is_decoded_as_far_as_its_head)
