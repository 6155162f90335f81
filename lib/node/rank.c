/* Ranks: an owner takes locks that have one in rising order, so that it can't
 * be part of a deadlock. Refused here, before anything is asked of the cluster:
 * owners are those of this node's session.
 *
 * What is held or asked for counts; not what is given back, lost or given up.
 * An acquisition that is an owner by itself has nothing else. */
#include "node/internal.h"

static uint64_t hash_of(const struct node *n, uint64_t owner)
{
	return map_hash64(&n->ranked, owner);
}

int rank_judge(const struct node *n, const struct acquire_options *o)
{
	uint64_t hash;

	if (o->rank == 0 || o->owner == 0 || n->ranked.len == 0)
		return 0;
	hash = hash_of(n, o->owner);
	for (struct map_node *m = map_first(&n->ranked, hash); m;
	     m = map_next(m, hash)) {
		const struct claim *c = container_of(m, struct claim, by_owner);

		if (c->options.owner == o->owner && c->options.rank >= o->rank)
			return HF_ERANK;
	}
	return 0;
}

int rank_enter(struct claim *c)
{
	struct node *n = c->owner;

	if (c->options.rank == 0 || c->options.owner == 0)
		return 0;
	if (map_reserve(&n->ranked, 1))
		return HF_ENOMEM;
	map_insert(&n->ranked, &c->by_owner, hash_of(n, c->options.owner));
	c->ranked = true;
	return 0;
}

void rank_leave(struct claim *c)
{
	if (c->ranked)
		map_remove(&c->owner->ranked, &c->by_owner);
	c->ranked = false;
}
