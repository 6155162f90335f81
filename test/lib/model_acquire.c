/* The naive state machine: acquires and conversions; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

static void add_part(struct model_request *r, const uint8_t *name, size_t len,
		     enum mode mode, uint32_t permits, uint32_t limit)
{
	struct model_part *part = &r->parts[r->parts_len++];

	assert(r->parts_len <= MODEL_PARTS);
	model_name_set(part->name, name, len);
	part->mode = mode;
	part->permits = permits;
	part->limit = limit;
}

/* The request as it would wait. */
static struct model_request *draft(struct model *m, const struct op *op)
{
	struct model_request *r = &m->requests[m->requests_len];

	assert(m->requests_len < MODEL_REQUESTS);
	memset(r, 0, sizeof(*r));
	r->record = (struct record){
		.kind = RECORD_REQUEST,
		.request = { .session = op->session,
			     .seq = op->seq,
			     .owner = op->acquire.owner,
			     .state = REQUEST_WAITING,
			     .mode = op->acquire.mode,
			     .permits = op->acquire.permits,
			     .deadline = model_wait_end(m, op->acquire.wait),
			     .delay = op->acquire.delay,
			     .priority = op->acquire.priority,
			     .hold = op->acquire.hold,
			     .lease = op->acquire.lease,
			     .from = op->acquire.from,
			     .place = m->arrivals + 1 }
	};
	model_bytes_set(&r->shown, op->acquire.shown, op->acquire.shown_len);
	add_part(r, op->acquire.name, op->acquire.name_len, op->acquire.mode,
		 op->acquire.permits, op->acquire.limit);
	for (size_t i = 0; i < op->acquire.more_len; i++) {
		const struct op_part *p = &op->acquire.more[i];

		add_part(r, p->name, p->name_len, p->mode, p->permits,
			 p->limit);
	}
	return r;
}

static bool is_pending(const struct model *m, uint64_t token)
{
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct record *r = &m->requests[i].record;

		if (r->request.state == REQUEST_WAITING &&
		    r->request.mode != MODE_LEAVE && r->request.from == token)
			return true;
	}
	return false;
}

static bool of_one_kind(enum mode from, enum mode to)
{
	if (to == MODE_LEAVE || from == MODE_BARRIER)
		return to == MODE_LEAVE && from == MODE_BARRIER;
	return (from == MODE_PERMITS) == (to == MODE_PERMITS);
}

static int refuse_from(struct model *m, const struct model_request *r)
{
	uint64_t token = r->record.request.from;
	struct model_request *hold;

	if (token == 0)
		return 0;
	hold = model_own_hold(m, r->record.request.session, token);
	if (!hold)
		return HF_ENOTHELD;
	if (hold->parts_len > 1 ||
	    strcmp(hold->parts[0].name, r->parts[0].name) != 0 ||
	    is_pending(m, token) ||
	    !of_one_kind(hold->parts[0].mode, r->parts[0].mode))
		return HF_EINVAL;
	return 0;
}

static int refuse_kinds(struct model *m, const struct model_request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		struct model_lock *lock = model_lock(m, r->parts[i].name);
		bool barrier = r->parts[i].mode >= MODE_BARRIER;

		if (lock && barrier != ((lock->flags & LOCK_BARRIER) > 0))
			return HF_EKIND;
	}
	return 0;
}

static int refuse_permits(struct model *m, const struct model_request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		const struct model_part *p = &r->parts[i];
		const struct model_lock *lock = model_lock(m, p->name);
		uint32_t there = lock ? lock->limit : 0;

		if (p->mode == MODE_BARRIER && there > 0 && there != p->limit)
			return HF_EPERMITS;
		if (p->mode != MODE_PERMITS)
			continue;
		if (there > 0 && p->limit > 0 && there != p->limit)
			return HF_EPERMITS;
		if (p->permits > (there ? there : p->limit))
			return HF_EPERMITS;
	}
	return 0;
}

static bool goes_down(struct model *m, const struct model_request *r)
{
	const struct model_request *hold =
		model_hold(m, r->record.request.from);

	if (r->record.request.from == 0 || r->parts[0].mode == MODE_LEAVE)
		return false;
	return r->parts[0].mode == MODE_SHARED ||
	       hold->parts[0].mode == MODE_EXCLUSIVE ||
	       (r->parts[0].mode == MODE_PERMITS &&
		r->parts[0].permits <= hold->parts[0].permits);
}

/* Another who goes up from shared to exclusive in the same lock. */
static struct model_request *other_upgrader(struct model *m,
					    const struct model_request *r)
{
	if (r->record.request.from == 0 || r->parts[0].mode != MODE_EXCLUSIVE)
		return NULL;
	for (size_t i = 0; i < m->requests_len; i++) {
		struct model_request *o = &m->requests[i];

		if (o->record.request.state == REQUEST_WAITING &&
		    o->record.request.from > 0 &&
		    o->parts[0].mode == MODE_EXCLUSIVE &&
		    strcmp(o->parts[0].name, r->parts[0].name) == 0)
			return o;
	}
	return NULL;
}

static int refuse_upgrader(struct model *m, const struct model_request *r,
			   const struct op *op)
{
	const struct model_request *other = other_upgrader(m, r);
	struct output *o;

	if (!other)
		return 0;
	o = model_answer(m, op, HF_EDEADLK);
	o->kind = OUTPUT_DEADLOCK;
	o->status = 0;
	o->op = (enum op_kind)0;
	o->by = model_session(m, other->record.request.session)->node;
	o->token = other->record.request.session;
	o->number = other->record.request.owner;
	model_attach(m, o, other->parts[0].name, NULL);
	return HF_EDEADLK;
}

static int refuse_limits(struct model *m, const struct model_request *r)
{
	size_t made = 0;

	if (r->parts[0].mode == MODE_LEAVE) /* takes the hold's room */
		return 0;
	for (size_t i = 0; i < r->parts_len; i++)
		made += !model_lock(m, r->parts[i].name);
	return m->requests_len >= m->limits.requests ||
			       (made > 0 &&
				m->locks_len + made > m->limits.locks)
		       ? HF_ELIMIT
		       : 0;
}

/* Nothing but its place in the lines is in its way. */
static int judge_wait(struct model *m, const struct model_request *r,
		      const struct op *op)
{
	struct model_request *line[MODEL_REQUESTS];

	if (r->parts[0].mode == MODE_BARRIER &&
	    model_barrier_opens(m, r->parts[0].name, r->parts[0].limit,
				model_waiting(m, r->parts[0].name) + 1))
		return STATUS_WAITING;
	if (op->acquire.wait == 0)
		return HF_EHELD;
	if (r->parts[0].mode == MODE_LEAVE)
		return STATUS_WAITING;
	for (size_t i = 0; i < r->parts_len; i++) {
		if (model_waiting(m, r->parts[i].name) >= m->limits.line)
			return HF_ELIMIT;
	}
	for (size_t i = 0; i < r->parts_len; i++) {
		size_t len = model_line(m, r->parts[i].name, line);
		size_t place = 1;

		for (size_t k = 0; k < len; k++)
			place += model_before(line[k], r);
		if (op->acquire.line > 0 && place > op->acquire.line)
			return HF_ELINE;
	}
	return model_deadlocked(m, r, op) ? HF_EDEADLK : STATUS_WAITING;
}

/* It would give a lock its limit, and make others wait for ever. */
static bool limit_deadlocks(struct model *m, const struct model_request *r,
			    const struct op *op)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		struct model_lock *lock = model_lock(m, r->parts[i].name);

		if (lock && lock->limit == 0 && r->parts[i].limit > 0 &&
		    model_limit_deadlocks(m, lock->name, r->parts[i].limit, op))
			return true;
	}
	return false;
}

/* Who goes up does so for the former hold's owner. */
static void inherit(struct model *m, struct model_request *r)
{
	const struct model_request *hold =
		model_hold(m, r->record.request.from);

	if (!hold)
		return;
	r->record.request.owner = hold->record.request.owner;
	r->record.request.delay = hold->record.request.delay;
}

static int judge(struct model *m, struct model_request *r, const struct op *op)
{
	int status = 0;

	if (op->acquire.delay > m->limits.delay_max_us)
		return HF_ELIMIT;
	if (!status)
		status = refuse_from(m, r);
	if (!status)
		status = refuse_kinds(m, r);
	if (!status)
		status = refuse_permits(m, r);
	if (status || goes_down(m, r))
		return status;
	inherit(m, r);
	status = refuse_upgrader(m, r, op);
	if (!status)
		status = refuse_limits(m, r);
	if (status)
		return status;
	status = model_fits(m, r) ? 0 : judge_wait(m, r, op);
	if (status >= 0 && limit_deadlocks(m, r, op))
		return HF_EDEADLK;
	return status;
}

static void make_locks(struct model *m, const struct model_request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		struct model_lock *lock = model_lock(m, r->parts[i].name);

		if (!lock) {
			assert(m->locks_len < MODEL_LOCKS);
			lock = &m->locks[m->locks_len++];
			memset(lock, 0, sizeof(*lock));
			memcpy(lock->name, r->parts[i].name, MODEL_NAME);
			lock->id = ++m->counter;
			if (r->parts[i].mode == MODE_BARRIER)
				lock->flags = LOCK_BARRIER;
		}
		if (lock->limit == 0)
			lock->limit = r->parts[i].limit;
	}
}

static struct model_result go_down(struct model *m,
				   const struct model_request *r)
{
	struct model_request *hold = model_hold(m, r->record.request.from);

	hold->parts[0].mode = r->parts[0].mode;
	hold->parts[0].permits = r->parts[0].permits;
	hold->record.request.mode = r->parts[0].mode;
	hold->record.request.permits = r->parts[0].permits;
	model_mark(m, r->parts[0].name);
	model_say_hold(m, hold, CHANGE_SHOWN, 0);
	return (struct model_result){ 0, hold->record.request.token,
				      model_own_deadline(hold) };
}

/* Is it the last one who was missing at its barrier? */
static bool opens(struct model *m, const struct model_request *r)
{
	return model_barrier_opens(m, r->parts[0].name, r->parts[0].limit,
				   model_waiting(m, r->parts[0].name));
}

static struct model_result enter(struct model *m, struct model_request *r,
				 int status)
{
	make_locks(m, r);
	m->arrivals++;
	m->requests_len++;
	if (r->parts[0].mode == MODE_BARRIER) {
		if (opens(m, r)) /* it need not wait */
			r->record.request.deadline = 0;
		model_mark(m, r->parts[0].name);
	}
	if (status == 0) {
		model_grant(m, r);
		model_say_hold(m, r, CHANGE_HELD, 0);
		model_suspect(m, r);
	}
	return (struct model_result){ status, r->record.request.token,
				      model_own_deadline(r) };
}

/* The hold ends; who leaves waits for the others, if there are any. */
static struct model_result leave(struct model *m, struct model_request *r,
				 int status)
{
	struct model_request *hold = model_hold(m, r->record.request.from);

	r->record.request.from = 0;
	r->record.request.delay = r->record.request.owner = 0;
	if (status == STATUS_WAITING) {
		m->arrivals++;
		m->requests_len++;
	}
	uint64_t token = status ? 0 : hold->record.request.token;
	model_remove(m, hold, 0, false);
	return (struct model_result){ status, token, 0 };
}

struct model_result model_acquire(struct model *m, const struct op *op)
{
	struct model_request *r;
	int status;

	if (!model_acquire_valid(op))
		return (struct model_result){ .status = HF_EINVAL };
	r = draft(m, op);
	status = judge(m, r, op);
	if (status < 0)
		return (struct model_result){ .status = status };
	if (r->parts[0].mode == MODE_LEAVE)
		return leave(m, r, status);
	if (goes_down(m, r))
		return go_down(m, r);
	return enter(m, r, status);
}
