/* What two nodes say to each other but for Raft's part: the first byte of the
 * input chooses which message the others are. What decodes encodes to the same
 * bytes. */
#include "codec/frame.h"
#include "fuzz/lib/bounds.h"
#include "fuzz/lib/target.h"
#include "lib/samples.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

typedef int (*again)(const uint8_t *m, size_t len, struct buf *b);

/* Another protocol's hello is read as far as its number, so it isn't written.
 */
static int again_hello(const uint8_t *m, size_t len, struct buf *b)
{
	struct hello h;
	int rc = hello_decode(m, len, &h);

	if (rc == 0 && h.protocol == PROTOCOL_VERSION)
		hello_encode(b, &h);
	else if (rc == 0)
		buf_put(b, m, len);
	return rc;
}

/* What can't be printed is replaced: only the second reading is the same. */
static int again_refuse(const uint8_t *m, size_t len, struct buf *b)
{
	char text[REFUSE_TEXT_MAX + 1], text_2[REFUSE_TEXT_MAX + 1];
	int refusal, refusal_2, rc = refuse_decode(m, len, &refusal, text);

	if (rc != 0)
		return rc;
	must(strlen(text) == len - 4);
	refuse_encode(b, refusal, text);
	must(refuse_decode(b->base, b->len, &refusal_2, text_2) == 0);
	must(refusal == refusal_2 && strcmp(text, text_2) == 0);
	buf_clear(b);
	buf_put(b, m, len);
	return 0;
}

static int again_requests(const uint8_t *m, size_t len, struct buf *b)
{
	struct requests_reader it;
	const uint8_t *bytes;
	size_t bytes_len;
	struct op op;
	int rc = requests_open(&it, m, len);

	requests_begin(b);
	while (rc == 0 &&
	       (rc = requests_next(&it, &op, &bytes, &bytes_len)) > 0) {
		size_t before = b->len;

		bounds_op(&op);
		requests_add(b, &op);
		must(b->len - before == bytes_len);
		must(memcmp(b->base + before, bytes, bytes_len) == 0);
		rc = 0;
	}
	return rc;
}

static int again_outputs(const uint8_t *m, size_t len, struct buf *b)
{
	struct outputs_reader it;
	struct output o;
	int rc = outputs_open(&it, m, len);

	outputs_begin(b);
	while (rc == 0 && (rc = outputs_next(&it, &o)) > 0) {
		bounds_output(&o);
		outputs_add(b, &o);
		rc = 0;
	}
	return rc;
}

/* Of one thing. */
#define bounds_attach(x) ((void)0)
#define bounds_notleader(x) ((void)0)
#define AGAIN(name)                                                          \
	static int again_##name(const uint8_t *m, size_t len, struct buf *b) \
	{                                                                    \
		struct name x;                                               \
		int rc = name##_decode(m, len, &x);                          \
                                                                             \
		if (rc != 0)                                                 \
			return rc;                                           \
		bounds_##name(&x);                                           \
		name##_encode(b, &x);                                        \
		return rc;                                                   \
	}
AGAIN(attach)
AGAIN(query)
AGAIN(reply)
AGAIN(notleader)

static int again_resync(const uint8_t *m, size_t len, struct buf *b)
{
	struct resync_reader it;
	struct resync_item item;
	struct resync s;
	int rc = resync_open(&it, m, len, &s);

	if (rc == 0)
		resync_begin(b, &s);
	while (rc == 0 && (rc = resync_next(&it, &item)) > 0) {
		bounds_item(&item);
		resync_add(b, &item);
		rc = 0;
	}
	return rc;
}

static const again messages[] = {
	again_hello,   again_refuse, again_requests,
	again_outputs, again_attach, again_resync,
	again_query,   again_reply,  again_notleader
};

#define MESSAGES (sizeof(messages) / sizeof(*messages))

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf b = { 0 };

	if (len == 0)
		return 0;
	uint8_t *m = fuzz_copy(bytes + 1, len - 1);
	int rc = messages[bytes[0] % MESSAGES](m, len - 1, &b);
	must(rc == 0 || rc == HF_ECORRUPT);
	if (rc == 0)
		must(b.len == len - 1 &&
		     (b.len == 0 || memcmp(b.base, m, b.len) == 0));
	buf_free(&b);
	free(m);
	return 0;
}

static void sample_list(struct buf *b, struct random *r, bool outputs)
{
	if (outputs)
		outputs_begin(b);
	else
		requests_begin(b);
	for (uint64_t n = random_below(r, 4); n > 0; n--) {
		struct output o = sample_output(r);
		struct op op = sample_any_op(r);

		if (outputs)
			outputs_add(b, &o);
		else
			requests_add(b, &op);
	}
}

static void sample_resync(struct buf *b, struct random *r)
{
	struct resync s = { .session = sample_id(r),
			    .nonce = random_next(r),
			    .index = random_width(r),
			    .term = random_width(r),
			    .alive = random_below(r, 2) };

	resync_begin(b, &s);
	for (uint64_t n = random_below(r, 6); n > 0; n--) {
		struct resync_item item = sample_item(r);

		resync_add(b, &item);
	}
}

static void sample_handshake(struct buf *b, struct random *r, bool hello)
{
	struct hello h = { .protocol = PROTOCOL_VERSION,
			   .cluster = random_next(r),
			   .incarnation = 1,
			   .node = sample_id(r),
			   .to = sample_id(r),
			   .boot = random_width(r),
			   .member = random_below(r, 2) };

	if (hello)
		hello_encode(b, &h);
	else
		refuse_encode(b, -1 - (int)random_below(r, 900),
			      "another cluster");
}

static void sample_small(struct buf *b, struct random *r, uint64_t kind)
{
	struct attach a = { sample_id(r), random_next(r) };
	struct query q = sample_query(r);
	struct reply y = sample_reply(r);
	struct notleader n = { random_width(r), random_width(r) };

	if (kind == 4)
		attach_encode(b, &a);
	else if (kind == 6)
		query_encode(b, &q);
	else if (kind == 7)
		reply_encode(b, &y);
	else
		notleader_encode(b, &n);
}

void fuzz_sample(struct buf *b, struct random *r)
{
	uint64_t kind = random_below(r, MESSAGES);
	struct buf m = { 0 };

	if (kind < 2)
		sample_handshake(&m, r, kind == 0);
	else if (kind < 4)
		sample_list(&m, r, kind == 3);
	else if (kind == 5)
		sample_resync(&m, r);
	else
		sample_small(&m, r, kind);
	buf_put8(b, (uint8_t)kind);
	buf_put(b, m.base, m.len);
	buf_free(&m);
}
