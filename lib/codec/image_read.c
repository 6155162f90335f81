/* Reading a snapshot image: nothing in it is believed; see image.h. */
#include "codec/crc.h"
#include "codec/field.h"
#include "codec/image_format.h"

#include "holdfast.h"

#include <lz4.h>
#include <stdlib.h>

struct reading {
	struct reader packed;
	struct record_room room;
	uint8_t *raw; /* one chunk's */
	size_t raw_cap;
	uint32_t chunks;
	uint16_t version;
	uint64_t index, records;
	uint64_t seen; /* records so far */
	int (*put)(void *ctx, const struct record *r);
	void *ctx;
};

static int read_head(struct reading *x, const uint8_t *head, size_t len)
{
	struct reader *r = &x->packed;

	*r = reader_of(head, len);
	const uint8_t *magic = reader_take(r, IMAGE_MAGIC_LEN);
	uint16_t format = reader_get16(r);
	x->version = reader_get16(r);
	x->chunks = reader_get32(r);
	x->index = reader_get64(r);
	x->records = reader_get64(r);
	uint64_t bytes = reader_get64(r);
	uint32_t zero = reader_get32(r), crc = reader_get32(r);

	if (r->failed || memcmp(magic, IMAGE_MAGIC, IMAGE_MAGIC_LEN) != 0 ||
	    crc != crc32c(0, head, IMAGE_HEAD_CRC_AT))
		return HF_ECORRUPT;
	if (format != IMAGE_FORMAT || zero != 0 || bytes != len ||
	    len > IMAGE_BYTES_MAX || x->version != SEMANTICS_VERSION)
		return HF_ECORRUPT;
	return 0;
}

/* A record is good by itself; that STATE comes first, once, and agrees with the
 * head, is part of the image's form. */
static int put_record(struct reading *x, const struct record *r)
{
	bool state = r->kind == RECORD_STATE;

	if (state != (x->seen == 0) || x->seen == x->records)
		return HF_ECORRUPT;
	if (state &&
	    (r->state.index != x->index || r->state.version != x->version))
		return HF_ECORRUPT;
	x->seen++;
	return x->put(x->ctx, r);
}

static int read_records(struct reading *x, struct reader raw)
{
	while (reader_left(&raw) > 0) {
		struct record r;
		int rc = record_decode(&raw, &x->room, &r);

		if (rc == 0)
			rc = put_record(x, &r);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int reserve_raw(struct reading *x, size_t len)
{
	if (len <= x->raw_cap)
		return 0;
	free(x->raw);
	x->raw = malloc(len);
	x->raw_cap = x->raw ? len : 0;
	return x->raw ? 0 : HF_ENOMEM;
}

static int unpack(struct reading *x, const uint8_t *packed, size_t packed_len,
		  size_t raw_len)
{
	if (packed_len == raw_len)
		return read_records(x, reader_of(packed, packed_len));
	if (reserve_raw(x, raw_len) != 0)
		return HF_ENOMEM;
	int len = LZ4_decompress_safe((const char *)packed, (char *)x->raw,
				      (int)packed_len, (int)raw_len);
	if (len < 0 || (size_t)len != raw_len)
		return HF_ECORRUPT;
	return read_records(x, reader_of(x->raw, raw_len));
}

static int read_chunk(struct reading *x, uint32_t number)
{
	const uint8_t *head = reader_take(&x->packed, CHUNK_HEAD);

	if (!head)
		return HF_ECORRUPT;
	size_t raw_len = load32(head), packed_len = load32(head + 4);
	const uint8_t *packed = reader_take(&x->packed, packed_len);
	if (!packed || load32(head + 8) != number)
		return HF_ECORRUPT;
	uint32_t crc = crc32c(0, head, CHUNK_CRC_AT);
	if (crc32c(crc, packed, packed_len) != load32(head + CHUNK_CRC_AT))
		return HF_ECORRUPT;
	if (raw_len == 0 || packed_len > raw_len || raw_len > CHUNK_RAW_MAX ||
	    raw_len / CHUNK_RATIO_MAX > packed_len)
		return HF_ECORRUPT;
	return unpack(x, packed, packed_len, raw_len);
}

static int read_chunks(struct reading *x)
{
	for (uint32_t i = 0; i < x->chunks; i++) {
		int rc = read_chunk(x, i);

		if (rc != 0)
			return rc;
	}
	bool whole = reader_left(&x->packed) == 0 && x->seen == x->records;
	return whole && x->seen > 0 ? 0 : HF_ECORRUPT;
}

int image_read(const void *bytes, size_t len,
	       int (*put)(void *ctx, const struct record *r), void *ctx)
{
	struct reading x = { .put = put, .ctx = ctx };
	int rc = read_head(&x, (const uint8_t *)bytes, len);

	if (rc == 0)
		rc = read_chunks(&x);
	free(x.raw);
	record_room_free(&x.room);
	return rc;
}
