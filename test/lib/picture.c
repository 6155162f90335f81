/* See picture.h. */
#include "lib/picture.h"

#include "holdfast.h"

#include <assert.h>
#include <check.h>
#include <stdlib.h>

static size_t lock_at(struct picture *p, uint64_t id)
{
	size_t i = 0;

	while (i < p->locks_len && p->locks[i] != id)
		i++;
	assert(i < p->locks_len);
	return i;
}

static void add_lock(struct picture *p, uint64_t id, char name, uint32_t limit)
{
	assert(p->locks_len < REDUCE_LOCKS);
	p->locks[p->locks_len] = id;
	p->names[p->locks_len] = name;
	p->r.limits[p->locks_len++] = limit;
}

static void add_request(struct picture *p, const struct record *r)
{
	struct reduce_request *to = &p->r.requests[p->r.requests_len];

	p->records[p->r.requests_len++] = *r;
	*to = (struct reduce_request){
		.session = r->request.session,
		.owner = r->request.owner,
		.waits = r->request.state == REQUEST_WAITING,
		.priority = r->request.priority,
		.place = r->request.place,
		.from = REDUCE_NONE,
		.parts = { { lock_at(p, r->request.lock), r->request.mode,
			     r->request.permits } },
		.parts_len = 1 + r->request.more_len
	};
	for (size_t i = 0; i < r->request.more_len; i++)
		to->parts[i + 1] = (struct reduce_part){
			lock_at(p, r->request.more[i].lock),
			r->request.more[i].mode, r->request.more[i].permits
		};
}

static bool look(void *ctx, const struct record *r)
{
	struct picture *p = ctx;

	if (r->kind == RECORD_LOCK)
		add_lock(p, r->lock.id, (char)r->lock.name[0], r->lock.limit);
	if (r->kind == RECORD_REQUEST && r->request.state != REQUEST_ENDED)
		add_request(p, r);
	return true;
}

static void join_conversions(struct picture *p)
{
	for (size_t i = 0; i < p->r.requests_len; i++) {
		uint64_t from = p->records[i].request.from;

		for (size_t k = 0; from > 0 && k < p->r.requests_len; k++) {
			if (p->records[k].request.token == from)
				p->r.requests[i].from = k;
		}
	}
}

void picture_take(struct picture *p, const struct core *core)
{
	p->r.requests_len = p->locks_len = 0;
	if (core_visit_all(core, look, p))
		abort();
	join_conversions(p);
}

/* A lock that isn't there yet gets a place, too. */
static size_t lock_named(struct picture *p, char name)
{
	for (size_t i = 0; i < p->locks_len; i++) {
		if (p->names[i] == name)
			return i;
	}
	add_lock(p, 0, name, 0);
	return p->locks_len - 1;
}

bool picture_stuck(const struct picture *p, size_t request)
{
	enum reduce_verdict verdict = reduce_owner(&p->r, request);

	if (verdict == REDUCE_TIRED) /* ck_assert would cost a write */
		ck_abort_msg("too many orders");
	return verdict == REDUCE_DEADLOCK;
}

static bool lock_is_stuck(const struct picture *p, size_t lock)
{
	for (size_t i = 0; i < p->r.requests_len; i++) {
		const struct reduce_request *r = &p->r.requests[i];

		for (size_t k = 0; r->waits && k < r->parts_len; k++) {
			if (r->parts[k].lock == lock && picture_stuck(p, i))
				return true;
		}
	}
	return false;
}

static void set_part(struct picture *p, struct reduce_part *part,
		     const uint8_t *name, enum mode mode, uint32_t permits)
{
	*part = (struct reduce_part){ lock_named(p, (char)name[0]), mode,
				      permits };
}

/* The request that the operation would make, behind all others. */
static size_t draft(struct picture *p, const struct op *op)
{
	size_t at = p->r.requests_len++;
	struct reduce_request *r = &p->r.requests[at];

	*r = (struct reduce_request){ .session = op->session,
				      .owner = op->acquire.owner,
				      .waits = true,
				      .priority = op->acquire.priority,
				      .place = UINT64_MAX,
				      .from = REDUCE_NONE,
				      .parts_len = 1 + op->acquire.more_len };
	set_part(p, &r->parts[0], op->acquire.name, op->acquire.mode,
		 op->acquire.permits);
	for (size_t i = 0; i < op->acquire.more_len; i++)
		set_part(p, &r->parts[i + 1], op->acquire.more[i].name,
			 op->acquire.more[i].mode, op->acquire.more[i].permits);
	for (size_t k = 0; op->acquire.from > 0 && k < at; k++) {
		if (p->records[k].request.token == op->acquire.from) {
			r->from = k;
			r->owner = p->records[k].request.owner;
		}
	}
	return at;
}

static bool goes_down(const struct picture *p, size_t at)
{
	const struct reduce_request *r = &p->r.requests[at], *hold;

	if (r->from == REDUCE_NONE)
		return false;
	hold = &p->r.requests[r->from];
	return r->parts[0].mode == MODE_SHARED ||
	       hold->parts[0].mode == MODE_EXCLUSIVE ||
	       (r->parts[0].mode == MODE_PERMITS &&
		r->parts[0].permits <= hold->parts[0].permits);
}

/* Locks that get their limit by it, whose waiters never get through then. The
 * request itself is no part of the question. */
static bool limits_are_stuck(struct picture *p, size_t at, const struct op *op)
{
	bool stuck = false;

	p->r.requests_len--;
	for (size_t i = 0; i <= op->acquire.more_len && !stuck; i++) {
		size_t lock = p->r.requests[at].parts[i].lock;
		uint32_t limit =
			i ? op->acquire.more[i - 1].limit : op->acquire.limit;

		if (limit == 0 || p->r.limits[lock] > 0)
			continue;
		p->r.limits[lock] = limit;
		stuck = lock_is_stuck(p, lock);
		p->r.limits[lock] = 0;
	}
	p->r.requests_len++;
	for (size_t i = 0; i <= op->acquire.more_len; i++) {
		size_t lock = p->r.requests[at].parts[i].lock;

		if (p->r.limits[lock] == 0)
			p->r.limits[lock] = i ? op->acquire.more[i - 1].limit
					      : op->acquire.limit;
	}
	return stuck;
}

int picture_acquire(struct picture *p, const struct op *op, size_t *at)
{
	*at = draft(p, op);
	if (goes_down(p, *at)) {
		size_t hold = p->r.requests[*at].from;

		p->r.requests[hold].parts[0] = p->r.requests[*at].parts[0];
		p->r.requests_len--;
		return 0;
	}
	if (limits_are_stuck(p, *at, op))
		return HF_EDEADLK;
	if (reduce_fits(&p->r, *at))
		return 0;
	return picture_stuck(p, *at) ? HF_EDEADLK : STATUS_WAITING;
}

/* Waits for more than there are then end. */
static void drop_too_large(struct picture *p, size_t lock, uint32_t limit)
{
	for (size_t i = 0; i < p->r.requests_len; i++) {
		struct reduce_request *r = &p->r.requests[i];

		for (size_t k = 0; k < r->parts_len; k++) {
			if (!r->waits || r->parts[k].lock != lock ||
			    r->parts[k].permits <= limit)
				continue;
			r->parts_len = 0;
			r->waits = false;
			r->from = REDUCE_NONE; /* which stays as it is */
		}
	}
}

int picture_permits(struct picture *p, const struct op *op)
{
	size_t lock = lock_named(p, (char)op->permits.name[0]);
	uint32_t limit = op->permits.limit, was = p->r.limits[lock];

	if (limit == 0 || (was > 0 && limit >= was))
		return 0;
	p->r.limits[lock] = limit;
	drop_too_large(p, lock, limit);
	return lock_is_stuck(p, lock) ? HF_EDEADLK : 0;
}

const uint8_t *picture_name(const struct picture *p, uint64_t lock)
{
	size_t i = 0;

	while (i < p->locks_len && p->locks[i] != lock)
		i++;
	assert(i < p->locks_len);
	return (const uint8_t *)&p->names[i];
}

size_t picture_find(const struct picture *p, uint64_t session, uint64_t seq)
{
	size_t i = 0;

	while (i < p->r.requests_len &&
	       (p->records[i].request.session != session ||
		p->records[i].request.seq != seq))
		i++;
	assert(i < p->r.requests_len);
	return i;
}

void picture_drop(struct picture *p, uint64_t session, uint64_t seq)
{
	struct reduce_request *r =
		&p->r.requests[picture_find(p, session, seq)];

	r->parts_len = 0;
	r->waits = false;
}
