/* Random streams of entries, as a badly behaved crowd of nodes would cause
 * them: retries, stale and wild numbers, foreign sessions, jumps of time,
 * limits. */
#ifndef HF_TEST_STREAM_H
#define HF_TEST_STREAM_H

#include "lib/model.h"
#include "lib/random.h"

enum { STREAM_OPS = 24 };

struct stream { /* all zero but `random`: at its beginning */
	struct random random;
	uint64_t index, clock, term, opens;
	struct op ops[STREAM_OPS];
	struct entry entry; /* the last one made */
	struct model model; /* has applied all that were made */
};

void stream_init(struct stream *s, uint64_t seed);
/* Make the next entry and let the model apply it. */
const struct entry *stream_next(struct stream *s);

#endif
