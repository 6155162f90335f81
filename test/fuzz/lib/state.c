/* See state.h. */
#include "fuzz/lib/state.h"

#include "codec/image.h"
#include "codec/record.h"
#include "fuzz/lib/crowd.h"
#include "fuzz/lib/target.h"

#include <stdlib.h>

#define CHOICES 512 /* bytes that a random life is made of */

static const struct mem plain_mem;

static void hear(void *ctx, const struct output *o)
{
	crowd_hear(ctx, o);
}

/* Let a crowd that knows what there is go on for so many random bytes. */
static void live(struct core *core, struct crowd *crowd, struct random *r,
		 size_t len, bool sound)
{
	const struct output_sink sink = { hear, crowd };
	uint64_t index = core_index(core);
	uint8_t choices[CHOICES];

	must(len <= CHOICES);
	for (size_t i = 0; i < len; i++)
		choices[i] = (uint8_t)random_next(r);
	struct reader c = reader_of(choices, len);
	while (choices_left(&c) && index < UINT64_MAX) {
		struct entry e = crowd_entry(crowd, &c, sound);

		must(core_apply(core, ++index, &e, &sink) == 0);
	}
}

static void give(struct random *r, const struct image_sink *sink)
{
	struct core *core = core_create(&plain_mem, 1);
	struct crowd crowd = { 0 };

	must(core);
	live(core, &crowd, r, 1 + random_below(r, CHOICES), true);
	must(core_image_begin(core, sink) == 0);
	while (!core_image_step(core, 100))
		;
	core_destroy(core);
}

static void put_record(void *ctx, const struct record *r)
{
	record_encode(ctx, r);
}

static void put_image(void *ctx, const struct record *r)
{
	image_put(ctx, r);
}

void state_sample_records(struct buf *b, struct random *r)
{
	const struct image_sink sink = { put_record, b };

	give(r, &sink);
}

void state_sample_image(struct buf *b, struct random *r)
{
	struct image_writer w = { 0 };
	const struct image_sink sink = { put_image, &w };

	give(r, &sink);
	must(image_finish(&w) == 0);
	for (size_t i = 0; i < w.pieces_len; i++)
		buf_put(b, w.pieces[i].base, w.pieces[i].len);
	image_writer_free(&w);
}

void state_decode(struct image_copy *to, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct record_room room = { 0 };
	struct record record;

	while (reader_left(&r) > 0 && record_decode(&r, &room, &record) == 0)
		image_copy_put(to, &record);
	record_room_free(&room);
}

static struct core *try_restore(const struct image_copy *a, uint64_t *hash)
{
	struct core *core = core_create(&plain_mem, 99);

	must(core);
	core_check_every(core, 1);
	int rc = image_copy_restore(a, core);
	must(rc == core_poisoned(core));
	if (rc == 0)
		return core;
	must(rc == HF_ECORRUPT);
	*hash = core_hash(core);
	core_destroy(core);
	return NULL;
}

struct core *state_restore(struct image_copy *a, bool mend)
{
	uint64_t hash = 0;
	struct core *core = try_restore(a, &hash);

	if (core || !mend || a->len == 0 || a->records[0].kind != RECORD_STATE)
		return core;
	a->records[0].state.hash = hash;
	return try_restore(a, &hash);
}

static void show(const struct core *core, struct image_copy *all)
{
	*all = (struct image_copy){ 0 };
	must(core_visit_all(core, image_copy_visit, all) == 0);
}

void state_check_same(const struct core *a, const struct core *b)
{
	struct image_copy of_a, of_b;

	must(core_hash(a) == core_hash(b));
	must(core_now(a) == core_now(b) && core_index(a) == core_index(b));
	must(core_deadline(a) == core_deadline(b));
	show(a, &of_a);
	show(b, &of_b);
	must(image_copy_same(&of_a, &of_b));
	image_copy_free(&of_a);
	image_copy_free(&of_b);
}

static bool contains(const struct image_copy *a, struct record *r)
{
	const struct image_copy one = { r, 1, 1 };

	for (size_t i = 0; i < a->len; i++) {
		const struct image_copy other = { &a->records[i], 1, 1 };

		if (image_copy_same(&one, &other))
			return true;
	}
	return false;
}

/* In whatever order: none is lost, none is added. */
static void check_records(const struct core *core, const struct image_copy *a)
{
	struct image_copy all;

	show(core, &all);
	must(all.len == a->len);
	for (size_t i = 0; i < all.len; i++)
		must(contains(a, &all.records[i]));
	image_copy_free(&all);
}

static void check_image(struct core *core)
{
	struct image_copy image = { 0 };

	image_copy_take(&image, core);
	struct core *again = state_restore(&image, false);
	must(again);
	state_check_same(core, again);
	core_destroy(again);
	image_copy_free(&image);
}

static bool meet(void *ctx, const struct record *r)
{
	crowd_meet(ctx, r->session.id, r->session.node,
		   r->session.low + r->session.slots_len);
	return true;
}

void state_check_sound(struct core *core, const struct image_copy *a,
		       uint64_t seed)
{
	struct crowd crowd = { .now = core_now(core),
			       .term = 1,
			       .opens = core_hash(core) % 64 };
	struct random random = { seed };

	check_records(core, a);
	check_image(core);
	core_visit_sessions(core, meet, &crowd);
	live(core, &crowd, &random, CHOICES, false);
}
