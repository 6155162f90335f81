/* Making, changing and removing objects of all kinds.
 *
 * The rule: core_touch before any change. It keeps the image and the hash
 * right, and a removed object in memory until the end of the apply, so that the
 * touched list never holds a dangling one. */
#include "core/state.h"

void core_touch(struct core *core, struct object *object)
{
	core_image_give(core, object);
	if (object->touched)
		return;
	object->touched = true;
	object->next = core->touched;
	core->touched = object;
}

void core_add(struct core *core, struct object *object)
{
	object->epoch = core->epoch;
	list_push(&core->all[object->kind], &object->all);
	core->len[object->kind]++;
	core_touch(core, object);
}

void core_remove(struct core *core, struct object *object)
{
	core_touch(core, object);
	core_image_pass(core, object);
	heap_remove(&core->deadlines, &object->timer);
	list_remove(&object->all);
	core->len[object->kind]--;
	object->dead = true;
}

/* A deadline of 0 is none. */
void core_set_timer(struct core *core, struct object *object, uint64_t deadline,
		    uint64_t tie)
{
	heap_remove(&core->deadlines, &object->timer);
	if (deadline > 0)
		heap_push(&core->deadlines, &object->timer, deadline, tie);
}

/* Returns the living ones, whose digests are then those of their records. */
static struct object *rehash(struct core *core)
{
	struct object *living = NULL;
	struct object *next;

	for (struct object *o = core->touched; o; o = next) {
		next = o->next;
		core->sum -= o->digest;
		if (o->dead) {
			core_free(core, o);
			continue;
		}
		o->digest = core_digest(o);
		core->sum += o->digest;
		o->next = living;
		living = o;
	}
	core->touched = NULL;
	core->hash = core->sum + core_state_digest(core);
	return living;
}

void core_finish(struct core *core)
{
	int rc = 0;
	struct object *next;

	for (struct object *o = rehash(core); o; o = next) {
		next = o->next;
		o->next = NULL;
		o->touched = false;
		if (core->check_every > 0 && rc == 0)
			rc = core_check_object(core, o);
	}
	if (core->check_every == 0)
		return;
	core->applies++;
	if (rc == 0 && core->applies % core->check_every == 0)
		rc = core_check(core);
	if (rc)
		core_fail(core, rc, NULL, 0, 0);
}

void core_free(struct core *core, struct object *object)
{
	if (object->kind == RECORD_SESSION)
		mem_free(core->mem, as_session(object)->window.ring);
	if (object->kind == RECORD_VALUE)
		core_blob_free(core, as_value(object)->blob);
	if (object->kind == RECORD_REQUEST && as_request(object)->extra) {
		struct extra *extra = as_request(object)->extra;

		core_blob_free(core, extra->shown);
		core_blob_free(core, extra->reason);
		core_pool_give(core, POOL_EXTRA, extra);
	}
	core_pool_give(core, core_pool_of(object), object);
}
