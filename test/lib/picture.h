/* What a core holds, as reduce.h wants it, and what that says about an
 * operation that may close a circle. */
#ifndef HF_TEST_PICTURE_H
#define HF_TEST_PICTURE_H

#include "core/core.h"
#include "lib/reduce.h"

struct picture {
	struct reduce r;
	struct record records[REDUCE_REQUESTS]; /* of r.requests */
	uint64_t locks[REDUCE_LOCKS];           /* of r.limits */
	char names[REDUCE_LOCKS];               /* their first letters */
	size_t locks_len;
};

/* Locks must have names of one letter; no barriers, no values. */
void picture_take(struct picture *p, const struct core *core);

/* The letter of a lock, by its id. */
const uint8_t *picture_name(const struct picture *p, uint64_t lock);
/* Where that request stands; take it out. */
size_t picture_find(const struct picture *p, uint64_t session, uint64_t seq);
void picture_drop(struct picture *p, uint64_t session, uint64_t seq);

/* Does its owner never get through? */
bool picture_stuck(const struct picture *p, size_t request);

/* The answer to an acquire or conversion that nothing else refuses: 0, waiting
 * or HF_EDEADLK. The request is then in the picture, at `*at`, but for one that
 * goes down. */
int picture_acquire(struct picture *p, const struct op *op, size_t *at);
/* 0 or HF_EDEADLK. The picture is used up by it. */
int picture_permits(struct picture *p, const struct op *op);

#endif
