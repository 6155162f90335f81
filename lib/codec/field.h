/* Writing and reading of fields, for this folder.
 *
 * A message's fields are written through a pointer into room that was reserved
 * for the largest message of its kind, and read with a bound each. Ids, tokens
 * and times lie below 2^63, so that a sum of one and a duration fits. */
#ifndef HF_CODEC_FIELD_H
#define HF_CODEC_FIELD_H

#include "base/buf.h"

#include <string.h>

#define NUMBER_MAX INT64_MAX /* of an id, a token or a time */
#define VARINT_NEAR 9        /* bytes of 63 bits */
#define STATUS_LEAST (-999)  /* below every hf_error */
#define STATUS_GREATEST 1    /* STATUS_WAITING */

static inline uint8_t *put16(uint8_t *to, uint16_t v)
{
	to[0] = (uint8_t)v;
	to[1] = (uint8_t)(v >> 8);
	return to + 2;
}

static inline uint8_t *put32(uint8_t *to, uint32_t v)
{
	to = put16(to, (uint16_t)v);
	return put16(to, (uint16_t)(v >> 16));
}

static inline uint8_t *put64(uint8_t *to, uint64_t v)
{
	to = put32(to, (uint32_t)v);
	return put32(to, (uint32_t)(v >> 32));
}

static inline uint32_t load32(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
	       (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t load64(const uint8_t *from)
{
	return load32(from) | (uint64_t)load32(from + 4) << 32;
}

static inline uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t len)
{
	memcpy(to, bytes, len);
	return to + len;
}

static inline uint8_t *put_varint(uint8_t *to, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	return to;
}

/* Small ones of either sign stay short: 0, -1, 1, -2 are 0, 1, 2, 3. */
static inline uint8_t *put_status(uint8_t *to, int v)
{
	uint32_t magnitude = v < 0 ? (uint32_t) - (v + 1) : (uint32_t)v;

	return put_varint(to, (uint64_t)magnitude << 1 | (v < 0));
}

/* As reader_get_varint, without a call for each byte. What is unusual is left
 * to it: the end is near, a tenth byte, a form that isn't the shortest. */
static inline uint64_t get_varint(struct reader *r)
{
	const uint8_t *at = r->at;
	uint64_t v = 0;

	if (r->failed || r->end - at < VARINT_NEAR)
		return reader_get_varint(r);
	for (unsigned shift = 0; shift < 7 * VARINT_NEAR; shift += 7) {
		uint8_t byte = *at++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte >= 0x80)
			continue;
		if (byte == 0 && shift > 0)
			break;
		r->at = at;
		return v;
	}
	return reader_get_varint(r);
}

static inline uint64_t get_bounded(struct reader *r, uint64_t max)
{
	uint64_t v = get_varint(r);

	if (v <= max)
		return v;
	r->failed = true;
	return 0;
}

static inline uint32_t get_varint32(struct reader *r)
{
	return (uint32_t)get_bounded(r, UINT32_MAX);
}

static inline int get_status(struct reader *r)
{
	uint32_t v = get_varint32(r);

	return v & 1 ? -(int)(v >> 1) - 1 : (int)(v >> 1);
}

static inline bool status_valid(int status)
{
	return status >= STATUS_LEAST && status <= STATUS_GREATEST;
}

#endif
