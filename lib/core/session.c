/* Sessions: opened by a nonce, kept alive by renewals, ended once.
 *
 * The rules: a session's end takes away all of its waits before any of its
 * holds, and lets nobody in meanwhile (README, N1); and a node's sessions only
 * get newer. */
#include "core/state.h"

#include <string.h>

struct peer *core_peer_find(const struct core *core, uint64_t node)
{
	uint64_t hash = map_hash64(&core->peers, node);

	for (struct map_node *n = map_first(&core->peers, hash); n;
	     n = map_next(n, hash)) {
		struct peer *peer = container_of(n, struct peer, by_node);

		if (peer->node == node)
			return peer;
	}
	return NULL;
}

struct session *core_session_find(const struct core *core, uint64_t id)
{
	uint64_t hash = map_hash64(&core->sessions, id);

	for (struct map_node *n = map_first(&core->sessions, hash); n;
	     n = map_next(n, hash)) {
		struct session *s = container_of(n, struct session, by_id);

		if (s->id == id)
			return s;
	}
	return NULL;
}

struct session *core_session_of(const struct core *core, const struct op *op)
{
	struct session *session;

	if (op->session > core->known)
		return NULL;
	session = core_session_find(core, op->session);
	return session && session->peer->node == op->node ? session : NULL;
}

static void take_wait(struct core *core, struct request *request)
{
	if (request->state == REQUEST_WAITING)
		core_request_remove(core, request, 0);
}

static void take_away(struct core *core, struct request *request, bool failed)
{
	for (size_t i = 0; i < request->parts_len; i++) {
		if (request->state == REQUEST_HELD && failed)
			core_lock_delay(core, request->parts[i].lock,
					request->delay);
	}
	core_request_remove(core, request, failed ? HF_ESESSION : 0);
}

void core_session_end(struct core *core, struct session *session, bool failed)
{
	struct peer *peer = session->peer;

	core_touch(core, &session->object);
	list_for_safe (it, &session->requests)
		take_wait(core, in_session(it));
	list_for_safe (it, &session->requests)
		take_away(core, in_session(it), failed);
	while (!list_empty(&session->values))
		core_value_drop(core, container_of(session->values.next,
						   struct value, in_session));
	if (peer->session == session) {
		core_touch(core, &peer->object);
		peer->session = NULL;
	}
	list_remove(&session->in_peer);
	map_remove(&core->sessions, &session->by_id);
	core_emit(core, &(struct output){ .kind = OUTPUT_SESSION_ENDED,
					  .status = HF_ESESSION,
					  .node = peer->node,
					  .session = session->id,
					  .stamp = core->now });
	core_remove(core, &session->object);
}

/* Does this opening prove that the former session's process is dead, or is it
 * of the process itself? */
static bool replaces(const struct op *op, const struct session *former)
{
	return (op->open.flags & OPEN_MEMBER) || former->boot == op->open.boot;
}

static struct session *newest(const struct peer *peer)
{
	if (!peer || list_empty(&peer->sessions))
		return NULL;
	return container_of(peer->sessions.prev, struct session, in_peer);
}

/* A peer's sessions are in the order of their boots: those that are replaced
 * are the last ones, and the others needn't be looked at. */
static uint64_t count_replaced(const struct peer *peer, const struct op *op)
{
	uint64_t n = 0;

	if (!peer)
		return 0;
	for (struct list *it = peer->sessions.prev; it != &peer->sessions;
	     it = it->prev) {
		if (!replaces(op, container_of(it, struct session, in_peer)))
			break;
		n++;
	}
	return n;
}

static int refuse_open(const struct core *core, const struct peer *peer,
		       const struct op *op)
{
	uint64_t sessions = core->len[RECORD_SESSION];

	if (op->node == 0 || (op->open.flags & ~(uint32_t)OPEN_MEMBER))
		return HF_EINVAL;
	if (peer && op->open.boot < peer->boot)
		return HF_EOLDBOOT;
	/* A session that this very process has had, and that has ended. */
	if (peer && op->open.boot == peer->boot && op->open.nth <= peer->nth)
		return HF_ESESSION;
	if (op->open.ttl < core->limits.ttl_min_us ||
	    op->open.ttl > core->limits.ttl_max_us)
		return HF_ELIMIT;
	if (sessions - count_replaced(peer, op) >= core->limits.sessions)
		return HF_ELIMIT;
	if (!peer && core->len[RECORD_PEER] >= core->limits.sessions)
		return HF_ELIMIT;
	return core->counter < COUNTER_MAX ? 0 : HF_ELIMIT;
}

static struct peer *make_peer(struct core *core, uint64_t node)
{
	struct peer *peer = as_peer(core_take(core, POOL_PEER, RECORD_PEER));

	peer->node = node;
	list_init(&peer->sessions);
	map_insert(&core->peers, &peer->by_node,
		   map_hash64(&core->peers, node));
	core_add(core, &peer->object);
	return peer;
}

static struct session *make_session(struct core *core, struct peer *peer,
				    const struct op *op)
{
	struct session *s =
		as_session(core_take(core, POOL_SESSION, RECORD_SESSION));

	s->id = ++core->counter;
	s->peer = peer;
	s->boot = op->open.boot;
	s->nth = op->open.nth;
	s->ttl = op->open.ttl;
	s->opened = core->now;
	s->deadline = core->now + s->ttl;
	s->flags = op->open.flags;
	memcpy(s->nonce, op->open.nonce, NONCE_LEN);
	s->window.low = 1;
	list_init(&s->requests);
	list_init(&s->values);
	list_init(&s->notices);
	list_push(&peer->sessions, &s->in_peer);
	map_insert(&core->sessions, &s->by_id,
		   map_hash64(&core->sessions, s->id));
	core_set_timer(core, &s->object, s->deadline, s->id);
	core_add(core, &s->object);
	core_touch(core, &peer->object);
	peer->session = s;
	peer->boot = s->boot;
	peer->nth = s->nth;
	return s;
}

/* As the opening entry answered (README, N11). */
static void answer_open(struct core *core, const struct op *op,
			const struct session *session)
{
	core_emit(core, &(struct output){ .kind = OUTPUT_ANSWER,
					  .op = OP_OPEN,
					  .node = op->node,
					  .session = session->id,
					  .seq = op->seq,
					  .stamp = session->opened,
					  .deadline = session->opened +
						      session->ttl });
}

void core_open(struct core *core, const struct op *op)
{
	struct peer *peer = core_peer_find(core, op->node);
	struct session *former = peer ? peer->session : NULL;
	int rc;

	if (former && memcmp(former->nonce, op->open.nonce, NONCE_LEN) == 0) {
		answer_open(core, op, former);
		return;
	}
	rc = refuse_open(core, peer, op);
	if (rc) {
		core_answer(core, op, rc);
		return;
	}
	while ((former = newest(peer)) && replaces(op, former))
		core_session_end(core, former, true);
	if (!peer)
		peer = make_peer(core, op->node);
	answer_open(core, op, make_session(core, peer, op));
}

void core_renew(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);
	uint64_t deadline;

	if (!session) {
		core_answer(core, op, HF_ESESSION);
		return;
	}
	core_touch(core, &session->object);
	core_window_raise(&session->window, op->low);
	deadline = core->now + session->ttl;
	if (deadline > session->deadline)
		session->deadline = deadline;
	core_set_timer(core, &session->object, session->deadline, session->id);
	core_tell_notices(core, session);
	core_emit(core, &(struct output){ .kind = OUTPUT_ANSWER,
					  .op = OP_RENEW,
					  .node = op->node,
					  .session = op->session,
					  .seq = op->seq,
					  .stamp = core->now,
					  .deadline = session->deadline });
}

void core_close(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);

	core_answer(core, op, session ? 0 : HF_ESESSION);
	if (session)
		core_session_end(core, session, false);
}
