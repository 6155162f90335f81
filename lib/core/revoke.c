/* Holds that end before their session: taken away, or by a lease of their own.
 *
 * The rule: a hold is not taken while its holder may believe in it. So the time
 * is that of its session as of the revocation, or the holder's own word that it
 * knows better (README, N14). */
#include "core/state.h"

/* By place, so that the order is the same after a restore. Mostly it is the
 * last. */
static void notice_insert(struct session *session, struct extra *extra)
{
	struct list *at = &session->notices;

	while (at->prev != &session->notices &&
	       in_notices(at->prev)->request->place > extra->request->place)
		at = at->prev;
	list_insert(at, &extra->in_notices);
}

void core_notice_moved(struct extra *extra)
{
	if (extra->revoke_at == 0 || extra->noted)
		return;
	list_remove(&extra->in_notices);
	notice_insert(extra->request->session, extra);
}

void core_notice_end(struct core *core, struct extra *extra)
{
	list_remove(&extra->in_notices);
	extra->revoke_at = extra->noted_at = extra->revoke_by = 0;
	extra->noted = false;
	core_blob_free(core, extra->reason);
	extra->reason = NULL;
}

static void tell(struct core *core, const struct extra *extra)
{
	const struct request *r = extra->request;
	const struct blob *reason = extra->reason;

	core_emit(core,
		  &(struct output){ .kind = OUTPUT_REVOKED,
				    .node = r->session->peer->node,
				    .session = r->session->id,
				    .seq = r->seq,
				    .token = r->token,
				    .stamp = core->now,
				    .deadline = extra->revoke_at,
				    .number = extra->noted_at,
				    .by = extra->revoke_by,
				    .bytes = reason ? reason->bytes : NULL,
				    .bytes_len = reason ? reason->len : 0 });
}

void core_tell_notices(struct core *core, const struct session *session)
{
	list_for (it, &session->notices)
		tell(core, in_notices(it));
}

int core_revoke(struct core *core, const struct op *op)
{
	struct part *part = core_token_find(core, op->revoke.token);
	uint64_t noted_at = core->now + op->revoke.grace, at = noted_at;
	struct request *r;
	struct extra *extra;

	if (op->revoke.grace > DURATION_MAX ||
	    op->revoke.reason_len > REASON_MAX)
		return HF_EINVAL;
	if (!part)
		return HF_ENOTHELD;
	r = part->request;
	if (at < r->session->deadline)
		at = r->session->deadline;
	if (r->extra && r->extra->revoke_at > 0 && r->extra->revoke_at <= at)
		return 0;
	core_touch(core, &r->object);
	extra = core_extra(core, r);
	core_notice_end(core, extra);
	extra->revoke_at = at;
	extra->noted_at = noted_at;
	extra->revoke_by = op->node;
	extra->reason = core_blob_take(core);
	notice_insert(r->session, extra);
	core_request_timer(core, r);
	tell(core, extra);
	return 0;
}

void core_noted(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);
	struct request *r =
		session ? core_hold_of(core, session, op->noted.token) : NULL;
	struct extra *extra = r ? r->extra : NULL;

	if (!session || !r) {
		core_answer(core, op, session ? HF_ENOTHELD : HF_ESESSION);
		return;
	}
	core_answer(core, op, 0);
	if (!extra || extra->revoke_at == 0 || extra->noted ||
	    extra->noted_at != op->noted.noted_at)
		return;
	core_touch(core, &r->object);
	list_remove(&extra->in_notices);
	extra->noted = true;
	if (extra->noted_at <= core->now) {
		core_end_hold(core, r, HF_EREVOKED);
		return;
	}
	if (extra->noted_at < extra->revoke_at)
		extra->revoke_at = extra->noted_at;
	core_request_timer(core, r);
}

void core_extend(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);
	struct request *r =
		session ? core_hold_of(core, session, op->extend.token) : NULL;
	struct output o = { .kind = OUTPUT_ANSWER,
			    .op = op->kind,
			    .node = op->node,
			    .session = op->session,
			    .seq = op->seq,
			    .stamp = core->now };

	if (!session)
		o.status = HF_ESESSION;
	else if (!r)
		o.status = HF_ENOTHELD;
	else if (!r->extra || r->extra->lease == 0)
		o.status = HF_EINVAL;
	if (o.status == 0) {
		uint64_t until = core->now + r->extra->lease;

		core_touch(core, &r->object);
		if (r->extra->lease_until < until)
			r->extra->lease_until = until;
		core_request_timer(core, r);
		o.token = r->token;
		o.deadline = core_hold_deadline(r);
	}
	core_emit(core, &o);
}

int core_announce(struct core *core, const struct session *session,
		  const struct op *op)
{
	struct request *r = core_hold_of(core, session, op->announce.token);
	struct extra *extra;

	if (op->announce.shown_len > SHOWN_MAX)
		return HF_EINVAL;
	if (!r)
		return HF_ENOTHELD;
	core_touch(core, &r->object);
	extra = core_extra(core, r);
	core_blob_free(core, extra->shown);
	extra->shown = core_blob_take(core);
	core_tell_hold(core, r, CHANGE_SHOWN, 0);
	return 0;
}

static bool asks_too_much(const struct part *part, uint32_t limit)
{
	return part->mode == MODE_PERMITS && part->permits > limit;
}

/* Who asks for more than there are now would wait for ever. */
static void end_hopeless(struct core *core, struct lock *lock)
{
	struct rank_node *n =
		lock->line ? rank_first(&lock->line->waiters) : NULL;

	while (n) {
		struct rank_node *next = rank_next(n);

		if (asks_too_much(in_line(n), lock->limit))
			core_end_wait(core, in_line(n)->request, HF_EPERMITS,
				      0);
		n = next;
	}
}

static int unpin(struct core *core, struct lock *lock)
{
	if (!lock)
		return 0;
	core_lock_mark(core, lock);
	lock->flags &= (uint8_t)~LOCK_PINNED;
	return 0;
}

int core_permits(struct core *core, const struct op *op)
{
	struct lock *lock;
	uint32_t limit = op->permits.limit, was;

	if (op->permits.name_len == 0 || op->permits.name_len > LOCK_NAME_MAX)
		return HF_EINVAL;
	lock = core_lock_find(core, op->permits.name, op->permits.name_len);
	if (lock && (lock->flags & LOCK_BARRIER))
		return HF_EKIND;
	if (limit == 0)
		return unpin(core, lock);
	if (!lock && (core->len[RECORD_LOCK] >= core->limits.locks ||
		      COUNTER_MAX - core->counter < 2))
		return HF_ELIMIT;
	if (!lock)
		lock = core_lock_make(core, op->permits.name,
				      op->permits.name_len);
	core_lock_mark(core, lock);
	was = lock->limit;
	lock->limit = limit;
	if ((was == 0 || limit < was) && core_line_deadlocked(core, lock, op)) {
		lock->limit = was;
		return HF_EDEADLK;
	}
	lock->flags |= LOCK_PINNED;
	if (limit < was)
		end_hopeless(core, lock);
	return 0;
}
