/* Linear hashing after Litwin (1980): with `level` the largest power of two
 * that isn't above the number of buckets, the buckets below buckets - level
 * have been split already and are told apart by one bit more. Buckets are in
 * segments, so that growing moves no bucket. The table doesn't shrink. */
#include "base/map.h"

#include "holdfast.h"

#include <assert.h>
#include <string.h>

#define SEGMENT_BUCKETS ((size_t)1 << MAP_SEGMENT_BITS)
#define DIRECTORY_MIN 4
/* One entry more wants one bucket more; the second split is to catch up after
 * insertions without room. */
#define SPLITS_PER_INSERT 2

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

/* The finalizer of splitmix64. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

void map_init(struct map *m, const struct mem *mem, uint64_t seed)
{
	*m = (struct map){ .mem = mem, .seed = seed };
}

void map_free(struct map *m)
{
	if (!m || !m->mem)
		return;
	for (size_t i = 0; i < m->segments_len; i++)
		mem_free(m->mem, m->segments[i]);
	mem_free(m->mem, m->segments);
	map_init(m, m->mem, m->seed);
}

static bool grow_directory(struct map *m)
{
	size_t cap = m->segments_cap ? 2 * m->segments_cap : DIRECTORY_MIN;
	struct map_node ***segments =
		mem_resize(m->mem, m->segments, cap * sizeof(*segments));

	if (!segments)
		return false;
	m->segments = segments;
	m->segments_cap = cap;
	return true;
}

static bool add_segment(struct map *m)
{
	struct map_node **segment;

	if (m->segments_len == m->segments_cap && !grow_directory(m))
		return false;
	segment =
		mem_zalloc(m->mem, SEGMENT_BUCKETS * sizeof(struct map_node *));
	if (!segment)
		return false;
	m->segments[m->segments_len++] = segment;
	return true;
}

int map_reserve(struct map *m, size_t more)
{
	size_t have = m->segments_len * SEGMENT_BUCKETS;

	for (; have < m->len || have - m->len < more; have += SEGMENT_BUCKETS) {
		if (m->segments_len == MAP_SEGMENTS_MAX)
			break;
		if (!add_segment(m))
			return HF_ENOMEM;
	}
	if (m->buckets == 0)
		m->buckets = m->segments_len > 0;
	return 0;
}

static struct map_node **bucket(const struct map *m, size_t i)
{
	return &m->segments[i >> MAP_SEGMENT_BITS][i & (SEGMENT_BUCKETS - 1)];
}

static size_t level_of(const struct map *m)
{
	return (size_t)1 << (63 - __builtin_clzll(m->buckets));
}

static struct map_node **bucket_of(const struct map *m, uint64_t hash)
{
	size_t level = level_of(m);
	size_t i = hash & (2 * level - 1);

	return bucket(m, i < m->buckets ? i : i - level);
}

/* Add the next bucket: the entries that now belong to it are all in the one
 * bucket that it is split from. */
static void split(struct map *m)
{
	size_t level = level_of(m);
	size_t added = m->buckets++;
	struct map_node **keep = bucket(m, added - level);
	struct map_node **move = bucket(m, added);
	struct map_node *n = *keep;

	for (; n; n = n->next) {
		struct map_node ***end = n->hash & level ? &move : &keep;

		**end = n;
		*end = &n->next;
	}
	*keep = NULL;
	*move = NULL;
}

void map_insert(struct map *m, struct map_node *n, uint64_t hash)
{
	size_t room = m->segments_len * SEGMENT_BUCKETS;

	assert(m->buckets > 0);
	m->len++;
	for (int i = 0; i < SPLITS_PER_INSERT; i++)
		if (m->buckets < m->len && m->buckets < room)
			split(m);
	struct map_node **first = bucket_of(m, hash);
	n->hash = hash;
	n->next = *first;
	*first = n;
}

void map_remove(struct map *m, struct map_node *n)
{
	struct map_node **at = bucket_of(m, n->hash);

	while (*at != n) {
		assert(*at);
		at = &(*at)->next;
	}
	*at = n->next;
	n->next = NULL;
	m->len--;
}

static struct map_node *same_hash(struct map_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct map_node *map_first(const struct map *m, uint64_t hash)
{
	return m->len > 0 ? same_hash(*bucket_of(m, hash), hash) : NULL;
}

struct map_node *map_next(const struct map_node *n, uint64_t hash)
{
	return same_hash(n->next, hash);
}

/* SipHash-1-3 by Aumasson and Bernstein: one round a word, three at the end. */
struct sip {
	uint64_t a, b, c, d;
};

static void sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotate(s->b, 13) ^ s->a;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a = rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotate(s->b, 17) ^ s->c;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c = rotate(s->c, 32);
}

static void sip_init(struct sip *s, uint64_t seed)
{
	uint64_t other = mix(seed); /* the second half of the key */

	s->a = seed ^ UINT64_C(0x736f6d6570736575);
	s->b = other ^ UINT64_C(0x646f72616e646f6d);
	s->c = seed ^ UINT64_C(0x6c7967656e657261);
	s->d = other ^ UINT64_C(0x7465646279746573);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	s->a ^= word;
}

static uint64_t sip_end(struct sip *s)
{
	s->c ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}

/* Words are read in the machine's order: hashes never leave the process. */
uint64_t map_hash(const struct map *m, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t last = 0, word;
	struct sip s;

	sip_init(&s, m->seed);
	for (size_t left = len; left >= sizeof(word); left -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sip_word(&s, word);
		at += sizeof(word);
	}
	if (len % sizeof(word) > 0)
		memcpy(&last, at, len % sizeof(word));
	sip_word(&s, (uint64_t)len << 56 | last);
	return sip_end(&s);
}

uint64_t map_hash64(const struct map *m, uint64_t v)
{
	struct sip s;

	sip_init(&s, m->seed);
	sip_word(&s, v);
	sip_word(&s, (uint64_t)sizeof(v) << 56);
	return sip_end(&s);
}
