/* See rules.h. */
#include "sim/lib/rules.h"
#include "holdfast.h"

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
	r->ended_len = r->failed_len = 0;
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

/* A deadlock is seen, a wait for others comes true, after somebody was let in.
 */
static void request_ended(struct rules *r, const struct output *o)
{
	if (!r->answered && r->granted && r->entry->ops_len == 0 && o->status &&
	    o->status != HF_EDEADLK)
		wrong(r, "order", "a wait ended after somebody was let in");
	if (o->status != HF_EEXPIRED && o->status != HF_EREVOKED)
		return;
	if (r->failed_len == RULES_FAILED_MAX)
		abort();
	r->failed[r->failed_len++] =
		(struct rules_failed){ o->token, !r->answered };
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
		request_ended(r, o);
		return false;
	case OUTPUT_REVOKED:
	case OUTPUT_DEADLOCK:
	case OUTPUT_CHANGED:
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

static const struct rules_failed *failure_of(const struct rules *r,
					     uint64_t token)
{
	for (size_t i = 0; i < r->failed_len; i++)
		if (r->failed[i].token == token)
			return &r->failed[i];
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
		const struct rules_failed *failed = failure_of(r, h.token);
		struct record record;
		if (core_hold(core, h.token, &record))
			r->holds[kept++] = h;
		else if (end || failed)
			bar(r, h.lock, core_now(core) + h.delay,
			    end ? end->expired : failed->first);
	}
	r->holds_len = kept;
	kept = 0;
	for (size_t i = 0; i < r->bars_len; i++)
		if (r->bars[i].until > core_now(core))
			r->bars[kept++] = r->bars[i];
	r->bars_len = kept;
}

static void grant_of_lock(struct rules *r, const struct record *hold,
			  uint64_t lock)
{
	for (size_t i = 0; i < r->bars_len; i++)
		if (r->bars[i].lock == lock && r->bars[i].sure)
			wrong(r, "delay",
			      "somebody was let in during a lock delay");
	if (!hold->request.delay)
		return;
	r->holds =
		grown(r->holds, r->holds_len, &r->holds_cap, sizeof(*r->holds));
	r->holds[r->holds_len++] =
		(struct rules_hold){ hold->request.token, hold->request.session,
				     lock, hold->request.delay };
}

void rules_grant(struct rules *r, const struct core *core,
		 const struct record *hold)
{
	if (hold->request.index < core_index(core))
		return; /* it was granted before, and is only said again */
	look_at_holds(r, core);
	grant_of_lock(r, hold, hold->request.lock);
	for (size_t i = 0; i < hold->request.more_len; i++)
		grant_of_lock(r, hold, hold->request.more[i].lock);
}

struct wrong rules_end(struct rules *r, const struct core *core)
{
	look_at_holds(r, core);
	return r->wrong;
}

void rules_vanished(struct rules *r, uint64_t session, uint64_t token)
{
	r->vanished |= end_of(r, session) || failure_of(r, token);
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

void rules_free(struct rules *r)
{
	free(r->holds);
	free(r->bars);
	*r = (struct rules){ 0 };
}
