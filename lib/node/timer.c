#include "node/internal.h"

void timer_set(struct node *n, struct timer *t, uint64_t at,
	       void (*fire)(struct node *n, struct timer *t))
{
	heap_remove(&n->timers, &t->node);
	t->fire = fire;
	if (at != UINT64_MAX)
		heap_push(&n->timers, &t->node, at, ++n->timer_serial);
}

void timer_stop(struct node *n, struct timer *t)
{
	heap_remove(&n->timers, &t->node);
}

/* A timer that is set again while it fires waits for the next turn, unless it
 * is due already: that can't go on for ever, as `now` stands still. */
void timers_run(struct node *n)
{
	uint64_t serial = n->timer_serial;
	struct heap_node *first;

	while ((first = heap_first(&n->timers)) &&
	       first->key <= n->now.monotonic && first->tie <= serial) {
		struct timer *t = container_of(first, struct timer, node);

		heap_remove(&n->timers, first);
		t->fire(n, t);
	}
}

uint64_t timers_next(const struct node *n)
{
	const struct heap_node *first = heap_first(&n->timers);

	return first ? first->key : UINT64_MAX;
}

uint64_t jitter(struct node *n, uint64_t us)
{
	return us - us / 4 + env_random64(n->env) % (us / 2 + 1);
}
