/* Memory that was put by: objects of some sizes on free lists, and bytes for
 * the operations of one entry.
 *
 * The rule: core_reserve puts by, before the first change, what an entry could
 * need; taking it never fails. What isn't used stays for the next entry, but
 * for bytes. */
#include "core/state.h"

#include <assert.h>
#include <string.h>

#define NAME_LEAST 16

void core_pools_init(struct core *core)
{
	struct pool *pools = core->pools;

	pools[POOL_PEER].size = sizeof(struct peer);
	pools[POOL_SESSION].size = sizeof(struct session);
	pools[POOL_OWNER].size = sizeof(struct owner);
	pools[POOL_LINE].size = sizeof(struct line);
	pools[POOL_EXTRA].size = sizeof(struct extra);
	for (size_t i = 0; i < PART_POOLS; i++)
		pools[POOL_REQUEST + i].size =
			sizeof(struct request) +
			((size_t)1 << i) * sizeof(struct part);
	for (size_t i = 0; i < NAME_POOLS; i++) {
		size_t room = (size_t)NAME_LEAST << i;

		pools[POOL_LOCK + i].size = sizeof(struct lock) + room;
		pools[POOL_VALUE + i].size = sizeof(struct value) + room;
	}
	core->blobs_end = &core->blobs;
}

static void *pop(struct pool *pool)
{
	void *item = pool->free;

	memcpy(&pool->free, item, sizeof(pool->free));
	pool->len--;
	return item;
}

static void push(struct pool *pool, void *item)
{
	memcpy(item, &pool->free, sizeof(pool->free));
	pool->free = item;
	pool->len++;
}

void core_pools_free(struct core *core)
{
	for (size_t i = 0; i < POOLS; i++) {
		while (core->pools[i].len > 0)
			mem_free(core->mem, pop(&core->pools[i]));
	}
	while (core->blobs) {
		struct blob *blob = core->blobs;

		core->blobs = blob->next;
		mem_free(core->mem, blob);
	}
}

int core_pool_reserve(struct core *core, size_t index, size_t len)
{
	struct pool *pool = &core->pools[index];

	while (pool->len < len) {
		void *item = mem_alloc(core->mem, pool->size);

		if (!item)
			return HF_ENOMEM;
		push(pool, item);
	}
	return 0;
}

void *core_pool_take(struct core *core, size_t index)
{
	struct pool *pool = &core->pools[index];

	assert(pool->len > 0);
	return memset(pop(pool), 0, pool->size);
}

void core_pool_give(struct core *core, size_t index, void *item)
{
	struct pool *pool = &core->pools[index];

	if (!item)
		return;
	if (pool->len < POOL_FREE_MAX)
		push(pool, item);
	else
		mem_free(core->mem, item);
}

struct object *core_take(struct core *core, size_t pool, enum record_kind kind)
{
	struct object *object = core_pool_take(core, pool);

	object->kind = (uint8_t)kind;
	return object;
}

size_t core_pool_of_name(size_t name_len)
{
	size_t pool = 0;

	for (size_t room = NAME_LEAST; room < name_len; room *= 2)
		pool++;
	assert(pool < NAME_POOLS);
	return pool;
}

size_t core_pool_of_parts(size_t parts_len)
{
	size_t pool = 0; /* also for no part at all */

	while (((size_t)1 << pool) < parts_len)
		pool++;
	assert(pool < PART_POOLS);
	return POOL_REQUEST + pool;
}

size_t core_pool_of(const struct object *object)
{
	const void *o = object;

	switch ((enum record_kind)object->kind) {
	case RECORD_PEER:
		return POOL_PEER;
	case RECORD_SESSION:
		return POOL_SESSION;
	case RECORD_REQUEST:
		return core_pool_of_parts(
			((const struct request *)o)->parts_len);
	case RECORD_VALUE:
		return POOL_VALUE +
		       core_pool_of_name(((const struct value *)o)->name_len);
	case RECORD_LOCK:
	case RECORD_STATE:
		break;
	}
	assert(object->kind == RECORD_LOCK);
	return POOL_LOCK +
	       core_pool_of_name(((const struct lock *)o)->name_len);
}

struct blob *core_blob_new(struct core *core, const uint8_t *bytes, size_t len)
{
	struct blob *blob = mem_alloc(core->mem, sizeof(*blob) + len);

	if (!blob)
		return NULL;
	blob->next = NULL;
	blob->len = len;
	memcpy(blob->bytes, bytes, len);
	return blob;
}

int core_blob_reserve(struct core *core, const uint8_t *bytes, size_t len)
{
	struct blob *blob = core_blob_new(core, bytes, len);

	if (!blob)
		return HF_ENOMEM;
	*core->blobs_end = blob;
	core->blobs_end = &blob->next;
	return 0;
}

void core_blob_free(struct core *core, struct blob *blob)
{
	mem_free(core->mem, blob);
}

/* Bytes of an operation that may become an object's. */
const uint8_t *core_op_bytes(const struct op *op, size_t *len)
{
	switch (op->kind) {
	case OP_ACQUIRE:
		*len = op->acquire.shown_len;
		return op->acquire.shown;
	case OP_ANNOUNCE:
		*len = op->announce.shown_len;
		return op->announce.shown;
	case OP_REVOKE:
		*len = op->revoke.reason_len;
		return op->revoke.reason;
	case OP_PUT:
		*len = op->value.bytes_len;
		return op->value.bytes;
	case OP_OPEN:
	case OP_RENEW:
	case OP_CLOSE:
	case OP_RELEASE:
	case OP_CANCEL:
	case OP_LIMITS:
	case OP_EXTEND:
	case OP_NOTED:
	case OP_PERMITS:
	case OP_DELETE:
	case OP_ADD:
	case OP_AWAIT:
		break;
	}
	*len = 0;
	return NULL;
}

/* As core_reserve has it: one for each operation that has bytes. */
void core_blob_begin(struct core *core, const struct op *op)
{
	size_t len;

	core_op_bytes(op, &len);
	core->blob = NULL;
	if (len == 0)
		return;
	core->blob = core->blobs;
	core->blobs = core->blob->next;
	core->blob->next = NULL;
	if (!core->blobs)
		core->blobs_end = &core->blobs;
}

struct blob *core_blob_take(struct core *core)
{
	struct blob *blob = core->blob;

	core->blob = NULL;
	return blob;
}

void core_blob_end(struct core *core)
{
	core_blob_free(core, core_blob_take(core));
}
