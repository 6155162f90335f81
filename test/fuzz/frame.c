/* A link's bytes, into frames and frames into messages, lane by lane.
 *
 * The first byte says whether the link has checksums, the second where reads
 * end. However the bytes are cut into reads, the same messages come out and the
 * same mistake is found; and each message encodes to frames that give it again.
 */
#include "codec/frame.h"
#include "codec/crc.h"
#include "fuzz/lib/bounds.h"
#include "fuzz/lib/mend.h"
#include "fuzz/lib/target.h"

#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

struct link {
	struct joiner joiners[LANES];
	struct buf in; /* not used up */
	bool checksum;
	int rc;
	uint32_t digest; /* of all frames and messages so far */
	size_t frames, messages;
};

static void note(struct link *l, const struct frame *f)
{
	const uint8_t kind[] = { (uint8_t)f->type, (uint8_t)f->lane, f->last };

	l->digest = crc32c(l->digest, kind, sizeof(kind));
	l->digest = crc32c(l->digest, &f->group, sizeof(f->group));
	l->digest = crc32c(l->digest, f->payload, f->len);
	l->frames++;
}

static void check_frame(const struct link *l, const struct frame *f,
			const uint8_t *from, size_t len)
{
	struct buf b = { 0 };

	bounds_frame(f);
	must(len == FRAME_HEAD + f->len);
	if (f->last) {
		frame_encode(&b, f->type, f->lane, f->group, l->checksum,
			     f->payload, f->len);
		must(b.len == len && memcmp(b.base, from, len) == 0);
	}
	buf_free(&b);
}

/* What was joined can be sent on, and arrives. */
static void check_message(const struct link *l, const struct frame *last,
			  const uint8_t *message, size_t len)
{
	struct joiner joiner = { 0 };
	struct buf b = { 0 };
	const uint8_t *again = NULL;
	size_t again_len = 0;
	struct frame f;
	int whole = 0;

	frame_encode(&b, last->type, last->lane, last->group, l->checksum,
		     message, len);
	struct reader r = reader_of(b.base, b.len);
	while (whole == 0) {
		must(frame_decode(&r, l->checksum, &f) == 1);
		whole = joiner_add(&joiner, &f, &again, &again_len);
	}
	must(whole == 1 && reader_left(&r) == 0 && again_len == len);
	must(len == 0 || memcmp(again, message, len) == 0);
	joiner_free(&joiner);
	buf_free(&b);
}

static int take_frame(struct link *l, const struct frame *f)
{
	const uint8_t *message;
	size_t len;

	note(l, f);
	int rc = joiner_add(&l->joiners[f->lane], f, &message, &len);
	if (rc != 1)
		return rc;
	check_message(l, f, message, len);
	l->digest = crc32c(l->digest, message, len);
	l->messages++;
	return 0;
}

static void read_more(struct link *l, const uint8_t *bytes, size_t len)
{
	struct frame f;
	int rc = l->rc;

	buf_put(&l->in, bytes, len);
	must(!l->in.failed);
	struct reader r = reader_of(l->in.base, l->in.len);
	while (rc == 0) {
		const uint8_t *from = r.at;

		rc = frame_decode(&r, l->checksum, &f);
		if (rc <= 0)
			break;
		check_frame(l, &f, from, (size_t)(r.at - from));
		rc = take_frame(l, &f);
	}
	must(rc == 0 || rc == HF_ECORRUPT);
	l->rc = rc;
	buf_drop(&l->in, l->in.len - reader_left(&r));
}

/* In reads of `step` bytes, and one byte more each time. */
static void read_all(struct link *l, const uint8_t *bytes, size_t len,
		     size_t step)
{
	while (len > 0 && l->rc == 0) {
		size_t n = step < len ? step : len;
		uint8_t *copy = fuzz_copy(bytes, n);

		read_more(l, copy, n);
		free(copy);
		bytes += n;
		len -= n;
		step++;
	}
}

static void link_end(struct link *l)
{
	for (int i = 0; i < LANES; i++)
		joiner_free(&l->joiners[i]);
	buf_free(&l->in);
}

static void try_stream(const uint8_t *bytes, size_t len, bool checksum,
		       size_t step)
{
	struct link whole = { .checksum = checksum };
	struct link split = { .checksum = checksum };

	read_all(&whole, bytes, len, len);
	read_all(&split, bytes, len, step);
	must(whole.rc == split.rc && whole.frames == split.frames);
	must(whole.messages == split.messages && whole.digest == split.digest);
	link_end(&whole);
	link_end(&split);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	bool checksum = bytes[0] & 1;
	size_t step = (size_t)bytes[1] + 1;
	uint8_t *copy = fuzz_copy(bytes + 2, len - 2);

	must(crc32c(0, bytes, len) == crc32c_portable(0, bytes, len));
	try_stream(copy, len - 2, checksum, step);
	if (checksum) {
		mend_frames(copy, len - 2);
		try_stream(copy, len - 2, checksum, step);
	}
	free(copy);
	return 0;
}

/* The library cuts long messages only; here short ones are cut too. */
static void put_cut(struct buf *b, const struct frame *f, bool checksum)
{
	size_t at = b->len;

	frame_encode(b, f->type, f->lane, f->group, checksum, f->payload,
		     f->len);
	if (b->failed)
		return;
	b->base[at + 4] &= (uint8_t)~1;
	if (checksum)
		mend_frames(b->base + at, b->len - at);
}

void fuzz_sample(struct buf *b, struct random *r)
{
	static const uint8_t bytes[300] = "what is in a message";
	bool checksum = random_below(r, 2);

	buf_put8(b, checksum);
	buf_put8(b, (uint8_t)random_width(r));
	for (uint64_t n = 1 + random_below(r, 6); n > 0; n--) {
		struct frame f = { .payload = bytes,
				   .len = 1 + random_below(r, 60),
				   .group = 1 };

		f.lane = (enum lane)random_below(r, LANES);
		f.type = (enum frame_type)(FRAME_REPL + random_below(r, 8));
		for (; random_below(r, 3) == 0; f.len++)
			put_cut(b, &f, checksum);
		frame_encode(b, f.type, f.lane, f.group, checksum, f.payload,
			     random_below(r, sizeof(bytes)));
	}
}
