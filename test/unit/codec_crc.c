#include "codec/crc.h"

#include "lib/random.h"
#include "lib/suite.h"

#include <string.h>

START_TEST(the_check_value_is_that_of_the_standard)
{
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c_portable(0, "123456789", 9), 0xe3069283);
}
END_TEST

/* RFC 3720, B.4. */
START_TEST(the_examples_of_rfc_3720_hold)
{
	uint8_t bytes[32] = { 0 };

	ck_assert_uint_eq(crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	ck_assert_uint_eq(crc32c(0, bytes, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	ck_assert_uint_eq(crc32c(0, bytes, 32), 0x46dd794e);
}
END_TEST

START_TEST(both_ways_agree_at_every_length_and_alignment)
{
	struct random r = { 1 };
	uint8_t bytes[200];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_next(&r);
	for (size_t from = 0; from < 8; from++)
		for (size_t len = 0; len <= sizeof(bytes) - from; len++)
			ck_assert_uint_eq(
				crc32c(0, bytes + from, len),
				crc32c_portable(0, bytes + from, len));
}
END_TEST

START_TEST(it_chains_at_any_place)
{
	const char *text = "a session, a lease, a lock and a token";
	size_t len = strlen(text);
	uint32_t whole = crc32c(0, text, len);

	for (size_t cut = 0; cut <= len; cut++) {
		uint32_t crc = crc32c(0, text, cut);

		ck_assert_uint_eq(crc32c(crc, text + cut, len - cut), whole);
		crc = crc32c_portable(0, text, cut);
		crc = crc32c_portable(crc, text + cut, len - cut);
		ck_assert_uint_eq(crc, whole);
	}
}
END_TEST

SUITE(the_check_value_is_that_of_the_standard, the_examples_of_rfc_3720_hold,
      both_ways_agree_at_every_length_and_alignment, it_chains_at_any_place)
