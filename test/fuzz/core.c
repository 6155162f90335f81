/* The state machine under any stream of entries: three cores and the naive
 * model do the same, whatever the cores' hash seeds. One core checks itself
 * after each entry, one is imaged at any moment and in any slices, and one
 * begins anew from these images. */
#include "core/core.h"
#include "fuzz/lib/asserts.h"
#include "fuzz/lib/crowd.h"
#include "fuzz/lib/state.h"
#include "fuzz/lib/target.h"
#include "lib/model.h"
#include "lib/samples.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 400  /* of one input */
#define SAMPLE_MAX 2000  /* choices, about ten for an operation */
#define ALL_AT_ONCE 5000 /* objects of an image */
#define TEXT_MAX 65536   /* bytes said of one entry */

static const struct mem plain_mem;

struct trial {
	struct crowd crowd;
	struct model model;
	struct core *checked, *imaged;
	struct core *restored;   /* NULL: no image yet */
	struct image_copy image; /* being taken, if `imaging` */
	bool imaging;
	uint64_t image_hash, image_index, index;
	/* What one core has said of the last entry, and what that points to. */
	struct output heard[MODEL_OUTPUTS];
	size_t heard_len;
	uint8_t text[TEXT_MAX];
	size_t text_len;
};

static const uint8_t *keep(struct trial *t, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = t->text + t->text_len;

	must(len <= TEXT_MAX - t->text_len);
	if (len > 0)
		memcpy(copy, bytes, len);
	t->text_len += len;
	return copy;
}

static void hear(void *ctx, const struct output *o)
{
	struct trial *t = ctx;
	struct output *copy = &t->heard[t->heard_len++];

	must(t->heard_len <= MODEL_OUTPUTS);
	*copy = *o;
	copy->name = keep(t, o->name, o->name_len);
	copy->bytes = keep(t, o->bytes, o->bytes_len);
}

/* Each core must say what the model has said. */
static void apply(struct trial *t, struct core *core, const struct entry *e)
{
	const struct output_sink sink = { hear, t };

	t->heard_len = t->text_len = 0;
	must(core_apply(core, t->index, e, &sink) == 0);
	must(core_index(core) == t->index && core_poisoned(core) == 0);
	must(!model_outputs_differ(&t->model, t->heard, t->heard_len));
	must(core_hash(core) == core_hash(t->checked));
}

static void step(struct trial *t, struct reader *c)
{
	struct entry e = crowd_entry(&t->crowd, c, false);

	t->index += 1 + choose_rarely(c, 16);
	model_apply(&t->model, t->index, &e);
	for (size_t i = 0; i < t->model.outputs_len; i++)
		crowd_hear(&t->crowd, &t->model.outputs[i]);
	apply(t, t->checked, &e);
	must(!model_differs(&t->model, t->checked));
	apply(t, t->imaged, &e);
	if (t->restored)
		apply(t, t->restored, &e);
}

static void image_end(struct trial *t)
{
	core_image_abort(t->imaged);
	t->imaging = false;
}

static void image_begin(struct trial *t)
{
	const struct image_sink sink = { image_copy_put, &t->image };

	image_end(t);
	image_copy_free(&t->image);
	must(core_image_begin(t->imaged, &sink) == 0);
	t->imaging = true;
	t->image_hash = core_hash(t->imaged);
	t->image_index = t->index;
}

/* An image is of the moment at which it was begun. */
static void image_done(struct trial *t)
{
	struct core *core = state_restore(&t->image, false);

	t->imaging = false;
	must(core && core_hash(core) == t->image_hash);
	must(core_index(core) == t->image_index);
	if (t->image_index != t->index) {
		core_destroy(core);
		return;
	}
	state_check_same(core, t->checked);
	core_destroy(t->restored);
	t->restored = core;
}

static void image_some(struct trial *t, struct reader *c)
{
	unsigned how = choose(c, 32);

	if (how == 1)
		image_end(t);
	if (how == 0 || (how == 2 && !t->imaging))
		image_begin(t);
	if (t->imaging &&
	    core_image_step(t->imaged, how == 2 ? ALL_AT_ONCE : how))
		image_done(t);
}

/* For one entry more; the model's arrays are small. */
static bool model_has_room(const struct model *m)
{
	for (size_t i = 0; i < m->sessions_len; i++)
		if (m->sessions[i].slots_len + CROWD_OPS > MODEL_SLOTS)
			return false;
	return m->sessions_len + CROWD_OPS <= MODEL_SESSIONS &&
	       m->values_len + CROWD_OPS <= MODEL_VALUES &&
	       m->requests_len + CROWD_OPS <= MODEL_REQUESTS;
}

static void end(struct trial *t)
{
	state_check_same(t->checked, t->imaged);
	if (t->restored)
		state_check_same(t->checked, t->restored);
	must(core_check(t->imaged) == 0);
	core_destroy(t->checked);
	core_destroy(t->imaged);
	core_destroy(t->restored);
	image_copy_free(&t->image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader c = reader_of(bytes, len);
	struct trial *t = calloc(1, sizeof(*t));

	must(t);
	model_init(&t->model);
	t->checked = core_create(&plain_mem, 1);
	t->imaged = core_create(&plain_mem, 1u << 20 | 7);
	must(t->checked && t->imaged);
	core_check_every(t->checked, 1);
	for (int i = 0;
	     i < ENTRIES_MAX && choices_left(&c) && model_has_room(&t->model);
	     i++) {
		step(t, &c);
		image_some(t, &c);
	}
	end(t);
	free(t);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	for (uint64_t n = 16 + random_below(r, SAMPLE_MAX); n > 0; n--)
		buf_put8(b, (uint8_t)random_next(r));
}
