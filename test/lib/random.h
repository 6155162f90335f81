/* Repeatable pseudo-random numbers (splitmix64); any seed will do. */
#ifndef HF_TEST_RANDOM_H
#define HF_TEST_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
	uint64_t v = r->state += UINT64_C(0x9e3779b97f4a7c15);

	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

/* From 0 to n - 1. */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

/* Of any length: as often one bit as sixty-four. */
static inline uint64_t random_width(struct random *r)
{
	uint64_t bits = random_next(r);

	return bits >> random_below(r, 64);
}

#endif
