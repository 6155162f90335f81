/* What the users were told: every hold that was granted, with the true times
 * between which each thing must have happened. */
#ifndef HF_TEST_HISTORY_H
#define HF_TEST_HISTORY_H

#include "holdfast.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEVER UINT64_MAX

struct hold_record {
	unsigned name; /* of the lock: its number */
	unsigned machine;
	enum hf_mode mode;
	uint32_t permits;
	uint32_t limit; /* as it was when granted; 0: no semaphore */
	/* A conversion in place: the rest of the hold with this token, of
	 * which another record says how it began. */
	bool goes_on;
	uint64_t token, session;
	uint64_t called, granted;   /* the acquisition's call and return */
	uint64_t release_called;    /* NEVER: it wasn't */
	uint64_t release_confirmed; /* the cluster says that it released it
				       then; NEVER: it didn't say so */
	uint64_t held_until; /* it is known to have been held until then, as it
				was certain or validated; 0: not known */
};

struct history {                      /* all zero: empty */
	struct hold_record **records; /* by the order of their grants */
	size_t len, cap;
};

struct hold_record *history_add(struct history *h);
void history_free(struct history *h);

/* May both hold the lock at the same time, permits aside? */
static inline bool modes_conflict(const struct hold_record *a,
				  const struct hold_record *b)
{
	return a->mode == HF_EXCLUSIVE || b->mode == HF_EXCLUSIVE;
}

/* What it takes of the permits. */
static inline uint32_t hold_units(const struct hold_record *r)
{
	return r->mode == HF_PERMITS ? r->permits : r->mode == HF_SHARED;
}

/* Does it fit beside non-exclusive holds of so many permits? */
static inline bool hold_fits(const struct hold_record *r, uint64_t used)
{
	return r->mode == HF_EXCLUSIVE || r->limit == 0 ||
	       used + hold_units(r) <= r->limit;
}

/* Before this time it can't have ended; it has at `release_confirmed`. One that
 * nobody confirmed may have been lost before its release was called. */
static inline uint64_t hold_end_from(const struct hold_record *r)
{
	uint64_t called = r->release_confirmed != NEVER ? r->release_called : 0;

	return called > r->held_until ? called : r->held_until;
}

/* Is there an order of all grants and releases that is legal, that agrees with
 * the tokens of each name, and with the times? The history is sorted by token.
 * NULL, or what is wrong, with `*at` the record where it shows. */
const char *history_check(struct history *h, size_t names,
			  const struct hold_record **at);

#endif
