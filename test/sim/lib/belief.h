/* Who believes now to hold what.
 *
 * A hold is believed from its grant's report until its release is called, it is
 * reported lost, or its process dies. Two that conflict must never both be
 * certain. */
#ifndef HF_SIM_BELIEF_H
#define HF_SIM_BELIEF_H

#include "base/list.h"
#include "lib/history.h"

struct belief {
	struct list link; /* of its name's */
	struct hold_record *record;
	/* What of it is believed: less than the record says while it is being
	 * converted to less. */
	enum hf_mode mode;
	uint32_t permits;
	void *holder;
	bool held; /* in the list */
};

/* How long the holder is certain of its hold, by its own clocks, now. */
typedef uint64_t (*belief_certain)(void *ctx, const struct belief *b);

/* All that its record says. */
void beliefs_begin(struct list *name, struct belief *b);
void beliefs_end(struct belief *b);

/* Is `b`, which is certain now, alone with that among those that it conflicts
 * with? NULL, or the other. */
const struct belief *beliefs_conflict(const struct list *name,
				      const struct belief *b,
				      belief_certain certain, void *ctx);

#endif
