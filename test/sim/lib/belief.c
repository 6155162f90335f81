/* See belief.h. */
#include "sim/lib/belief.h"

void beliefs_begin(struct list *name, struct belief *b)
{
	list_push(name, &b->link);
	b->mode = b->record->mode;
	b->permits = b->record->permits;
	b->held = true;
}

void beliefs_end(struct belief *b)
{
	if (b->held)
		list_remove(&b->link);
	b->held = false;
}

static uint32_t units(const struct belief *b)
{
	return b->mode == HF_PERMITS ? b->permits : b->mode == HF_SHARED;
}

/* The limit may be lowered while permits are held: what counts is how many
 * there were when the last of them was granted. */
const struct belief *beliefs_conflict(const struct list *name,
				      const struct belief *b,
				      belief_certain certain, void *ctx)
{
	const struct belief *newest = b, *last = NULL;
	uint64_t used = units(b);

	list_for (it, name) {
		const struct belief *other =
			container_of(it, struct belief, link);
		if (other == b || !certain(ctx, other))
			continue;
		if (b->mode == HF_EXCLUSIVE || other->mode == HF_EXCLUSIVE)
			return other;
		used += units(other);
		last = other;
		if (other->record->token > newest->record->token)
			newest = other;
	}
	if (!newest->record->limit || used <= newest->record->limit)
		return NULL;
	return last;
}
