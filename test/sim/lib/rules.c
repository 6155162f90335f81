/* See rules.h. */
#include "sim/lib/rules.h"

#include <stdlib.h>

static void *grown(void *items, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 64;
	items = realloc(items, *cap * size);
	if (!items)
		abort();
	return items;
}

void rules_begin(struct rules *r, const struct entry *entry)
{
	r->entry = entry;
	r->ended_len = 0;
	r->answered = r->granted = r->vanished = false;
	r->wrong = (struct wrong){ 0 };
}

static void wrong(struct rules *r, const char *checker, const char *what)
{
	if (!r->wrong.checker)
		r->wrong = (struct wrong){ checker, what };
}

static bool has_op(const struct rules *r, enum op_kind kind, uint64_t node,
		   uint64_t session)
{
	for (size_t i = 0; i < r->entry->ops_len; i++) {
		const struct op *op = &r->entry->ops[i];
		if (op->kind == kind && op->node == node &&
		    op->session == session)
			return true;
	}
	return false;
}

static void note_end(struct rules *r, uint64_t session, bool expired)
{
	if (r->ended_len == RULES_ENDED_MAX)
		abort();
	r->ended[r->ended_len++] = (struct rules_ended){ session, expired };
}

/* By its deadline: operations come after all that is due. */
static void session_due(struct rules *r, const struct output *o)
{
	if (r->granted)
		wrong(r, "order", "a session ended after somebody was let in");
	if (has_op(r, OP_RENEW, o->node, o->session))
		wrong(r, "renewal",
		      "a session was ended by the entry that renews it");
	note_end(r, o->session, true);
}

bool rules_output(struct rules *r, const struct output *o)
{
	switch (o->kind) {
	case OUTPUT_ANSWER:
		r->answered = true;
		return false;
	case OUTPUT_GRANTED:
		r->granted = true;
		return false;
	case OUTPUT_ENDED:
		if (!r->answered && r->granted && r->entry->ops_len == 0)
			wrong(r, "order",
			      "a wait ended after somebody was let in");
		return false;
	case OUTPUT_SESSION_ENDED:
		break;
	}
	if (!r->answered && !has_op(r, OP_OPEN, o->node, 0)) {
		session_due(r, o);
		return true;
	}
	if (!has_op(r, OP_CLOSE, o->node, o->session) ||
	    has_op(r, OP_OPEN, o->node, 0))
		note_end(r, o->session, false);
	return false;
}

/* The end of this session in this entry, or NULL. */
static const struct rules_ended *end_of(const struct rules *r, uint64_t session)
{
	for (size_t i = 0; i < r->ended_len; i++)
		if (r->ended[i].session == session)
			return &r->ended[i];
	return NULL;
}

static void bar(struct rules *r, uint64_t lock, uint64_t until, bool sure)
{
	r->bars = grown(r->bars, r->bars_len, &r->bars_cap, sizeof(*r->bars));
	r->bars[r->bars_len++] = (struct rules_bar){ lock, until, sure };
	r->delays += sure;
}

/* Holds that are gone, and locks that this bars. */
static void look_at_holds(struct rules *r, const struct core *core)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->holds_len; i++) {
		struct rules_hold h = r->holds[i];
		const struct rules_ended *end = end_of(r, h.session);
		struct record record;
		if (core_hold(core, h.token, &record))
			r->holds[kept++] = h;
		else if (end)
			bar(r, h.lock, core_now(core) + h.delay, end->expired);
	}
	r->holds_len = kept;
	kept = 0;
	for (size_t i = 0; i < r->bars_len; i++)
		if (r->bars[i].until > core_now(core))
			r->bars[kept++] = r->bars[i];
	r->bars_len = kept;
}

void rules_grant(struct rules *r, const struct core *core,
		 const struct record *hold)
{
	if (hold->request.index < core_index(core))
		return; /* it was granted before, and is only said again */
	look_at_holds(r, core);
	for (size_t i = 0; i < r->bars_len; i++)
		if (r->bars[i].lock == hold->request.lock && r->bars[i].sure)
			wrong(r, "delay",
			      "somebody was let in during a lock delay");
	if (!hold->request.delay)
		return;
	r->holds =
		grown(r->holds, r->holds_len, &r->holds_cap, sizeof(*r->holds));
	r->holds[r->holds_len++] =
		(struct rules_hold){ hold->request.token, hold->request.session,
				     hold->request.lock, hold->request.delay };
}

struct wrong rules_end(struct rules *r, const struct core *core)
{
	look_at_holds(r, core);
	return r->wrong;
}

void rules_vanished(struct rules *r, uint64_t session)
{
	r->vanished |= end_of(r, session) != NULL;
}

struct wrong rules_delay(struct rules *r, const struct core *core,
			 const struct record *lock)
{
	if (lock->lock.delay_until <= core_now(core))
		return (struct wrong){ 0 };
	for (size_t i = 0; i < r->bars_len; i++)
		if (r->bars[i].lock == lock->lock.id &&
		    r->bars[i].until >= lock->lock.delay_until)
			return (struct wrong){ 0 };
	if (r->vanished) {
		bar(r, lock->lock.id, lock->lock.delay_until, false);
		return (struct wrong){ 0 };
	}
	return (struct wrong){ "delay",
			       "a lock is barred, but no holder has failed" };
}

void rules_place(struct rules_line *line, const struct record *r)
{
	uint64_t place = r->request.place;

	if (r->request.state == REQUEST_HELD && place > line->held)
		line->held = place;
	if (r->request.state == REQUEST_WAITING &&
	    (!line->waiting || place < line->waiting))
		line->waiting = place;
}

bool rules_passed(const struct rules_line *line)
{
	return line->waiting && line->held > line->waiting;
}

static bool look_at_place(void *ctx, const struct record *r)
{
	rules_place(ctx, r);
	return true;
}

struct wrong rules_line(const struct core *core, const void *name, size_t len)
{
	struct rules_line line = { 0 };

	core_visit_lock(core, name, len, look_at_place, &line);
	if (rules_passed(&line))
		return (struct wrong){ "line",
				       "somebody passed one who still waits" };
	return (struct wrong){ 0 };
}

void rules_bars(struct rules_bars *bars, const struct record *r)
{
	const struct op *op = bars->op;

	bars->used += r->request.permits;
	bars->barred |= r->request.state == REQUEST_WAITING ||
			r->request.mode == MODE_EXCLUSIVE ||
			op->acquire.mode == MODE_EXCLUSIVE ||
			(op->acquire.mode == MODE_PERMITS &&
			 bars->used + op->acquire.permits > op->acquire.limit);
}

static bool look_at_bar(void *ctx, const struct record *r)
{
	rules_bars(ctx, r);
	return true;
}

struct wrong rules_refused(const struct core *core, const struct op *op)
{
	const uint8_t *name = op->acquire.name;
	size_t len = op->acquire.name_len;
	struct rules_bars bars = { .op = op };
	struct record lock;

	if (op->acquire.wait)
		return (struct wrong){ "line",
				       "one who would wait was refused" };
	core_visit_lock(core, name, len, look_at_bar, &bars);
	if (core_lock(core, name, len, &lock))
		bars.barred |= lock.lock.delay_until > core_now(core);
	if (bars.barred)
		return (struct wrong){ 0 };
	return (struct wrong){ "line", "what is free was refused as held" };
}

void rules_free(struct rules *r)
{
	free(r->holds);
	free(r->bars);
	*r = (struct rules){ 0 };
}
