/* See lines.h. */
#include "sim/lib/lines.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct lines *lines;
	unsigned lock;
};

static bool read_piece(void *ctx, const struct record *r)
{
	struct reader *reader = ctx;
	struct lines *l = reader->lines;

	if (l->len == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->pieces = realloc(l->pieces, l->cap * sizeof(*l->pieces));
		if (!l->pieces)
			abort();
	}
	l->pieces[l->len++] =
		(struct line_piece){ .session = r->request.session,
				     .seq = r->request.seq,
				     .owner = r->request.owner,
				     .place = r->request.place,
				     .token = r->request.state == REQUEST_HELD
						      ? r->request.token
						      : 0,
				     .index = r->request.index,
				     .from = r->request.from,
				     .mode = r->request.mode,
				     .permits = r->request.permits,
				     .priority = r->request.priority,
				     .parts = r->request.more_len + 1,
				     .lock = reader->lock };
	if (r->request.place > l->arrivals)
		l->arrivals = r->request.place;
	return true;
}

void lines_read(struct lines *l, const struct core *core,
		const struct line_name *names, size_t names_len)
{
	l->len = 0;
	l->locks_len = names_len;
	for (unsigned i = 0; i < names_len; i++) {
		struct line_lock *lock = &l->locks[i];
		struct reader reader = { l, i };
		struct record r;
		*lock = (struct line_lock){ .first = l->len };
		if (!core_lock(core, names[i].text, names[i].len, &r))
			continue;
		lock->limit = r.lock.limit;
		lock->barrier = r.lock.flags & LOCK_BARRIER;
		lock->delayed = r.lock.delay_until > core_now(core);
		core_visit_lock(core, names[i].text, names[i].len, read_piece,
				&reader);
		lock->len = l->len - lock->first;
	}
}

void lines_free(struct lines *l)
{
	free(l->pieces);
	*l = (struct lines){ 0 };
}

bool line_before(const struct line_piece *a, const struct line_piece *b)
{
	if ((a->from > 0) != (b->from > 0))
		return a->from > 0;
	if (a->priority != b->priority && !a->from)
		return a->priority > b->priority;
	return a->place < b->place;
}

static uint32_t units(const struct line_piece *p)
{
	if (p->mode == MODE_EXCLUSIVE)
		return 0;
	return p->mode == MODE_PERMITS ? p->permits : 1;
}

static bool counts(const struct line_piece *other,
		   const struct line_piece *piece, struct line_view view)
{
	if (other->place == piece->place)
		return false;
	if (other->token)
		return other->token < view.tokens_below &&
		       other->token != piece->from;
	return other->place <= view.places_up_to && line_before(other, piece);
}

bool line_fits(const struct lines *l, const struct line_piece *piece,
	       uint32_t limit, struct line_view view)
{
	const struct line_lock *lock = &l->locks[piece->lock];
	uint64_t used = 0;

	for (size_t i = lock->first; i < lock->first + lock->len; i++) {
		const struct line_piece *other = &l->pieces[i];
		if (!counts(other, piece, view))
			continue;
		if (piece->mode == MODE_EXCLUSIVE ||
		    other->mode == MODE_EXCLUSIVE)
			return false;
		used += units(other);
	}
	return !limit || piece->mode == MODE_EXCLUSIVE ||
	       used + units(piece) <= limit;
}

const struct line_piece *lines_find(const struct lines *l, uint64_t session,
				    uint64_t seq)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->pieces[i].session == session && l->pieces[i].seq == seq)
			return &l->pieces[i];
	return NULL;
}

const struct line_piece *lines_next(const struct lines *l, uint64_t place,
				    const struct line_piece *after)
{
	const struct line_piece *end = l->pieces + l->len;

	for (const struct line_piece *p = after ? after + 1 : l->pieces;
	     p < end; p++)
		if (p->place == place)
			return p;
	return NULL;
}

static bool find_name(const struct line_name *names, size_t names_len,
		      const uint8_t *name, size_t len, unsigned *number)
{
	for (unsigned i = 0; i < names_len; i++) {
		if (names[i].len != len || memcmp(names[i].text, name, len))
			continue;
		*number = i;
		return true;
	}
	return false;
}

static struct op_part part_of(const struct op *op, size_t number)
{
	if (number)
		return op->acquire.more[number - 1];
	return (struct op_part){ op->acquire.name, op->acquire.name_len,
				 op->acquire.mode, op->acquire.permits,
				 op->acquire.limit };
}

size_t lines_of_op(const struct op *op, const struct line_name *names,
		   size_t names_len, struct line_piece pieces[PARTS_MAX])
{
	size_t len = op->acquire.more_len + 1;

	for (size_t i = 0; i < len; i++) {
		struct op_part part = part_of(op, i);
		pieces[i] =
			(struct line_piece){ .session = op->session,
					     .seq = op->seq,
					     .owner = op->acquire.owner,
					     .place = UINT64_MAX, /* the last */
					     .from = op->acquire.from,
					     .mode = part.mode,
					     .permits = part.permits,
					     .limit = part.limit,
					     .priority = op->acquire.priority,
					     .parts = len };
		if (!find_name(names, names_len, part.name, part.name_len,
			       &pieces[i].lock))
			return 0;
	}
	return len;
}

bool lines_admit(const struct lines *l, const struct line_piece *pieces,
		 size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const struct line_lock *lock = &l->locks[pieces[i].lock];
		uint32_t limit = lock->limit ? lock->limit : pieces[i].limit;
		if (lock->delayed || !line_fits(l, &pieces[i], limit, LINE_ALL))
			return false;
	}
	return true;
}

static bool may_go_in(const struct lines *l, const struct line_piece *first)
{
	for (const struct line_piece *p = first; p;
	     p = p->parts > 1 ? lines_next(l, p->place, p) : NULL)
		if (!lines_admit(l, p, 1))
			return false;
	return true;
}

struct wrong lines_settled(const struct lines *l)
{
	for (size_t i = 0; i < l->len; i++) {
		const struct line_piece *p = &l->pieces[i];
		if (p->token || l->locks[p->lock].barrier ||
		    (p->parts > 1 && lines_next(l, p->place, NULL) != p))
			continue;
		if (may_go_in(l, p))
			return (struct wrong){ "line",
					       "who could go in still waits" };
	}
	return (struct wrong){ 0 };
}

static bool was_handed(const struct grants *g, uint64_t token)
{
	for (size_t i = 0; i < g->handed_len; i++)
		if (g->handed[i] == token)
			return true;
	return false;
}

/* The largest that was in force during the entry; 0: no limit at some time. */
static uint32_t limit_during(const struct grants *g, unsigned lock)
{
	uint32_t limit = g->before->locks[lock].limit;
	uint32_t now = g->now->locks[lock].limit;

	for (size_t i = 0; i < g->entry->ops_len; i++)
		if (g->entry->ops[i].kind == OP_PERMITS)
			return 0;
	return !limit || !now ? 0 : limit > now ? limit : now;
}

struct wrong lines_granted(const struct grants *g)
{
	for (size_t i = 0; i < g->now->len; i++) {
		struct line_piece p = g->now->pieces[i];
		struct line_view view = { p.token, g->before->arrivals };
		if (!p.token || p.index != g->index ||
		    g->now->locks[p.lock].barrier || was_handed(g, p.token))
			continue;
		p.from = g->converted(g->ctx, &p);
		if (!line_fits(g->now, &p, limit_during(g, p.lock), view))
			return (struct wrong){
				"line", "somebody was let in who doesn't fit "
					"beside those before it"
			};
	}
	return (struct wrong){ 0 };
}
