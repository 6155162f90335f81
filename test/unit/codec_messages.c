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

static struct resync_item sample_item(struct random *r)
{
	return (struct resync_item){ .seq = sample_id(r),
				     .token = sample_number(r),
				     .status = sample_status(r) };
}

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
			ck_assert_uint_eq(got.seq, items[k].seq);
			ck_assert_uint_eq(got.token, items[k].token);
			ck_assert_int_eq(got.status, items[k].status);
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

START_TEST(a_query_and_its_reply_survive)
{
	struct query q = { .kind = QUERY_VALIDATE, .id = 5 }, query;
	struct reply y = { .id = 5, .status = HF_ENOTHELD }, reply;
	struct buf b = { 0 };

	q.session = 9;
	q.token = INT64_MAX;
	query_encode(&b, &q);
	ck_assert_int_eq(query_decode(b.base, b.len, &query), 0);
	ck_assert_int_eq(query.kind, QUERY_VALIDATE);
	ck_assert_uint_eq(query.id, 5);
	ck_assert_uint_eq(query.session, 9);
	ck_assert_uint_eq(query.token, INT64_MAX);
	abuse(decode_query, &b);
	reply_encode(&b, &y);
	ck_assert_int_eq(reply_decode(b.base, b.len, &reply), 0);
	ck_assert_uint_eq(reply.id, 5);
	ck_assert_int_eq(reply.status, HF_ENOTHELD);
	abuse(decode_reply, &b);
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
      a_query_and_its_reply_survive, a_notleader_survives,
      garbage_is_refused_or_valid)
