/* Log entries and operations as bytes.
 *
 * An operation has the same bytes in a peer's request and in the log, so that a
 * leader copies what it has validated. doc/format.md describes them. */
#ifndef HF_CODEC_ENTRY_H
#define HF_CODEC_ENTRY_H

#include "base/buf.h"
#include "core/op.h"

#define OP_FIXED_MAX 192  /* of an operation but for names and bytes */
#define PART_FIXED_MAX 16 /* of one of its further locks, likewise */
#define OP_BYTES_MAX (OP_FIXED_MAX + LOCK_NAME_MAX + VALUE_MAX) /* of any */
#define ENTRY_OPS_MAX 4096      /* operations in an entry */
#define ENTRY_BYTES_MAX 1048576 /* of an entry */
#define ENTRY_FIXED_MAX 80      /* of it, its head and its padding */

/* Names a session. */
bool op_in_session(enum op_kind kind);
/* Every field is within its bounds, by itself and for this kind. */
bool op_valid(const struct op *op);
/* At least what op_encode appends, and not much more. */
size_t op_bytes_bound(const struct op *op);
/* Failure of memory shows in buf->failed. The operation must be valid. */
void op_encode(struct buf *b, const struct op *op);
/* 0 and `op`, whose names and bytes point into the bytes, and whose further
 * locks are in `room` for PARTS_MAX - 1; or HF_ECORRUPT: not a valid operation.
 */
int op_decode(struct reader *r, struct op_part *room, struct op *op);

/* The entry's head, then `ops_len` operations already encoded, then padding to
 * a multiple of 8, which libraft demands. */
size_t entry_bytes(size_t ops_bytes); /* of the whole */
void entry_encode(uint8_t *to, const struct entry *head, const uint8_t *ops,
		  size_t ops_bytes);

/* Room for decoded operations, used again from entry to entry. */
struct op_array { /* all zero: empty */
	struct op *ops;
	size_t cap;
	struct op_part *parts; /* further locks of all of them */
	size_t parts_cap;
	const struct mem *mem; /* NULL: the C library's */
};
void op_array_free(struct op_array *a);

/* 0 and `entry`, whose operations live in `a` and point into the bytes;
 * HF_ECORRUPT; HF_ENOMEM. An entry of another semantics version is decoded as
 * far as its head only (ops_len 0): the core refuses it. */
int entry_decode(const void *bytes, size_t len, struct op_array *a,
		 struct entry *entry);

#endif
