/* The term of an entry by its index: trail.h. */
#include "repl/trail.h"

static unsigned runs(const struct raft_trail *t)
{
	if (t->front <= t->back)
		return t->back - t->front;
	return t->size - t->front + t->back;
}

raft_term trail_term(const struct raft_trail *t, raft_index index)
{
	unsigned n = runs(t);

	for (unsigned i = 0; i < n && index > t->offset; i++) {
		unsigned at = (t->front + i) % t->size;

		if (index <= t->records[at].index)
			return t->records[at].term;
	}
	return index != 0 && index == t->snapshot.index ? t->snapshot.term : 0;
}
