/* One search for deadlocks, from what has been met on. */
#ifndef HF_CORE_SEARCH_H
#define HF_CORE_SEARCH_H

#include "core/state.h"

struct search {
	struct core *core;
	uint64_t mark; /* its number */
	uint64_t steps;
	struct line *lines;   /* met: the newest first */
	struct line *changed; /* to be gone through */
	struct owner *free;   /* owners who wait for nothing (any more) */
};

static inline struct search search_begin(struct core *core)
{
	return (struct search){ .core = core, .mark = ++core->searches };
}

/* Does the request wait, and for what can come true? */
bool search_counts(const struct request *r);
/* Begin with this line, owner, or request and its owner. */
void search_meet_line(struct search *s, struct line *line);
void search_meet_owner(struct search *s, struct owner *owner);
void search_meet(struct search *s, struct request *r);
/* Then the waits that are met and don't bear its number in `gone` are for ever.
 * false: there were too many steps, and nothing is known. */
bool search_reduce(struct search *s);

#endif
