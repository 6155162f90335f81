/* Decisions read off an input's bytes, a byte each, so that a small change of
 * the input is a small change of what happens. When it is used up, the answer
 * is 0. */
#ifndef HF_TEST_FUZZ_CHOICES_H
#define HF_TEST_FUZZ_CHOICES_H

#include "base/buf.h"

static inline bool choices_left(const struct reader *c)
{
	return reader_left(c) > 0;
}

static inline uint8_t choose_byte(struct reader *c)
{
	return choices_left(c) ? reader_get8(c) : 0;
}

/* From 0 to n - 1; n is at most 256. */
static inline unsigned choose(struct reader *c, unsigned n)
{
	return choose_byte(c) % n;
}

/* Once in n times. */
static inline bool choose_rarely(struct reader *c, unsigned n)
{
	return choose(c, n) == n - 1;
}

/* At most `max` of the next bytes, as many as two bytes say. */
static inline const uint8_t *choose_bytes(struct reader *c, size_t max,
					  size_t *len)
{
	size_t left;

	*len = choose_byte(c);
	*len |= (size_t)choose_byte(c) << 8;
	left = reader_left(c);
	if (*len > left)
		*len = left;
	if (*len > max)
		*len = max;
	return *len > 0 ? reader_take(c, *len) : c->at;
}

#endif
