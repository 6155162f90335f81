/* A growing buffer to write to, and a bounded reader.
 *
 * Both remember their first failure, so that a long encoding or decoding is
 * checked once, at its end. */
#ifndef HF_BASE_BUF_H
#define HF_BASE_BUF_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf { /* all zero: empty */
	uint8_t *base;
	size_t len, cap;
	bool failed; /* memory ran out: what was put since is missing */
	const struct mem *mem; /* its memory; NULL: the C library's */
};

/* Room for `len` more bytes at the end, not yet counted; NULL: failed. */
uint8_t *buf_reserve(struct buf *b, size_t len);
void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_put8(struct buf *b, uint8_t v);
void buf_put16(struct buf *b, uint16_t v); /* little-endian, as all here */
void buf_put32(struct buf *b, uint32_t v);
void buf_put64(struct buf *b, uint64_t v);
void buf_put_varint(struct buf *b, uint64_t v); /* LEB128, 1 to 10 bytes */
void buf_drop(struct buf *b, size_t len);       /* from the front */
void buf_clear(struct buf *b); /* and its failure; keeps the memory */
void buf_free(struct buf *b);  /* its memory; `mem` stays */

struct reader {
	const uint8_t *at, *end;
	bool failed; /* ran past the end, or met a malformed number */
};

static inline struct reader reader_of(const void *bytes, size_t len)
{
	const uint8_t *p = (const uint8_t *)bytes;

	return (struct reader){ p, p ? p + len : p, false };
}

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : (size_t)(r->end - r->at);
}

/* After a failure they return 0 or NULL. */
const uint8_t *reader_take(struct reader *r, size_t len);
uint8_t reader_get8(struct reader *r);
uint16_t reader_get16(struct reader *r);
uint32_t reader_get32(struct reader *r);
uint64_t reader_get64(struct reader *r);
uint64_t reader_get_varint(struct reader *r); /* shortest form only */

#endif
