/* A hash table of nodes that live in their owners, growing by linear hashing:
 * one bucket is split at an insertion, so that no operation is ever linear in
 * the number of entries. Iteration order means nothing and must never reach
 * replicated state. */
#ifndef HF_BASE_MAP_H
#define HF_BASE_MAP_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
	struct map_node *next;
	uint64_t hash;
};

#define MAP_SEGMENT_BITS 10 /* buckets in a segment: 1,024 */
#define MAP_SEGMENTS_MAX 65536

struct map { /* by map_init */
	const struct mem *mem;
	struct map_node ***segments;
	size_t segments_len, segments_cap;
	size_t buckets; /* in use */
	size_t len;
	uint64_t seed;
};

/* `seed`: random where keys come from outside, against chosen collisions. */
void map_init(struct map *m, const struct mem *mem, uint64_t seed);
void map_free(struct map *m); /* the table, not the entries */

/* Make room for `more` entries: HF_ENOMEM or 0. An insertion never fails;
 * without room chains only get longer, but map_reserve(m, 1) must have
 * succeeded once before the first. */
int map_reserve(struct map *m, size_t more);
void map_insert(struct map *m, struct map_node *n, uint64_t hash);
void map_remove(struct map *m, struct map_node *n); /* it must be in */

/* The entries of exactly this hash, among which the key must be compared:
 * for (n = map_first(m, h); n; n = map_next(n, h)) */
struct map_node *map_first(const struct map *m, uint64_t hash);
struct map_node *map_next(const struct map_node *n, uint64_t hash);

/* SipHash-1-3, keyed with the seed. */
uint64_t map_hash(const struct map *m, const void *bytes, size_t len);
uint64_t map_hash64(const struct map *m, uint64_t v);

#endif
