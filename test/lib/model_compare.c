/* Is the naive machine's state that of the core? Each record that the core
 * shows is looked up; then the numbers of objects must be the same. */
#include "lib/model_parts.h"

#include <string.h>

/* What is compared while the core shows its records. */
struct comparison {
	const struct model *model;
	const char *difference;
	size_t peers, sessions, locks, requests;
};

static bool same_state(const struct model *m, const struct record *r)
{
	return r->state.now == m->now && r->state.term == m->term &&
	       r->state.skew == m->skew && r->state.index == m->index &&
	       r->state.counter == m->counter &&
	       r->state.arrivals == m->arrivals &&
	       memcmp(&r->state.limits, &m->limits, sizeof(m->limits)) == 0;
}

static bool same_peer(const struct model *m, const struct record *r)
{
	for (size_t i = 0; i < m->peers_len; i++) {
		const struct model_peer *p = &m->peers[i];

		if (p->node == r->peer.node)
			return p->boot == r->peer.boot &&
			       p->nth == r->peer.nth &&
			       p->session == r->peer.session;
	}
	return false;
}

static bool same_slots(struct model_session *s, const struct record *r)
{
	for (size_t i = 0; i < r->session.slots_len; i++) {
		const struct slot *theirs = &r->session.slots[i];
		const struct slot *ours = model_slot(s, theirs->seq);

		if (!ours || ours->status != theirs->status ||
		    ours->token != theirs->token ||
		    ours->stamp != theirs->stamp)
			return false;
	}
	return r->session.slots_len == s->slots_len;
}

static bool same_session(struct model *m, const struct record *r)
{
	struct model_session *s = model_session(m, r->session.id);

	return s && s->node == r->session.node && s->boot == r->session.boot &&
	       s->nth == r->session.nth && s->deadline == r->session.deadline &&
	       s->opened == r->session.opened && s->low == r->session.low &&
	       same_slots(s, r);
}

static bool same_lock(const struct model *m, const struct record *r)
{
	for (size_t i = 0; i < m->locks_len; i++) {
		const struct model_lock *l = &m->locks[i];

		if (l->id == r->lock.id)
			return strlen(l->name) == r->lock.name_len &&
			       memcmp(l->name, r->lock.name,
				      r->lock.name_len) == 0 &&
			       l->limit == r->lock.limit &&
			       l->delay_until == r->lock.delay_until;
	}
	return false;
}

static bool same_request(struct model *m, const struct record *r)
{
	struct model_request *ours =
		model_request(m, r->request.session, r->request.seq);
	struct record copy;

	if (!ours)
		return false;
	copy = ours->record;
	if (ours->name[0])
		copy.request.lock = model_lock(m, ours->name)->id;
	return copy.request.owner == r->request.owner &&
	       copy.request.lock == r->request.lock &&
	       copy.request.state == r->request.state &&
	       copy.request.mode == r->request.mode &&
	       copy.request.permits == r->request.permits &&
	       copy.request.token == r->request.token &&
	       copy.request.stamp == r->request.stamp &&
	       copy.request.index == r->request.index &&
	       copy.request.place == r->request.place &&
	       copy.request.deadline == r->request.deadline &&
	       copy.request.delay == r->request.delay &&
	       copy.request.status == r->request.status;
}

static bool compare(void *ctx, const struct record *r)
{
	struct comparison *c = ctx;
	struct model *m = (struct model *)(uintptr_t)c->model;

	switch (r->kind) {
	case RECORD_STATE:
		c->difference = same_state(m, r) ? NULL : "state";
		break;
	case RECORD_PEER:
		c->peers++;
		c->difference = same_peer(m, r) ? NULL : "peer";
		break;
	case RECORD_SESSION:
		c->sessions++;
		c->difference = same_session(m, r) ? NULL : "session";
		break;
	case RECORD_LOCK:
		c->locks++;
		c->difference = same_lock(m, r) ? NULL : "lock";
		break;
	case RECORD_REQUEST:
		c->requests++;
		c->difference = same_request(m, r) ? NULL : "request";
		break;
	}
	return !c->difference;
}

const char *model_differs(const struct model *m, const struct core *core)
{
	struct comparison c = { .model = m };

	if (core_visit_all(core, compare, &c))
		return "out of memory";
	if (c.difference)
		return c.difference;
	if (c.peers != m->peers_len || c.sessions != m->sessions_len ||
	    c.locks != m->locks_len || c.requests != m->requests_len)
		return "how many objects there are";
	return NULL;
}
