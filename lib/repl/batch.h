/* Operations that wait for the next entry, as bytes.
 *
 * Two lines of chunks: renewals, which go in front, and the rest, which keeps
 * its order. An entry is made of the first chunk of each. Both lines are
 * bounded; acquires and opens are refused while there is still room for the
 * rest. */
#ifndef HF_REPL_BATCH_H
#define HF_REPL_BATCH_H

#include "base/buf.h"
#include "base/mem.h"
#include "codec/entry.h"

struct renewal {
	uint64_t session, node;
};

struct chunk {
	struct chunk *next;
	struct buf bytes;
	size_t ops;
	uint64_t ready;           /* renewals: seal no later than this */
	struct renewal *renewals; /* NULL, or room for CHUNK_OPS_MAX */
};

struct line {
	struct chunk *head, *tail;
	size_t chunks;
};

struct batch { /* all zero but mem: empty */
	const struct mem *mem;
	struct line renewals, others;
};

/* `ready`: of a renewal, when on the monotonic clock it mustn't wait any more.
 * 0, or HF_EBUSY: too much waits already. */
int batch_add(struct batch *b, const struct op *op, const uint8_t *bytes,
	      size_t len, uint64_t ready);
bool batch_empty(const struct batch *b);
/* When the next entry should be sealed: 0 at once, UINT64_MAX nothing waits. */
uint64_t batch_ready(const struct batch *b);

/* The operations of the next entry, taken off the lines. */
struct sealed { /* all zero: none */
	struct chunk *chunk;
	size_t ops;
	size_t renewals; /* the first of them */
};
/* false: out of memory, nothing was taken. */
bool batch_seal(struct batch *b, struct sealed *s);
void sealed_free(const struct batch *b, struct sealed *s);

/* Call `visit` with each renewal that waits, or was sealed. */
typedef void (*renewal_visit)(void *ctx, const struct renewal *renewal);
void batch_renewals(const struct batch *b, renewal_visit visit, void *ctx);
void sealed_renewals(const struct sealed *s, renewal_visit visit, void *ctx);
void batch_clear(struct batch *b);

#endif
