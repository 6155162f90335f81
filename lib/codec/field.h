/* Writing and reading of fields, for this folder.
 *
 * A message's fields are written through a pointer into room that was reserved
 * for the largest message of its kind, and read with a bound each. Ids, tokens
 * and times lie below 2^63, so that a sum of one and a duration fits. */
#ifndef HF_CODEC_FIELD_H
#define HF_CODEC_FIELD_H

#include "base/buf.h"
#include "core/op.h"

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
static inline uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t v)
{
	return v & 1 ? -(int64_t)(v >> 1) - 1 : (int64_t)(v >> 1);
}

static inline uint8_t *put_status(uint8_t *to, int v)
{
	return put_varint(to, zigzag(v));
}

/* What has a length: that first. */
static inline uint8_t *put_block(uint8_t *to, const uint8_t *bytes, size_t len)
{
	to = put_varint(to, len);
	return len > 0 ? put_bytes(to, bytes, len) : to;
}

/* What is mostly absent has a bit in a mask, and costs nothing more where it is
 * zero or empty: so there it must not be. */
static inline uint8_t *put_present(uint8_t *to, uint64_t v)
{
	return v > 0 ? put_varint(to, v) : to;
}

static inline uint8_t *put_present_block(uint8_t *to, const uint8_t *bytes,
					 size_t len)
{
	return len > 0 ? put_block(to, bytes, len) : to;
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
	return (int)unzigzag(get_varint32(r));
}

/* NULL where it is empty. */
static inline const uint8_t *get_block(struct reader *r, size_t max,
				       size_t *len)
{
	*len = get_bounded(r, max);
	return *len > 0 ? reader_take(r, *len) : NULL;
}

static inline uint64_t get_present(struct reader *r, bool present, uint64_t max)
{
	uint64_t v = present ? get_bounded(r, max) : 0;

	if (present && v == 0)
		r->failed = true;
	return v;
}

static inline const uint8_t *get_present_block(struct reader *r, bool present,
					       size_t max, size_t *len)
{
	*len = get_present(r, present, max);
	return *len > 0 ? reader_take(r, *len) : NULL;
}

static inline bool id_valid(uint64_t id)
{
	return id > 0 && id <= NUMBER_MAX;
}

static inline bool status_valid(int status)
{
	return status >= STATUS_LEAST && status <= STATUS_GREATEST;
}

static inline bool count_valid(int64_t count)
{
	return count >= -COUNT_MAX && count <= COUNT_MAX;
}

static inline bool name_valid(size_t len)
{
	return len >= 1 && len <= LOCK_NAME_MAX;
}

#endif
