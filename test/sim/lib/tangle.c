/* See tangle.h. */
#include "sim/lib/tangle.h"
#include "lib/reduce.h"

#include <stdlib.h>

#define TRIES 256 /* states of a search; one that is tired says nothing */

struct tangle {
	struct reduce reduce;
	uint64_t places[REDUCE_REQUESTS];
	bool full; /* there is more than it can hold */
};

static size_t request_of(const struct tangle *t, uint64_t place)
{
	size_t i = 0;

	while (i < t->reduce.requests_len && t->places[i] != place)
		i++;
	return i;
}

static size_t holder_of(const struct lines *l, const struct tangle *t,
			uint64_t token)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->pieces[i].token == token)
			return request_of(t, l->pieces[i].place);
	return REDUCE_NONE;
}

static void add(struct tangle *t, const struct lines *l,
		const struct line_piece *p)
{
	size_t at = request_of(t, p->place);
	struct reduce_request *r = &t->reduce.requests[at];

	if (l->locks[p->lock].barrier || p->mode == MODE_BARRIER ||
	    p->mode == MODE_LEAVE)
		return;
	if (at == REDUCE_REQUESTS ||
	    (at < t->reduce.requests_len && r->parts_len == REDUCE_PARTS)) {
		t->full = true;
		return;
	}
	if (at == t->reduce.requests_len) {
		t->reduce.requests_len++;
		t->places[at] = p->place;
		*r = (struct reduce_request){ .session = p->session,
					      .owner = p->owner,
					      .waits = !p->token,
					      .priority = p->priority,
					      .place = p->place,
					      .from = REDUCE_NONE };
	}
	if (p->from && !p->token)
		r->from = holder_of(l, t, p->from);
	r->parts[r->parts_len++] =
		(struct reduce_part){ p->lock, p->mode, p->permits };
}

/* Holders stand first, so that conversions find theirs. */
static struct tangle *tangle_new(const struct lines *l)
{
	struct tangle *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->reduce.tries = TRIES;
	for (size_t i = 0; i < l->locks_len; i++)
		t->reduce.limits[i] =
			l->locks[i].barrier ? 0 : l->locks[i].limit;
	for (int waits = 0; waits < 2; waits++)
		for (size_t i = 0; i < l->len; i++)
			if ((l->pieces[i].token ? 0 : 1) == waits)
				add(t, l, &l->pieces[i]);
	return t;
}

/* A conversion is its hold's owner's. */
static bool add_refused(struct tangle *t, const struct lines *l,
			const struct line_piece *pieces, size_t len)
{
	bool limited = false;

	for (size_t i = 0; i < len; i++) {
		struct line_piece p = pieces[i];
		size_t from = p.from ? holder_of(l, t, p.from) : REDUCE_NONE;
		if (from < t->reduce.requests_len)
			p.owner = t->reduce.requests[from].owner;
		p.token = 0;
		add(t, l, &p);
		if (t->reduce.limits[p.lock] || !p.limit)
			continue;
		t->reduce.limits[p.lock] = p.limit;
		limited = true;
	}
	return limited;
}

static bool waits_more(const struct tangle *t, size_t i)
{
	for (size_t j = 0; j < t->reduce.requests_len; j++)
		if (j != i && reduce_same_owner(&t->reduce, i, j))
			return true;
	return false;
}

/* Only who has something besides can be part of one. */
struct wrong tangle_left(const struct lines *l)
{
	struct tangle *t = tangle_new(l);
	struct wrong wrong = { 0 };

	for (size_t i = 0; i < t->reduce.requests_len && !t->full; i++)
		if (t->reduce.requests[i].waits && waits_more(t, i) &&
		    reduce_owner(&t->reduce, i) == REDUCE_DEADLOCK)
			wrong = (struct wrong){
				"deadlock", "nobody was told of a deadlock"
			};
	free(t);
	return wrong;
}

static bool some_deadlocked(const struct tangle *t, const unsigned *lock)
{
	for (size_t i = 0; i < t->reduce.requests_len; i++) {
		const struct reduce_request *r = &t->reduce.requests[i];
		bool at = !lock;
		for (size_t j = 0; j < r->parts_len && lock; j++)
			at |= r->parts[j].lock == *lock;
		if (r->waits && at &&
		    reduce_owner(&t->reduce, i) != REDUCE_THROUGH)
			return true;
	}
	return false;
}

static struct wrong verdict(struct tangle *t, bool deadlock)
{
	bool full = t->full;

	free(t);
	if (deadlock || full)
		return (struct wrong){ 0 };
	return (struct wrong){ "deadlock", "what is no deadlock was refused "
					   "as one" };
}

struct wrong tangle_refused(const struct lines *l,
			    const struct line_piece *pieces, size_t len)
{
	struct tangle *t = tangle_new(l);
	bool limited = add_refused(t, l, pieces, len);
	size_t own = t->reduce.requests_len - 1;
	bool deadlock =
		!t->full && reduce_owner(&t->reduce, own) != REDUCE_THROUGH;
	/* A lock that becomes a semaphore may be others' deadlock. */
	return verdict(t, deadlock || (limited && !t->full &&
				       some_deadlocked(t, NULL)));
}

struct wrong tangle_limited(const struct lines *l, unsigned lock,
			    uint32_t limit)
{
	struct tangle *t = tangle_new(l);

	t->reduce.limits[lock] = limit;
	return verdict(t, !t->full && some_deadlocked(t, &lock));
}
