/* Reading one of raft_uv's segment files, as far as needed to tell damage from
 * a write that was cut short.
 *
 * A segment is a format word and batches of entries:
 *   u32 checksum of the header, u32 checksum of the data,
 *   header: u64 n, then n times u64 term, u8 type, 3 unused, u32 length;
 *   data: the entries' bytes, each a multiple of 8 long.
 * All is little-endian. Read in pieces, so that memory is bounded. */
#ifndef HF_HOST_SEGMENT_H
#define HF_HOST_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_PIECE ((size_t)128 << 10)
#define SEGMENT_SECTOR 512
#define SEGMENT_PREAMBLE 16 /* of a batch: checksums, number of entries */

enum segment_state {
	SEGMENT_EMPTY,    /* nothing was written */
	SEGMENT_FOREIGN,  /* of another format: raft_uv refuses it */
	SEGMENT_HEADLESS, /* its first sector, with the format, is zeros */
	SEGMENT_WHOLE,    /* zeros, or nothing, behind the last good batch */
	SEGMENT_BAD_END   /* something else is there, at `end` */
};

struct segment {
	int fd;
	uint64_t size;
	enum segment_state state;
	uint64_t entries; /* in good batches, from the beginning on */
	uint64_t end;     /* of these */
	/* A piece of the file. */
	uint64_t piece_at;
	size_t piece_len;
	uint8_t piece[SEGMENT_PIECE];
	uint32_t tables[8][256];
};

struct segment *segment_new(void); /* for free(); NULL: out of memory */
/* 0, or a negative errno; then, too, segment_close. */
int segment_read(struct segment *s, int dirfd, const char *name);
/* May the batch at `end` have been cut short? It has a sector of zeros then,
 * and fits in the file, which was made long enough before. */
int segment_torn(struct segment *s, bool *torn);
/* How many good batches are behind it, `most` at most. */
int segment_good_behind(struct segment *s, uint64_t most, uint64_t *good);
void segment_close(struct segment *s);

#endif
