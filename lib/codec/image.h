/* The snapshot image: a head and lz4 chunks of records, each with a checksum.
 */
#ifndef HF_CODEC_IMAGE_H
#define HF_CODEC_IMAGE_H

#include "base/buf.h"
#include "core/record.h"

#define IMAGE_CHUNK 65536          /* raw bytes in a chunk, about */
#define IMAGE_BYTES_MAX (1u << 30) /* of a whole image, packed */

struct image_piece {
	void *base;
	size_t len;
};

/* Encodes records as they come. Failure is remembered. */
struct image_writer {          /* all zero: empty */
	const struct mem *mem; /* NULL: the C library's */
	struct buf raw, packed;
	struct image_piece *pieces; /* [0] is the head, once finished */
	size_t pieces_len, pieces_cap;
	uint64_t records, packed_bytes, index;
	uint16_t version; /* of semantics: the STATE record's */
	int rc;           /* HF_ENOMEM; HF_ELIMIT: too large */
};
/* The STATE record comes first. */
void image_put(struct image_writer *w, const struct record *r);
/* 0 and all pieces in order, which stay the writer's; or the failure. */
int image_finish(struct image_writer *w);
void image_writer_free(struct image_writer *w);

/* Call `put` for each record; stop at its first error and answer that. A record
 * may have been put before damage behind it is found.
 * HF_ECORRUPT: not a whole and undamaged image of a version that we know. */
int image_read(const void *bytes, size_t len,
	       int (*put)(void *ctx, const struct record *r), void *ctx);

#endif
