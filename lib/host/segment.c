/* See segment.h. */
#include "host/segment.h"

#include "codec/field.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT_BYTES 8
#define PREAMBLE SEGMENT_PREAMBLE
#define ENTRY_BYTES 16
#define COMMAND 1 /* types of entries */
#define CHANGE 3
#define CRC_POLYNOMIAL UINT32_C(0x04c11db7)

struct batch {
	uint64_t at;
	uint64_t known; /* its end, as far as can be told */
	uint64_t entries;
	bool beyond; /* it doesn't fit in the file */
	bool good;
};

/* raft_uv's checksum takes the highest bit first. */
static void make_tables(uint32_t tables[8][256])
{
	for (uint32_t n = 0; n < 256; n++) {
		uint32_t crc = n << 24;

		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^
			      (crc & UINT32_C(1) << 31 ? CRC_POLYNOMIAL : 0);
		tables[0][n] = crc;
	}
	for (int k = 1; k < 8; k++)
		for (int n = 0; n < 256; n++)
			tables[k][n] = tables[k - 1][n] << 8 ^
				       tables[0][tables[k - 1][n] >> 24];
}

struct segment *segment_new(void)
{
	struct segment *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	s->fd = -1;
	make_tables(s->tables);
	return s;
}

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* Eight bytes at a time, as in codec/crc.c. */
static uint32_t sum(const struct segment *s, uint32_t crc, const uint8_t *at,
		    size_t len)
{
	for (; len >= 8; at += 8, len -= 8) {
		uint32_t a = big_endian(at) ^ crc, b = big_endian(at + 4);

		crc = s->tables[7][a >> 24] ^ s->tables[6][a >> 16 & 255] ^
		      s->tables[5][a >> 8 & 255] ^ s->tables[4][a & 255] ^
		      s->tables[3][b >> 24] ^ s->tables[2][b >> 16 & 255] ^
		      s->tables[1][b >> 8 & 255] ^ s->tables[0][b & 255];
	}
	for (; len > 0; at++, len--)
		crc = crc << 8 ^ s->tables[0][crc >> 24 ^ *at];
	return crc;
}

static int fill(struct segment *s, uint64_t at)
{
	s->piece_at = at;
	s->piece_len = 0;
	while (s->piece_len < SEGMENT_PIECE) {
		ssize_t n = pread(s->fd, s->piece + s->piece_len,
				  SEGMENT_PIECE - s->piece_len,
				  (off_t)(at + s->piece_len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		s->piece_len += (size_t)n;
	}
	return 0;
}

/* What of the file is at hand from `at` on, at least `len` bytes if there are;
 * the number of bytes, or a negative errno. */
static ssize_t look(struct segment *s, uint64_t at, size_t len,
		    const uint8_t **bytes)
{
	uint64_t offset = at - s->piece_at;

	if (at < s->piece_at || offset + len > s->piece_len) {
		int rc = fill(s, at);
		if (rc < 0)
			return rc;
		offset = 0;
	}
	*bytes = s->piece + offset;
	return (ssize_t)(s->piece_len - offset);
}

/* Where the next byte is that isn't zero, or the file's end. Holes are jumped
 * over where the file system tells. */
static int skip_zeros(struct segment *s, uint64_t *at)
{
	while (*at < s->size) {
		const uint8_t *bytes;
		ssize_t n = look(s, *at, 1, &bytes);

		if (n <= 0)
			return (int)n;
		for (ssize_t i = 0; i < n; i++, ++*at)
			if (bytes[i] != 0)
				return 0;
		off_t data = lseek(s->fd, (off_t)*at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			*at = s->size;
		else if (data > 0 && (uint64_t)data > *at)
			*at = (uint64_t)data;
	}
	return 0;
}

static bool entry_valid(const uint8_t *e)
{
	return e[8] >= COMMAND && e[8] <= CHANGE && load32(e + 12) % 8 == 0;
}

/* The header's checksum and the data's length. Ends behind the first entry that
 * can't be one: nothing beyond it is known. */
static int read_header(struct segment *s, struct batch *b, uint32_t *crc,
		       uint64_t *data_len, bool *valid)
{
	uint8_t n[8];

	put64(n, b->entries);
	*crc = sum(s, 0, n, sizeof(n));
	*data_len = 0;
	*valid = true;
	for (uint64_t i = 0; i < b->entries && *valid; i++) {
		const uint8_t *e;
		ssize_t got = look(s, b->known, ENTRY_BYTES, &e);

		if (got < 0)
			return (int)got;
		*crc = sum(s, *crc, e, ENTRY_BYTES);
		*valid = entry_valid(e);
		*data_len += load32(e + 12);
		b->known += ENTRY_BYTES;
	}
	return 0;
}

static int data_sum(struct segment *s, uint64_t at, uint64_t len, uint32_t *crc)
{
	*crc = 0;
	while (len > 0) {
		const uint8_t *bytes;
		ssize_t n = look(s, at, 1, &bytes);

		if (n <= 0) /* 0: it has become shorter */
			return n < 0 ? (int)n : -EIO;
		if ((uint64_t)n > len)
			n = (ssize_t)len;
		*crc = sum(s, *crc, bytes, (size_t)n);
		at += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static int read_batch(struct segment *s, uint64_t at, struct batch *b)
{
	const uint8_t *head;
	uint32_t crc;
	uint64_t len;
	bool valid;

	*b = (struct batch){ .at = at, .known = at + PREAMBLE };
	if (b->known > s->size) {
		b->beyond = true;
		return 0;
	}
	ssize_t n = look(s, at, PREAMBLE, &head);
	if (n < 0)
		return (int)n;
	uint32_t head_crc = load32(head), data_crc = load32(head + 4);
	b->entries = load64(head + 8);
	b->beyond = b->entries > (s->size - b->known) / ENTRY_BYTES;
	if (b->entries == 0 || b->beyond)
		return 0;
	int rc = read_header(s, b, &crc, &len, &valid);
	if (rc < 0 || crc != head_crc || !valid)
		return rc;
	b->beyond = len > s->size - b->known;
	if (b->beyond)
		return 0;
	rc = data_sum(s, b->known, len, &crc);
	b->known += len;
	b->good = rc == 0 && crc == data_crc;
	return rc;
}

static int read_batches(struct segment *s)
{
	struct batch b;

	s->end = FORMAT_BYTES;
	for (;;) {
		int rc = read_batch(s, s->end, &b);
		if (rc < 0)
			return rc;
		if (!b.good)
			break;
		s->entries += b.entries;
		s->end = b.known;
	}
	uint64_t more = s->end;
	int rc = skip_zeros(s, &more);
	s->state = more < s->size ? SEGMENT_BAD_END : SEGMENT_WHOLE;
	return rc;
}

int segment_read(struct segment *s, int dirfd, const char *name)
{
	const uint8_t *format;
	struct stat st;
	uint64_t data = 0;

	s->entries = s->end = s->size = s->piece_at = 0;
	s->piece_len = 0;
	s->state = SEGMENT_EMPTY;
	s->fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (s->fd < 0 || fstat(s->fd, &st) < 0)
		return -errno;
	s->size = (uint64_t)st.st_size;
	int rc = skip_zeros(s, &data);
	if (rc < 0 || data == s->size)
		return rc;
	s->state = SEGMENT_HEADLESS;
	if (data >= SEGMENT_SECTOR)
		return 0;
	ssize_t n = look(s, 0, FORMAT_BYTES, &format);
	if (n < 0)
		return (int)n;
	s->state = SEGMENT_FOREIGN;
	return n >= FORMAT_BYTES && load64(format) == 1 ? read_batches(s) : 0;
}

/* Is there a sector of which [from, to) has nothing but zeros? */
static int missing(struct segment *s, uint64_t from, uint64_t to, bool *found)
{
	*found = false;
	while (from < to && !*found) {
		uint64_t end = (from / SEGMENT_SECTOR + 1) * SEGMENT_SECTOR;
		uint64_t data = from;
		int rc = skip_zeros(s, &data);

		if (rc < 0)
			return rc;
		end = end < to ? end : to;
		*found = data >= end;
		from = end;
	}
	return 0;
}

int segment_torn(struct segment *s, bool *torn)
{
	struct batch b;
	int rc = read_batch(s, s->end, &b);

	*torn = false;
	return rc < 0 || b.beyond ? rc : missing(s, b.at, b.known, torn);
}

static bool plausible(const uint8_t *head, uint64_t left)
{
	uint64_t n = load64(head + 8);

	return n > 0 && n <= (left - PREAMBLE) / ENTRY_BYTES &&
	       entry_valid(head + PREAMBLE);
}

/* Batches begin at multiples of eight. */
int segment_good_behind(struct segment *s, uint64_t most, uint64_t *good)
{
	uint64_t at = s->end + 8;

	*good = 0;
	while (*good < most && at + PREAMBLE + ENTRY_BYTES <= s->size) {
		struct batch b = { .good = false };
		const uint8_t *head;
		int rc = skip_zeros(s, &at);

		/* A checksum may begin with zeros. */
		at = at / 8 * 8;
		if (rc == 0 && at + PREAMBLE + ENTRY_BYTES <= s->size) {
			ssize_t n = look(s, at, PREAMBLE + ENTRY_BYTES, &head);
			rc = n < 0 ? (int)n : 0;
			if (rc == 0 && plausible(head, s->size - at))
				rc = read_batch(s, at, &b);
		}
		if (rc < 0)
			return rc;
		*good += b.good;
		at = b.good ? b.known : at + 8;
	}
	return 0;
}

void segment_close(struct segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
