/* Timers of a node, on its monotonic clock. */
#ifndef HF_NODE_TIMER_H
#define HF_NODE_TIMER_H

#include "base/heap.h"

struct node;

struct timer { /* all zero: not set */
	struct heap_node node;
	void (*fire)(struct node *n, struct timer *t);
};

/* Replaces the time it was set to before; UINT64_MAX: never. */
void timer_set(struct node *n, struct timer *t, uint64_t at,
	       void (*fire)(struct node *n, struct timer *t));
void timer_stop(struct node *n, struct timer *t);
void timers_run(struct node *n);
uint64_t timers_next(const struct node *n);
/* `us`, a quarter more or less. */
uint64_t jitter(struct node *n, uint64_t us);

static inline uint64_t later(uint64_t at, uint64_t us)
{
	return us > UINT64_MAX - at ? UINT64_MAX : at + us;
}
static inline void sooner(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

#endif
