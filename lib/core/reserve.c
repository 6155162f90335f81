/* Memory for a whole entry before its first change.
 *
 * The rule: for each operation the most that it could need, whatever the state
 * will be when its turn comes. What isn't used stays on the free lists, so that
 * in the long run an operation allocates nothing. */
#include "core/state.h"

#include <string.h>

struct need {
	size_t opens, requests, parts, extras, owners, lines, values;
	size_t by_parts[PART_POOLS];
	size_t lock_names[NAME_POOLS], value_names[NAME_POOLS];
	uint64_t window; /* largest limit in the entry */
};

/* Only sequence numbers of sessions that exist now can get a slot. */
static int reserve_slot(struct core *core, const struct op *op,
			const struct need *need)
{
	struct session *session = core_session_of(core, op);

	if (!session)
		return 0;
	return core_window_reserve(core, &session->window, op->seq,
				   need->window);
}

static void add_name(size_t *pools, size_t name_len)
{
	if (name_len <= LOCK_NAME_MAX)
		pools[core_pool_of_name(name_len)]++;
}

static void add_request(struct need *need, size_t parts_len)
{
	need->requests++;
	need->by_parts[core_pool_of_parts(parts_len) - POOL_REQUEST]++;
}

static void add_acquire(const struct op *op, struct need *need)
{
	size_t parts_len = 1 + op->acquire.more_len;

	if (parts_len > PARTS_MAX)
		return;
	add_request(need, parts_len);
	need->parts += parts_len;
	need->lines += parts_len;
	need->owners += op->acquire.owner > 0 || op->acquire.from > 0;
	/* Both a conversion and what it converts. */
	if (op->acquire.from > 0)
		need->extras += 2;
	else if (op->acquire.hold > 0 || op->acquire.lease > 0 ||
		 op->acquire.shown_len > 0)
		need->extras++;
	for (size_t i = 0; i < parts_len; i++)
		add_name(need->lock_names, core_op_part(op, i).name_len);
}

static void add_value(struct need *need, size_t name_len)
{
	need->values++;
	add_name(need->value_names, name_len);
}

static void add_op(const struct op *op, struct need *need)
{
	switch (op->kind) {
	case OP_OPEN:
		need->opens++;
		break;
	case OP_ACQUIRE:
		add_acquire(op, need);
		break;
	case OP_LIMITS:
		if (core_limits_valid(&op->limits) &&
		    op->limits.window > need->window)
			need->window = op->limits.window;
		break;
	case OP_REVOKE:
	case OP_ANNOUNCE:
		need->extras++;
		break;
	case OP_PERMITS:
		need->parts++;
		add_name(need->lock_names, op->permits.name_len);
		break;
	case OP_PUT:
	case OP_ADD:
		add_value(need, op->value.name_len);
		break;
	case OP_AWAIT:
		add_value(need, op->await.name_len);
		add_request(need, 0);
		need->extras++;
		break;
	case OP_DELETE:
	case OP_RENEW:
	case OP_CLOSE:
	case OP_RELEASE:
	case OP_CANCEL:
	case OP_EXTEND:
	case OP_NOTED:
		break;
	}
}

static int reserve_op(struct core *core, const struct op *op, struct need *need)
{
	size_t len;
	const uint8_t *bytes = core_op_bytes(op, &len);

	add_op(op, need);
	if (len > 0 && core_blob_reserve(core, bytes, len))
		return HF_ENOMEM;
	if (!op_sequenced(op->kind) && op->kind != OP_CANCEL)
		return 0;
	return reserve_slot(core, op, need);
}

static int reserve_opens(struct core *core, size_t n)
{
	if (n == 0)
		return 0;
	if (core_pool_reserve(core, POOL_PEER, n) ||
	    core_pool_reserve(core, POOL_SESSION, n) ||
	    map_reserve(&core->peers, n) || map_reserve(&core->sessions, n))
		return HF_ENOMEM;
	return 0;
}

static int reserve_names(struct core *core, const struct need *need)
{
	for (size_t i = 0; i < NAME_POOLS; i++) {
		if (core_pool_reserve(core, POOL_LOCK + i,
				      need->lock_names[i]) ||
		    core_pool_reserve(core, POOL_VALUE + i,
				      need->value_names[i]))
			return HF_ENOMEM;
	}
	return map_reserve(&core->locks, need->parts) ||
			       map_reserve(&core->values_by, need->values)
		       ? HF_ENOMEM
		       : 0;
}

/* Room among the tokens is for all who wait, since a grant must not fail. */
static int reserve_requests(struct core *core, const struct need *need)
{
	for (size_t i = 0; i < PART_POOLS; i++) {
		if (core_pool_reserve(core, POOL_REQUEST + i,
				      need->by_parts[i]))
			return HF_ENOMEM;
	}
	if (core_pool_reserve(core, POOL_LINE, need->lines) ||
	    core_pool_reserve(core, POOL_OWNER, need->owners) ||
	    core_pool_reserve(core, POOL_EXTRA, need->extras) ||
	    map_reserve(&core->requests, need->requests) ||
	    map_reserve(&core->owners, need->owners) ||
	    map_reserve(&core->tokens, need->parts + core->waiting_parts))
		return HF_ENOMEM;
	return 0;
}

int core_reserve(struct core *core, const struct entry *entry)
{
	struct need need = { .window = core->limits.window };

	for (size_t i = 0; i < entry->ops_len; i++) {
		if (reserve_op(core, &entry->ops[i], &need))
			return HF_ENOMEM;
	}
	if (reserve_opens(core, need.opens))
		return HF_ENOMEM;
	if (need.requests + need.parts + need.values + need.extras == 0)
		return 0;
	return reserve_names(core, &need) || reserve_requests(core, &need)
		       ? HF_ENOMEM
		       : 0;
}
