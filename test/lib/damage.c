#include "lib/damage.h"

#include "lib/suite.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

#define GARBAGE_MAX 200

int decode_copy(decoder decode, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	int rc = decode(copy, len);
	free(copy);
	return rc;
}

void check_truncation(decoder decode, const uint8_t *bytes, size_t len)
{
	uint8_t *longer = calloc(1, len + 1);

	ck_assert_int_eq(decode_copy(decode, bytes, len), 0);
	for (size_t n = 0; n < len; n++)
		ck_assert_int_eq(decode_copy(decode, bytes, n), HF_ECORRUPT);
	ck_assert_ptr_nonnull(longer);
	memcpy(longer, bytes, len);
	ck_assert_int_eq(decode(longer, len + 1), HF_ECORRUPT);
	free(longer);
}

static void check_change(decoder decode, uint8_t *bytes, size_t len, size_t at,
			 uint8_t value, int refused)
{
	uint8_t was = bytes[at];

	bytes[at] = value;
	int rc = decode(bytes, len);
	ck_assert(rc == HF_ECORRUPT || rc == 0);
	if (refused && value != was)
		ck_assert_int_eq(rc, HF_ECORRUPT);
	bytes[at] = was;
}

void check_mutation(decoder decode, const uint8_t *bytes, size_t len,
		    int refused)
{
	static const uint8_t values[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	uint8_t *copy = malloc(len);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, len);
	for (size_t at = 0; at < len; at++) {
		for (unsigned bit = 0; bit < 8; bit++)
			check_change(decode, copy, len, at,
				     (uint8_t)(bytes[at] ^ 1u << bit), refused);
		for (size_t i = 0; i < sizeof(values); i++)
			check_change(decode, copy, len, at, values[i], refused);
	}
	free(copy);
}

void check_garbage(decoder decode, const uint8_t *prefix, size_t prefix_len,
		   unsigned rounds)
{
	struct random r = { 7 };
	uint8_t bytes[GARBAGE_MAX];

	ck_assert_uint_le(prefix_len, GARBAGE_MAX);
	for (unsigned i = 0; i < rounds; i++) {
		size_t len =
			prefix_len + random_below(&r, GARBAGE_MAX - prefix_len);

		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)random_width(&r);
		if (prefix_len > 0)
			memcpy(bytes, prefix, prefix_len);
		int rc = decode_copy(decode, bytes, len);
		ck_assert(rc == HF_ECORRUPT || rc == 0);
	}
}
