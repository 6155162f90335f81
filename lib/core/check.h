/* What the files of the checker share. */
#ifndef HF_CORE_CHECK_H
#define HF_CORE_CHECK_H

#include "core/state.h"

/* A claim about an object, named by its id. */
#define CLAIM(condition, text, id)                                 \
	do {                                                       \
		if (!(condition))                                  \
			return core_complain(core, text, (id), 0); \
	} while (0)

static inline bool timer_is(const struct object *object, uint64_t deadline,
			    uint64_t tie)
{
	const struct heap_node *n = &object->timer;

	if (deadline == 0)
		return !n->queued;
	return n->queued && n->key == deadline && n->tie == tie;
}

int check_lock(struct core *core, const struct lock *lock);

#endif
