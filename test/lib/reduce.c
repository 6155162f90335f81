/* See reduce.h. A state is who holds and who waits; the search keeps a stack of
 * those that it has seen and from which it hasn't gone on yet. */
#include "lib/reduce.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct state {
	uint64_t held[REDUCE_WORDS], waiting[REDUCE_WORDS];
};

/* A request's part, in the list of its lock. */
struct piece {
	size_t request;
	enum mode mode;
	uint32_t units, next; /* index in `pieces`, above 0 */
};

struct search {
	const struct reduce *r;
	struct piece pieces[REDUCE_REQUESTS * REDUCE_PARTS + 1];
	uint32_t pieces_len, first[REDUCE_LOCKS];
	struct state *states; /* all that have been seen */
	size_t *todo;         /* those from which it hasn't gone on yet */
	size_t states_len, states_max, cap, todo_len;
	bool tired; /* there was no room for one more */
	size_t target;
	bool whole_owner;
};

static bool has(const uint64_t *set, size_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

static void put(uint64_t *set, size_t i)
{
	set[i / 64] |= UINT64_C(1) << i % 64;
}

static void take(uint64_t *set, size_t i)
{
	set[i / 64] &= ~(UINT64_C(1) << i % 64);
}

bool reduce_before(const struct reduce_request *a,
		   const struct reduce_request *b)
{
	bool a_first = a->from != REDUCE_NONE, b_first = b->from != REDUCE_NONE;

	if (a_first != b_first)
		return a_first;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->place < b->place;
}

bool reduce_same_owner(const struct reduce *r, size_t a, size_t b)
{
	const struct reduce_request *x = &r->requests[a], *y = &r->requests[b];

	if (a == b || x->from == b || y->from == a)
		return true;
	return x->owner > 0 && x->owner == y->owner && x->session == y->session;
}

static uint32_t units_of(const struct reduce_part *part)
{
	return part->mode == MODE_PERMITS ? part->permits : 1;
}

static void list_pieces(struct search *s)
{
	const struct reduce *r = s->r;

	s->pieces_len = 0;
	memset(s->first, 0, sizeof(s->first));
	for (size_t i = 0; i < r->requests_len; i++) {
		for (size_t k = 0; k < r->requests[i].parts_len; k++) {
			const struct reduce_part *p = &r->requests[i].parts[k];
			uint32_t at = ++s->pieces_len;

			s->pieces[at] = (struct piece){ i, p->mode, units_of(p),
							s->first[p->lock] };
			s->first[p->lock] = at;
		}
	}
}

static bool part_fits(const struct search *s, const struct state *state,
		      size_t i, const struct reduce_part *part)
{
	const struct reduce_request *me = &s->r->requests[i];
	uint32_t limit = s->r->limits[part->lock];
	uint64_t used = units_of(part);

	for (uint32_t at = s->first[part->lock]; at; at = s->pieces[at].next) {
		const struct piece *e = &s->pieces[at];

		if (e->request == i || e->request == me->from)
			continue;
		if (!has(state->held, e->request) &&
		    !(has(state->waiting, e->request) &&
		      reduce_before(&s->r->requests[e->request], me)))
			continue;
		if (part->mode == MODE_EXCLUSIVE || e->mode == MODE_EXCLUSIVE)
			return false;
		used += e->units;
	}
	return limit == 0 || used <= limit;
}

static bool fits(const struct search *s, const struct state *state, size_t i)
{
	const struct reduce_request *me = &s->r->requests[i];

	for (size_t k = 0; k < me->parts_len; k++) {
		if (!part_fits(s, state, i, &me->parts[k]))
			return false;
	}
	return true;
}

/* Let in whoever may go in. A conversion whose hold has gone is over. */
static void admit(const struct search *s, struct state *state)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < s->r->requests_len; i++) {
			size_t from = s->r->requests[i].from;

			if (!has(state->waiting, i))
				continue;
			if (from != REDUCE_NONE && !has(state->held, from)) {
				take(state->waiting, i);
			} else if (fits(s, state, i)) {
				take(state->waiting, i);
				put(state->held, i);
				if (from != REDUCE_NONE)
					take(state->held, from);
			} else {
				continue;
			}
			again = true;
		}
	}
}

/* Does the owner of this hold wait for anything? */
static bool owner_waits(const struct search *s, const struct state *state,
			size_t i)
{
	for (size_t j = 0; j < s->r->requests_len; j++) {
		if (has(state->waiting, j) && reduce_same_owner(s->r, i, j))
			return true;
	}
	return false;
}

static bool reached(const struct search *s, const struct state *state)
{
	if (!s->whole_owner)
		return !has(state->waiting, s->target);
	return !owner_waits(s, state, s->target);
}

static void grow(struct search *s)
{
	s->cap = s->cap ? 2 * s->cap : 16;
	s->states = realloc(s->states, s->cap * sizeof(*s->states));
	s->todo = realloc(s->todo, s->cap * sizeof(*s->todo));
	if (!s->states || !s->todo)
		abort();
}

/* Unless it was seen before. */
static void remember(struct search *s, const struct state *state)
{
	for (size_t i = 0; i < s->states_len; i++) {
		if (memcmp(&s->states[i], state, sizeof(*state)) == 0)
			return;
	}
	if (s->states_len == s->states_max) {
		s->tired = true;
		return;
	}
	if (s->states_len == s->cap)
		grow(s);
	s->todo[s->todo_len++] = s->states_len;
	s->states[s->states_len++] = *state;
}

/* What comes of it if the owner of hold `i` gives up everything. */
static struct state give_up(const struct search *s, const struct state *state,
			    size_t i)
{
	struct state next = *state;

	for (size_t j = 0; j < s->r->requests_len; j++) {
		if (reduce_same_owner(s->r, i, j))
			take(next.held, j);
	}
	admit(s, &next);
	return next;
}

/* Go on from a state in all ways. True: one gets through. */
static bool go_on(struct search *s, size_t at)
{
	const struct state state = s->states[at];
	struct state done = { { 0 }, { 0 } }; /* owners' first holds */

	for (size_t i = 0; i < s->r->requests_len; i++) {
		struct state next;

		if (!has(state.held, i) || has(done.held, i))
			continue;
		for (size_t j = i; j < s->r->requests_len; j++) {
			if (reduce_same_owner(s->r, i, j))
				put(done.held, j);
		}
		if (owner_waits(s, &state, i))
			continue;
		next = give_up(s, &state, i);
		if (reached(s, &next))
			return true;
		remember(s, &next);
	}
	return false;
}

static enum reduce_verdict search(struct search *s)
{
	struct state first = { { 0 }, { 0 } };

	for (size_t i = 0; i < s->r->requests_len; i++)
		put(s->r->requests[i].waits ? first.waiting : first.held, i);
	admit(s, &first);
	if (reached(s, &first))
		return REDUCE_THROUGH;
	remember(s, &first);
	while (s->todo_len > 0) {
		if (go_on(s, s->todo[--s->todo_len]))
			return REDUCE_THROUGH;
	}
	return s->tired ? REDUCE_TIRED : REDUCE_DEADLOCK;
}

static struct search *search_begin(const struct reduce *r)
{
	struct search *s = malloc(sizeof(*s));

	if (!s)
		abort();
	assert(r->requests_len <= REDUCE_REQUESTS && r->tries <= REDUCE_STATES);
	s->r = r;
	s->states = NULL;
	s->todo = NULL;
	s->states_len = s->todo_len = s->cap = 0;
	s->states_max = r->tries ? r->tries : REDUCE_STATES;
	s->tired = false;
	list_pieces(s);
	return s;
}

static void search_end(struct search *s)
{
	free(s->states);
	free(s->todo);
	free(s);
}

static enum reduce_verdict search_for(const struct reduce *r, size_t request,
				      bool whole_owner)
{
	struct search *s = search_begin(r);
	enum reduce_verdict verdict;

	s->target = request;
	s->whole_owner = whole_owner;
	verdict = search(s);
	search_end(s);
	return verdict;
}

enum reduce_verdict reduce_owner(const struct reduce *r, size_t request)
{
	return search_for(r, request, true);
}

enum reduce_verdict reduce_wait(const struct reduce *r, size_t request)
{
	return search_for(r, request, false);
}

bool reduce_fits(const struct reduce *r, size_t request)
{
	struct search *s = search_begin(r);
	struct state state = { { 0 }, { 0 } };
	bool fit;

	for (size_t i = 0; i < r->requests_len; i++)
		put(r->requests[i].waits ? state.waiting : state.held, i);
	fit = fits(s, &state, request);
	search_end(s);
	return fit;
}

static bool share_a_lock(const struct reduce_request *a,
			 const struct reduce_request *b)
{
	for (size_t i = 0; i < a->parts_len; i++) {
		for (size_t k = 0; k < b->parts_len; k++) {
			if (a->parts[i].lock == b->parts[k].lock)
				return true;
		}
	}
	return false;
}

void reduce_closure(const struct reduce *r, size_t request, bool *found)
{
	bool again = true;

	memset(found, 0, r->requests_len * sizeof(*found));
	found[request] = true;
	while (again) {
		again = false;
		for (size_t i = 0; i < r->requests_len; i++) {
			for (size_t j = 0; found[i] && j < r->requests_len;
			     j++) {
				if (found[j] ||
				    !(reduce_same_owner(r, i, j) ||
				      (r->requests[i].waits &&
				       share_a_lock(&r->requests[i],
						    &r->requests[j]))))
					continue;
				found[j] = again = true;
			}
		}
	}
}
