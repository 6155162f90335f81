/* A second opinion on deadlocks: can somebody get through at all?
 *
 * It searches the orders in which owners who wait for nothing give up all that
 * they hold, letting in after each whoever the rule of admission lets in
 * (lib/core/README, 2), until one order gets the owner in hand through or all
 * have been tried. What was tried is remembered, as in linear.c. It doesn't
 * rely on what the search of the core relies on: that one order is as good as
 * any other.
 *
 * The caller leaves out what nobody waits for in this sense: barriers, values,
 * delays. */
#ifndef HF_TEST_REDUCE_H
#define HF_TEST_REDUCE_H

#include "core/op.h"

enum {
	REDUCE_LOCKS = 64,
	REDUCE_REQUESTS = 512,
	REDUCE_PARTS = 4,
	REDUCE_WORDS = REDUCE_REQUESTS / 64,
	REDUCE_STATES = 16384, /* that can be remembered */
	REDUCE_NONE = REDUCE_REQUESTS
};

struct reduce_part {
	size_t lock;
	enum mode mode;
	uint32_t permits;
};

struct reduce_request {
	uint64_t session, owner; /* owner 0: an owner of its own, but for a
				    conversion and its hold, which are one */
	bool waits;              /* else it holds */
	int32_t priority;
	uint64_t place;
	size_t from; /* a conversion: of this hold, else REDUCE_NONE */
	struct reduce_part parts[REDUCE_PARTS];
	size_t parts_len;
};

struct reduce {                        /* all zero: nobody holds or waits */
	uint32_t limits[REDUCE_LOCKS]; /* 0: no semaphore */
	struct reduce_request requests[REDUCE_REQUESTS];
	size_t requests_len;
	size_t tries; /* states looked at, at most; 0: REDUCE_STATES */
};

enum reduce_verdict {
	REDUCE_THROUGH,
	REDUCE_DEADLOCK,
	REDUCE_TIRED /* none of the orders tried got through */
};

/* Do all waits of the owner of this request come to an end? */
enum reduce_verdict reduce_owner(const struct reduce *r, size_t request);
/* Does this one? */
enum reduce_verdict reduce_wait(const struct reduce *r, size_t request);

/* Does it fit now beside the holders and all before it in its lines? */
bool reduce_fits(const struct reduce *r, size_t request);
/* Does `a` stand before `b` in a line in which both wait? */
bool reduce_before(const struct reduce_request *a,
		   const struct reduce_request *b);
bool reduce_same_owner(const struct reduce *r, size_t a, size_t b);
/* Are they in the way of each other's ends, directly or over others: the
 * requests of the locks for which the owners so found wait. `found` has a bool
 * for each. */
void reduce_closure(const struct reduce *r, size_t request, bool *found);

#endif
