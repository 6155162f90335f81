/* Is the naive machine's state that of the core? Each record that the core
 * shows is looked up; then the numbers of objects must be the same. Outputs
 * must come in the same order, but for those who are in the way of one. */
#include "lib/model_parts.h"

#include <string.h>

#define DEADLOCKS_MAX 16 /* said of one refusal */

/* What is compared while the core shows its records. */
struct comparison {
	const struct model *model;
	const char *difference;
	size_t peers, sessions, locks, requests, values;
};

static bool same_bytes(const struct model_bytes *ours, const uint8_t *bytes,
		       size_t len)
{
	return ours->len == len &&
	       (len == 0 || memcmp(ours->at, bytes, len) == 0);
}

static bool same_name(const char *ours, const uint8_t *name, size_t len)
{
	return strlen(ours) == len &&
	       (len == 0 || memcmp(ours, name, len) == 0);
}

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
			return same_name(l->name, r->lock.name,
					 r->lock.name_len) &&
			       l->limit == r->lock.limit &&
			       l->flags == r->lock.flags &&
			       l->delay_until == r->lock.delay_until;
	}
	return false;
}

static uint64_t lock_id(struct model *m, bool ended,
			const struct model_part *part)
{
	return ended ? 0 : model_lock(m, part->name)->id;
}

static bool same_parts(struct model *m, const struct model_request *ours,
		       const struct record *r)
{
	size_t len = ours->parts_len + ours->kept_len;
	bool ended = ours->parts_len == 0;

	if (len == 0) /* a wait for a value */
		return r->request.lock == 0 && r->request.more_len == 0;
	if (r->request.more_len != len - 1 ||
	    lock_id(m, ended, &ours->parts[0]) != r->request.lock)
		return false;
	for (size_t i = 0; i < r->request.more_len; i++) {
		const struct model_part *part = &ours->parts[i + 1];

		if (lock_id(m, ended, part) != r->request.more[i].lock ||
		    part->mode != r->request.more[i].mode ||
		    part->permits != r->request.more[i].permits)
			return false;
	}
	return true;
}

static bool same_revocation(const struct model_request *ours,
			    const struct record *r)
{
	return ours->record.request.revoke.at == r->request.revoke.at &&
	       ours->record.request.revoke.noted_at ==
		       r->request.revoke.noted_at &&
	       ours->record.request.revoke.by == r->request.revoke.by &&
	       ours->record.request.revoke.noted == r->request.revoke.noted &&
	       same_bytes(&ours->reason, r->request.revoke.reason,
			  r->request.revoke.reason_len);
}

static bool same_besides(const struct model_request *ours,
			 const struct record *r)
{
	const struct record *o = &ours->record;

	return o->request.hold == r->request.hold &&
	       o->request.lease == r->request.lease &&
	       o->request.hold_until == r->request.hold_until &&
	       o->request.lease_until == r->request.lease_until &&
	       o->request.from == r->request.from &&
	       same_bytes(&ours->shown, r->request.shown,
			  r->request.shown_len) &&
	       same_revocation(ours, r);
}

static bool same_wait(struct model *m, const struct model_request *ours,
		      const struct record *r)
{
	struct model_value *v = model_value(m, ours->value);

	return (v ? v->id : 0) == r->request.value &&
	       ours->record.request.condition == r->request.condition &&
	       ours->record.request.number == r->request.number;
}

static bool same_request(struct model *m, const struct record *r)
{
	struct model_request *ours =
		model_request(m, r->request.session, r->request.seq);
	const struct record *o;

	if (!ours)
		return false;
	o = &ours->record;
	return same_parts(m, ours, r) && same_besides(ours, r) &&
	       same_wait(m, ours, r) && o->request.owner == r->request.owner &&
	       o->request.state == r->request.state &&
	       o->request.mode == r->request.mode &&
	       o->request.permits == r->request.permits &&
	       o->request.token == r->request.token &&
	       o->request.stamp == r->request.stamp &&
	       o->request.index == r->request.index &&
	       o->request.place == r->request.place &&
	       (o->request.state == REQUEST_WAITING
			? o->request.deadline
			: 0) == r->request.deadline &&
	       o->request.delay == r->request.delay &&
	       o->request.priority == r->request.priority &&
	       o->request.status == r->request.status;
}

static bool same_value(const struct model *m, const struct record *r)
{
	for (size_t i = 0; i < m->values_len; i++) {
		const struct model_value *v = &m->values[i];

		if (v->id == r->value.id)
			return same_name(v->name, r->value.name,
					 r->value.name_len) &&
			       v->version == r->value.version &&
			       v->session == r->value.session &&
			       v->counter == r->value.counter &&
			       v->number == r->value.number &&
			       same_bytes(&v->bytes, r->value.bytes,
					  r->value.bytes_len);
	}
	return false;
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
	case RECORD_VALUE:
		c->values++;
		c->difference = same_value(m, r) ? NULL : "value";
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
	    c.locks != m->locks_len || c.requests != m->requests_len ||
	    c.values != m->values_len)
		return "how many objects there are";
	return NULL;
}

static bool same_output(const struct output *a, const struct output *b)
{
	return a->kind == b->kind && a->op == b->op && a->change == b->change &&
	       a->status == b->status && a->node == b->node &&
	       a->session == b->session && a->seq == b->seq &&
	       a->token == b->token && a->stamp == b->stamp &&
	       a->deadline == b->deadline && a->index == b->index &&
	       a->by == b->by && a->number == b->number &&
	       a->name_len == b->name_len && a->bytes_len == b->bytes_len &&
	       (a->name_len == 0 ||
		memcmp(a->name, b->name, a->name_len) == 0) &&
	       (a->bytes_len == 0 ||
		memcmp(a->bytes, b->bytes, a->bytes_len) == 0);
}

/* DEADLOCK outputs of one refusal, which come in any order. */
struct run {
	const struct output *at;
	size_t len;
};

static struct run run_of(const struct output *at, size_t len)
{
	struct run run = { at, 0 };

	while (run.len < len && at[run.len].kind == OUTPUT_DEADLOCK &&
	       at[run.len].session == at->session && at[run.len].seq == at->seq)
		run.len++;
	return run;
}

/* The core names 16 of those in the way of one, the model all. */
static bool same_run(const struct run *ours, const struct run *theirs)
{
	size_t said = ours->len > DEADLOCKS_MAX ? DEADLOCKS_MAX : ours->len;
	bool used[MODEL_OUTPUTS] = { false };

	for (size_t i = 0; i < theirs->len; i++) {
		size_t k = 0;

		while (k < ours->len &&
		       (used[k] || !same_output(&theirs->at[i], &ours->at[k])))
			k++;
		if (k == ours->len)
			return false;
		used[k] = true;
	}
	return theirs->len == said;
}

const char *model_outputs_differ(const struct model *m,
				 const struct output *outputs, size_t len)
{
	size_t i = 0, k = 0;

	while (i < m->outputs_len && k < len) {
		struct run ours = run_of(m->outputs + i, m->outputs_len - i);
		struct run theirs = run_of(outputs + k, len - k);

		if (ours.len + theirs.len > 0) {
			if (!same_run(&ours, &theirs))
				return "who is in the way";
			i += ours.len;
			k += theirs.len;
		} else if (!same_output(&m->outputs[i++], &outputs[k++])) {
			return "an output";
		}
	}
	return i == m->outputs_len && k == len ? NULL : "how much is said";
}
