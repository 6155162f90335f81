/* The leader's reading of cluster time: clock.h. */
#include "repl/clock.h"

static uint64_t since(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t clock_elapsed(const struct clocks *from, const struct clocks *to)
{
	return least(since(from->monotonic, to->monotonic),
		     since(from->raw, to->raw));
}

void clock_start(struct cluster_clock *c, uint64_t now,
		 const struct clocks *real)
{
	c->now = now;
	c->left = 0;
	c->last = *real;
}

void clock_turn(struct cluster_clock *c, uint64_t most)
{
	c->left = most;
}

uint64_t clock_read(struct cluster_clock *c, const struct clocks *real)
{
	uint64_t step = least(clock_elapsed(&c->last, real), c->left);

	c->now += step;
	c->left -= step;
	c->last = *real;
	return c->now;
}

void clock_set_back(struct cluster_clock *c, uint64_t now)
{
	c->now = least(c->now, now);
}
