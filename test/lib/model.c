/* The naive state machine: operations; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
#define X(name, first, least, greatest) m->limits.name = first;
	LIMITS(X)
#undef X
}

static bool ends_former(const struct op *op, const struct model_session *s)
{
	return s->node == op->node &&
	       ((op->open.flags & OPEN_MEMBER) || s->boot == op->open.boot);
}

static int refuse_open(struct model *m, const struct op *op)
{
	const struct model_peer *peer = model_peer(m, op->node);
	size_t others = 0;

	if (op->node == 0 || op->open.flags > OPEN_MEMBER)
		return HF_EINVAL;
	if (peer && op->open.boot < peer->boot)
		return HF_EOLDBOOT;
	if (peer && op->open.boot == peer->boot && op->open.nth <= peer->nth)
		return HF_ESESSION;
	if (op->open.ttl < m->limits.ttl_min_us ||
	    op->open.ttl > m->limits.ttl_max_us)
		return HF_ELIMIT;
	for (size_t i = 0; i < m->sessions_len; i++)
		others += !ends_former(op, &m->sessions[i]);
	if (others >= m->limits.sessions ||
	    (!peer && m->peers_len >= m->limits.sessions))
		return HF_ELIMIT;
	return 0;
}

static void answer_open(struct model *m, const struct op *op,
			const struct model_session *s)
{
	model_say(m, (struct output){ .kind = OUTPUT_ANSWER,
				      .op = OP_OPEN,
				      .node = op->node,
				      .session = s->id,
				      .seq = op->seq,
				      .stamp = s->opened,
				      .deadline = s->opened + s->ttl });
}

static void make_session(struct model *m, const struct op *op)
{
	struct model_session *s = &m->sessions[m->sessions_len++];
	struct model_peer *peer = model_peer(m, op->node);

	assert(m->sessions_len <= MODEL_SESSIONS);
	if (!peer) {
		assert(m->peers_len < MODEL_PEERS);
		peer = &m->peers[m->peers_len++];
		peer->node = op->node;
	}
	memset(s, 0, sizeof(*s));
	s->id = ++m->counter;
	s->node = op->node;
	s->boot = peer->boot = op->open.boot;
	s->nth = peer->nth = op->open.nth;
	s->ttl = op->open.ttl;
	s->opened = m->now;
	s->deadline = m->now + s->ttl;
	s->low = 1;
	memcpy(s->nonce, op->open.nonce, NONCE_LEN);
	peer->session = s->id;
	answer_open(m, op, s);
}

static void apply_open(struct model *m, const struct op *op)
{
	struct model_peer *peer = model_peer(m, op->node);
	struct model_session *s =
		peer && peer->session ? model_session(m, peer->session) : NULL;
	int rc;

	if (s && memcmp(s->nonce, op->open.nonce, NONCE_LEN) == 0) {
		answer_open(m, op, s);
		return;
	}
	rc = refuse_open(m, op);
	if (rc) {
		model_answer(m, op, rc);
		return;
	}
	for (size_t i = m->sessions_len; i-- > 0;) {
		if (ends_former(op, &m->sessions[i]))
			model_end_session(m, m->sessions[i].id, true);
	}
	make_session(m, op);
}

static void raise_low(struct model_session *s, uint64_t low)
{
	if (low > s->high + 1)
		low = s->high + 1;
	if (low <= s->low)
		return;
	s->low = low;
	for (size_t i = 0; i < s->slots_len;) {
		if (s->slots[i].seq < low)
			s->slots[i] = s->slots[--s->slots_len];
		else
			i++;
	}
}

static void put_slot(struct model_session *s, uint64_t seq, int status,
		     uint64_t token, uint64_t stamp)
{
	struct slot *slot = model_slot(s, seq);

	if (!slot) {
		assert(s->slots_len < MODEL_SLOTS);
		slot = &s->slots[s->slots_len++];
	}
	*slot = (struct slot){ seq, status, token, stamp };
	if (s->high < seq)
		s->high = seq;
}

static void answer_slot(struct model *m, const struct op *op,
			const struct slot *slot, uint64_t deadline)
{
	struct output *o = model_answer(m, op, slot->status);

	o->token = slot->token;
	o->stamp = slot->stamp;
	o->deadline = deadline;
}

static struct model_result do_sequenced(struct model *m, const struct op *op)
{
	switch (op->kind) {
	case OP_ACQUIRE:
		return model_acquire(m, op);
	case OP_RELEASE:
		return model_release(m, op);
	case OP_REVOKE:
		return model_revoke(m, op);
	case OP_PERMITS:
		return model_permits(m, op);
	case OP_ANNOUNCE:
		return model_announce(m, op);
	case OP_AWAIT:
		return model_await(m, op);
	default:
		return model_write(m, op);
	}
}

/* A retry is told of the hold's deadline as it is by now. */
static uint64_t retried_deadline(struct model *m, const struct op *op,
				 const struct slot *slot)
{
	const struct model_request *hold;

	if (slot->status != 0)
		return 0;
	if (op->kind == OP_REVOKE) {
		hold = model_hold(m, op->revoke.token);
		return hold ? hold->record.request.revoke.at : 0;
	}
	hold = op->kind == OP_ACQUIRE ? model_hold(m, slot->token) : NULL;
	return hold ? model_own_deadline(hold) : 0;
}

static void sequenced(struct model *m, struct model_session *s,
		      const struct op *op)
{
	struct model_result result;

	raise_low(s, op->low);
	if (op->seq < s->low) {
		model_answer(m, op, HF_ESTALE);
		return;
	}
	if (model_slot(s, op->seq)) {
		struct slot *slot = model_slot(s, op->seq);

		answer_slot(m, op, slot, retried_deadline(m, op, slot));
		return;
	}
	if (op->seq - s->low >= m->limits.window) {
		model_answer(m, op, HF_ELIMIT);
		return;
	}
	result = do_sequenced(m, op);
	put_slot(s, op->seq, result.status, result.token, m->now);
	answer_slot(m, op, model_slot(s, op->seq), result.deadline);
}

/* A hold stays if only the wait was to be cancelled. */
static bool keeps(const struct model_request *r, const struct op *op)
{
	return (op->cancel.flags & CANCEL_WAIT) && r &&
	       r->record.request.state == REQUEST_HELD;
}

/* What it has come to is the answer, and stays it. */
static void keep_end(struct model *m, struct model_session *s,
		     struct model_request *r, const struct op *op)
{
	int status = r->record.request.status;
	uint64_t token = r->record.request.token;

	if (op->seq >= s->low)
		put_slot(s, op->seq, status, token, m->now);
	model_remove(m, r, 0, false);
	struct output *o = model_answer(m, op, status);

	o->token = token;
	o->number = 1;
}

static void cancel(struct model *m, struct model_session *s,
		   const struct op *op)
{
	struct model_request *r = model_request(m, s->id, op->seq);
	struct slot *slot = model_slot(s, op->seq);

	if (op->cancel.flags > CANCEL_WAIT) {
		model_answer(m, op, HF_EINVAL);
		return;
	}
	if (keeps(r, op)) {
		struct output *o = model_answer(m, op, 0);

		o->token = r->record.request.token;
		o->deadline = model_own_deadline(r);
		o->number = 1;
		return;
	}
	if ((op->cancel.flags & CANCEL_WAIT) && r &&
	    r->record.request.state == REQUEST_ENDED) {
		keep_end(m, s, r, op);
		return;
	}
	if ((op->cancel.flags & CANCEL_WAIT) && !r && slot &&
	    slot->status != STATUS_WAITING) {
		answer_slot(m, op, slot, 0);
		m->outputs[m->outputs_len - 1].number = 1;
		return;
	}
	if (!slot && op->seq >= s->low &&
	    op->seq - s->low >= m->limits.window) {
		model_answer(m, op, HF_ELIMIT);
		return;
	}
	if (r)
		model_remove(m, r, HF_ECANCELED, false);
	if ((!slot && op->seq >= s->low) ||
	    (slot && (slot->status == STATUS_WAITING ||
		      (slot->status == 0 && slot->token > 0))))
		put_slot(s, op->seq, HF_ECANCELED, 0, m->now);
	model_answer(m, op, HF_ECANCELED);
}

/* Who has the answer must have heard of what is to be taken away. */
static void renew(struct model *m, struct model_session *s, const struct op *op)
{
	raise_low(s, op->low);
	if (s->deadline < m->now + s->ttl)
		s->deadline = m->now + s->ttl;
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct model_request *r = &m->requests[i];

		if (r->record.request.session == s->id &&
		    r->record.request.state == REQUEST_HELD &&
		    r->record.request.revoke.at > 0 &&
		    !r->record.request.revoke.noted)
			model_say_revoked(m, r);
	}
	model_answer(m, op, 0)->deadline = s->deadline;
}

static bool between(uint64_t value, uint64_t least, uint64_t greatest)
{
	return value >= least && value <= greatest;
}

static void change_limits(struct model *m, const struct op *op)
{
	bool valid = op->limits.ttl_min_us <= op->limits.ttl_max_us;

#define X(name, first, least, greatest) \
	valid = valid && between(op->limits.name, least, greatest);
	LIMITS(X)
#undef X
	if (valid)
		m->limits = op->limits;
	model_answer(m, op, valid ? 0 : HF_ELIMIT);
}

static void of_session(struct model *m, struct model_session *s,
		       const struct op *op)
{
	switch (op->kind) {
	case OP_RENEW:
		renew(m, s, op);
		break;
	case OP_CANCEL:
		cancel(m, s, op);
		break;
	case OP_EXTEND:
		model_extend(m, op);
		break;
	case OP_NOTED:
		model_noted(m, op);
		break;
	case OP_CLOSE:
		model_answer(m, op, 0);
		model_end_session(m, s->id, false);
		break;
	default:
		sequenced(m, s, op);
	}
}

static void apply_op(struct model *m, const struct op *op)
{
	struct model_session *s = model_session(m, op->session);

	if (op->kind == OP_OPEN)
		apply_open(m, op);
	else if (op->kind == OP_LIMITS)
		change_limits(m, op);
	else if (!s || s->node != op->node || s->id > m->known)
		model_answer(m, op, HF_ESESSION);
	else
		of_session(m, s, op);
	model_settle(m);
}

void model_apply(struct model *m, uint64_t index, const struct entry *entry)
{
	m->index = index;
	m->outputs_len = 0;
	m->known = m->counter;
	model_step(m, entry);
	model_expire(m);
	for (size_t i = 0; i < entry->ops_len; i++)
		apply_op(m, &entry->ops[i]);
}
