/* Images that were tampered with, and have the hash of what they are: whatever
 * of them a restore takes is a state that all rules hold of, and that goes on.
 *
 * HOSTILE_STREAMS in the environment: how many streams, instead of those that
 * take a second or two; HOSTILE_FIRST: the seed of the first. */
#include "lib/machine.h"
#include "lib/mutate.h"
#include "lib/stream.h"
#include "lib/suite.h"

#include <stdlib.h>

enum { STREAMS = 200, IMAGES = 60, TAKEN_MAX = 8, ENTRIES_AFTER = 25 };

struct trial {
	struct stream stream;
	struct machine origin, taken[TAKEN_MAX];
	size_t taken_len;
	uint64_t seed;
	struct random random;
};

static void expect_alive(const struct trial *t, const struct machine *m, int rc)
{
	ck_assert_msg(rc == 0, "seed %ju index %ju: %s", (uintmax_t)t->seed,
		      (uintmax_t)m->index, core_error(m->core));
}

/* A stream of no few entries, so that there is something to tamper with. */
static void begin(struct trial *t, uint64_t seed)
{
	size_t len;

	t->seed = seed;
	t->random.state = seed * 77;
	t->taken_len = 0;
	machine_init(&t->origin, 1);
	stream_init(&t->stream, seed);
	len = 50 + random_below(&t->random, 150);
	for (size_t i = 0; i < len; i++) {
		stream_next(&t->stream);
		expect_alive(t, &t->origin,
			     machine_feed(&t->origin, t->stream.index,
					  &t->stream.entry));
	}
}

static void end(struct trial *t)
{
	for (size_t i = 0; i < t->taken_len; i++)
		machine_end(&t->taken[i]);
	machine_end(&t->origin);
}

/* true: it was taken. */
static bool try_image(struct trial *t)
{
	struct machine *m = &t->taken[t->taken_len];
	struct image_copy image = { .len = 0 };
	size_t changes = 1 + random_below(&t->random, 3);
	int rc;

	image_copy_take(&image, t->origin.core);
	for (size_t i = 0; i < changes; i++)
		mutate(&image, &t->random);
	image_copy_rehash(&image);
	machine_init(m, 9);
	rc = image_copy_restore(&image, m->core);
	image_copy_free(&image);
	if (rc == 0) {
		t->taken_len++;
		return true;
	}
	ck_assert_int_eq(rc, HF_ECORRUPT);
	machine_end(m);
	return false;
}

/* The stream goes on as if nothing had been tampered with. */
static void go_on(struct trial *t)
{
	for (size_t i = 0; i < ENTRIES_AFTER; i++) {
		struct entry entry = *stream_next(&t->stream);

		entry.hash_index = 0;
		for (size_t k = 0; k < t->taken_len; k++)
			expect_alive(t, &t->taken[k],
				     machine_feed(&t->taken[k], t->stream.index,
						  &entry));
	}
}

/* And at last everybody's time is up. */
static void let_all_expire(struct trial *t)
{
	for (size_t k = 0; k < t->taken_len; k++) {
		struct machine *m = &t->taken[k];

		for (size_t i = 0; i < 20; i++) {
			m->now = core_now(m->core) + 60 * SECOND;
			expect_alive(t, m, machine_apply(m, NULL, 0));
		}
	}
}

static uint64_t from_environment(const char *name, uint64_t other)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : other;
}

START_TEST(a_state_from_a_hostile_image_keeps_all_rules)
{
	struct trial *t = malloc(sizeof(*t));
	uint64_t first = from_environment("HOSTILE_FIRST", 1);
	uint64_t len = from_environment("HOSTILE_STREAMS", STREAMS);
	size_t taken = 0, refused = 0;

	ck_assert_ptr_nonnull(t);
	for (uint64_t seed = first; seed < first + len; seed++) {
		begin(t, seed);
		for (size_t i = 0; i < IMAGES && t->taken_len < TAKEN_MAX; i++)
			refused += !try_image(t);
		taken += t->taken_len;
		go_on(t);
		let_all_expire(t);
		end(t);
	}
	free(t);
	ck_assert_uint_ge(taken, len);
	ck_assert_uint_ge(refused, len);
}
END_TEST

SUITE(a_state_from_a_hostile_image_keeps_all_rules)
