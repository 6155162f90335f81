/* The naive state machine: what is done to holds and limits; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void model_extend(struct model *m, const struct op *op)
{
	struct model_request *hold =
		model_own_hold(m, op->session, op->extend.token);
	struct output *o;

	if (!hold || hold->record.request.lease == 0) {
		model_answer(m, op, hold ? HF_EINVAL : HF_ENOTHELD);
		return;
	}
	hold->record.request.lease_until =
		larger(hold->record.request.lease_until,
		       m->now + hold->record.request.lease);
	model_set_deadline(hold);
	o = model_answer(m, op, 0);
	o->token = hold->record.request.token;
	o->deadline = model_own_deadline(hold);
}

void model_noted(struct model *m, const struct op *op)
{
	struct model_request *hold =
		model_own_hold(m, op->session, op->noted.token);
	struct record *r = hold ? &hold->record : NULL;

	if (r && r->request.revoke.at > 0 && !r->request.revoke.noted &&
	    r->request.revoke.noted_at == op->noted.noted_at) {
		uint64_t at = larger(m->now, r->request.revoke.noted_at);

		r->request.revoke.noted = true;
		if (at < r->request.revoke.at)
			r->request.revoke.at = at;
		model_set_deadline(hold);
	}
	model_answer(m, op, hold ? 0 : HF_ENOTHELD);
	if (r && r->request.revoke.at == m->now)
		model_end(m, hold, HF_EREVOKED, 0);
}

struct model_result model_revoke(struct model *m, const struct op *op)
{
	struct model_request *hold = model_hold(m, op->revoke.token);
	struct record *r = hold ? &hold->record : NULL;
	uint64_t at;

	if (op->revoke.grace > DURATION_MAX ||
	    op->revoke.reason_len > REASON_MAX)
		return (struct model_result){ .status = HF_EINVAL };
	if (!hold)
		return (struct model_result){ .status = HF_ENOTHELD };
	at = larger(m->now + op->revoke.grace,
		    model_session(m, r->request.session)->deadline);
	if (r->request.revoke.at == 0 || at < r->request.revoke.at) {
		r->request.revoke.at = at;
		r->request.revoke.noted_at = m->now + op->revoke.grace;
		r->request.revoke.by = op->node;
		r->request.revoke.noted = false;
		model_bytes_set(&hold->reason, op->revoke.reason,
				op->revoke.reason_len);
		model_set_deadline(hold);
		model_say_revoked(m, hold);
	}
	return (struct model_result){ .deadline = r->request.revoke.at };
}

struct model_result model_announce(struct model *m, const struct op *op)
{
	struct model_request *hold =
		model_own_hold(m, op->session, op->announce.token);

	if (op->announce.shown_len > SHOWN_MAX)
		return (struct model_result){ .status = HF_EINVAL };
	if (!hold)
		return (struct model_result){ .status = HF_ENOTHELD };
	model_bytes_set(&hold->shown, op->announce.shown,
			op->announce.shown_len);
	model_say_hold(m, hold, CHANGE_SHOWN, 0);
	return (struct model_result){ .status = 0 };
}

static int pin(struct model *m, const char *name, const struct op *op)
{
	struct model_lock *lock = model_lock(m, name);
	uint32_t limit = op->permits.limit;
	struct model_request *line[MODEL_REQUESTS];
	size_t len;

	if (!lock) {
		if (m->locks_len >= m->limits.locks)
			return HF_ELIMIT;
		assert(m->locks_len < MODEL_LOCKS);
		lock = &m->locks[m->locks_len++];
		memset(lock, 0, sizeof(*lock));
		memcpy(lock->name, name, MODEL_NAME);
		lock->id = ++m->counter;
	} else if ((lock->limit == 0 || limit < lock->limit) &&
		   model_limit_deadlocks(m, name, limit, op)) {
		return HF_EDEADLK;
	}
	lock->limit = limit;
	lock->flags |= LOCK_PINNED;
	len = model_line(m, name, line);
	for (size_t i = 0; i < len; i++) {
		if (model_part(line[i], name)->permits > limit)
			model_end(m, line[i], HF_EPERMITS, 0);
	}
	model_mark(m, name);
	return 0;
}

struct model_result model_permits(struct model *m, const struct op *op)
{
	struct model_lock *lock;
	char name[MODEL_NAME];

	if (op->permits.name_len == 0 || op->permits.name_len > LOCK_NAME_MAX)
		return (struct model_result){ .status = HF_EINVAL };
	model_name_set(name, op->permits.name, op->permits.name_len);
	lock = model_lock(m, name);
	if (lock && (lock->flags & LOCK_BARRIER))
		return (struct model_result){ .status = HF_EKIND };
	if (op->permits.limit > 0)
		return (struct model_result){ .status = pin(m, name, op) };
	if (lock) {
		lock->flags &= ~(uint32_t)LOCK_PINNED;
		model_mark(m, name);
	}
	return (struct model_result){ .status = 0 };
}

/* The first of that node who waits for this lock alone. */
static struct model_request *candidate(struct model *m, const char *name,
				       uint64_t node)
{
	struct model_request *line[MODEL_REQUESTS];
	size_t len = model_line(m, name, line);

	for (size_t i = 0; i < len; i++) {
		uint64_t session = line[i]->record.request.session;

		if (line[i]->parts_len == 1 &&
		    model_session(m, session)->node == node)
			return line[i];
	}
	return NULL;
}

struct model_result model_release(struct model *m, const struct op *op)
{
	struct model_request *hold =
		model_own_hold(m, op->session, op->release.token);
	struct model_request *next = NULL;

	if (!hold)
		return (struct model_result){ .status = HF_ENOTHELD };
	if (op->release.to > 0) {
		if (hold->parts_len > 1 ||
		    hold->parts[0].mode != MODE_EXCLUSIVE)
			return (struct model_result){ .status = HF_EINVAL };
		next = candidate(m, hold->parts[0].name, op->release.to);
		if (!next)
			return (struct model_result){ .status =
							      HF_ENOCANDIDATE };
	}
	model_remove(m, hold, 0, false);
	if (next)
		model_let_in(m, next);
	return (struct model_result){ .status = 0 };
}
