/* The naive state machine: lines, ends and time; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

#define NEVER UINT64_MAX

void model_say(struct model *m, struct output output)
{
	assert(m->outputs_len < MODEL_OUTPUTS);
	output.index = m->index;
	m->outputs[m->outputs_len++] = output;
}

struct model_peer *model_peer(struct model *m, uint64_t node)
{
	for (size_t i = 0; i < m->peers_len; i++) {
		if (m->peers[i].node == node)
			return &m->peers[i];
	}
	return NULL;
}

struct model_session *model_session(struct model *m, uint64_t id)
{
	for (size_t i = 0; i < m->sessions_len; i++) {
		if (m->sessions[i].id == id)
			return &m->sessions[i];
	}
	return NULL;
}

struct model_lock *model_lock(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->locks_len; i++) {
		if (strcmp(m->locks[i].name, name) == 0)
			return &m->locks[i];
	}
	return NULL;
}

struct model_request *model_request(struct model *m, uint64_t session,
				    uint64_t seq)
{
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct record *r = &m->requests[i].record;

		if (r->request.session == session && r->request.seq == seq)
			return &m->requests[i];
	}
	return NULL;
}

struct slot *model_slot(struct model_session *s, uint64_t seq)
{
	for (size_t i = 0; i < s->slots_len; i++) {
		if (s->slots[i].seq == seq)
			return &s->slots[i];
	}
	return NULL;
}

static void affect(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->affected_len; i++) {
		if (strcmp(m->affected[i], name) == 0)
			return;
	}
	memcpy(m->affected[m->affected_len++], name, MODEL_NAME);
}

bool model_fits(struct model *m, const char *name, uint32_t limit,
		const struct record *r)
{
	uint64_t used =
		r->request.mode == MODE_PERMITS ? r->request.permits : 1;

	for (size_t i = 0; i < m->requests_len; i++) {
		const struct model_request *other = &m->requests[i];

		if (strcmp(other->name, name) != 0 ||
		    other->record.request.state != REQUEST_HELD)
			continue;
		if (r->request.mode == MODE_EXCLUSIVE ||
		    other->record.request.mode == MODE_EXCLUSIVE)
			return false;
		used += other->record.request.mode == MODE_PERMITS
				? other->record.request.permits
				: 1;
	}
	return limit == 0 || used <= limit;
}

static struct model_request *first_waiter(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->requests_len; i++) {
		if (strcmp(m->requests[i].name, name) == 0 &&
		    m->requests[i].record.request.state == REQUEST_WAITING)
			return &m->requests[i];
	}
	return NULL;
}

void model_grant(struct model *m, struct record *r)
{
	r->request.state = REQUEST_HELD;
	r->request.token = ++m->counter;
	r->request.stamp = m->now;
	r->request.index = m->index;
	r->request.deadline = 0;
}

static void settle_lock(struct model *m, const char *name)
{
	struct model_lock *lock = model_lock(m, name);
	struct model_request *r = first_waiter(m, name);
	bool used = false;

	while (r && lock->delay_until == 0 &&
	       model_fits(m, name, lock->limit, &r->record)) {
		model_grant(m, &r->record);
		model_say(m,
			  (struct output){
				  .kind = OUTPUT_GRANTED,
				  .node = model_session(
						  m, r->record.request.session)
						  ->node,
				  .session = r->record.request.session,
				  .seq = r->record.request.seq,
				  .token = r->record.request.token,
				  .stamp = m->now });
		r = first_waiter(m, name);
	}
	for (size_t i = 0; i < m->requests_len; i++)
		used = used || strcmp(m->requests[i].name, name) == 0;
	if (!used && lock->delay_until == 0)
		*lock = m->locks[--m->locks_len];
}

void model_settle(struct model *m)
{
	for (size_t i = 0; i < m->affected_len; i++)
		settle_lock(m, m->affected[i]);
	m->affected_len = 0;
}

void model_remove(struct model *m, struct model_request *r, bool failed)
{
	uint64_t until = m->now + r->record.request.delay;
	size_t at = (size_t)(r - m->requests);

	if (r->name[0]) {
		struct model_lock *lock = model_lock(m, r->name);

		if (failed && r->record.request.delay > 0 &&
		    r->record.request.state == REQUEST_HELD &&
		    lock->delay_until < until)
			lock->delay_until = until;
		affect(m, r->name);
	}
	m->requests_len--;
	memmove(r, r + 1, (m->requests_len - at) * sizeof(*r));
}

void model_end_session(struct model *m, uint64_t id, bool failed)
{
	struct model_session *s = model_session(m, id);
	struct model_peer *peer = model_peer(m, s->node);

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < m->requests_len;) {
			struct record *r = &m->requests[i].record;

			if (r->request.session == id &&
			    (pass == 1 || r->request.state == REQUEST_WAITING))
				model_remove(m, &m->requests[i], failed);
			else
				i++;
		}
	}
	if (peer->session == id)
		peer->session = 0;
	model_say(m, (struct output){ .kind = OUTPUT_SESSION_ENDED,
				      .status = HF_ESESSION,
				      .node = s->node,
				      .session = id,
				      .stamp = m->now });
	m->sessions_len--;
	memmove(s, s + 1,
		(m->sessions_len - (size_t)(s - m->sessions)) * sizeof(*s));
}

static void end_wait(struct model *m, struct model_request *r)
{
	affect(m, r->name);
	r->name[0] = '\0';
	r->record.request.state = REQUEST_ENDED;
	r->record.request.status = HF_ETIMEDOUT;
	r->record.request.stamp = m->now;
	r->record.request.index = m->index;
	r->record.request.deadline = 0;
	model_say(m, (struct output){
			     .kind = OUTPUT_ENDED,
			     .status = HF_ETIMEDOUT,
			     .node = model_session(m, r->record.request.session)
					     ->node,
			     .session = r->record.request.session,
			     .seq = r->record.request.seq,
			     .stamp = m->now });
}

/* The first thing that is due: smallest deadline, then sessions and delays by
 * id, then waits by place. */
struct due {
	uint64_t deadline, id;
	struct model_lock *lock;
	struct model_request *request;
};

static void consider(struct due *due, uint64_t deadline, uint64_t id,
		     struct model_lock *lock, struct model_request *request)
{
	if (deadline == 0 || deadline > due->deadline ||
	    (deadline == due->deadline && due->id < id))
		return;
	*due = (struct due){ deadline, id, lock, request };
}

void model_expire(struct model *m)
{
	for (;;) {
		struct due due = { NEVER, NEVER, NULL, NULL };

		for (size_t i = 0; i < m->requests_len; i++)
			consider(&due, m->requests[i].record.request.deadline,
				 m->requests[i].record.request.place |
					 UINT64_C(1) << 63,
				 NULL, &m->requests[i]);
		for (size_t i = 0; i < m->locks_len; i++)
			consider(&due, m->locks[i].delay_until, m->locks[i].id,
				 &m->locks[i], NULL);
		for (size_t i = 0; i < m->sessions_len; i++)
			consider(&due, m->sessions[i].deadline,
				 m->sessions[i].id, NULL, NULL);
		if (due.deadline > m->now)
			break;
		if (due.request) {
			end_wait(m, due.request);
		} else if (due.lock) {
			due.lock->delay_until = 0;
			affect(m, due.lock->name);
		} else {
			model_end_session(m, due.id, true);
		}
	}
	model_settle(m);
}

void model_step(struct model *m, const struct entry *entry)
{
	uint64_t stamp;

	if (entry->term > m->term) {
		m->term = entry->term;
		m->skew = 0;
	}
	stamp = entry->stamp > m->skew ? entry->stamp - m->skew : 0;
	if (stamp > m->now + m->limits.step_max_us) {
		uint64_t end = m->now + m->limits.step_max_us;

		m->skew += stamp - end;
		stamp = end;
	}
	if (stamp > m->now)
		m->now = stamp;
}
