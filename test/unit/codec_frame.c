#include "codec/frame.h"

#include "lib/damage.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

#define GROUP 1

static void fill(uint8_t *bytes, size_t len, uint64_t seed)
{
	struct random r = { seed };

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)random_next(&r);
}

/* A frame of the bytes that encodes to them again. */
static int decode(const uint8_t *bytes, size_t len, bool checksum)
{
	struct reader r = reader_of(bytes, len);
	struct buf b = { 0 };
	struct frame f;
	int rc = frame_decode(&r, checksum, &f);

	if (rc < 0)
		return rc;
	if (rc == 0 || reader_left(&r) > 0)
		return HF_ECORRUPT;
	if (f.last) {
		frame_encode(&b, f.type, f.lane, f.group, checksum, f.payload,
			     f.len);
		ck_assert_uint_eq(b.len, len);
		ck_assert_mem_eq(b.base, bytes, len);
	}
	buf_free(&b);
	return 0;
}

static int decode_checked(const uint8_t *bytes, size_t len)
{
	return decode(bytes, len, true);
}

static int decode_plain(const uint8_t *bytes, size_t len)
{
	return decode(bytes, len, false);
}

static int decode_head(bool checksum, size_t at, uint8_t value)
{
	uint8_t payload[600] = { 0 };
	struct buf b = { 0 };

	frame_encode(&b, FRAME_REPL, LANE_CONTROL, GROUP, checksum, payload,
		     sizeof(payload));
	b.base[at] = value;
	int rc = decode(b.base, b.len, checksum);
	buf_free(&b);
	return rc;
}

/* What arrives in one lane, joined. */
struct arrival {
	uint8_t *bytes;
	size_t len;
	enum frame_type type;
};

/* Read frames until none is whole; messages go to `out` in order. */
static size_t receive(struct buf *wire, struct joiner *joiners,
		      struct arrival *out, size_t max)
{
	struct reader r = reader_of(wire->base, wire->len);
	struct frame f;
	size_t n = 0;
	int rc;

	while ((rc = frame_decode(&r, true, &f)) == 1) {
		const uint8_t *m;
		size_t len;

		rc = joiner_add(&joiners[f.lane], &f, &m, &len);
		ck_assert_int_ge(rc, 0);
		if (rc == 0)
			continue;
		ck_assert_uint_lt(n, max);
		out[n] = (struct arrival){ malloc(len + 1), len, f.type };
		if (len > 0)
			memcpy(out[n].bytes, m, len);
		n++;
	}
	ck_assert_int_eq(rc, 0);
	buf_drop(wire, wire->len - reader_left(&r));
	return n;
}

static void check_one(size_t len)
{
	struct joiner joiners[LANES] = { 0 };
	struct buf wire = { 0 };
	struct arrival got;
	uint8_t *m = malloc(len + 1);

	ck_assert_ptr_nonnull(m);
	fill(m, len, len);
	frame_encode(&wire, FRAME_RESYNC, LANE_BULK, GROUP, true, m, len);
	ck_assert_uint_eq(receive(&wire, joiners, &got, 1), 1);
	ck_assert_uint_eq(got.len, len);
	ck_assert_mem_eq(got.bytes, m, len);
	ck_assert_int_eq(got.type, FRAME_RESYNC);
	ck_assert_uint_eq(wire.len, 0);
	joiner_free(&joiners[LANE_BULK]);
	buf_free(&wire);
	free(got.bytes);
	free(m);
}

START_TEST(messages_of_any_length_survive)
{
	static const size_t lens[] = { 0,      1,      65535,   65536,   65537,
				       131072, 131073, 1000000, 3u << 20 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++)
		check_one(lens[i]);
}
END_TEST

START_TEST(lanes_interleave_frame_by_frame)
{
	const size_t len[LANES] = { 65536, 400000, 700000 };
	struct joiner joiners[LANES] = { 0 };
	struct arrival got[LANES];
	size_t offset[LANES] = { 0 };
	bool done[LANES] = { 0 };
	struct buf wire = { 0 };
	uint8_t *m = malloc(700000);

	ck_assert_ptr_nonnull(m);
	fill(m, 700000, 1);
	for (int round = 0; round < 20; round++)
		for (int lane = LANES - 1; lane >= 0; lane--)
			if (!done[lane])
				done[lane] = frame_encode_next(
					&wire, FRAME_REPL, (enum lane)lane,
					GROUP, true, m, len[lane],
					&offset[lane]);
	ck_assert_uint_eq(receive(&wire, joiners, got, LANES), LANES);
	for (int i = 0; i < LANES; i++) { /* the short ones come first */
		ck_assert_uint_eq(got[i].len, len[i]);
		ck_assert_mem_eq(got[i].bytes, m, len[i]);
		free(got[i].bytes);
		joiner_free(&joiners[i]);
	}
	buf_free(&wire);
	free(m);
}
END_TEST

START_TEST(bytes_may_arrive_one_by_one)
{
	struct joiner joiners[LANES] = { 0 };
	struct buf sent = { 0 }, wire = { 0 };
	struct arrival got;
	uint8_t m[300];
	size_t n = 0;

	fill(m, sizeof(m), 2);
	frame_encode(&sent, FRAME_QUERY, LANE_REQUEST, 7, true, m, sizeof(m));
	for (size_t i = 0; i < sent.len; i++) {
		ck_assert_uint_eq(n, 0);
		buf_put8(&wire, sent.base[i]);
		n = receive(&wire, joiners, &got, 1);
	}
	ck_assert_uint_eq(n, 1);
	ck_assert_mem_eq(got.bytes, m, sizeof(m));
	free(got.bytes);
	buf_free(&sent);
	buf_free(&wire);
}
END_TEST

START_TEST(a_truncated_frame_waits_for_more)
{
	uint8_t m[100];
	struct buf b = { 0 };
	struct frame f;

	fill(m, sizeof(m), 3);
	frame_encode(&b, FRAME_REPL, LANE_CONTROL, GROUP, true, m, sizeof(m));
	for (size_t len = 0; len < b.len; len++) {
		struct reader r = reader_of(b.base, len);

		ck_assert_int_eq(frame_decode(&r, true, &f), 0);
		ck_assert_uint_eq(reader_left(&r), len);
	}
	check_truncation(decode_checked, b.base, b.len);
	buf_free(&b);
}
END_TEST

START_TEST(with_checksums_any_changed_byte_is_refused)
{
	uint8_t m[100];
	struct buf b = { 0 };

	fill(m, sizeof(m), 4);
	frame_encode(&b, FRAME_REPL, LANE_CONTROL, GROUP, true, m, sizeof(m));
	check_mutation(decode_checked, b.base, b.len, true);
	buf_free(&b);
}
END_TEST

START_TEST(without_checksums_a_changed_byte_is_valid_or_refused)
{
	uint8_t m[100];
	struct buf b = { 0 };

	fill(m, sizeof(m), 5);
	frame_encode(&b, FRAME_REPL, LANE_CONTROL, GROUP, false, m, sizeof(m));
	check_mutation(decode_plain, b.base, b.len, false);
	ck_assert_int_eq(decode_checked(b.base, b.len), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

START_TEST(garbage_is_refused)
{
	const uint8_t prefix[] = { 'h', 'f' };

	check_garbage(decode_checked, NULL, 0, 20000);
	check_garbage(decode_plain, NULL, 0, 20000);
	check_garbage(decode_plain, prefix, sizeof(prefix), 20000);
}
END_TEST

START_TEST(a_bad_head_is_refused_before_its_payload_has_come)
{
	uint8_t head[FRAME_HEAD] = { 'h', 'f', FRAME_REPL, LANE_BULK, 1 };
	struct reader r = reader_of(head, sizeof(head));
	struct frame f;

	head[12] = 1; /* a payload of 65537 bytes */
	head[14] = 1;
	ck_assert_int_eq(frame_decode(&r, false, &f), HF_ECORRUPT);
	head[12] = 0;
	ck_assert_int_eq(frame_decode(&r, false, &f), 0);
}
END_TEST

START_TEST(types_lanes_and_flags_are_known_ones)
{
	ck_assert_int_eq(decode_head(false, 2, FRAME_REPL), 0);
	ck_assert_int_eq(decode_head(false, 2, 0), HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 2, FRAME_NOTLEADER + 1),
			 HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 3, LANES), HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 4, 4), HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 4, 2), HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 5, 1), HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 16, 1), HF_ECORRUPT);
	ck_assert_int_eq(decode_head(false, 20, 1), HF_ECORRUPT);
}
END_TEST

START_TEST(a_handshake_is_one_small_frame_in_the_control_lane)
{
	/* Of 600 bytes, which is too long for it. */
	ck_assert_int_eq(decode_head(false, 2, FRAME_HELLO), HF_ECORRUPT);
	uint8_t m[HANDSHAKE_MAX] = { 0 };
	struct buf b = { 0 };

	frame_encode(&b, FRAME_HELLO, LANE_CONTROL, 0, false, m, sizeof(m));
	ck_assert_int_eq(decode_plain(b.base, b.len), 0);
	b.base[3] = LANE_BULK;
	ck_assert_int_eq(decode_plain(b.base, b.len), HF_ECORRUPT);
	b.base[3] = LANE_CONTROL;
	b.base[4] = 0; /* not the last */
	ck_assert_int_eq(decode_plain(b.base, b.len), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

START_TEST(an_endless_message_is_refused_at_its_lanes_limit)
{
	static uint8_t payload[FRAME_PAYLOAD_MAX];
	struct frame f = { .type = FRAME_REQUESTS,
			   .lane = LANE_REQUEST,
			   .payload = payload,
			   .len = sizeof(payload) };
	struct joiner j = { 0 };
	const uint8_t *m;
	size_t len, frames = 0;

	while (joiner_add(&j, &f, &m, &len) == 0)
		frames++;
	ck_assert_uint_eq(frames, MESSAGE_REQUEST_MAX / FRAME_PAYLOAD_MAX);
	ck_assert_uint_le(j.message.cap, 2 * MESSAGE_REQUEST_MAX);
	joiner_free(&j);
	f.lane = LANE_CONTROL;
	ck_assert_int_eq(joiner_add(&j, &f, &m, &len), 0);
	f.len = 1;
	ck_assert_int_eq(joiner_add(&j, &f, &m, &len), HF_ECORRUPT);
	joiner_free(&j);
}
END_TEST

START_TEST(frames_of_another_message_cannot_cut_in)
{
	uint8_t payload[10] = { 0 };
	struct frame f = { .type = FRAME_REQUESTS,
			   .lane = LANE_REQUEST,
			   .group = 1,
			   .payload = payload,
			   .len = sizeof(payload) };
	struct joiner j = { 0 };
	const uint8_t *m;
	size_t len;

	ck_assert_int_eq(joiner_add(&j, &f, &m, &len), 0);
	f.group = 2;
	ck_assert_int_eq(joiner_add(&j, &f, &m, &len), HF_ECORRUPT);
	f.group = 1;
	f.type = FRAME_OUTPUTS;
	ck_assert_int_eq(joiner_add(&j, &f, &m, &len), HF_ECORRUPT);
	joiner_free(&j);
}
END_TEST

START_TEST(a_joiner_gives_a_large_messages_memory_back)
{
	static uint8_t payload[FRAME_PAYLOAD_MAX];
	struct frame f = { .type = FRAME_REPL,
			   .lane = LANE_BULK,
			   .payload = payload,
			   .len = sizeof(payload) };
	struct joiner j = { 0 };
	const uint8_t *m;
	size_t len;

	for (int i = 0; i < 100; i++) {
		f.last = i == 99;
		ck_assert_int_eq(joiner_add(&j, &f, &m, &len), f.last);
	}
	ck_assert_uint_eq(len, 100 * sizeof(payload));
	f.last = false;
	ck_assert_int_eq(joiner_add(&j, &f, &m, &len), 0);
	ck_assert_uint_le(j.message.cap, 2 * sizeof(payload));
	joiner_free(&j);
}
END_TEST

SUITE(messages_of_any_length_survive, lanes_interleave_frame_by_frame,
      bytes_may_arrive_one_by_one, a_truncated_frame_waits_for_more,
      with_checksums_any_changed_byte_is_refused,
      without_checksums_a_changed_byte_is_valid_or_refused, garbage_is_refused,
      a_bad_head_is_refused_before_its_payload_has_come,
      types_lanes_and_flags_are_known_ones,
      a_handshake_is_one_small_frame_in_the_control_lane,
      an_endless_message_is_refused_at_its_lanes_limit,
      frames_of_another_message_cannot_cut_in,
      a_joiner_gives_a_large_messages_memory_back)
