#include "base/map.h"

#include "holdfast.h"
#include "lib/random.h"
#include "lib/suite.h"

#include <stdlib.h>

#define SEGMENT ((size_t)1 << MAP_SEGMENT_BITS)
#define KEYS 5000

struct entry {
	struct map_node node; /* first: a node is its entry */
	uint64_t key;
	bool in;
};

/* Memory that fails when its allowance is used up. */
struct meter {
	size_t allowed, live;
};

static void *meter_resize(void *ctx, void *ptr, size_t len)
{
	struct meter *meter = ctx;

	if (len == 0) {
		meter->live -= ptr != NULL;
		free(ptr);
		return NULL;
	}
	if (meter->allowed == 0)
		return NULL;
	meter->allowed--;
	meter->live += ptr == NULL;
	return realloc(ptr, len);
}

static const struct mem libc_mem;

static struct entry *find(const struct map *m, uint64_t key, uint64_t hash)
{
	struct map_node *n = map_first(m, hash);

	while (n && ((struct entry *)n)->key != key)
		n = map_next(n, hash);
	return (struct entry *)n;
}

static void insert(struct map *m, struct entry *e, uint64_t hash)
{
	ck_assert_int_eq(map_reserve(m, 1), 0);
	map_insert(m, &e->node, hash);
	e->in = true;
}

START_TEST(an_empty_map_finds_nothing)
{
	struct map m;

	map_init(&m, &libc_mem, 1);
	ck_assert_ptr_null(map_first(&m, 0));
	ck_assert_int_eq(map_reserve(&m, 0), 0);
	ck_assert_ptr_null(map_first(&m, 0));
	map_free(&m);
	map_free(NULL);
	map_free(&(struct map){ 0 });
}
END_TEST

START_TEST(exactly_what_was_inserted_and_not_removed_is_found)
{
	struct entry *entries = calloc(KEYS, sizeof(*entries));
	struct random random = { 5 };
	size_t len = 0;
	struct map m;

	map_init(&m, &libc_mem, 99);
	for (int step = 0; step < 60000; step++) {
		uint64_t key = random_below(&random, KEYS);
		struct entry *e = &entries[key];
		uint64_t hash = map_hash64(&m, key);

		e->key = key;
		ck_assert_ptr_eq(find(&m, key, hash), e->in ? e : NULL);
		if (!e->in) {
			insert(&m, e, hash);
			len++;
		} else if (random_below(&random, 2)) {
			map_remove(&m, &e->node);
			e->in = false;
			len--;
		}
		ck_assert_uint_eq(m.len, len);
	}
	for (uint64_t key = 0; key < KEYS; key++)
		ck_assert_ptr_eq(find(&m, key, map_hash64(&m, key)),
				 entries[key].in ? &entries[key] : NULL);
	map_free(&m);
	free(entries);
}
END_TEST

START_TEST(one_hash_can_have_many_entries)
{
	struct entry entries[100] = { 0 };
	uint64_t hash = 0x1234, seen = 0;
	struct map m;

	map_init(&m, &libc_mem, 0);
	for (uint64_t i = 0; i < 100; i++) {
		entries[i].key = i;
		insert(&m, &entries[i], i % 2 ? hash : hash + i * SEGMENT);
	}
	for (struct map_node *n = map_first(&m, hash); n; n = map_next(n, hash))
		seen++;
	ck_assert_uint_eq(seen, 51); /* the odd ones and the first */
	for (uint64_t i = 1; i < 100; i += 2)
		map_remove(&m, &entries[i].node);
	ck_assert_ptr_eq(map_first(&m, hash), &entries[0].node);
	ck_assert_ptr_null(map_next(&entries[0].node, hash));
	map_free(&m);
}
END_TEST

START_TEST(an_insertion_adds_at_most_one_bucket)
{
	struct entry *entries = calloc(KEYS, sizeof(*entries));
	size_t before;
	struct map m;

	map_init(&m, &libc_mem, 3);
	ck_assert_int_eq(map_reserve(&m, KEYS), 0);
	before = m.buckets;
	for (uint64_t i = 0; i < KEYS; i++) {
		map_insert(&m, &entries[i].node, map_hash64(&m, i));
		ck_assert_uint_le(m.buckets, before + 1);
		ck_assert_uint_eq(m.buckets, m.len);
		before = m.buckets;
	}
	map_free(&m);
	free(entries);
}
END_TEST

START_TEST(without_room_chains_get_longer_and_later_shorter_again)
{
	struct entry *entries = calloc(KEYS, sizeof(*entries));
	struct meter meter = { 2, 0 };
	struct mem mem = { meter_resize, &meter };
	struct map m;

	map_init(&m, &mem, 7);
	ck_assert_int_eq(map_reserve(&m, 1), 0);
	for (uint64_t i = 0; i < KEYS / 2; i++) {
		entries[i].key = i;
		map_insert(&m, &entries[i].node, map_hash64(&m, i));
	}
	ck_assert_uint_eq(m.buckets, SEGMENT);
	ck_assert_int_eq(map_reserve(&m, 1), HF_ENOMEM);
	meter.allowed = 100;
	for (uint64_t i = KEYS / 2; i < KEYS; i++) {
		entries[i].key = i;
		insert(&m, &entries[i], map_hash64(&m, i));
	}
	ck_assert_uint_eq(m.buckets, KEYS);
	for (uint64_t i = 0; i < KEYS; i++)
		ck_assert_ptr_eq(find(&m, i, map_hash64(&m, i)), &entries[i]);
	map_free(&m);
	ck_assert_uint_eq(meter.live, 0);
	free(entries);
}
END_TEST

START_TEST(a_refused_reservation_changes_nothing_and_leaks_nothing)
{
	struct entry *entries = calloc(KEYS, sizeof(*entries));
	struct meter meter = { 0, 0 };
	struct mem mem = { meter_resize, &meter };
	uint64_t done = 0;
	struct map m;

	map_init(&m, &mem, 7);
	while (done < KEYS) {
		if (map_reserve(&m, 1) != 0) {
			ck_assert_uint_eq(m.len, done);
			meter.allowed = 1;
			continue;
		}
		entries[done].key = done;
		map_insert(&m, &entries[done].node, map_hash64(&m, done));
		done++;
		meter.allowed = 0;
	}
	for (uint64_t i = 0; i < KEYS; i++)
		ck_assert_ptr_eq(find(&m, i, map_hash64(&m, i)), &entries[i]);
	map_free(&m);
	ck_assert_uint_eq(meter.live, 0);
	free(entries);
}
END_TEST

START_TEST(a_reservation_covers_all_that_follows_it)
{
	struct entry *entries = calloc(KEYS, sizeof(*entries));
	struct meter meter = { 100, 0 };
	struct mem mem = { meter_resize, &meter };
	struct map m;

	map_init(&m, &mem, 7);
	ck_assert_int_eq(map_reserve(&m, KEYS), 0);
	meter.allowed = 0;
	for (uint64_t i = 0; i < KEYS; i++)
		map_insert(&m, &entries[i].node, map_hash64(&m, i));
	ck_assert_uint_eq(m.buckets, KEYS);
	map_free(&m);
	free(entries);
}
END_TEST

/* From an implementation of its own, which was checked against the published
 * vectors of SipHash-2-4 and against CPython's hash of bytes. */
START_TEST(bytes_are_hashed_by_siphash_1_3)
{
	const struct {
		uint64_t seed;
		size_t len;
		uint64_t hash;
	} want[] = {
		{ 0, 0, UINT64_C(0xd1fba762150c532c) },
		{ 0, 1, UINT64_C(0x68a914128e01e473) },
		{ 0, 7, UINT64_C(0x2f098ab0c751325a) },
		{ 0, 8, UINT64_C(0xead411e67ebe2eea) },
		{ 0, 9, UINT64_C(0x75927f9d95124362) },
		{ 0, 31, UINT64_C(0x169739443111d49b) },
		{ 42, 0, UINT64_C(0x7486eb3bf09df111) },
		{ 42, 8, UINT64_C(0xc6c2b9569c52de53) },
		{ 42, 31, UINT64_C(0x7d7b0b28916aee2d) },
	};
	unsigned char bytes[31];
	struct map m;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		map_init(&m, &libc_mem, want[i].seed);
		ck_assert(map_hash(&m, bytes, want[i].len) == want[i].hash);
	}
}
END_TEST

START_TEST(a_number_is_hashed_as_its_bytes)
{
	struct random random = { 8 };
	struct map m;

	map_init(&m, &libc_mem, 123);
	for (int i = 0; i < 100; i++) {
		uint64_t v = random_width(&random);

		ck_assert(map_hash64(&m, v) == map_hash(&m, &v, sizeof(v)));
	}
}
END_TEST

START_TEST(another_seed_gives_other_hashes)
{
	struct map a, b;

	map_init(&a, &libc_mem, 1);
	map_init(&b, &libc_mem, 2);
	ck_assert(map_hash(&a, "name", 4) != map_hash(&b, "name", 4));
	ck_assert(map_hash64(&a, 4) != map_hash64(&b, 4));
}
END_TEST

SUITE(an_empty_map_finds_nothing,
      exactly_what_was_inserted_and_not_removed_is_found,
      one_hash_can_have_many_entries, an_insertion_adds_at_most_one_bucket,
      without_room_chains_get_longer_and_later_shorter_again,
      a_refused_reservation_changes_nothing_and_leaks_nothing,
      a_reservation_covers_all_that_follows_it, bytes_are_hashed_by_siphash_1_3,
      a_number_is_hashed_as_its_bytes, another_seed_gives_other_hashes)
