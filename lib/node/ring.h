/* The changes of late, for watches: a ring of bytes.
 *
 * It has every change of each index above `past`, in order, and none of an
 * index at or below it: where room is needed, all changes of the oldest index
 * go at once. So "what came after index i" is either all here or known to be
 * gone. Positions rise for ever; a reader keeps its own. */
#ifndef HF_NODE_RING_H
#define HF_NODE_RING_H

#include "base/mem.h"
#include "node/change.h"

/* About nine thousand changes of locks. */
#define RING_BYTES (1u << 20)
#define RING_BYTES_MIN 1024
#define RING_BYTES_MAX (1u << 30)

struct ring {
	const struct mem *mem;
	uint8_t *base;
	size_t size; /* a power of two */
	/* Of the oldest change, and behind the newest; from 8. A position p is
	 * at base + p % size. */
	uint64_t tail, head;
	uint64_t past;
};

/* `bytes` 0: RING_BYTES; else rounded to a power of two between the least and
 * the most. HF_ENOMEM or 0. `mem` must outlive it. */
int ring_open(struct ring *r, const struct mem *mem, size_t bytes);
void ring_free(struct ring *r);

/* Add a change, an OUTPUT_CHANGED. One that takes more than half of the ring is
 * not kept, nor is anything else of its index or before it. */
void ring_put(struct ring *r, const struct output *o);
/* What was up to index `past` isn't known any more, or never was. */
void ring_restart(struct ring *r, uint64_t past);

/* 1: the change at `*at`, which moves behind it; pointers live until the next
 * ring_put. 0: none yet. HF_EGAP: what was there is gone; the oldest that there
 * is lies at r->tail. A reader begins at 0, which is before all that ever was,
 * or at r->head. */
int ring_next(const struct ring *r, uint64_t *at, struct hf_change *change);

#endif
