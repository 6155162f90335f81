/* See linear.h.
 *
 * Hold i has two operations: bit 2i, its grant, and bit 2i + 1, its end. The
 * state of the lock follows from the set of those that are taken, so this set
 * is all that has to be remembered of what was tried. */
#include "lib/linear.h"

#include <stdlib.h>
#include <string.h>

#define OPS_MAX (2 * LINEAR_HOLDS_MAX)
#define TRIED_SIZE 16384 /* slots; half of them are used at most */
#define WINDOW 12        /* holds */

struct operation {
	uint64_t called, returned; /* it takes effect between */
};

struct search {
	struct hold_record *const *holds;
	size_t len;
	uint64_t wanted; /* the operations that must be taken */
	struct operation ops[OPS_MAX];
	uint64_t tried[TRIED_SIZE]; /* a set; 0: free */
	size_t tried_len;
};

static bool taken(uint64_t set, size_t op)
{
	return set >> op & 1;
}

/* May this hold be granted beside the present ones, and after all others? */
static bool grantable(const struct search *s, uint64_t set, size_t hold)
{
	const struct hold_record *r = s->holds[hold];
	uint64_t used = 0;

	for (size_t i = 0; i < s->len; i++) {
		const struct hold_record *other = s->holds[i];
		if (!taken(set, 2 * i))
			continue;
		if (other->token > r->token ||
		    (other->token == r->token && !r->goes_on))
			return false;
		if (taken(set, 2 * i + 1))
			continue;
		used += hold_units(other);
		if (modes_conflict(other, r))
			return false;
	}
	return hold_fits(r, used);
}

/* Before all that is left has returned, may this be next? */
static bool possible(const struct search *s, uint64_t set, size_t op)
{
	if (taken(set, op))
		return false;
	for (size_t i = 0; i < 2 * s->len; i++)
		if (!taken(set, i) && s->ops[i].returned < s->ops[op].called)
			return false;
	return op % 2 ? taken(set, op - 1) : grantable(s, set, op / 2);
}

/* False: it was tried before. */
static bool is_new(struct search *s, uint64_t set)
{
	size_t at = (size_t)(set * UINT64_C(0x9e3779b97f4a7c15) >> 40);

	for (at %= TRIED_SIZE; s->tried[at]; at = (at + 1) % TRIED_SIZE)
		if (s->tried[at] == set)
			return false;
	s->tried[at] = set;
	s->tried_len++;
	return true;
}

static enum linear_verdict search(struct search *s)
{
	uint64_t sets[OPS_MAX + 1] = { 0 }; /* the way to here */
	size_t next[OPS_MAX + 1] = { 0 };   /* to be tried from there */
	size_t depth = 0;

	for (;;) {
		uint64_t set = sets[depth];
		if ((set & s->wanted) == s->wanted)
			return LINEAR_LEGAL;
		if (next[depth] == 2 * s->len) {
			if (depth-- == 0)
				return LINEAR_WRONG;
			continue;
		}
		size_t op = next[depth]++;
		if (!possible(s, set, op) ||
		    !is_new(s, set | UINT64_C(1) << op))
			continue;
		if (s->tried_len > TRIED_SIZE / 2)
			return LINEAR_TIRED;
		sets[++depth] = set | UINT64_C(1) << op;
		next[depth] = 0;
	}
}

enum linear_verdict linear_check(struct hold_record *const *holds, size_t len)
{
	struct search s = { .holds = holds, .len = len };

	if (len > LINEAR_HOLDS_MAX)
		return LINEAR_TIRED;
	for (size_t i = 0; i < len; i++) {
		const struct hold_record *r = holds[i];
		struct operation *grant = &s.ops[2 * i], *end = grant + 1;
		*grant = (struct operation){ r->called, r->granted };
		*end = (struct operation){ hold_end_from(r),
					   r->release_confirmed };
		s.wanted |= UINT64_C(1) << 2 * i;
		if (end->returned != NEVER)
			s.wanted |= UINT64_C(1) << (2 * i + 1);
		if (grant->called > grant->returned ||
		    end->called > end->returned)
			return LINEAR_WRONG;
	}
	return search(&s);
}

/* The latest holds of one name. */
struct window {
	struct hold_record *holds[WINDOW];
	size_t len;
};

/* False: it is wrong. The newer half stays for the next window. */
static bool window_check(struct window *w, uint64_t *windows)
{
	enum linear_verdict verdict = linear_check(w->holds, w->len);

	*windows += verdict != LINEAR_TIRED;
	w->len -= w->len / 2;
	memmove(w->holds, w->holds + WINDOW / 2, w->len * sizeof(*w->holds));
	return verdict != LINEAR_WRONG;
}

bool linear_check_windows(const struct history *h, size_t names,
			  uint64_t *windows, const struct hold_record **at)
{
	struct window *all = calloc(names, sizeof(*all));
	bool ok = true;

	if (!all)
		abort();
	for (size_t i = 0; i < h->len && ok; i++) {
		struct window *w = &all[h->records[i]->name];
		*at = h->records[i];
		w->holds[w->len++] = h->records[i];
		if (w->len == WINDOW)
			ok = window_check(w, windows);
	}
	for (size_t i = 0; i < names && ok; i++) {
		if (!all[i].len)
			continue;
		*at = all[i].holds[0];
		enum linear_verdict verdict =
			linear_check(all[i].holds, all[i].len);
		ok = verdict != LINEAR_WRONG;
		*windows += verdict != LINEAR_TIRED;
	}
	free(all);
	return ok;
}
