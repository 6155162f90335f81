/* An open segment of raft_uv's, as a crash or damage may have left it: what is
 * read of it in pieces is what a plain reading of the whole file finds.
 *
 * The first byte says how often the rest stands in the file, one after the
 * other, so that a few bytes make a file of many pieces. The second try has
 * right checksums. */
#include "host/segment.h"
#include "fuzz/lib/folder.h"
#include "fuzz/lib/target.h"

#include "codec/field.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 8      /* bytes of the format word, which is 1 */
#define BATCH_HEAD 16 /* two checksums, the number of entries */
#define ENTRY_HEAD 16 /* term, type, length */
#define REPEATS_MAX 48
#define FORMAT_GIVEN 240 /* from here on the first byte says: by the rest */
#define FILE_MAX (160u << 10)
#define GOOD_MAX 40

struct plain {
	uint8_t *bytes;
	size_t len;
	uint32_t table[256];
};

/* raft_uv's checksum takes the highest bit first. */
static void make_table(uint32_t *table)
{
	for (uint32_t n = 0; n < 256; n++) {
		table[n] = n << 24;
		for (int bit = 0; bit < 8; bit++)
			table[n] = table[n] << 1 ^
				   (table[n] >> 31 ? 0x04c11db7 : 0);
	}
}

static uint32_t sum(const struct plain *p, size_t from, size_t to)
{
	uint32_t crc = 0;

	for (; from < to; from++)
		crc = crc << 8 ^ p->table[crc >> 24 ^ p->bytes[from]];
	return crc;
}

/* Where the batch's data begin and end, if it can be one. */
static bool batch_bounds(const struct plain *p, size_t at, size_t *data,
			 size_t *end)
{
	if (p->len - at < BATCH_HEAD)
		return false;
	uint64_t n = load64(p->bytes + at + 8);
	if (n == 0 || n > (p->len - at - BATCH_HEAD) / ENTRY_HEAD)
		return false;
	*data = *end = at + BATCH_HEAD + n * ENTRY_HEAD;
	for (uint64_t i = 0; i < n; i++) {
		const uint8_t *e = p->bytes + at + BATCH_HEAD + i * ENTRY_HEAD;

		if (e[8] < 1 || e[8] > 3 || load32(e + 12) % 8 != 0)
			return false;
		*end += load32(e + 12);
	}
	return *end <= p->len;
}

static void batch_sums(const struct plain *p, size_t at, size_t data,
		       size_t end, uint8_t sums[8])
{
	put32(sums, sum(p, at + 8, data));
	put32(sums + 4, sum(p, data, end));
}

static bool batch_good(const struct plain *p, size_t at, size_t *end)
{
	uint8_t sums[8];
	size_t data;

	if (!batch_bounds(p, at, &data, end))
		return false;
	batch_sums(p, at, data, *end, sums);
	return memcmp(sums, p->bytes + at, sizeof(sums)) == 0;
}

static void mend(struct plain *p)
{
	size_t data, end;

	if (p->len >= FORMAT)
		put64(p->bytes, 1);
	for (size_t at = FORMAT; at < p->len; at = end) {
		if (!batch_bounds(p, at, &data, &end))
			return;
		batch_sums(p, at, data, end, p->bytes + at);
	}
}

static bool all_zero(const struct plain *p, size_t from)
{
	for (; from < p->len; from++)
		if (p->bytes[from] != 0)
			return false;
	return true;
}

static uint64_t good_behind(const struct plain *p, size_t at)
{
	uint64_t good = 0;
	size_t end;

	for (at += 8; at < p->len && good < GOOD_MAX; at = end) {
		if (batch_good(p, at, &end))
			good++;
		else
			end = at + 8;
	}
	return good;
}

static void check_batches(struct segment *s, const struct plain *p)
{
	uint64_t entries = 0, good;
	size_t at = FORMAT, end;
	bool torn;

	for (; at < p->len && batch_good(p, at, &end); at = end)
		entries += load64(p->bytes + at + 8);
	must(s->end == at && s->entries == entries);
	must(s->state == (all_zero(p, at) ? SEGMENT_WHOLE : SEGMENT_BAD_END));
	must(segment_torn(s, &torn) == 0);
	must(segment_good_behind(s, GOOD_MAX, &good) == 0);
	must(good == good_behind(p, at));
}

static bool headless(const struct plain *p)
{
	for (size_t i = 0; i < SEGMENT_SECTOR && i < p->len; i++)
		if (p->bytes[i] != 0)
			return false;
	return true;
}

static void try_segment(const struct plain *p)
{
	struct segment *s = segment_new();
	int folder = folder_open();

	must(s);
	folder_write(folder, "open-1", p->bytes, p->len);
	must(segment_read(s, folder, "open-1") == 0 && s->size == p->len);
	if (all_zero(p, 0))
		must(s->state == SEGMENT_EMPTY && s->entries == 0);
	else if (headless(p))
		must(s->state == SEGMENT_HEADLESS && s->entries == 0);
	else if (p->len < FORMAT || load64(p->bytes) != 1)
		must(s->state == SEGMENT_FOREIGN);
	else
		check_batches(s, p);
	segment_close(s);
	free(s);
	folder_close(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct plain p = { .bytes = calloc(1, FILE_MAX) };

	must(p.bytes);
	make_table(p.table);
	put64(p.bytes, 1);
	if (len > 0 && bytes[0] < FORMAT_GIVEN)
		p.len = FORMAT;
	for (unsigned n = len > 0 ? 1 + bytes[0] % REPEATS_MAX : 0;
	     n > 0 && p.len + len - 1 <= FILE_MAX; n--) {
		memcpy(p.bytes + p.len, bytes + 1, len - 1);
		p.len += len - 1;
	}
	try_segment(&p);
	mend(&p);
	try_segment(&p);
	free(p.bytes);
	return 0;
}

static void put_batch(struct buf *b, struct random *r)
{
	uint64_t n = 1 + random_below(r, 3), data_len = 0;

	buf_put64(b, 0); /* checksums: mended */
	buf_put64(b, n);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t entry_len = 8 * (1 + (uint32_t)random_below(r, 40));

		buf_put64(b, 1 + random_below(r, 9));
		buf_put32(b, 1 + (uint32_t)random_below(r, 3));
		buf_put32(b, entry_len);
		data_len += entry_len;
	}
	for (; data_len > 0; data_len -= 8)
		buf_put64(b, random_below(r, 3) ? random_next(r) : 0);
}

void fuzz_sample(struct buf *b, struct random *r)
{
	buf_put8(b, (uint8_t)random_next(r));
	for (uint64_t n = 1 + random_below(r, 5); n > 0; n--)
		put_batch(b, r);
	for (uint64_t n = random_below(r, 3) * 64; n > 0; n--)
		buf_put64(b, 0);
}
