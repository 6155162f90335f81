/* A second opinion on short histories: is there any order at all?
 *
 * The search of Wing and Gong ("Testing and verifying concurrent objects",
 * 1993) with Lowe's memory of what was tried (2017): take any operation that
 * may come next by the times, if the lock's rules allow it, until all are taken
 * or all orders are refused. It knows nothing of the tokens' order but that the
 * lock gives rising ones, so it shares no reasoning with history.c. */
#ifndef HF_TEST_LINEAR_H
#define HF_TEST_LINEAR_H

#include "lib/history.h"

#define LINEAR_HOLDS_MAX 32 /* in one history: 64 operations */

enum linear_verdict {
	LINEAR_LEGAL,
	LINEAR_WRONG,
	LINEAR_TIRED /* too many orders were tried: it isn't known */
};

/* Of holds of one name. */
enum linear_verdict linear_check(struct hold_record *const *holds, size_t len);

/* All names of a history that is sorted by token, in windows that overlap: what
 * is left of a legal history without some of its holds is legal. `*windows`
 * counts those with a verdict. False: one is wrong, at `*at`. */
bool linear_check_windows(const struct history *h, size_t names,
			  uint64_t *windows, const struct hold_record **at);

#endif
