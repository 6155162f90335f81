/* The naive state machine: time, and ends of all kinds; see model.h. */
#include "lib/model_parts.h"

#include <string.h>

#define NEVER UINT64_MAX

static uint64_t earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

uint64_t model_own_deadline(const struct model_request *r)
{
	return earlier(r->record.request.hold_until,
		       r->record.request.lease_until);
}

void model_set_deadline(struct model_request *r)
{
	r->record.request.deadline =
		earlier(model_own_deadline(r), r->record.request.revoke.at);
}

static void delay(struct model *m, const struct model_request *r)
{
	uint64_t until = m->now + r->record.request.delay;

	for (size_t i = 0; i < r->parts_len; i++) {
		struct model_lock *lock = model_lock(m, r->parts[i].name);

		if (r->record.request.delay > 0 && lock->delay_until < until)
			lock->delay_until = until;
	}
}

/* A hold ends: others hear of it, and a conversion of it has no point. */
static void end_hold(struct model *m, struct model_request *r, int status,
		     bool failed)
{
	uint64_t token = r->record.request.token;

	if (failed)
		delay(m, r);
	model_say_hold(m, r, CHANGE_FREED, status);
	r->record.request.token = 0;
	for (size_t i = 0; i < m->requests_len; i++) {
		struct model_request *other = &m->requests[i];

		if (other->record.request.state == REQUEST_WAITING &&
		    other->record.request.mode != MODE_LEAVE &&
		    other->record.request.from == token)
			model_end(m, other, HF_ENOTHELD, 0);
	}
}

/* All that it had besides is forgotten. */
static void forget(struct model_request *r)
{
	r->record.request.owner = 0;
	r->record.request.hold = r->record.request.lease = 0;
	r->record.request.hold_until = r->record.request.lease_until = 0;
	r->record.request.from = 0;
	memset(&r->record.request.revoke, 0, sizeof(r->record.request.revoke));
	memset(&r->shown, 0, sizeof(r->shown));
	memset(&r->reason, 0, sizeof(r->reason));
}

static void leave_locks(struct model *m, struct model_request *r)
{
	size_t len = r->parts_len;

	r->parts_len = 0;
	for (size_t i = 0; i < len; i++)
		model_mark(m, r->parts[i].name);
	r->value[0] = '\0';
}

void model_remove(struct model *m, struct model_request *r, int status,
		  bool failed)
{
	bool held = r->record.request.state == REQUEST_HELD;

	if (held)
		end_hold(m, r, status, failed);
	leave_locks(m, r);
	r->record.request.state = (enum request_state)0;
}

void model_end(struct model *m, struct model_request *r, int status,
	       uint64_t token)
{
	struct output *o;

	if (r->record.request.state == REQUEST_HELD) {
		token = r->record.request.token;
		end_hold(m, r, status, true);
		o = model_say_request(m, r, OUTPUT_ENDED, status);
		o->token = token;
		token = 0;
	} else {
		o = model_say_request(m, r, OUTPUT_ENDED, status);
		o->token = token;
	}
	r->kept_len = r->parts_len;
	leave_locks(m, r);
	r->record.request.state = REQUEST_ENDED;
	r->record.request.status = status;
	r->record.request.token = token;
	r->record.request.stamp = m->now;
	r->record.request.index = m->index;
	r->record.request.deadline = 0;
	forget(r);
}

/* First who was written first. */
static void end_values(struct model *m, uint64_t id, uint64_t node)
{
	struct model_value *oldest;

	do {
		oldest = NULL;
		for (size_t i = 0; i < m->values_len; i++) {
			struct model_value *v = &m->values[i];

			if (v->version > 0 && v->session == id &&
			    (!oldest || v->version < oldest->version))
				oldest = v;
		}
		if (oldest)
			model_value_gone(m, oldest, node);
	} while (oldest);
}

void model_end_session(struct model *m, uint64_t id, bool failed)
{
	struct model_session *s = model_session(m, id);
	struct model_peer *peer = model_peer(m, s->node);

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < m->requests_len; i++) {
			struct model_request *r = &m->requests[i];

			if (r->record.request.state != 0 &&
			    r->record.request.session == id &&
			    (pass == 1 ||
			     r->record.request.state == REQUEST_WAITING))
				model_remove(m, r, failed ? HF_ESESSION : 0,
					     failed);
		}
	}
	end_values(m, id, s->node);
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

/* The first thing that is due: smallest deadline, then sessions and delays by
 * id, then requests by place. */
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

static struct due first_due(struct model *m)
{
	struct due due = { NEVER, NEVER, NULL, NULL };

	for (size_t i = 0; i < m->requests_len; i++) {
		if (m->requests[i].record.request.state != 0)
			consider(&due, m->requests[i].record.request.deadline,
				 m->requests[i].record.request.place |
					 UINT64_C(1) << 63,
				 NULL, &m->requests[i]);
	}
	for (size_t i = 0; i < m->locks_len; i++)
		consider(&due, m->locks[i].delay_until, m->locks[i].id,
			 &m->locks[i], NULL);
	for (size_t i = 0; i < m->sessions_len; i++)
		consider(&due, m->sessions[i].deadline, m->sessions[i].id, NULL,
			 NULL);
	return due;
}

static void end_due(struct model *m, struct model_request *r)
{
	if (r->record.request.state == REQUEST_WAITING)
		model_end(m, r, HF_ETIMEDOUT, 0);
	else if (r->record.request.revoke.at == r->record.request.deadline)
		model_end(m, r, HF_EREVOKED, 0);
	else
		model_end(m, r, HF_EEXPIRED, 0);
}

void model_expire(struct model *m)
{
	for (;;) {
		struct due due = first_due(m);

		if (due.deadline > m->now)
			break;
		if (due.request) {
			end_due(m, due.request);
		} else if (due.lock) {
			due.lock->delay_until = 0;
			model_mark(m, due.lock->name);
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
