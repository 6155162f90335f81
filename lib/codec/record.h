/* Records of the state as bytes, for the snapshot image. */
#ifndef HF_CODEC_RECORD_H
#define HF_CODEC_RECORD_H

#include "base/buf.h"
#include "core/record.h"

#define RECORD_HEAD_MAX 1024 /* of any record but for a session's slots */
#define SLOT_BYTES_MAX 32
#define RECORD_SLOTS_MAX 65536 /* the greatest of limits.window */
#define RECORD_BYTES_MAX (RECORD_HEAD_MAX + RECORD_SLOTS_MAX * SLOT_BYTES_MAX)

/* Failure of memory shows in buf->failed. */
void record_encode(struct buf *b, const struct record *r);

/* Room for a session's decoded slots, used again from record to record. */
struct slot_array { /* all zero: empty */
	struct slot *slots;
	size_t cap;
};
void slot_array_free(struct slot_array *a);

/* 0 and `rec`, whose slots live in `a` and whose name points into the bytes;
 * HF_ECORRUPT: a field is out of its bounds; HF_ENOMEM. */
int record_decode(struct reader *r, struct slot_array *a, struct record *rec);

#endif
