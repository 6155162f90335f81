/* The naive state machine: lines and admission; see model.h. */
#include "lib/model_parts.h"

#include <assert.h>
#include <string.h>

void model_mark(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->marked_len; i++) {
		if (strcmp(m->marked[i], name) == 0)
			return;
	}
	assert(m->marked_len < MODEL_REQUESTS);
	memcpy(m->marked[m->marked_len++], name, MODEL_NAME);
}

bool model_before(const struct model_request *a, const struct model_request *b)
{
	bool a_first = a->record.request.from > 0;
	bool b_first = b->record.request.from > 0;

	if (a_first != b_first)
		return a_first;
	if (a->record.request.priority != b->record.request.priority)
		return a->record.request.priority > b->record.request.priority;
	return a->record.request.place < b->record.request.place;
}

static uint32_t units(const struct model_part *part)
{
	return part->mode == MODE_PERMITS ? part->permits : 1;
}

/* Is it to be left room for by one who looks at his place in the line? */
static bool counts(const struct model_request *other,
		   const struct model_request *r)
{
	if (other == r ||
	    (r->record.request.from > 0 &&
	     other->record.request.state == REQUEST_HELD &&
	     other->record.request.token == r->record.request.from))
		return false;
	return other->record.request.state == REQUEST_HELD ||
	       (other->record.request.state == REQUEST_WAITING &&
		model_before(other, r));
}

static bool part_fits(struct model *m, const struct model_request *r,
		      const struct model_part *mine)
{
	const struct model_lock *lock = model_lock(m, mine->name);
	uint32_t limit = lock && lock->limit ? lock->limit : mine->limit;
	uint64_t used = units(mine);

	if (lock && lock->delay_until > 0)
		return false;
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct model_request *other = &m->requests[i];
		const struct model_part *part = model_part(other, mine->name);

		if (!part || !counts(other, r))
			continue;
		if (mine->mode == MODE_EXCLUSIVE ||
		    part->mode == MODE_EXCLUSIVE)
			return false;
		used += units(part);
	}
	return limit == 0 || used <= limit;
}

/* Who is in a barrier; who leaves it. */
static size_t inside(const struct model *m, const char *name)
{
	size_t in = 0;

	for (size_t i = 0; i < m->requests_len; i++)
		in += m->requests[i].record.request.state == REQUEST_HELD &&
		      model_part(&m->requests[i], name);
	return in;
}

static size_t leaving(const struct model *m, const char *name)
{
	size_t out = 0;

	for (size_t i = 0; i < m->requests_len; i++)
		out += m->requests[i].record.request.state == REQUEST_WAITING &&
		       m->requests[i].record.request.mode == MODE_LEAVE &&
		       model_part(&m->requests[i], name);
	return out;
}

bool model_barrier_opens(struct model *m, const char *name, uint32_t limit,
			 size_t waiting)
{
	const struct model_lock *lock = model_lock(m, name);

	return (!lock || lock->delay_until == 0) && inside(m, name) == 0 &&
	       leaving(m, name) == 0 && waiting >= limit;
}

bool model_fits(struct model *m, const struct model_request *r)
{
	if (r->record.request.mode == MODE_LEAVE) /* it is in itself */
		return inside(m, r->parts[0].name) <= 1;
	if (r->record.request.mode == MODE_BARRIER) /* as one of those */
		return false;
	for (size_t i = 0; i < r->parts_len; i++) {
		if (!part_fits(m, r, &r->parts[i]))
			return false;
	}
	return true;
}

size_t model_line(struct model *m, const char *name,
		  struct model_request **line)
{
	size_t len = 0;

	for (size_t i = 0; i < m->requests_len; i++) {
		struct model_request *r = &m->requests[i];
		size_t at = len;

		if (r->record.request.state != REQUEST_WAITING ||
		    r->record.request.mode == MODE_LEAVE ||
		    !model_part(r, name))
			continue;
		for (; at > 0 && model_before(r, line[at - 1]); at--)
			line[at] = line[at - 1];
		line[at] = r;
		len++;
	}
	return len;
}

/* What the former hold had besides passes on to what takes its place. */
static void take_over(struct model *m, struct model_request *r)
{
	struct model_request *former = model_hold(m, r->record.request.from);

	r->record.request.from = 0;
	r->record.request.owner = former->record.request.owner;
	r->record.request.delay = former->record.request.delay;
	r->record.request.hold = former->record.request.hold;
	r->record.request.lease = former->record.request.lease;
	r->record.request.hold_until = former->record.request.hold_until;
	r->record.request.lease_until = former->record.request.lease_until;
	r->record.request.revoke = former->record.request.revoke;
	r->shown = former->shown;
	r->reason = former->reason;
	former->shown.len = 0; /* it has passed on */
	model_remove(m, former, 0, false);
}

void model_grant(struct model *m, struct model_request *r)
{
	if (r->record.request.from > 0) {
		take_over(m, r);
	} else {
		if (r->record.request.hold > 0)
			r->record.request.hold_until =
				m->now + r->record.request.hold;
		if (r->record.request.lease > 0)
			r->record.request.lease_until =
				m->now + r->record.request.lease;
	}
	r->record.request.state = REQUEST_HELD;
	r->record.request.token = m->counter + 1;
	m->counter += r->parts_len;
	r->record.request.stamp = m->now;
	r->record.request.index = m->index;
	model_set_deadline(r);
}

void model_let_in(struct model *m, struct model_request *r)
{
	struct output *o;

	model_grant(m, r);
	o = model_say_request(m, r, OUTPUT_GRANTED, 0);
	o->token = r->record.request.token;
	o->deadline = model_own_deadline(r);
	model_say_hold(m, r, CHANGE_HELD, 0);
	model_suspect(m, r);
}

static void settle_barrier(struct model *m, const struct model_lock *lock)
{
	struct model_request *line[MODEL_REQUESTS];
	size_t len;

	for (size_t i = 0; i < m->requests_len; i++) {
		struct model_request *r = &m->requests[i];

		if (inside(m, lock->name) == 0 &&
		    r->record.request.state == REQUEST_WAITING &&
		    r->record.request.mode == MODE_LEAVE &&
		    model_part(r, lock->name))
			model_end(m, r, 0, 0);
	}
	len = model_line(m, lock->name, line);
	if (!model_barrier_opens(m, lock->name, lock->limit, len))
		return;
	for (size_t i = 0; i < lock->limit; i++)
		model_let_in(m, line[i]);
}

static void settle_line(struct model *m, const char *name)
{
	struct model_request *line[MODEL_REQUESTS];
	size_t len = model_line(m, name, line);

	for (size_t i = 0; i < len; i++) {
		if (line[i]->record.request.state == REQUEST_WAITING &&
		    model_fits(m, line[i]))
			model_let_in(m, line[i]);
	}
}

static void settle_lock(struct model *m, const char *name)
{
	struct model_lock *lock = model_lock(m, name);
	bool used = false;

	if (!lock)
		return;
	if (lock->flags & LOCK_BARRIER)
		settle_barrier(m, lock);
	else
		settle_line(m, name);
	for (size_t i = 0; i < m->requests_len; i++)
		used = used || model_part(&m->requests[i], name);
	if (!used && lock->delay_until == 0 && !(lock->flags & LOCK_PINNED))
		*lock = m->locks[--m->locks_len];
}

static void settle_marked(struct model *m)
{
	while (m->marked_len > 0) {
		char name[MODEL_NAME];

		memcpy(name, m->marked[0], MODEL_NAME);
		memmove(m->marked[0], m->marked[1],
			--m->marked_len * MODEL_NAME);
		settle_lock(m, name);
	}
}

void model_settle(struct model *m)
{
	size_t kept = 0;

	do {
		settle_marked(m);
	} while (model_end_suspects(m));
	for (size_t i = 0; i < m->requests_len; i++) {
		if (m->requests[i].record.request.state != 0)
			m->requests[kept++] = m->requests[i];
	}
	m->requests_len = kept;
	model_tidy_values(m);
}
