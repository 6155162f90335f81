/* Records of the state as bytes, for the snapshot image. */
#ifndef HF_CODEC_RECORD_H
#define HF_CODEC_RECORD_H

#include "base/buf.h"
#include "core/record.h"

#define RECORD_FIXED_MAX 320 /* but for slots, parts, names and bytes */
#define SLOT_BYTES_MAX 32
#define RECORD_SLOTS_MAX 65536 /* the greatest of limits.window */
/* Of any: a session with a full window is larger than what names and values
 * are. */
#define RECORD_BYTES_MAX (RECORD_FIXED_MAX + RECORD_SLOTS_MAX * SLOT_BYTES_MAX)

/* Failure of memory shows in buf->failed. */
void record_encode(struct buf *b, const struct record *r);

/* Room for what a decoded record has several of, used again from record to
 * record. */
struct record_room { /* all zero: empty */
	struct slot *slots;
	size_t slots_cap;
	struct record_part parts[PARTS_MAX - 1];
};
void record_room_free(struct record_room *room);

/* 0 and `rec`, whose slots and parts live in `room` and whose names and bytes
 * point into the bytes; HF_ECORRUPT: a field is out of its bounds; HF_ENOMEM.
 */
int record_decode(struct reader *r, struct record_room *room,
		  struct record *rec);

#endif
