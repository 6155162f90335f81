/* Little-endian writing and reading of bytes; see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <string.h>

#define BUF_CAP_MIN 64
#define BUF_CAP_MAX (SIZE_MAX / 2) /* above, doubling would overflow */
#define VARINT_LEN_MAX 10          /* 64 bits in groups of 7 */

static bool buf_grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_CAP_MIN;

	while (cap < need)
		cap *= 2;
	uint8_t *base = mem_resize(b->mem, b->base, cap);
	if (!base)
		return false;
	b->base = base;
	b->cap = cap;
	return true;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
	if (b->failed)
		return NULL;
	if (!b->base || len > b->cap - b->len) {
		if (len > BUF_CAP_MAX - b->len || !buf_grow(b, b->len + len)) {
			b->failed = true;
			return NULL;
		}
	}
	return b->base + b->len;
}

void buf_put(struct buf *b, const void *bytes, size_t len)
{
	uint8_t *at = buf_reserve(b, len);

	if (!at || len == 0)
		return;
	memcpy(at, bytes, len);
	b->len += len;
}

static void put_number(struct buf *b, uint64_t v, size_t len)
{
	uint8_t *at = buf_reserve(b, len);

	if (!at)
		return;
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(v >> (8 * i));
	b->len += len;
}

void buf_put8(struct buf *b, uint8_t v)
{
	put_number(b, v, 1);
}

void buf_put16(struct buf *b, uint16_t v)
{
	put_number(b, v, 2);
}

void buf_put32(struct buf *b, uint32_t v)
{
	put_number(b, v, 4);
}

void buf_put64(struct buf *b, uint64_t v)
{
	put_number(b, v, 8);
}

void buf_put_varint(struct buf *b, uint64_t v)
{
	uint8_t *at = buf_reserve(b, VARINT_LEN_MAX);
	size_t len = 0;

	if (!at)
		return;
	for (; v > 0x7f; v >>= 7)
		at[len++] = (uint8_t)(v | 0x80);
	at[len++] = (uint8_t)v;
	b->len += len;
}

void buf_drop(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->base, b->base + len, b->len);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_free(struct buf *b)
{
	if (!b)
		return;
	mem_free(b->mem, b->base);
	*b = (struct buf){ .mem = b->mem };
}

const uint8_t *reader_take(struct reader *r, size_t len)
{
	const uint8_t *at = r->at;

	if (r->failed || len > (size_t)(r->end - r->at)) {
		r->failed = true;
		return NULL;
	}
	if (len > 0)
		r->at += len;
	return at;
}

static uint64_t get_number(struct reader *r, size_t len)
{
	const uint8_t *at = reader_take(r, len);
	uint64_t v = 0;

	if (!at)
		return 0;
	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

uint8_t reader_get8(struct reader *r)
{
	return (uint8_t)get_number(r, 1);
}

uint16_t reader_get16(struct reader *r)
{
	return (uint16_t)get_number(r, 2);
}

uint32_t reader_get32(struct reader *r)
{
	return (uint32_t)get_number(r, 4);
}

uint64_t reader_get64(struct reader *r)
{
	return get_number(r, 8);
}

/* One number has one form, so that equal values are equal bytes: a last byte of
 * zero, or bits beyond the 64th, are malformed. */
uint64_t reader_get_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < VARINT_LEN_MAX; i++) {
		const uint8_t *at = reader_take(r, 1);

		if (!at)
			return 0;
		if (i == VARINT_LEN_MAX - 1 && *at > 1)
			break;
		v |= (uint64_t)(*at & 0x7f) << (7 * i);
		if (*at & 0x80)
			continue;
		if (*at == 0 && i > 0)
			break;
		return v;
	}
	r->failed = true;
	return 0;
}
