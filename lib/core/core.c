/* Life cycle of the state machine, and the application of an entry.
 *
 * The rule: everything that may be refused, because it can't be or because
 * memory is short, is refused before the first change. After that nothing
 * fails. */
#include "core/state.h"

#include <assert.h>
#include <string.h>

/* An insertion into a map must never be the first without a reserve. */
static bool maps_init(struct core *core, uint64_t seed)
{
	struct map *const maps[] = { &core->peers,    &core->sessions,
				     &core->locks,    &core->requests,
				     &core->tokens,   &core->owners,
				     &core->values_by };
	bool done = true;

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		map_init(maps[i], core->mem, seed + i);
		done = done && map_reserve(maps[i], 1) == 0;
	}
	return done;
}

struct core *core_create(const struct mem *mem, uint64_t seed)
{
	struct core *core = mem_zalloc(mem, sizeof(*core));

	if (!core)
		return NULL;
	core->mem = mem;
	for (size_t kind = 0; kind < KINDS; kind++)
		list_init(&core->all[kind]);
	list_init(&core->all_owners);
	core_pools_init(core);
	core->scratch_parts =
		mem_zalloc(mem, PARTS_MAX * sizeof(*core->scratch_parts));
	core->marked_end = &core->marked;
	core_limits_first(&core->limits);
	core->hash = core_state_digest(core);
	if (!maps_init(core, seed) || !core->scratch_parts) {
		core_destroy(core);
		return NULL;
	}
	return core;
}

/* Owners and lines are nobody's but the requests' and the locks'. */
static void free_derived(struct core *core)
{
	list_for (it, &core->all[RECORD_LOCK])
		core_pool_give(core, POOL_LINE, as_lock(object_of(it))->line);
	list_for_safe (it, &core->all_owners)
		core_pool_give(core, POOL_OWNER,
			       container_of(it, struct owner, all));
}

static void free_objects(struct core *core)
{
	free_derived(core);
	for (size_t kind = 0; kind < KINDS; kind++) {
		list_for_safe (it, &core->all[kind])
			core_free(core, object_of(it));
	}
	core_pools_free(core);
}

void core_destroy(struct core *core)
{
	if (!core)
		return;
	free_objects(core);
	map_free(&core->peers);
	map_free(&core->sessions);
	map_free(&core->locks);
	map_free(&core->requests);
	map_free(&core->tokens);
	map_free(&core->owners);
	map_free(&core->values_by);
	mem_free(core->mem, core->scratch);
	mem_free(core->mem, core->scratch_parts);
	mem_free(core->mem, core);
}

/* Put a number at `at`, before `end`; where it ended. */
static char *put_number(char *at, const char *end, uint64_t n)
{
	char digits[20];
	size_t len = 0;

	do {
		digits[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	while (len > 0 && at < end)
		*at++ = digits[--len];
	return at;
}

int core_complain(struct core *core, const char *text, uint64_t a, uint64_t b)
{
	char *at = core->error;
	const char *end = core->error + ERROR_TEXT - 1;

	for (; *text && at < end; text++) {
		if (*text != '%') {
			*at++ = *text;
			continue;
		}
		at = put_number(at, end, a);
		a = b;
	}
	*at = '\0';
	return HF_ECORRUPT;
}

int core_fail(struct core *core, int rc, const char *text, uint64_t a,
	      uint64_t b)
{
	if (text)
		core_complain(core, text, a, b);
	core->poison = rc;
	core_image_abort(core);
	return rc;
}

void core_emit(struct core *core, struct output *output)
{
	output->index = core->index;
	if (core->sink && core->sink->emit)
		core->sink->emit(core->sink->ctx, output);
}

void core_answer(struct core *core, const struct op *op, int status)
{
	core_emit(core, &(struct output){ .kind = OUTPUT_ANSWER,
					  .op = op->kind,
					  .status = status,
					  .node = op->node,
					  .session = op->session,
					  .seq = op->seq,
					  .stamp = core->now });
}

/* What no member that works as it should could have proposed. */
static int refuse_entry(struct core *core, uint64_t index,
			const struct entry *entry)
{
	if (index <= core->index)
		return core_fail(core, HF_ECORRUPT,
				 "entry % comes after entry %", index,
				 core->index);
	if (entry->version != SEMANTICS_VERSION)
		return core_fail(core, HF_ECORRUPT,
				 "entry % has semantics %, unknown here", index,
				 entry->version);
	if (entry->hash_index > 0 && entry->hash_index == core->index &&
	    entry->hash != core->hash)
		return core_fail(core, HF_ECORRUPT,
				 "the state at index % differs from that of "
				 "member %",
				 core->index, entry->proposer);
	for (size_t i = 0; i < entry->ops_len; i++) {
		enum op_kind kind = entry->ops[i].kind;

		if (kind < OP_OPEN || kind > OP_ANNOUNCE)
			return core_fail(core, HF_ECORRUPT,
					 "entry % has an operation of kind %",
					 index, (uint64_t)kind);
	}
	return 0;
}

static void apply_op(struct core *core, const struct op *op)
{
	switch (op->kind) {
	case OP_OPEN:
		core_open(core, op);
		break;
	case OP_RENEW:
		core_renew(core, op);
		break;
	case OP_CLOSE:
		core_close(core, op);
		break;
	case OP_CANCEL:
		core_cancel(core, op);
		break;
	case OP_LIMITS:
		core_limits_change(core, op);
		break;
	case OP_EXTEND:
		core_extend(core, op);
		break;
	case OP_NOTED:
		core_noted(core, op);
		break;
	case OP_ACQUIRE:
	case OP_RELEASE:
	case OP_REVOKE:
	case OP_PERMITS:
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
	case OP_AWAIT:
	case OP_ANNOUNCE:
		core_sequenced(core, op);
		break;
	}
	core_settle(core);
}

int core_apply(struct core *core, uint64_t index, const struct entry *entry,
	       const struct output_sink *sink)
{
	assert(!core->restoring);
	if (core->poison)
		return core->poison;
	if (refuse_entry(core, index, entry))
		return core->poison;
	core->known = core->counter;
	if (core_reserve(core, entry))
		return core_fail(core, HF_ENOMEM,
				 "out of memory before entry %", index, 0);
	core->index = index;
	core->sink = sink;
	core_step(core, entry);
	core_expire_due(core);
	for (size_t i = 0; i < entry->ops_len; i++) {
		core_blob_begin(core, &entry->ops[i]);
		apply_op(core, &entry->ops[i]);
		core_blob_end(core);
	}
	core->sink = NULL;
	core_finish(core);
	return core->poison;
}

int core_poisoned(const struct core *core)
{
	return core->poison;
}

const char *core_error(const struct core *core)
{
	return core->error;
}
