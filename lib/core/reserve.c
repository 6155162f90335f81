/* Memory for a whole entry before its first change.
 *
 * The rule: for each operation the most that it could need, whatever the state
 * will be when its turn comes. What isn't used stays on the free lists, so that
 * in the long run an operation allocates nothing. */
#include "core/state.h"

#include <string.h>

struct need {
	size_t opens, acquires;
	size_t locks[POOLS - POOL_LOCK]; /* by length of name */
	uint64_t window;                 /* largest limit in the entry */
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

static int add_op(struct core *core, const struct op *op, struct need *need)
{
	switch (op->kind) {
	case OP_OPEN:
		need->opens++;
		return 0;
	case OP_ACQUIRE:
		need->acquires++;
		if (op->acquire.name_len <= LOCK_NAME_MAX)
			need->locks[core_lock_pool(op->acquire.name_len) -
				    POOL_LOCK]++;
		return reserve_slot(core, op, need);
	case OP_RELEASE:
	case OP_CANCEL:
		return reserve_slot(core, op, need);
	case OP_LIMITS:
		if (core_limits_valid(&op->limits) &&
		    op->limits.window > need->window)
			need->window = op->limits.window;
		return 0;
	case OP_RENEW:
	case OP_CLOSE:
		break;
	}
	return 0;
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

/* Room among the tokens is for all who wait, since a grant must not fail. */
static int reserve_acquires(struct core *core, const struct need *need)
{
	size_t n = need->acquires;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < POOLS - POOL_LOCK; i++) {
		if (core_pool_reserve(core, POOL_LOCK + i, need->locks[i]))
			return HF_ENOMEM;
	}
	if (core_pool_reserve(core, POOL_REQUEST, n) ||
	    map_reserve(&core->locks, n) || map_reserve(&core->requests, n) ||
	    map_reserve(&core->tokens, n + core->waits))
		return HF_ENOMEM;
	return 0;
}

int core_reserve(struct core *core, const struct entry *entry)
{
	struct need need = { .window = core->limits.window };

	for (size_t i = 0; i < entry->ops_len; i++) {
		if (add_op(core, &entry->ops[i], &need))
			return HF_ENOMEM;
	}
	if (reserve_opens(core, need.opens) || reserve_acquires(core, &need))
		return HF_ENOMEM;
	return 0;
}
