/* See belief.h. */
#include "sim/lib/belief.h"

void belief_begin(struct list *name, struct belief *b)
{
	list_push(name, &b->link);
	b->held = true;
}

void belief_end(struct belief *b)
{
	if (b->held)
		list_remove(&b->link);
	b->held = false;
}

const struct belief *belief_conflict(const struct list *name,
				     const struct belief *b,
				     belief_certain certain, void *ctx)
{
	uint64_t used = b->record->permits;

	list_for (it, name) {
		const struct belief *other =
			container_of(it, struct belief, link);
		if (other == b || !certain(ctx, other))
			continue;
		used += other->record->permits;
		if (modes_conflict(b->record, other->record) ||
		    (b->record->mode == HF_PERMITS && used > b->record->limit))
			return other;
	}
	return NULL;
}
