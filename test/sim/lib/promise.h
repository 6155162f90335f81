/* What must be so after a while, by what a user was told or is owed: looked at
 * again and again, as long as renewals fail. */
#ifndef HF_SIM_PROMISE_H
#define HF_SIM_PROMISE_H

#include "sim/lib/user.h"

/* Nothing is held, it was told of what it asked of this session, or it has
 * given it back. While the session's renewals succeed the cluster must know
 * that soon, too. */
void promise_gone(struct user *u, uint64_t session);
/* The cluster has granted what it waits for: it is told soon. */
void promise_told(struct user *u);
/* What it holds has ended by itself: it is told soon. */
void promise_lost(struct user *u);

#endif
