/* Frames, and the joining of frames to messages; see frame.h.
 *
 * The head has a checksum of its own, so that a damaged length is found before
 * anything waits for that many bytes. */
#include "codec/frame.h"

#include "codec/crc.h"
#include "codec/field.h"

#include "holdfast.h"

#include <assert.h>

#define FRAME_MAGIC 0x6668 /* "hf" */
#define FRAME_LAST 1
#define FRAME_CHECKSUM 2
#define FRAME_PAYLOAD_CRC_AT 16
#define FRAME_HEAD_CRC_AT 20
/* What a joiner keeps from one message to the next. */
#define JOINER_KEEP (1u << 20)

static size_t message_max(enum lane lane)
{
	static const size_t max[LANES] = { MESSAGE_CONTROL_MAX,
					   MESSAGE_REQUEST_MAX,
					   MESSAGE_BULK_MAX };

	return max[lane];
}

static void put_frame(struct buf *b, const struct frame *f, bool checksum)
{
	unsigned flags =
		(f->last ? FRAME_LAST : 0u) | (checksum ? FRAME_CHECKSUM : 0u);
	uint8_t *head = buf_reserve(b, FRAME_HEAD + f->len);

	if (!head)
		return;
	uint8_t *to = put16(head, FRAME_MAGIC);
	*to++ = (uint8_t)f->type;
	*to++ = (uint8_t)f->lane;
	to = put32(to, flags);
	to = put32(to, f->group);
	to = put32(to, (uint32_t)f->len);
	to = put32(to, checksum ? crc32c(0, f->payload, f->len) : 0);
	to = put32(to, checksum ? crc32c(0, head, FRAME_HEAD_CRC_AT) : 0);
	if (f->len > 0)
		put_bytes(to, f->payload, f->len);
	b->len += FRAME_HEAD + f->len;
}

bool frame_encode_next(struct buf *b, enum frame_type type, enum lane lane,
		       uint32_t group, bool checksum, const uint8_t *message,
		       size_t len, size_t *offset)
{
	size_t left = len - *offset;
	struct frame f = { .type = type, .lane = lane, .group = group };

	assert(*offset <= len && len <= message_max(lane));
	f.last = left <= FRAME_PAYLOAD_MAX;
	f.len = f.last ? left : FRAME_PAYLOAD_MAX;
	f.payload = f.len > 0 ? message + *offset : NULL;
	put_frame(b, &f, checksum);
	*offset += f.len;
	return f.last;
}

void frame_encode(struct buf *b, enum frame_type type, enum lane lane,
		  uint32_t group, bool checksum, const uint8_t *message,
		  size_t len)
{
	size_t offset = 0;

	while (!frame_encode_next(b, type, lane, group, checksum, message, len,
				  &offset))
		;
}

static bool handshake(enum frame_type type)
{
	return type == FRAME_HELLO || type == FRAME_REFUSE;
}

/* A stranger can say only handshakes, which are one small frame each. */
static bool frame_valid(const struct frame *f, uint32_t flags, bool checksum)
{
	unsigned type = (unsigned)f->type, lane = (unsigned)f->lane;
	uint32_t known = FRAME_LAST | (checksum ? FRAME_CHECKSUM : 0u);

	if (type < FRAME_HELLO || type > FRAME_NOTLEADER || lane >= LANES)
		return false;
	if ((flags & ~known) != 0 || (checksum && !(flags & FRAME_CHECKSUM)))
		return false;
	if (f->len > FRAME_PAYLOAD_MAX || (f->len == 0 && !f->last))
		return false;
	return !handshake(f->type) ||
	       (f->last && f->lane == LANE_CONTROL && f->len <= HANDSHAKE_MAX);
}

static bool head_intact(const uint8_t *head, bool checksum)
{
	uint32_t crc = load32(head + FRAME_HEAD_CRC_AT);

	if (checksum)
		return crc == crc32c(0, head, FRAME_HEAD_CRC_AT);
	return crc == 0 && load32(head + FRAME_PAYLOAD_CRC_AT) == 0;
}

int frame_decode(struct reader *r, bool checksum, struct frame *f)
{
	if (reader_left(r) < FRAME_HEAD)
		return 0;
	const uint8_t *head = r->at;
	uint32_t flags = load32(head + 4);

	*f = (struct frame){ .type = (enum frame_type)head[2],
			     .lane = (enum lane)head[3],
			     .last = flags & FRAME_LAST,
			     .group = load32(head + 8),
			     .len = load32(head + 12) };
	if ((head[0] | head[1] << 8) != FRAME_MAGIC ||
	    !head_intact(head, checksum) || !frame_valid(f, flags, checksum))
		return HF_ECORRUPT;
	if (reader_left(r) - FRAME_HEAD < f->len)
		return 0;
	reader_take(r, FRAME_HEAD);
	f->payload = reader_take(r, f->len);
	if (checksum && crc32c(0, f->payload, f->len) !=
				load32(head + FRAME_PAYLOAD_CRC_AT))
		return HF_ECORRUPT;
	return 1;
}

static void joiner_begin(struct joiner *j, const struct frame *f)
{
	if (j->message.cap > JOINER_KEEP)
		buf_free(&j->message);
	buf_clear(&j->message);
	j->type = f->type;
	j->group = f->group;
	j->open = true;
}

int joiner_add(struct joiner *j, const struct frame *f, const uint8_t **message,
	       size_t *len)
{
	if (!j->open && f->last) {
		*message = f->payload;
		*len = f->len;
		return 1;
	}
	if (!j->open)
		joiner_begin(j, f);
	if (f->type != j->type || f->group != j->group ||
	    j->message.len + f->len > message_max(f->lane))
		return HF_ECORRUPT;
	buf_put(&j->message, f->payload, f->len);
	if (j->message.failed)
		return HF_ENOMEM;
	j->open = !f->last;
	*message = j->message.base;
	*len = j->message.len;
	return f->last;
}

void joiner_free(struct joiner *j)
{
	if (!j)
		return;
	buf_free(&j->message);
	*j = (struct joiner){ 0 };
}
