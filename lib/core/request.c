/* Requests: one object from the acquire to the last that is known of it.
 *
 * The rule: a sequenced operation takes effect once, and its result is stored
 * in the entry that applies it (README, 3). */
#include "core/state.h"

#include <assert.h>

/* Sequence numbers are close together and ids are odd multiples apart, so that
 * two pairs with the same sum don't meet in practice; equality is tested. */
uint64_t core_request_hash(const struct core *core, uint64_t session,
			   uint64_t seq)
{
	return map_hash64(&core->requests,
			  session * UINT64_C(0x9e3779b97f4a7c15) + seq);
}

struct request *core_request_find(const struct core *core, uint64_t session,
				  uint64_t seq)
{
	uint64_t hash = core_request_hash(core, session, seq);

	for (struct map_node *n = map_first(&core->requests, hash); n;
	     n = map_next(n, hash)) {
		struct request *r = container_of(n, struct request, by_seq);

		if (r->seq == seq && r->session->id == session)
			return r;
	}
	return NULL;
}

struct request *core_token_find(const struct core *core, uint64_t token)
{
	uint64_t hash = map_hash64(&core->tokens, token);

	for (struct map_node *n = map_first(&core->tokens, hash); n;
	     n = map_next(n, hash)) {
		struct request *r = container_of(n, struct request, by_token);

		if (r->token == token)
			return r;
	}
	return NULL;
}

static void leave_line(struct core *core, struct request *request)
{
	list_remove(&request->in_lock);
	request->lock->waiting--;
	core->waits--;
	request->deadline = 0;
	core_set_timer(core, &request->object, 0, 0);
}

static void leave_hold(struct core *core, struct request *request)
{
	core_lock_unhold(request->lock, request);
	core->holds--;
	map_remove(&core->tokens, &request->by_token);
}

void core_grant(struct core *core, struct request *request)
{
	core_touch(core, &request->object);
	if (request->state == REQUEST_WAITING)
		leave_line(core, request);
	assert(core->counter < COUNTER_MAX);
	request->state = REQUEST_HELD;
	request->token = ++core->counter;
	request->stamp = core->now;
	request->index = core->index;
	core_lock_hold(request->lock, request);
	core->holds++;
	map_insert(&core->tokens, &request->by_token,
		   map_hash64(&core->tokens, request->token));
}

void core_end_wait(struct core *core, struct request *request, int status)
{
	core_touch(core, &request->object);
	leave_line(core, request);
	core_lock_mark(core, request->lock);
	request->lock = NULL;
	request->state = REQUEST_ENDED;
	request->status = status;
	request->stamp = core->now;
	request->index = core->index;
	core_emit(core, &(struct output){ .kind = OUTPUT_ENDED,
					  .status = status,
					  .node = request->session->peer->node,
					  .session = request->session->id,
					  .seq = request->seq,
					  .stamp = request->stamp });
}

void core_request_remove(struct core *core, struct request *request)
{
	core_touch(core, &request->object);
	if (request->state == REQUEST_WAITING)
		leave_line(core, request);
	else if (request->state == REQUEST_HELD)
		leave_hold(core, request);
	if (request->lock)
		core_lock_mark(core, request->lock);
	list_remove(&request->in_session);
	map_remove(&core->requests, &request->by_seq);
	core_remove(core, &request->object);
}

/* What no caller that works as it should asks for. */
static bool malformed(const struct op *op)
{
	bool counted = op->acquire.mode == MODE_PERMITS;

	if (op->acquire.name_len == 0 || op->acquire.name_len > LOCK_NAME_MAX)
		return true;
	if (op->acquire.mode < MODE_EXCLUSIVE ||
	    op->acquire.mode > MODE_PERMITS)
		return true;
	if (counted != (op->acquire.permits > 0) ||
	    counted != (op->acquire.limit > 0))
		return true;
	return op->acquire.delay > DURATION_MAX ||
	       (op->acquire.wait > DURATION_MAX &&
		op->acquire.wait != WAIT_FOREVER);
}

static bool differs(const struct op *op, const struct lock *lock)
{
	if (op->acquire.mode != MODE_PERMITS)
		return false;
	return op->acquire.permits > op->acquire.limit ||
	       (lock && lock->limit > 0 && lock->limit != op->acquire.limit);
}

/* Two numbers are needed at most, the lock's id and the token. */
static bool used_up(const struct core *core, const struct lock *lock)
{
	return core->len[RECORD_REQUEST] >= core->limits.requests ||
	       (!lock && core->len[RECORD_LOCK] >= core->limits.locks) ||
	       COUNTER_MAX - core->counter < 2 || core->arrivals >= COUNTER_MAX;
}

/* 0, STATUS_WAITING or an error: what will become of it. Changes nothing. */
static int judge(const struct core *core, const struct lock *lock,
		 const struct op *op)
{
	uint32_t limit = lock && lock->limit ? lock->limit : op->acquire.limit;

	if (op->acquire.delay > core->limits.delay_max_us)
		return HF_ELIMIT;
	if (differs(op, lock))
		return HF_EPERMITS;
	if (used_up(core, lock))
		return HF_ELIMIT;
	if (!lock)
		return 0;
	if (list_empty(&lock->line) && core_lock_open(core, lock) &&
	    core_lock_fits(lock, limit, op->acquire.mode, op->acquire.permits))
		return 0;
	if (op->acquire.wait == 0)
		return HF_EHELD;
	if (lock->waiting >= core->limits.line)
		return HF_ELIMIT;
	return STATUS_WAITING;
}

static struct request *make_request(struct core *core, struct session *session,
				    struct lock *lock, const struct op *op)
{
	struct request *r =
		as_request(core_pool_take(core, POOL_REQUEST, RECORD_REQUEST));

	r->session = session;
	r->lock = lock;
	r->seq = op->seq;
	r->owner = op->acquire.owner;
	r->place = ++core->arrivals;
	r->delay = op->acquire.delay;
	r->permits = op->acquire.permits;
	r->mode = (uint8_t)op->acquire.mode;
	list_init(&r->in_lock);
	list_push(&session->requests, &r->in_session);
	map_insert(&core->requests, &r->by_seq,
		   core_request_hash(core, session->id, r->seq));
	core_add(core, &r->object);
	return r;
}

static void join_line(struct core *core, struct request *r, uint64_t wait)
{
	r->state = REQUEST_WAITING;
	if (wait != WAIT_FOREVER)
		r->deadline = core->now + wait;
	list_push(&r->lock->line, &r->in_lock);
	r->lock->waiting++;
	core->waits++;
	core_set_timer(core, &r->object, r->deadline, r->place | PLACE_TIE);
}

static void acquire(struct core *core, struct session *session,
		    const struct op *op, struct slot *result)
{
	struct lock *lock;
	struct request *request;

	result->status = HF_EINVAL;
	if (malformed(op))
		return;
	lock = core_lock_find(core, op->acquire.name, op->acquire.name_len);
	result->status = judge(core, lock, op);
	if (result->status < 0)
		return;
	if (!lock)
		lock = core_lock_make(core, op->acquire.name,
				      op->acquire.name_len);
	core_touch(core, &lock->object);
	if (lock->limit == 0)
		lock->limit = op->acquire.limit;
	request = make_request(core, session, lock, op);
	if (result->status == STATUS_WAITING)
		join_line(core, request, op->acquire.wait);
	else
		core_grant(core, request);
	result->token = request->token;
}

static int release(struct core *core, const struct session *session,
		   uint64_t token)
{
	struct request *request = core_token_find(core, token);

	if (!request || request->session != session)
		return HF_ENOTHELD;
	core_request_remove(core, request);
	return 0;
}

static void answer_slot(struct core *core, const struct op *op,
			const struct slot *slot)
{
	core_emit(core, &(struct output){ .kind = OUTPUT_ANSWER,
					  .op = op->kind,
					  .status = slot->status,
					  .node = op->node,
					  .session = op->session,
					  .seq = op->seq,
					  .token = slot->token,
					  .stamp = slot->stamp });
}

/* The rules of the window; 0: this is the first that is seen of the number. */
static int refuse_seq(const struct core *core, const struct window *w,
		      uint64_t seq)
{
	if (seq < w->low)
		return HF_ESTALE;
	return seq - w->low >= core->limits.window ? HF_ELIMIT : 0;
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
	if (op->kind == OP_ACQUIRE)
		acquire(core, session, op, &result);
	else
		result.status = release(core, session, op->release.token);
	core_window_put(&session->window, &result);
	answer_slot(core, op, &result);
}

/* Could a late attempt of this acquire still take effect, or be told that it
 * holds? A slot of a release (no token) stays as it is. */
static bool needs_tombstone(const struct window *w, uint64_t seq)
{
	const struct slot *slot = core_window_find(w, seq);

	if (!slot)
		return seq >= w->low;
	return slot->status == STATUS_WAITING ||
	       (slot->status == 0 && slot->token > 0);
}

void core_cancel(struct core *core, const struct op *op)
{
	struct session *session = core_session_of(core, op);
	struct request *request;

	if (!session) {
		core_answer(core, op, HF_ESESSION);
		return;
	}
	if (!core_window_find(&session->window, op->seq) &&
	    refuse_seq(core, &session->window, op->seq) == HF_ELIMIT) {
		core_answer(core, op, HF_ELIMIT);
		return;
	}
	request = core_request_find(core, session->id, op->seq);
	if (request)
		core_request_remove(core, request);
	if (needs_tombstone(&session->window, op->seq)) {
		core_touch(core, &session->object);
		core_window_put(&session->window,
				&(struct slot){ .seq = op->seq,
						.status = HF_ECANCELED,
						.stamp = core->now });
	}
	core_answer(core, op, HF_ECANCELED);
}
