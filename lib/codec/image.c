/* Writing a snapshot image; see image.h. Each chunk becomes a piece of its own,
 * so that an image is never moved as a whole. */
#include "codec/image.h"

#include "codec/crc.h"
#include "codec/field.h"
#include "codec/image_format.h"

#include "holdfast.h"

#include <assert.h>
#include <lz4.h>

#define PIECES_CAP_MIN 16

/* Room for one more; the first is kept for the head. */
static bool pieces_reserve(struct image_writer *w)
{
	size_t cap = w->pieces_cap ? 2 * w->pieces_cap : PIECES_CAP_MIN;

	if (w->pieces_len < w->pieces_cap)
		return true;
	struct image_piece *p = mem_resize(w->mem, w->pieces, cap * sizeof(*p));
	if (!p)
		return false;
	w->pieces = p;
	w->pieces_cap = cap;
	if (w->pieces_len == 0)
		w->pieces[w->pieces_len++] = (struct image_piece){ 0 };
	return true;
}

static int add_piece(struct image_writer *w, const uint8_t *bytes, size_t len)
{
	if (w->packed_bytes + len > IMAGE_BYTES_MAX - IMAGE_HEAD)
		return HF_ELIMIT;
	void *copy = pieces_reserve(w) ? mem_alloc(w->mem, len) : NULL;
	if (!copy)
		return HF_ENOMEM;
	memcpy(copy, bytes, len);
	w->pieces[w->pieces_len++] = (struct image_piece){ copy, len };
	w->packed_bytes += len;
	return 0;
}

/* The packed length; raw bytes are stored where packing doesn't shrink them. */
static size_t pack(uint8_t *to, size_t room, const struct buf *raw)
{
	int len = LZ4_compress_default((const char *)raw->base, (char *)to,
				       (int)raw->len, (int)room);

	if (len > 0 && (size_t)len < raw->len)
		return (size_t)len;
	memcpy(to, raw->base, raw->len);
	return raw->len;
}

static int close_chunk(struct image_writer *w)
{
	size_t room = (size_t)LZ4_compressBound((int)w->raw.len);

	assert(w->raw.len <= CHUNK_RAW_MAX);
	buf_clear(&w->packed);
	uint8_t *head = buf_reserve(&w->packed, CHUNK_HEAD + room);
	if (!head)
		return HF_ENOMEM;
	size_t len = pack(head + CHUNK_HEAD, room, &w->raw);
	uint8_t *to = put32(head, (uint32_t)w->raw.len);
	to = put32(to, (uint32_t)len);
	to = put32(to, (uint32_t)(w->pieces_len ? w->pieces_len - 1 : 0));
	uint32_t crc = crc32c(0, head, CHUNK_CRC_AT);
	put32(to, crc32c(crc, head + CHUNK_HEAD, len));
	buf_clear(&w->raw);
	return add_piece(w, head, CHUNK_HEAD + len);
}

void image_put(struct image_writer *w, const struct record *r)
{
	assert((r->kind == RECORD_STATE) == (w->records == 0));
	if (w->rc != 0)
		return;
	if (r->kind == RECORD_STATE) {
		w->raw.mem = w->packed.mem = w->mem;
		w->index = r->state.index;
		w->version = r->state.version;
	}
	w->records++;
	record_encode(&w->raw, r);
	if (w->raw.failed)
		w->rc = HF_ENOMEM;
	else if (w->raw.len >= IMAGE_CHUNK)
		w->rc = close_chunk(w);
}

static void put_head(const struct image_writer *w, uint8_t *head)
{
	uint8_t *to = put_bytes(head, IMAGE_MAGIC, IMAGE_MAGIC_LEN);

	to = put16(to, IMAGE_FORMAT);
	to = put16(to, w->version);
	to = put32(to, (uint32_t)(w->pieces_len - 1));
	to = put64(to, w->index);
	to = put64(to, w->records);
	to = put64(to, IMAGE_HEAD + w->packed_bytes);
	to = put32(to, 0);
	put32(to, crc32c(0, head, IMAGE_HEAD_CRC_AT));
}

int image_finish(struct image_writer *w)
{
	assert(w->records > 0 || w->rc != 0);
	if (w->rc == 0 && w->raw.len > 0)
		w->rc = close_chunk(w);
	if (w->rc != 0 || w->pieces[0].base)
		return w->rc;
	uint8_t *head = mem_alloc(w->mem, IMAGE_HEAD);
	if (!head)
		return w->rc = HF_ENOMEM;
	put_head(w, head);
	w->pieces[0] = (struct image_piece){ head, IMAGE_HEAD };
	return 0;
}

void image_writer_free(struct image_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->pieces_len; i++)
		mem_free(w->mem, w->pieces[i].base);
	mem_free(w->mem, w->pieces);
	buf_free(&w->raw);
	buf_free(&w->packed);
	*w = (struct image_writer){ .mem = w->mem };
}
