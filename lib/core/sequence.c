/* Operations that take effect once, and their undoing.
 *
 * The rule: a sequenced operation takes effect once, and its result is stored
 * in the entry that applies it (README, 3). */
#include "core/state.h"

static void answer_slot(struct core *core, const struct op *op,
			const struct slot *slot)
{
	struct output o = { .kind = OUTPUT_ANSWER,
			    .op = op->kind,
			    .status = slot->status,
			    .node = op->node,
			    .session = op->session,
			    .seq = op->seq,
			    .token = slot->token,
			    .stamp = slot->stamp };
	const struct part *part;

	if (op->kind == OP_ACQUIRE && slot->status == 0) {
		part = core_token_find(core, slot->token);
		if (part && part->request->session->id == op->session)
			o.deadline = core_hold_deadline(part->request);
	} else if (op->kind == OP_REVOKE && slot->status == 0) {
		part = core_token_find(core, op->revoke.token);
		if (part && part->request->extra)
			o.deadline = part->request->extra->revoke_at;
	}
	core_emit(core, &o);
}

/* The rules of the window; 0: this is the first that is seen of the number. */
static int refuse_seq(const struct core *core, const struct window *w,
		      uint64_t seq)
{
	if (seq < w->low)
		return HF_ESTALE;
	return seq - w->low >= core->limits.window ? HF_ELIMIT : 0;
}

static int release(struct core *core, const struct session *session,
		   const struct op *op)
{
	struct request *request =
		core_hold_of(core, session, op->release.token);

	if (!request)
		return HF_ENOTHELD;
	if (op->release.to > 0)
		return core_hand_over(core, request, op->release.to);
	core_request_remove(core, request, 0);
	return 0;
}

static void apply(struct core *core, struct session *session,
		  const struct op *op, struct slot *result)
{
	switch (op->kind) {
	case OP_ACQUIRE:
		core_acquire(core, session, op, result);
		break;
	case OP_RELEASE:
		result->status = release(core, session, op);
		break;
	case OP_REVOKE:
		result->status = core_revoke(core, op);
		break;
	case OP_PERMITS:
		result->status = core_permits(core, op);
		break;
	case OP_ANNOUNCE:
		result->status = core_announce(core, session, op);
		break;
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
		core_value_change(core, session, op, result);
		break;
	case OP_AWAIT:
		core_await(core, session, op, result);
		break;
	case OP_OPEN:
	case OP_RENEW:
	case OP_CLOSE:
	case OP_CANCEL:
	case OP_LIMITS:
	case OP_EXTEND:
	case OP_NOTED:
		break;
	}
}

void core_sequenced(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);
	struct slot result = { .seq = op->seq, .stamp = core->now };
	const struct slot *slot;
	int rc;

	if (!session) {
		core_answer(core, op, HF_ESESSION);
		return;
	}
	core_touch(core, &session->object);
	core_window_raise(&session->window, op->low);
	slot = core_window_find(&session->window, op->seq);
	if (slot) {
		answer_slot(core, op, slot);
		return;
	}
	rc = refuse_seq(core, &session->window, op->seq);
	if (rc) {
		core_answer(core, op, rc);
		return;
	}
	apply(core, session, op, &result);
	core_window_put(&session->window, &result);
	answer_slot(core, op, &result);
}

/* Could a late attempt of this request still take effect, or be told that it
 * holds? */
static bool needs_tombstone(const struct window *w, uint64_t seq)
{
	const struct slot *slot = core_window_find(w, seq);

	if (!slot)
		return seq >= w->low;
	return slot->status == STATUS_WAITING ||
	       (slot->status == 0 && slot->token > 0);
}

/* The request goes, its end is the slot's result. */
static void keep_end(struct core *core, struct session *session,
		     struct request *request)
{
	core_touch(core, &session->object);
	if (request->seq >= session->window.low)
		core_window_put(&session->window,
				&(struct slot){ .seq = request->seq,
						.status = request->status,
						.token = request->token,
						.stamp = core->now });
	core_request_remove(core, request, 0);
}

/* CANCEL_WAIT, and it waits no more: what has become of it is the answer, and a
 * hold stays. */
static bool answer_stays(struct core *core, const struct op *op,
			 struct session *session, struct request *request)
{
	const struct slot *slot = core_window_find(&session->window, op->seq);
	struct output o = { .kind = OUTPUT_ANSWER,
			    .op = op->kind,
			    .node = op->node,
			    .session = op->session,
			    .seq = op->seq };

	if (!(op->cancel.flags & CANCEL_WAIT) ||
	    (request ? request->state == REQUEST_WAITING
		     : !slot || slot->status == STATUS_WAITING))
		return false;
	o.number = 1;
	o.status = request ? request->status : slot->status;
	o.token = request ? request->token : slot->token;
	o.stamp = request ? core->now : slot->stamp;
	if (request && request->state == REQUEST_HELD)
		o.deadline = core_hold_deadline(request);
	else if (request)
		keep_end(core, session, request);
	core_emit(core, &o);
	return true;
}

void core_cancel(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);
	struct request *request;

	if (!session) {
		core_answer(core, op, HF_ESESSION);
		return;
	}
	if (op->cancel.flags & ~(uint32_t)CANCEL_WAIT) {
		core_answer(core, op, HF_EINVAL);
		return;
	}
	if (!core_window_find(&session->window, op->seq) &&
	    refuse_seq(core, &session->window, op->seq) == HF_ELIMIT) {
		core_answer(core, op, HF_ELIMIT);
		return;
	}
	request = core_request_find(core, session->id, op->seq);
	if (answer_stays(core, op, session, request))
		return;
	if (request)
		core_request_remove(core, request, HF_ECANCELED);
	if (needs_tombstone(&session->window, op->seq)) {
		core_touch(core, &session->object);
		core_window_put(&session->window,
				&(struct slot){ .seq = op->seq,
						.status = HF_ECANCELED,
						.stamp = core->now });
	}
	core_answer(core, op, HF_ECANCELED);
}
