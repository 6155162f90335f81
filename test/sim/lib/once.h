/* What happens once: an acquire has one effect, however often it is sent, asked
 * for again or answered.
 *
 * Each acquisition of a user has an identity of its own, which the first bytes
 * of what it shows say, or its owner where it shows nothing. */
#ifndef HF_SIM_ONCE_H
#define HF_SIM_ONCE_H

#include "sim/lib/pairs.h"
#include "sim/lib/said.h"

struct once {                  /* all zero: nothing yet */
	struct pairs ops;      /* sequenced operations in the log */
	struct pairs answered; /* of them */
	struct pairs by_seq;   /* the tokens of acquires */
	struct pairs by_identity;
	struct pairs identities; /* of acquires, by seq */
	struct pairs refused;
};

uint64_t once_identity(uint64_t owner, const uint8_t *shown, size_t shown_len);

/* Is this sequenced operation in the log a second time? */
bool once_again(struct once *o, const struct op *op);
/* It is answered: had it been before? */
bool once_answered(struct once *o, uint64_t session, uint64_t seq);
/* The acquire `seq` is said to have been granted this token. */
struct wrong once_granted(struct once *o, uint64_t session, uint64_t seq,
			  uint64_t token);
/* So it is in the state, for this one, who asks once. `*first`: not heard of
 * before. */
struct wrong once_held(struct once *o, uint64_t session, uint64_t identity,
		       uint64_t token, bool *first);
/* The acquire `seq` has been refused, with this error. */
void once_refused(struct once *o, uint64_t session, uint64_t seq, int status);
/* Has the cluster refused what this one asked for, with this error? */
bool once_was_refused(const struct once *o, uint64_t session, uint64_t identity,
		      int status);
void once_free(struct once *o);

#endif
