/* The reduction: who waits for nothing gives up all, who fits gets in, until
 * nothing changes (README, 11).
 *
 * The rule: it changes no state. What it notes lies in the owners, lines and
 * requests that it meets, and is void unless it bears the search's number. */
#include "core/search.h"

static bool step(struct search *s)
{
	return ++s->steps <= s->core->limits.search;
}

/* One that asks for more permits than there are is about to be refused. */
static bool hopeless(const struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		const struct part *part = &r->parts[i];

		if (part->mode == MODE_PERMITS &&
		    part->permits > part->lock->limit)
			return true;
	}
	return false;
}

bool search_counts(const struct request *r)
{
	return core_waits_for_locks(r) && !hopeless(r);
}

void search_meet_line(struct search *s, struct line *line)
{
	if (line->mark == s->mark)
		return;
	line->mark = s->mark;
	line->use = line->lock->use;
	line->first = NULL;
	line->changed = false;
	line->next = s->lines;
	s->lines = line;
}

static void meet_locks(struct search *s, const struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++)
		search_meet_line(s, r->parts[i].lock->line);
}

static void change_line(struct search *s, struct line *line)
{
	if (!line || line->mark != s->mark || line->changed)
		return;
	line->changed = true;
	line->next_changed = s->changed;
	s->changed = line;
}

static void free_owner(struct search *s, struct owner *owner)
{
	owner->next = s->free;
	s->free = owner;
}

/* What the hold takes becomes free. */
static void give_up(struct search *s, const struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		const struct part *part = &r->parts[i];
		struct line *line = part->lock->line;
		struct rank_weight w =
			core_weight((enum mode)part->mode, part->permits);

		if (!line || line->mark != s->mark)
			continue;
		line->use = rank_sub(line->use, w);
		change_line(s, line);
	}
}

void search_meet_owner(struct search *s, struct owner *owner)
{
	if (owner->mark == s->mark)
		return;
	owner->mark = s->mark;
	owner->left = 0;
	list_for (it, &owner->requests) {
		struct request *r = container_of(it, struct request, in_owner);

		if (!step(s))
			return;
		if (!search_counts(r))
			continue;
		owner->left++;
		meet_locks(s, r);
	}
	if (owner->left == 0)
		free_owner(s, owner);
}

void search_meet(struct search *s, struct request *r)
{
	if (r->owner) {
		search_meet_owner(s, r->owner);
		return;
	}
	if (r->mark == s->mark)
		return;
	r->mark = s->mark;
	if (search_counts(r))
		meet_locks(s, r);
}

static bool meet_parts(struct search *s, struct line *line)
{
	struct rank_node *n = rank_first(&line->waiters);

	list_for (it, &line->lock->holders) {
		if (!step(s))
			return false;
		search_meet(s, in_lock(it)->request);
	}
	for (; n; n = rank_next(n)) {
		if (!step(s))
			return false;
		search_meet(s, in_line(n)->request);
	}
	return true;
}

/* All that what has been met depends on. Lines that are met on the way come in
 * front of those in the list: until there are no new ones. */
static bool close_over(struct search *s)
{
	struct line *done = NULL;

	while (s->lines != done) {
		struct line *until = done;

		done = s->lines;
		for (struct line *line = done; line != until;
		     line = line->next) {
			if (!meet_parts(s, line))
				return false;
		}
	}
	return s->steps <= s->core->limits.search;
}

static struct rank_weight weight(const struct part *part)
{
	return core_weight((enum mode)part->mode, part->permits);
}

/* The first in the line who hasn't got in. `line->first` goes on to the last at
 * most, so that each is passed once in a search. */
static struct rank_node *first(struct search *s, struct line *line)
{
	struct rank_node *n = line->first ? &line->first->in_line
					  : rank_first(&line->waiters);

	while (n && in_line(n)->request->gone == s->mark) {
		s->steps++;
		line->first = in_line(n);
		n = rank_next(n);
	}
	return n;
}

/* What is taken before this part, if those before it in line were in. */
static struct rank_weight taken_before(struct search *s,
				       const struct part *part)
{
	struct line *line = part->lock->line;
	struct rank_weight w = line->use;

	for (struct rank_node *n = first(s, line); n && n != &part->in_line;
	     n = rank_next(n)) {
		struct request *r = in_line(n)->request;

		s->steps++;
		if (r->gone != s->mark && search_counts(r))
			w = rank_add(w, weight(in_line(n)));
	}
	return core_without_own(part, w);
}

static bool gets_in(struct search *s, const struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		const struct part *part = &r->parts[i];

		if (!core_fits(part->lock->limit, taken_before(s, part),
			       (enum mode)part->mode, part->permits))
			return false;
	}
	return true;
}

/* Somebody is in. One without an owner gives up at once what it got, and what
 * it converted. */
static void let_in(struct search *s, struct request *r)
{
	struct owner *owner = r->owner;

	r->gone = s->mark;
	if (r->extra && r->extra->from)
		give_up(s, r->extra->from);
	for (size_t i = 0; i < r->parts_len; i++) {
		struct line *line = r->parts[i].lock->line;

		if (owner)
			line->use = rank_add(line->use, weight(&r->parts[i]));
		change_line(s, line);
	}
	if (owner && --owner->left == 0)
		free_owner(s, owner);
}

static void go_through(struct search *s, struct line *line)
{
	struct rank_node *n = first(s, line);
	struct rank_weight w = line->use;

	while (n && s->steps <= s->core->limits.search) {
		struct request *r = in_line(n)->request;

		s->steps++;
		if (n->major > 0 && core_full(line->lock->limit, w))
			return;
		if (r->gone != s->mark && search_counts(r)) {
			if (gets_in(s, r)) {
				let_in(s, r);
				return; /* it is on the list again */
			}
			w = rank_add(w, weight(in_line(n)));
		}
		n = rank_next(n);
	}
}

/* Its conversion waits, or has got in. */
static const struct request *conversion_of(const struct request *r)
{
	const struct request *c = r->extra ? r->extra->conversion : NULL;

	return c && search_counts(c) ? c : NULL;
}

/* All that the owner has, and what it got on the way. */
static void free_all(struct search *s, struct owner *owner)
{
	list_for (it, &owner->requests) {
		struct request *r = container_of(it, struct request, in_owner);
		const struct request *conversion = conversion_of(r);

		s->steps++;
		if (r->state == REQUEST_HELD
			    ? !conversion || conversion->gone != s->mark
			    : r->gone == s->mark)
			give_up(s, r);
	}
}

/* Holds without an owner, unless they wait to be more. */
static void free_ownerless(struct search *s)
{
	for (struct line *line = s->lines; line; line = line->next) {
		list_for (it, &line->lock->holders) {
			struct part *part = in_lock(it);
			struct rank_weight w = weight(part);

			if (part->request->owner ||
			    conversion_of(part->request))
				continue;
			line->use = rank_sub(line->use, w);
		}
		change_line(s, line);
	}
}

bool search_reduce(struct search *s)
{
	if (!close_over(s))
		return false;
	free_ownerless(s);
	while (s->free || s->changed) {
		struct owner *owner = s->free;
		struct line *line = s->changed;

		if (owner) {
			s->free = owner->next;
			free_all(s, owner);
		} else {
			s->changed = line->next_changed;
			line->changed = false;
			go_through(s, line);
		}
		if (s->steps > s->core->limits.search)
			return false;
	}
	return true;
}
