/* The ring of changes, compared with a list of all that were ever put in. */
#include "lib/random.h"
#include "lib/suite.h"

#include "node/ring.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES 2000
#define READERS 4
#define BYTES_MAX 3000

struct put {
	struct output output;
	uint8_t name[64];
	uint8_t bytes[BYTES_MAX];
};

struct world {
	struct random random;
	struct ring ring;
	struct put puts[CHANGES]; /* all that were put in */
	size_t len;
	size_t ring_bytes;
};

/* Sizes are mostly small, and now and then as large as the ring takes, and
 * larger. */
static size_t some_size(struct world *w)
{
	size_t most = random_below(&w->random, 40) == 0 ? BYTES_MAX : 60;

	return (size_t)random_below(&w->random, most);
}

static void put_one(struct world *w, uint64_t index)
{
	struct put *p = &w->puts[w->len++];
	struct output *o = &p->output;
	bool counter = random_below(&w->random, 3) == 0;

	*o = (struct output){ .kind = OUTPUT_CHANGED,
			      .change =
				      CHANGE_HELD + random_below(&w->random, 5),
			      .index = index,
			      .session = random_next(&w->random) >> 1,
			      .by = random_next(&w->random) >> 1,
			      .token = w->len,
			      .name = p->name,
			      .name_len = 1 + random_below(&w->random, 63),
			      .bytes = p->bytes,
			      .bytes_len = some_size(w) };
	memset(p->name, (int)w->len, o->name_len);
	memset(p->bytes, (int)w->len + 1, o->bytes_len);
	if (o->change < CHANGE_PUT)
		o->seq = random_below(&w->random, 3);
	if (o->change == CHANGE_FREED)
		o->status = -(int)random_below(&w->random, 200);
	if (o->change == CHANGE_PUT && counter) {
		o->seq = 1;
		o->number = random_below(&w->random, 100) - 50;
	}
	ring_put(&w->ring, o);
}

/* An entry: all of its changes have one index. */
static void put_some(struct world *w, uint64_t index)
{
	size_t most = random_below(&w->random, 50) == 0 ? 100 : 4;
	size_t n = 1 + (size_t)random_below(&w->random, most);

	while (n-- > 0 && w->len < CHANGES)
		put_one(w, index);
}

/* Asserting takes its time, and there are millions of these. */
static bool same(const struct hf_change *c, const struct put *p)
{
	const struct output *o = &p->output;
	bool value = o->change >= CHANGE_PUT;

	return (int)c->type == (int)o->change && c->index == o->index &&
	       (value ? c->version : c->token) == o->token &&
	       (value ? c->token : c->version) == 0 &&
	       c->owner.session == o->session && c->owner.node == o->by &&
	       (int)c->mode == (value ? 0 : (int)o->seq) &&
	       c->rc == o->status && c->counter == (value && o->seq) &&
	       (!c->counter || c->number == (int64_t)o->number) &&
	       c->name_len == o->name_len &&
	       memcmp(c->name, p->name, o->name_len) == 0 &&
	       c->bytes_len == o->bytes_len &&
	       memcmp(c->bytes, p->bytes, o->bytes_len) == 0;
}

/* The first put of an index above `after`. */
static size_t first_after(const struct world *w, uint64_t after)
{
	size_t i = w->len;

	while (i > 0 && w->puts[i - 1].output.index > after)
		i--;
	return i;
}

/* Read all that came after this index, as a watch does. */
static void resume(const struct world *w, uint64_t after)
{
	const struct ring *r = &w->ring;
	struct hf_change c;
	uint64_t at = 0;
	int rc = ring_next(r, &at, &c);
	bool gap = after < r->past;
	size_t i = first_after(w, gap ? r->past : after);

	ck_assert_int_eq(rc, HF_EGAP);
	at = r->tail;
	while ((rc = ring_next(r, &at, &c)) > 0) {
		if (!gap && c.index <= after)
			continue;
		if (i >= w->len || !same(&c, &w->puts[i++]))
			ck_abort_msg("change %zu differs", i);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(i, w->len);
}

/* Would the newest index that is gone have had room? Holes where the ring ends
 * are no longer than the longest change. */
static bool gone_for_nothing(const struct world *w, uint64_t past_before)
{
	size_t used = 0, longest = 0;

	for (size_t i = first_after(w, w->ring.past - 1); i < w->len; i++) {
		struct hf_change c;

		change_of(&c, &w->puts[i].output);
		used += change_size(&c);
		if (change_size(&c) > longest)
			longest = change_size(&c);
	}
	return w->ring.past > past_before && used + longest <= w->ring.size &&
	       longest <= w->ring.size / 2;
}

static void world_open(struct world *w, uint64_t seed, size_t ring_bytes)
{
	memset(w, 0, sizeof(*w));
	w->random.state = seed;
	ck_assert_int_eq(ring_open(&w->ring, NULL, ring_bytes), 0);
}

START_TEST(what_came_after_an_index_is_all_there_or_known_to_be_gone)
{
	struct world *w = malloc(sizeof(*w));

	for (uint64_t seed = 1; seed <= 20; seed++) {
		world_open(w, seed, (size_t)1024 << seed % 4);
		for (uint64_t index = 1; w->len < CHANGES; index++) {
			uint64_t past = w->ring.past;

			index += random_below(&w->random, 3);
			put_some(w, index);
			ck_assert(!gone_for_nothing(w, past));
			resume(w, w->ring.past);
			resume(w, random_below(&w->random, index + 5));
			if (w->ring.past)
				resume(w, w->ring.past - 1);
		}
		ring_free(&w->ring);
	}
	free(w);
}
END_TEST

/* One that reads now and then, as much as it likes. */
struct slow {
	uint64_t at;
	size_t next; /* of all that were put */
	size_t gaps;
};

static void read_some(struct world *w, struct slow *s, size_t n)
{
	struct hf_change c;
	int rc = 1;

	while (n-- > 0 && (rc = ring_next(&w->ring, &s->at, &c)) > 0)
		if (!same(&c, &w->puts[s->next++]))
			ck_abort_msg("change %zu differs", s->next);
	if (rc != HF_EGAP)
		return;
	/* Only what is gone is left out. */
	ck_assert_uint_le(w->puts[s->next].output.index, w->ring.past);
	s->at = w->ring.tail;
	s->next = first_after(w, w->ring.past);
	s->gaps++;
}

START_TEST(a_slow_reader_meets_a_gap_only_where_it_is_overtaken)
{
	struct world *w = malloc(sizeof(*w));
	size_t gaps = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct slow readers[READERS] = { { 8, 0, 0 } };

		world_open(w, seed, 4096);
		for (size_t i = 1; i < READERS; i++)
			readers[i] = readers[0];
		for (uint64_t index = 1; w->len < CHANGES; index++) {
			put_some(w, index);
			for (size_t i = 0; i < READERS; i++)
				read_some(w, &readers[i],
					  random_below(&w->random, i * 8 + 1));
			if (index % 5 == 0)
				read_some(w, &readers[0], CHANGES);
		}
		for (size_t i = 0; i < READERS; i++) {
			read_some(w, &readers[i], CHANGES);
			read_some(w, &readers[i], CHANGES);
			ck_assert_uint_eq(readers[i].next, w->len);
			gaps += readers[i].gaps;
		}
		ring_free(&w->ring);
	}
	ck_assert_uint_gt(gaps, 0);
	free(w);
}
END_TEST

START_TEST(a_change_that_is_too_large_makes_a_gap_and_no_harm)
{
	struct world *w = malloc(sizeof(*w));
	struct hf_change c;
	uint64_t at;

	world_open(w, 1, 1024);
	put_one(w, 1);
	at = w->ring.head;
	struct output large = w->puts[0].output;
	large.index = 2;
	large.bytes_len = 600;
	ring_put(&w->ring, &large);
	ck_assert_uint_eq(w->ring.past, 2);
	/* The rest of the same entry is a part of the gap. */
	large.bytes_len = 1;
	ring_put(&w->ring, &large);
	ck_assert_int_eq(ring_next(&w->ring, &at, &c), HF_EGAP);
	at = w->ring.tail;
	ck_assert_int_eq(ring_next(&w->ring, &at, &c), 0);
	large.index = 3;
	ring_put(&w->ring, &large);
	ck_assert_int_eq(ring_next(&w->ring, &at, &c), 1);
	ck_assert_uint_eq(c.index, 3);
	ring_free(&w->ring);
	free(w);
}
END_TEST

START_TEST(a_reader_that_had_read_all_meets_a_gap_when_the_past_is_replaced)
{
	struct world *w = malloc(sizeof(*w));
	struct hf_change c;
	uint64_t at = 8;

	world_open(w, 1, 0);
	ck_assert_uint_eq(w->ring.size, RING_BYTES);
	put_one(w, 1);
	ck_assert_int_eq(ring_next(&w->ring, &at, &c), 1);
	ck_assert_int_eq(ring_next(&w->ring, &at, &c), 0);
	ring_restart(&w->ring, 10);
	ck_assert_int_eq(ring_next(&w->ring, &at, &c), HF_EGAP);
	ck_assert_uint_eq(w->ring.past, 10);
	resume(w, 10);
	ring_free(&w->ring);
	free(w);
}
END_TEST

SUITE(what_came_after_an_index_is_all_there_or_known_to_be_gone,
      a_slow_reader_meets_a_gap_only_where_it_is_overtaken,
      a_change_that_is_too_large_makes_a_gap_and_no_harm,
      a_reader_that_had_read_all_meets_a_gap_when_the_past_is_replaced)
