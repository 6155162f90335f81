/* Who holds what and who waits for it, as of one moment; and the rule of
 * admission (lib/core/README, 2), written down once more.
 *
 * A waiter is let in if it fits, in each of its locks, beside the holders and
 * all who are before it there; and who fits is let in at once. */
#ifndef HF_SIM_LINES_H
#define HF_SIM_LINES_H

#include "sim/lib/said.h"

#define LINES_LOCKS_MAX 64

struct line_name { /* of a lock that is looked at */
	const char *text;
	size_t len;
};

/* A request's part in one lock. */
struct line_piece {
	uint64_t session, seq, owner;
	uint64_t place; /* the request's: never given twice */
	uint64_t token; /* of this part; 0: it waits */
	uint64_t index; /* granted then */
	uint64_t from;  /* WAITING: a conversion of this hold */
	enum mode mode;
	uint32_t permits, limit; /* the limit that an acquire names */
	int32_t priority;
	size_t parts; /* of the request */
	unsigned lock;
};

struct line_lock {
	size_t first, len; /* of its pieces: holders, then waiters */
	uint32_t limit;
	bool barrier, delayed;
};

struct lines { /* all zero: nothing is there */
	struct line_piece *pieces;
	size_t len, cap;
	struct line_lock locks[LINES_LOCKS_MAX];
	size_t locks_len;
	uint64_t arrivals; /* the last place */
};

/* What there is now. */
void lines_read(struct lines *l, const struct core *core,
		const struct line_name *names, size_t names_len);
void lines_free(struct lines *l);

/* What is looked at: holds of smaller tokens, waiters of places up to this. */
struct line_view {
	uint64_t tokens_below, places_up_to;
};
#define LINE_ALL ((struct line_view){ UINT64_MAX, UINT64_MAX })

/* Does this piece fit where `limit` counts? */
bool line_fits(const struct lines *l, const struct line_piece *piece,
	       uint32_t limit, struct line_view view);
/* Does `a` stand before `b` where both wait? */
bool line_before(const struct line_piece *a, const struct line_piece *b);
/* The waiting request of this number, or NULL: one of its pieces. */
const struct line_piece *lines_find(const struct lines *l, uint64_t session,
				    uint64_t seq);
/* The next piece of a request behind `after` (NULL: the first), or NULL. */
const struct line_piece *lines_next(const struct lines *l, uint64_t place,
				    const struct line_piece *after);
/* What the operation, an acquire, would be: its pieces, or 0: a lock isn't
 * looked at. */
size_t lines_of_op(const struct op *op, const struct line_name *names,
		   size_t names_len, struct line_piece pieces[PARTS_MAX]);

/* Who may go in has been let in. */
struct wrong lines_settled(const struct lines *l);

/* Could this acquire be let in as things are? */
bool lines_admit(const struct lines *l, const struct line_piece *pieces,
		 size_t len);

/* Grants of one entry, between what was before it and what is now. */
struct grants {
	const struct lines *before, *now;
	uint64_t index; /* the entry's */
	const struct entry *entry;
	const uint64_t *handed; /* tokens of holds that were handed over */
	size_t handed_len;
	/* The hold that this one, just granted, has come from; 0: none. */
	uint64_t (*converted)(void *ctx, const struct line_piece *piece);
	void *ctx;
};
/* Nobody was let in who takes something from somebody before it. */
struct wrong lines_granted(const struct grants *g);

#endif
