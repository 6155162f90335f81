/* An image of the state as of one index, taken in slices.
 *
 * The rule: each object that was there at the beginning is given once, as it
 * was then: by the walk, or by core_touch before it changes. */
#include "core/state.h"

#include <assert.h>

void core_image_give(struct core *core, struct object *object)
{
	struct record r;

	if (!core->image.sink.put || object->epoch == core->epoch)
		return;
	object->epoch = core->epoch;
	core->image.left--;
	core_record(core, object, &r, true);
	core->image.sink.put(core->image.sink.ctx, &r);
}

void core_image_pass(struct core *core, struct object *object)
{
	if (core->image.at == &object->all)
		core->image.at = object->all.next;
}

int core_image_begin(struct core *core, const struct image_sink *sink)
{
	struct record r;

	assert(!core->restoring && sink->put);
	if (core->poison)
		return core->poison;
	if (core->image.sink.put)
		return HF_EBUSY;
	core->epoch++;
	core->image.sink = *sink;
	core->image.left = 0;
	for (size_t kind = 0; kind < KINDS; kind++)
		core->image.left += core->len[kind];
	core->image.kind = RECORD_PEER;
	core->image.at = core->all[RECORD_PEER].next;
	core_record_state(core, &r);
	sink->put(sink->ctx, &r);
	return 0;
}

/* The old ones are before the new ones in each list, so that the walk meets all
 * that are left before it comes to the end of the last list. */
static void walk(struct core *core)
{
	struct image *image = &core->image;

	if (image->at == &core->all[image->kind]) {
		image->kind++;
		assert(image->kind < KINDS);
		image->at = core->all[image->kind].next;
		return;
	}
	image->at = image->at->next;
	core_image_give(core, object_of(image->at->prev));
}

bool core_image_step(struct core *core, size_t objects)
{
	if (!core->image.sink.put)
		return false;
	for (; objects > 0 && core->image.left > 0; objects--)
		walk(core);
	if (core->image.left > 0)
		return false;
	core_image_abort(core);
	return true;
}

void core_image_abort(struct core *core)
{
	core->image = (struct image){ .left = 0 };
}
