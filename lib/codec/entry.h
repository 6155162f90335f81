/* Log entries and operations as bytes.
 *
 * An operation has the same bytes in a peer's request and in the log, so that a
 * leader copies what it has validated. doc/format.md describes them. */
#ifndef HF_CODEC_ENTRY_H
#define HF_CODEC_ENTRY_H

#include "base/buf.h"
#include "core/op.h"

#define OP_BYTES_MAX 768        /* of one operation */
#define ENTRY_OPS_MAX 4096      /* operations in an entry */
#define ENTRY_BYTES_MAX 1048576 /* of an entry */

/* Failure of memory shows in buf->failed. */
void op_encode(struct buf *b, const struct op *op);
/* 0 and `op`, whose name points into the bytes; or HF_ECORRUPT: not an
 * operation whose every field is within its bounds. */
int op_decode(struct reader *r, struct op *op);

/* The entry's head, then `ops_len` operations already encoded, then padding to
 * a multiple of 8, which libraft demands. */
size_t entry_bytes(size_t ops_bytes); /* of the whole */
void entry_encode(uint8_t *to, const struct entry *head, const uint8_t *ops,
		  size_t ops_bytes);

/* Room for decoded operations, used again from entry to entry. */
struct op_array { /* all zero: empty */
	struct op *ops;
	size_t cap;
	const struct mem *mem; /* NULL: the C library's */
};
void op_array_free(struct op_array *a);

/* 0 and `entry`, whose operations live in `a` and point into the bytes;
 * HF_ECORRUPT; HF_ENOMEM. An entry of a higher semantics version is decoded as
 * far as its head only (ops_len 0): the core refuses it. */
int entry_decode(const void *bytes, size_t len, struct op_array *a,
		 struct entry *entry);

#endif
