/* Deadlocks, by a search of its own (test/lib/reduce): each that is said was
 * one, and none is left unsaid. */
#ifndef HF_SIM_TANGLE_H
#define HF_SIM_TANGLE_H

#include "sim/lib/lines.h"

/* Is somebody deadlocked who was not told? */
struct wrong tangle_left(const struct lines *l);
/* Would this wait, of so many pieces, which isn't among the lines (any more),
 * be a deadlock of its owner, or of others if a lock gets a limit by it? */
struct wrong tangle_refused(const struct lines *l,
			    const struct line_piece *pieces, size_t len);
/* Would somebody be who waits for the lock, if it had this limit? */
struct wrong tangle_limited(const struct lines *l, unsigned lock,
			    uint32_t limit);

#endif
