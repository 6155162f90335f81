/* What happens once: an acquire has one effect, however often it is sent, asked
 * for again or answered. */
#ifndef HF_SIM_ONCE_H
#define HF_SIM_ONCE_H

#include "sim/lib/rules.h"

struct seen { /* a map from (session, number); all zero: empty */
	struct seen_item {
		uint64_t key, value;
	} * items;
	size_t len, cap;
};

struct once {               /* all zero: nothing yet */
	struct seen ops;    /* operations in the log, by seq */
	struct seen by_seq; /* the tokens of acquires */
	struct seen by_owner;
	struct seen held_seq, held_owner; /* acquires refused as held */
};

/* Is this sequenced operation in the log a second time? */
bool once_again(struct once *o, uint64_t session, uint64_t seq);
/* The acquire `seq` is said to have been granted this token. */
struct wrong once_granted(struct once *o, uint64_t session, uint64_t seq,
			  uint64_t token);
/* So it is in the state, for this owner, of whom each asks once. `*first`: not
 * heard of before. */
struct wrong once_held(struct once *o, uint64_t session, uint64_t owner,
		       uint64_t token, bool *first);
/* The acquire `seq` is said to have been refused as held: false: again. */
bool once_refused(struct once *o, uint64_t session, uint64_t seq,
		  uint64_t owner);
/* Has the cluster refused what this owner asked for as held? */
bool once_was_refused(const struct once *o, uint64_t session, uint64_t owner);
void once_free(struct once *o);

#endif
