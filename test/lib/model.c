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

static void answer(struct model *m, const struct op *op, int status)
{
	model_say(m, (struct output){ .kind = OUTPUT_ANSWER,
				      .op = op->kind,
				      .status = status,
				      .node = op->node,
				      .session = op->session,
				      .seq = op->seq,
				      .stamp = m->now });
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
		answer(m, op, rc);
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

static int judge(struct model *m, const struct op *op,
		 const struct model_lock *lock, const struct record *r)
{
	bool counted = op->acquire.mode == MODE_PERMITS;
	bool free_now;
	size_t line = 0;

	if (op->acquire.name_len == 0 || op->acquire.mode > MODE_PERMITS ||
	    counted != (op->acquire.permits > 0) ||
	    counted != (op->acquire.limit > 0) ||
	    (op->acquire.wait > DURATION_MAX &&
	     op->acquire.wait != WAIT_FOREVER) ||
	    op->acquire.delay > DURATION_MAX)
		return HF_EINVAL;
	if (op->acquire.delay > m->limits.delay_max_us)
		return HF_ELIMIT;
	if (counted &&
	    (op->acquire.permits > op->acquire.limit ||
	     (lock && lock->limit > 0 && lock->limit != op->acquire.limit)))
		return HF_EPERMITS;
	if (m->requests_len >= m->limits.requests ||
	    (!lock && m->locks_len >= m->limits.locks))
		return HF_ELIMIT;
	if (!lock)
		return 0;
	for (size_t i = 0; i < m->requests_len; i++)
		line += strcmp(m->requests[i].name, lock->name) == 0 &&
			m->requests[i].record.request.state == REQUEST_WAITING;
	free_now = line == 0 && lock->delay_until == 0 &&
		   model_fits(m, lock->name,
			      lock->limit ? lock->limit : op->acquire.limit, r);
	if (free_now)
		return 0;
	if (op->acquire.wait == 0)
		return HF_EHELD;
	return line >= m->limits.line ? HF_ELIMIT : STATUS_WAITING;
}

static struct record request_of(const struct model *m, const struct op *op)
{
	return (struct record){
		.kind = RECORD_REQUEST,
		.request = { .session = op->session,
			     .seq = op->seq,
			     .owner = op->acquire.owner,
			     .state = REQUEST_WAITING,
			     .mode = op->acquire.mode,
			     .permits = op->acquire.permits,
			     .deadline = op->acquire.wait == WAIT_FOREVER
						 ? 0
						 : m->now + op->acquire.wait,
			     .delay = op->acquire.delay }
	};
}

static int acquire(struct model *m, const struct op *op, uint64_t *token)
{
	struct record r = request_of(m, op);
	char name[MODEL_NAME] = "";
	struct model_lock *lock;
	int status;

	assert(op->acquire.name_len < MODEL_NAME);
	memcpy(name, op->acquire.name, op->acquire.name_len);
	lock = model_lock(m, name);
	status = judge(m, op, lock, &r);
	if (status < 0)
		return status;
	if (!lock) {
		assert(m->locks_len < MODEL_LOCKS);
		lock = &m->locks[m->locks_len++];
		memset(lock, 0, sizeof(*lock));
		memcpy(lock->name, name, MODEL_NAME);
		lock->id = ++m->counter;
	}
	if (lock->limit == 0)
		lock->limit = op->acquire.limit;
	r.request.place = ++m->arrivals;
	if (status == 0)
		model_grant(m, &r);
	assert(m->requests_len < MODEL_REQUESTS);
	m->requests[m->requests_len].record = r;
	memcpy(m->requests[m->requests_len++].name, name, MODEL_NAME);
	*token = r.request.token;
	return status;
}

static int release(struct model *m, const struct op *op)
{
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct record *r = &m->requests[i].record;

		if (op->release.token > 0 &&
		    r->request.token == op->release.token &&
		    r->request.session == op->session) {
			model_remove(m, &m->requests[i], false);
			return 0;
		}
	}
	return HF_ENOTHELD;
}

static void answer_slot(struct model *m, const struct op *op,
			const struct slot *slot)
{
	model_say(m, (struct output){ .kind = OUTPUT_ANSWER,
				      .op = op->kind,
				      .status = slot->status,
				      .node = op->node,
				      .session = op->session,
				      .seq = op->seq,
				      .token = slot->token,
				      .stamp = slot->stamp });
}

static void sequenced(struct model *m, struct model_session *s,
		      const struct op *op)
{
	uint64_t token = 0;
	int status;

	raise_low(s, op->low);
	if (op->seq < s->low) {
		answer(m, op, HF_ESTALE);
		return;
	}
	if (!model_slot(s, op->seq)) {
		if (op->seq - s->low >= m->limits.window) {
			answer(m, op, HF_ELIMIT);
			return;
		}
		status = op->kind == OP_ACQUIRE ? acquire(m, op, &token)
						: release(m, op);
		put_slot(s, op->seq, status, token, m->now);
	}
	answer_slot(m, op, model_slot(s, op->seq));
}

static void cancel(struct model *m, struct model_session *s,
		   const struct op *op)
{
	struct model_request *r = model_request(m, s->id, op->seq);
	struct slot *slot = model_slot(s, op->seq);

	if (!slot && op->seq >= s->low &&
	    op->seq - s->low >= m->limits.window) {
		answer(m, op, HF_ELIMIT);
		return;
	}
	if (r)
		model_remove(m, r, false);
	if ((!slot && op->seq >= s->low) ||
	    (slot && (slot->status == STATUS_WAITING || slot->token > 0)))
		put_slot(s, op->seq, HF_ECANCELED, 0, m->now);
	answer(m, op, HF_ECANCELED);
}

static void renew(struct model *m, struct model_session *s, const struct op *op)
{
	raise_low(s, op->low);
	if (s->deadline < m->now + s->ttl)
		s->deadline = m->now + s->ttl;
	model_say(m, (struct output){ .kind = OUTPUT_ANSWER,
				      .op = OP_RENEW,
				      .node = op->node,
				      .session = op->session,
				      .seq = op->seq,
				      .stamp = m->now,
				      .deadline = s->deadline });
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
	answer(m, op, valid ? 0 : HF_ELIMIT);
}

static void apply_op(struct model *m, const struct op *op)
{
	struct model_session *s = model_session(m, op->session);

	if (op->kind == OP_OPEN) {
		apply_open(m, op);
	} else if (op->kind == OP_LIMITS) {
		change_limits(m, op);
	} else if (!s || s->node != op->node || s->id > m->known) {
		answer(m, op, HF_ESESSION);
	} else if (op->kind == OP_RENEW) {
		renew(m, s, op);
	} else if (op->kind == OP_CANCEL) {
		cancel(m, s, op);
	} else if (op->kind == OP_CLOSE) {
		answer(m, op, 0);
		model_end_session(m, s->id, false);
	} else {
		sequenced(m, s, op);
	}
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
