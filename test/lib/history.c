/* See history.h.
 *
 * Grants of one name happen in the order of their tokens, so that the order
 * needn't be searched for: each is placed at the earliest time that its call,
 * the grant before it and the ends of those holds allow that it conflicts with.
 * If that is too late for its return, no other placing would do either, since
 * an earlier one of its predecessors isn't possible. */
#include "lib/history.h"

#include <stdlib.h>

#define ACTIVE_MAX 256 /* holds of a name that aren't known to have ended */

struct active {
	const struct hold_record *hold;
	uint64_t end; /* the earliest possible */
};

struct line_state {     /* of one name */
	uint64_t point; /* where the latest grant was placed */
	size_t active_len;
	struct active active[ACTIVE_MAX];
};

struct hold_record *history_add(struct history *h)
{
	if (h->len == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 256;
		h->records = realloc(h->records, h->cap * sizeof(*h->records));
		if (!h->records)
			abort();
	}
	struct hold_record *r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->release_called = r->release_confirmed = NEVER;
	h->records[h->len++] = r;
	return r;
}

void history_free(struct history *h)
{
	for (size_t i = 0; i < h->len; i++)
		free(h->records[i]);
	free(h->records);
	*h = (struct history){ 0 };
}

static int by_token(const void *a, const void *b)
{
	const struct hold_record *x = *(struct hold_record *const *)a;
	const struct hold_record *y = *(struct hold_record *const *)b;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	return (x->goes_on > y->goes_on) - (x->goes_on < y->goes_on);
}

static void forget_ended(struct line_state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->active_len; i++)
		if (s->active[i].end > s->point)
			s->active[kept++] = s->active[i];
	s->active_len = kept;
}

/* When is the earliest end among the holds which bar this one? 0: none does. */
static uint64_t barred_until(const struct line_state *s,
			     const struct hold_record *r)
{
	uint64_t until = 0, used = 0, first = NEVER;

	for (size_t i = 0; i < s->active_len; i++) {
		const struct active *a = &s->active[i];
		used += hold_units(a->hold);
		first = a->end < first ? a->end : first;
		if (modes_conflict(a->hold, r) && a->end > until)
			until = a->end;
	}
	if (!until && !hold_fits(r, used))
		until = first;
	return until;
}

static const char *place(struct line_state *s, const struct hold_record *r)
{
	s->point = r->called > s->point ? r->called : s->point;
	if (s->point > r->granted)
		return "its token is larger than one granted after it";
	forget_ended(s);
	for (uint64_t until; (until = barred_until(s, r));) {
		s->point = until;
		if (s->point > r->granted)
			return "it overlaps a hold that it conflicts with";
		forget_ended(s);
	}
	uint64_t end = hold_end_from(r);
	end = end > s->point ? end : s->point;
	if (end > r->release_confirmed)
		return "it was held after it was confirmed to be released";
	if (s->active_len == ACTIVE_MAX)
		return "too many holds at once for this check";
	s->active[s->active_len++] = (struct active){ r, end };
	return NULL;
}

const char *history_check(struct history *h, size_t names,
			  const struct hold_record **at)
{
	struct line_state *states = calloc(names, sizeof(*states));
	const char *wrong = NULL;

	if (!states)
		abort();
	if (h->len)
		qsort(h->records, h->len, sizeof(*h->records), by_token);
	for (size_t i = 0; i < h->len && !wrong; i++) {
		const struct hold_record *r = h->records[i];
		*at = r;
		if (i && r->token == h->records[i - 1]->token && !r->goes_on)
			wrong = "its token was given twice";
		else
			wrong = place(&states[r->name], r);
	}
	free(states);
	return wrong;
}
