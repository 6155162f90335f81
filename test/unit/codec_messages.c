#include "codec/frame.h"

#include "lib/damage.h"
#include "lib/samples.h"
#include "lib/suite.h"

#include "holdfast.h"

#include <string.h>

#define ROUNDS 500

/* What decoded has encoded to `b`: to the bytes that it came from. */
static int same_bytes(struct buf *b, const uint8_t *bytes, size_t len)
{
	ck_assert(!b->failed);
	ck_assert_uint_eq(b->len, len);
	ck_assert_mem_eq(b->base, bytes, len);
	buf_free(b);
	return 0;
}

#define DECODER(type)                                              \
	static int decode_##type(const uint8_t *bytes, size_t len) \
	{                                                          \
		struct type v;                                     \
		struct buf b = { 0 };                              \
		int rc = type##_decode(bytes, len, &v);            \
                                                                   \
		if (rc != 0)                                       \
			return rc;                                 \
		type##_encode(&b, &v);                             \
		return same_bytes(&b, bytes, len);                 \
	}

DECODER(attach)
DECODER(query)
DECODER(reply)
DECODER(notleader)

static int decode_hello(const uint8_t *bytes, size_t len)
{
	struct hello h;
	struct buf b = { 0 };
	int rc = hello_decode(bytes, len, &h);

	if (rc != 0 || h.protocol != PROTOCOL_VERSION)
		return rc;
	hello_encode(&b, &h);
	return same_bytes(&b, bytes, len);
}

static int decode_refuse(const uint8_t *bytes, size_t len)
{
	char text[REFUSE_TEXT_MAX + 1];
	int status, rc = refuse_decode(bytes, len, &status, text);

	if (rc != 0)
		return rc;
	ck_assert_int_lt(status, 0);
	ck_assert_uint_eq(strlen(text), len - 4);
	for (const char *c = text; *c; c++)
		ck_assert(*c >= ' ' && *c <= '~');
	return 0;
}

static int decode_requests(const uint8_t *bytes, size_t len)
{
	struct requests_reader it;
	struct buf b = { 0 };
	const uint8_t *op_bytes;
	size_t op_len;
	struct op op;
	int rc = requests_open(&it, bytes, len);

	requests_begin(&b);
	while (rc == 0 &&
	       (rc = requests_next(&it, &op, &op_bytes, &op_len)) == 1) {
		size_t before = b.len;

		requests_add(&b, &op);
		ck_assert_uint_eq(b.len - before, op_len);
		ck_assert_mem_eq(b.base + before, op_bytes, op_len);
		rc = 0;
	}
	if (rc == 0)
		return same_bytes(&b, bytes, len);
	buf_free(&b);
	return rc;
}

static int decode_outputs(const uint8_t *bytes, size_t len)
{
	struct outputs_reader it;
	struct buf b = { 0 };
	struct output o;
	int rc = outputs_open(&it, bytes, len);

	outputs_begin(&b);
	while (rc == 0 && (rc = outputs_next(&it, &o)) == 1) {
		outputs_add(&b, &o);
		rc = 0;
	}
	if (rc == 0)
		return same_bytes(&b, bytes, len);
	buf_free(&b);
	return rc;
}

static int decode_resync(const uint8_t *bytes, size_t len)
{
	struct resync_reader it;
	struct resync_item item;
	struct buf b = { 0 };
	struct resync s;
	int rc = resync_open(&it, bytes, len, &s);

	if (rc != 0)
		return rc;
	resync_begin(&b, &s);
	while (rc == 0 && (rc = resync_next(&it, &item)) == 1) {
		resync_add(&b, &item);
		rc = 0;
	}
	if (rc == 0)
		return same_bytes(&b, bytes, len);
	buf_free(&b);
	return rc;
}

static void abuse(decoder decode, struct buf *b)
{
	check_truncation(decode, b->base, b->len);
	check_mutation(decode, b->base, b->len, false);
	buf_free(b);
}

static struct hello sample_hello(struct random *r)
{
	return (struct hello){ .protocol = PROTOCOL_VERSION,
			       .cluster = random_next(r),
			       .incarnation = random_width(r),
			       .node = sample_id(r),
			       .to = random_width(r),
			       .boot = random_width(r),
			       .member = random_below(r, 2) };
}

START_TEST(a_hello_survives)
{
	struct random r = { 1 };

	for (int i = 0; i < ROUNDS; i++) {
		struct hello h = sample_hello(&r), got;
		struct buf b = { 0 };

		hello_encode(&b, &h);
		ck_assert_uint_le(b.len, HANDSHAKE_MAX);
		ck_assert_int_eq(hello_decode(b.base, b.len, &got), 0);
		ck_assert_uint_eq(got.protocol, h.protocol);
		ck_assert_uint_eq(got.cluster, h.cluster);
		ck_assert_uint_eq(got.incarnation, h.incarnation);
		ck_assert_uint_eq(got.node, h.node);
		ck_assert_uint_eq(got.to, h.to);
		ck_assert_uint_eq(got.boot, h.boot);
		ck_assert(got.member == h.member);
		if (i < 20)
			abuse(decode_hello, &b);
		buf_free(&b);
	}
}
END_TEST

START_TEST(a_hello_of_another_protocol_tells_its_version)
{
	const uint8_t bytes[] = { 9, 0, 0, 0, 1, 2, 3 };
	struct hello h;

	ck_assert_int_eq(hello_decode(bytes, sizeof(bytes), &h), 0);
	ck_assert_uint_eq(h.protocol, 9);
	ck_assert_uint_eq(h.node, 0);
	ck_assert_int_eq(hello_decode(bytes, 3, &h), HF_ECORRUPT);
}
END_TEST

START_TEST(a_refusal_survives_and_its_text_is_printable)
{
	char text[REFUSE_TEXT_MAX + 1];
	struct buf b = { 0 };
	int rc;

	refuse_encode(&b, HF_EOLDBOOT, "a newer process\n\x1b[31m took over");
	ck_assert_int_eq(refuse_decode(b.base, b.len, &rc, text), 0);
	ck_assert_int_eq(rc, HF_EOLDBOOT);
	ck_assert_str_eq(text, "a newer process??[31m took over");
	b.base[6] = '\n';
	ck_assert_int_eq(refuse_decode(b.base, b.len, &rc, text), 0);
	ck_assert_str_eq(text, "a ?ewer process??[31m took over");
	buf_free(&b);
}
END_TEST

START_TEST(a_refusals_text_is_bounded)
{
	char text[REFUSE_TEXT_MAX + 1], longer[REFUSE_TEXT_MAX + 100];
	struct buf b = { 0 };
	int rc;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	refuse_encode(&b, HF_EINVAL, longer);
	ck_assert_uint_le(b.len, HANDSHAKE_MAX);
	ck_assert_int_eq(refuse_decode(b.base, b.len, &rc, text), 0);
	ck_assert_uint_eq(strlen(text), REFUSE_TEXT_MAX);
	check_mutation(decode_refuse, b.base, b.len, false);
	buf_put8(&b, 'x');
	ck_assert_int_eq(refuse_decode(b.base, b.len, &rc, text), HF_ECORRUPT);
	ck_assert_int_eq(refuse_decode(b.base, 3, &rc, text), HF_ECORRUPT);
	buf_free(&b);
	buf_put32(&b, 0); /* success is no refusal */
	ck_assert_int_eq(refuse_decode(b.base, b.len, &rc, text), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

START_TEST(requests_survive)
{
	struct random r = { 2 };
	struct buf b = { 0 };
	struct op ops[50], got;

	for (int i = 0; i < ROUNDS; i++) {
		struct requests_reader it;
		const uint8_t *bytes;
		size_t len, n = random_below(&r, 50);

		requests_begin(&b);
		for (size_t k = 0; k < n; k++) {
			ops[k] = sample_any_op(&r);
			requests_add(&b, &ops[k]);
		}
		ck_assert_uint_eq(requests_count(&b), n);
		ck_assert_int_eq(requests_open(&it, b.base, b.len), 0);
		for (size_t k = 0; k < n; k++) {
			ck_assert_int_eq(requests_next(&it, &got, &bytes, &len),
					 1);
			check_same_op(&ops[k], &got);
		}
		ck_assert_int_eq(requests_next(&it, &got, &bytes, &len), 0);
	}
	buf_free(&b);
}
END_TEST

START_TEST(damaged_requests_are_refused_or_valid)
{
	struct random r = { 3 };
	struct buf b = { 0 };

	requests_begin(&b);
	for (int i = 0; i < 10; i++) {
		struct op op = sample_any_op(&r);

		requests_add(&b, &op);
	}
	abuse(decode_requests, &b);
	check_garbage(decode_requests, (const uint8_t *)"\1\0\0\0", 4, 5000);
}
END_TEST

START_TEST(outputs_survive)
{
	struct random r = { 4 };
	struct buf b = { 0 };
	struct output outputs[50], got;

	for (int i = 0; i < ROUNDS; i++) {
		struct outputs_reader it;
		size_t n = random_below(&r, 50);

		outputs_begin(&b);
		for (size_t k = 0; k < n; k++) {
			outputs[k] = sample_output(&r);
			outputs_add(&b, &outputs[k]);
		}
		ck_assert_uint_eq(outputs_count(&b), n);
		ck_assert_int_eq(outputs_open(&it, b.base, b.len), 0);
		for (size_t k = 0; k < n; k++) {
			ck_assert_int_eq(outputs_next(&it, &got), 1);
			check_same_output(&outputs[k], &got);
		}
		ck_assert_int_eq(outputs_next(&it, &got), 0);
	}
	buf_free(&b);
}
END_TEST

START_TEST(damaged_outputs_are_refused_or_valid)
{
	struct random r = { 5 };
	struct buf b = { 0 };

	outputs_begin(&b);
	for (int i = 0; i < 10; i++) {
		struct output o = sample_output(&r);

		outputs_add(&b, &o);
	}
	abuse(decode_outputs, &b);
	check_garbage(decode_outputs, (const uint8_t *)"\1\0\0\0", 4, 5000);
}
END_TEST

START_TEST(a_resync_survives)
{
	struct random r = { 6 };
	struct resync_item items[50], got;
	struct buf b = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct resync s = { .session = sample_id(&r),
				    .nonce = random_next(&r),
				    .index = random_width(&r),
				    .term = random_width(&r),
				    .alive = random_below(&r, 2) };
		struct resync_reader it;
		struct resync out;
		size_t n = random_below(&r, 50);

		resync_begin(&b, &s);
		for (size_t k = 0; k < n; k++) {
			items[k] = sample_item(&r);
			resync_add(&b, &items[k]);
		}
		ck_assert_int_eq(resync_open(&it, b.base, b.len, &out), 0);
		ck_assert_uint_eq(out.session, s.session);
		ck_assert_uint_eq(out.nonce, s.nonce);
		ck_assert_uint_eq(out.index, s.index);
		ck_assert_uint_eq(out.term, s.term);
		ck_assert(out.alive == s.alive);
		for (size_t k = 0; k < n; k++) {
			ck_assert_int_eq(resync_next(&it, &got), 1);
			check_same_item(&items[k], &got);
		}
		ck_assert_int_eq(resync_next(&it, &got), 0);
		if (i < 3)
			check_mutation(decode_resync, b.base, b.len, false);
		if (i < 3)
			check_truncation(decode_resync, b.base, b.len);
	}
	buf_free(&b);
}
END_TEST

START_TEST(a_count_that_cannot_fit_is_refused_at_once)
{
	struct buf b = { 0 };
	struct requests_reader requests;
	struct outputs_reader outputs;

	buf_put32(&b, 2);
	for (int i = 0; i < 7; i++)
		buf_put8(&b, 1);
	ck_assert_int_eq(requests_open(&requests, b.base, b.len), HF_ECORRUPT);
	ck_assert_int_eq(outputs_open(&outputs, b.base, b.len), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

START_TEST(an_attach_survives)
{
	struct attach a = { .session = 77, .nonce = UINT64_MAX }, got;
	struct buf b = { 0 };

	attach_encode(&b, &a);
	ck_assert_int_eq(attach_decode(b.base, b.len, &got), 0);
	ck_assert_uint_eq(got.session, 77);
	ck_assert_uint_eq(got.nonce, UINT64_MAX);
	abuse(decode_attach, &b);
}
END_TEST

static void put_name(struct buf *b, uint32_t len)
{
	buf_put32(b, len);
	for (uint32_t i = 0; i < len; i++)
		buf_put8(b, 'x');
}

START_TEST(a_query_survives)
{
	struct random r = { 8 };
	struct query got;
	struct buf b = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct query q = sample_query(&r);

		query_encode(&b, &q);
		ck_assert_int_eq(query_decode(b.base, b.len, &got), 0);
		check_same_query(&q, &got);
		if (i < 20)
			abuse(decode_query, &b);
		buf_clear(&b);
	}
	buf_free(&b);
}
END_TEST

START_TEST(a_query_for_a_value_has_a_name)
{
	struct query q;
	struct buf b = { 0 };

	for (uint32_t len = 0; len <= LOCK_NAME_MAX + 1; len++) {
		bool good = len >= 1 && len <= LOCK_NAME_MAX;

		buf_put32(&b, QUERY_VALUE);
		buf_put64(&b, 7);
		put_name(&b, len);
		ck_assert_int_eq(query_decode(b.base, b.len, &q),
				 good ? 0 : HF_ECORRUPT);
		buf_clear(&b);
	}
	buf_free(&b);
}
END_TEST

START_TEST(a_reply_survives)
{
	struct random r = { 9 };
	struct reply got;
	struct buf b = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct reply y = sample_reply(&r);

		reply_encode(&b, &y);
		ck_assert_int_eq(reply_decode(b.base, b.len, &got), 0);
		check_same_reply(&y, &got);
		if (i < 20)
			abuse(decode_reply, &b);
		buf_clear(&b);
	}
	buf_free(&b);
}
END_TEST

START_TEST(a_reply_takes_the_largest_value_and_none_larger)
{
	static const uint8_t bytes[VALUE_MAX + 1];
	struct reply y = { .id = 1, .index = 2, .version = 3 }, got;
	struct buf b = { 0 };

	y.bytes = bytes;
	y.bytes_len = VALUE_MAX;
	reply_encode(&b, &y);
	ck_assert_uint_lt(b.len, MESSAGE_REQUEST_MAX);
	ck_assert_int_eq(reply_decode(b.base, b.len, &got), 0);
	check_same_reply(&y, &got);
	b.base[b.len - VALUE_MAX - 4] = 1; /* its length, the lowest byte */
	buf_put8(&b, 0);
	ck_assert_int_eq(reply_decode(b.base, b.len, &got), HF_ECORRUPT);
	buf_free(&b);
}
END_TEST

/* id, status, what it tells, index, version, session, the value */
START_TEST(what_a_reply_tells_is_all_there_and_nothing_else)
{
	static const uint64_t numbers[][4] = {
		{ 1, 0, 0, 0 }, /* absent as of no index */
		{ 2, 0, 1, 0 }, /* bytes as of no index, or of no version */
		{ 2, 1, 0, 0 },          { 2, 1, 1, UINT64_C(1) << 63 },
		{ 3, 1, 1, UINT64_MAX }, { 4, 1, 1, 1 },
	};
	struct reply y;
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		buf_put64(&b, 7);
		buf_put32(&b, 0);
		buf_put8(&b, (uint8_t)numbers[i][0]);
		buf_put64(&b, numbers[i][1]);
		if (numbers[i][0] > 1) {
			buf_put64(&b, numbers[i][2]);
			buf_put64(&b, numbers[i][3]);
			buf_put32(&b, 0);
		}
		ck_assert_int_eq(reply_decode(b.base, b.len, &y), HF_ECORRUPT);
		buf_clear(&b);
	}
	buf_free(&b);
}
END_TEST

START_TEST(a_replys_counter_is_bounded)
{
	struct reply y = { .index = 1, .version = 1, .counter = true }, got;
	struct buf b = { 0 };

	for (int sign = -1; sign <= 1; sign += 2) {
		y.number = sign * COUNT_MAX;
		reply_encode(&b, &y);
		ck_assert_int_eq(reply_decode(b.base, b.len, &got), 0);
		ck_assert_int_eq(got.number, y.number);
		b.len -= 8;
		buf_put64(&b, (uint64_t)(y.number + sign));
		ck_assert_int_eq(reply_decode(b.base, b.len, &got),
				 HF_ECORRUPT);
		buf_clear(&b);
	}
	buf_free(&b);
}
END_TEST

/* kind, operation, extras, then status to index */
static int try_output(const uint64_t *fields, size_t n)
{
	struct outputs_reader it;
	struct output o;
	struct buf b = { 0 };

	buf_put32(&b, 1);
	for (size_t i = 0; i < n; i++)
		buf_put_varint(&b, fields[i]);
	int rc = outputs_open(&it, b.base, b.len);
	if (rc == 0)
		rc = outputs_next(&it, &o);
	if (rc == 1)
		rc = outputs_next(&it, &o);
	buf_free(&b);
	return rc;
}

#define OUTPUT(...)                                   \
	try_output((const uint64_t[]){ __VA_ARGS__ }, \
		   sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)
#define REST 0, 1, 1, 1, 1, 1, 1 /* status, node ... index */

START_TEST(an_output_that_is_for_the_member_itself_does_not_travel)
{
	ck_assert_int_eq(OUTPUT(OUTPUT_DEADLOCK, 0, 0, REST), 0);
	ck_assert_int_eq(OUTPUT(OUTPUT_CHANGED, 0, 0, REST), HF_ECORRUPT);
	ck_assert_int_eq(OUTPUT(0, 0, 0, REST), HF_ECORRUPT);
}
END_TEST

/* 1 deadline, 2 by, 4 number, 8 name, 16 bytes */
START_TEST(what_an_output_has_besides_is_not_zero)
{
	uint64_t high = UINT64_C(1) << 63;

	for (unsigned extra = 1; extra <= 16; extra *= 2) {
		ck_assert_int_eq(OUTPUT(2, 0, extra, REST, 0), HF_ECORRUPT);
		ck_assert_int_eq(OUTPUT(2, 0, extra, REST), HF_ECORRUPT);
	}
	ck_assert_int_eq(OUTPUT(2, 0, 32, REST, 1), HF_ECORRUPT);
	ck_assert_int_eq(OUTPUT(2, 0, 1, REST, high - 1), 0);
	ck_assert_int_eq(OUTPUT(2, 0, 1, REST, high), HF_ECORRUPT);
	ck_assert_int_eq(OUTPUT(2, 0, 2, REST, UINT64_MAX), 0);
	ck_assert_int_eq(OUTPUT(OUTPUT_REVOKED, 0, 4, REST, high), HF_ECORRUPT);
	ck_assert_int_eq(OUTPUT(OUTPUT_DEADLOCK, 0, 4, REST, high), 0);
	ck_assert_int_eq(OUTPUT(2, 0, 8, REST, 1, 'x'), 0);
	ck_assert_int_eq(OUTPUT(2, 0, 8, REST, LOCK_NAME_MAX + 1), HF_ECORRUPT);
	ck_assert_int_eq(OUTPUT(2, 0, 16, REST, REASON_MAX + 1), HF_ECORRUPT);
}
END_TEST

START_TEST(the_largest_output_is_decoded)
{
	static const uint8_t bytes[LOCK_NAME_MAX];
	struct output o = { .kind = OUTPUT_DEADLOCK, .status = -999 }, got;
	struct outputs_reader it;
	struct buf b = { 0 };

	o.node = o.seq = o.index = o.by = o.number = UINT64_MAX;
	o.session = o.token = o.stamp = o.deadline = INT64_MAX;
	o.name = o.bytes = bytes;
	o.name_len = LOCK_NAME_MAX;
	o.bytes_len = REASON_MAX;
	outputs_begin(&b);
	outputs_add(&b, &o);
	ck_assert_int_eq(outputs_open(&it, b.base, b.len), 0);
	ck_assert_int_eq(outputs_next(&it, &got), 1);
	check_same_output(&o, &got);
	ck_assert(got.name >= b.base);
	ck_assert(got.bytes < b.base + b.len);
	buf_free(&b);
}
END_TEST

/* seq, token, status, extras: 1 deadline, 2 stamp, 4 revoked at, 8 noted at, 16
 * by, 32 reason */
static int try_item(const uint64_t *fields, size_t n)
{
	struct resync s = { .session = 1 };
	struct resync_reader it;
	struct resync_item item;
	struct buf b = { 0 };

	resync_begin(&b, &s);
	b.base[b.len - 4] = 1;
	for (size_t i = 0; i < n; i++)
		buf_put_varint(&b, fields[i]);
	int rc = resync_open(&it, b.base, b.len, &s);
	if (rc == 0)
		rc = resync_next(&it, &item);
	if (rc == 1)
		rc = resync_next(&it, &item);
	buf_free(&b);
	return rc;
}

#define ITEM(...)                                   \
	try_item((const uint64_t[]){ __VA_ARGS__ }, \
		 sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8)

START_TEST(only_what_is_held_has_times_and_only_what_is_revoked_a_reason)
{
	ck_assert_int_eq(ITEM(1, 5, 0, 0), 0);
	ck_assert_int_eq(ITEM(1, 5, 0, 3, 10, 11), 0);
	ck_assert_int_eq(ITEM(1, 5, 0, 63, 1, 2, 3, 4, 5, 1, 'x'), 0);
	ck_assert_int_eq(ITEM(1, 5, 0, 4, 3), 0);
	ck_assert_int_eq(ITEM(1, 0, 0, 2, 11), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(1, 5, 2, 2, 11), HF_ECORRUPT);
	for (unsigned extra = 8; extra <= 32; extra *= 2)
		ck_assert_int_eq(ITEM(1, 5, 0, extra, 1, 'x'), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(1, 5, 0, 8, 1), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(1, 5, 0, 1, 0), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(1, 5, 0, 64, 1), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(1, 5, 0, 4, UINT64_C(1) << 63), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(1, 5, 0, 36, 1, REASON_MAX + 1), HF_ECORRUPT);
	ck_assert_int_eq(ITEM(0, 5, 0, 0), HF_ECORRUPT);
}
END_TEST

START_TEST(the_largest_item_is_decoded)
{
	static const uint8_t bytes[REASON_MAX];
	struct resync s = { .session = 1 };
	struct resync_item item = { .seq = UINT64_MAX, .token = INT64_MAX },
			   got;
	struct resync_reader it;
	struct buf b = { 0 };

	item.deadline = item.stamp = INT64_MAX;
	item.revoked_at = item.noted_at = INT64_MAX;
	item.by = UINT64_MAX;
	item.reason = bytes;
	item.reason_len = REASON_MAX;
	resync_begin(&b, &s);
	resync_add(&b, &item);
	ck_assert_int_eq(resync_open(&it, b.base, b.len, &s), 0);
	ck_assert_int_eq(resync_next(&it, &got), 1);
	check_same_item(&item, &got);
	buf_free(&b);
}
END_TEST

START_TEST(further_locks_of_a_request_are_readable_until_the_next)
{
	struct random r = { 10 };
	struct requests_reader it;
	struct buf b = { 0 };
	struct op op, got;
	const uint8_t *bytes;
	size_t len;

	do {
		op = sample_op(&r, OP_ACQUIRE);
	} while (op.acquire.more_len == 0);
	requests_begin(&b);
	requests_add(&b, &op);
	ck_assert_int_eq(requests_open(&it, b.base, b.len), 0);
	ck_assert_int_eq(requests_next(&it, &got, &bytes, &len), 1);
	ck_assert_ptr_eq(got.acquire.more, it.room);
	check_same_op(&op, &got);
	buf_free(&b);
}
END_TEST

START_TEST(a_notleader_survives)
{
	struct notleader n = { .leader = 3, .term = 12 }, got;
	struct buf b = { 0 };

	notleader_encode(&b, &n);
	ck_assert_int_eq(notleader_decode(b.base, b.len, &got), 0);
	ck_assert_uint_eq(got.leader, 3);
	ck_assert_uint_eq(got.term, 12);
	abuse(decode_notleader, &b);
}
END_TEST

START_TEST(garbage_is_refused_or_valid)
{
	static const decoder all[] = {
		decode_hello,   decode_refuse, decode_requests,
		decode_outputs, decode_resync, decode_attach,
		decode_query,   decode_reply,  decode_notleader,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		check_garbage(all[i], NULL, 0, 3000);
}
END_TEST

SUITE(a_hello_survives, a_hello_of_another_protocol_tells_its_version,
      a_refusal_survives_and_its_text_is_printable, a_refusals_text_is_bounded,
      requests_survive, damaged_requests_are_refused_or_valid, outputs_survive,
      damaged_outputs_are_refused_or_valid, a_resync_survives,
      a_count_that_cannot_fit_is_refused_at_once, an_attach_survives,
      a_query_survives, a_query_for_a_value_has_a_name, a_reply_survives,
      a_reply_takes_the_largest_value_and_none_larger,
      what_a_reply_tells_is_all_there_and_nothing_else,
      a_replys_counter_is_bounded,
      an_output_that_is_for_the_member_itself_does_not_travel,
      what_an_output_has_besides_is_not_zero, the_largest_output_is_decoded,
      only_what_is_held_has_times_and_only_what_is_revoked_a_reason,
      the_largest_item_is_decoded,
      further_locks_of_a_request_are_readable_until_the_next,
      a_notleader_survives, garbage_is_refused_or_valid)
