/* Random streams of entries, as a badly behaved crowd of nodes would cause
 * them: retries, stale and wild numbers, foreign sessions and tokens, owners
 * who do something else while they wait, names twice in one request, jumps of
 * time, limits. There are few names and few owners, so that they meet. */
#ifndef HF_TEST_STREAM_H
#define HF_TEST_STREAM_H

#include "lib/model.h"
#include "lib/random.h"

enum { STREAM_OPS = 24 };

struct stream { /* all zero but `random`: at its beginning */
	struct random random;
	uint64_t index, clock, term, opens;
	struct op ops[STREAM_OPS];
	struct op_part parts[STREAM_OPS][PARTS_MAX]; /* of each operation */
	uint8_t bytes[STREAM_OPS][MODEL_BYTES];
	struct entry entry; /* the last one made */
	struct model model; /* has applied all that were made */
};

void stream_init(struct stream *s, uint64_t seed);
/* stream_op.c: make one of the operations on locks and values. */
void stream_make_op(struct stream *s, size_t at);
/* stream_value.c */
void stream_make_write(struct stream *s, struct op *op, size_t at);
void stream_make_await(struct stream *s, struct op *op);

/* A number below n. */
uint64_t stream_below(struct stream *s, uint64_t n);
/* Once in n times. */
bool stream_rarely(struct stream *s, uint64_t n);
/* A session that lives, mostly, and its node, mostly; a number of it. */
struct model_session *stream_session(struct stream *s, struct op *op);
void stream_seq(struct stream *s, struct op *op,
		const struct model_session *session);

/* How long to wait; how many bytes were written to bytes[at]. */
uint64_t stream_wait(struct stream *s);
size_t stream_bytes(struct stream *s, size_t at, uint64_t max);
/* A hold of that session, if there is one; else, and rarely, any; its token, or
 * rarely another. NULL: none. */
const struct model_request *stream_hold(struct stream *s,
					const struct model_session *session,
					bool barrier);
uint64_t stream_token(struct stream *s, const struct model_request *hold);

/* Make the next entry and let the model apply it. */
const struct entry *stream_next(struct stream *s);

#endif
