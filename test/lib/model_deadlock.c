/* The naive state machine: deadlocks, as reduce.h sees them; see model.h. */
#include "lib/model_parts.h"

#include "lib/reduce.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Enough where the orders are as good as each other. */
#define TRIES 100

/* The requests as they are there, and which is which. */
struct picture {
	struct reduce r;
	const struct model_request *request[REDUCE_REQUESTS];
	char names[REDUCE_LOCKS][MODEL_NAME];
	size_t names_len;
};

static size_t lock_at(struct picture *p, struct model *m, const char *name)
{
	const struct model_lock *lock = model_lock(m, name);
	size_t i = 0;

	while (i < p->names_len && strcmp(p->names[i], name) != 0)
		i++;
	if (i == p->names_len) {
		assert(i < REDUCE_LOCKS);
		memcpy(p->names[p->names_len++], name, MODEL_NAME);
		p->r.limits[i] = lock ? lock->limit : 0;
	}
	return i;
}

static void add(struct picture *p, struct model *m,
		const struct model_request *r)
{
	struct reduce_request *to = &p->r.requests[p->r.requests_len];

	assert(p->r.requests_len < REDUCE_REQUESTS &&
	       r->parts_len <= REDUCE_PARTS);
	p->request[p->r.requests_len++] = r;
	to->session = r->record.request.session;
	to->owner = r->record.request.owner;
	to->waits = r->record.request.state == REQUEST_WAITING;
	to->priority = r->record.request.priority;
	to->place = r->record.request.place;
	to->from = REDUCE_NONE;
	to->parts_len = r->parts_len;
	for (size_t i = 0; i < r->parts_len; i++) {
		size_t lock = lock_at(p, m, r->parts[i].name);

		if (p->r.limits[lock] == 0)
			p->r.limits[lock] = r->parts[i].limit;
		to->parts[i] = (struct reduce_part){ lock, r->parts[i].mode,
						     r->parts[i].permits };
	}
}

static void join_conversions(struct picture *p)
{
	for (size_t i = 0; i < p->r.requests_len; i++) {
		uint64_t from = p->request[i]->record.request.from;

		for (size_t k = 0; from > 0 && k < p->r.requests_len; k++) {
			if (!p->r.requests[k].waits &&
			    p->request[k]->record.request.token == from)
				p->r.requests[i].from = k;
		}
	}
}

/* Of all but barriers and values, and of those who ask for more than `limit`
 * of the lock `name`, if one is given. */
static struct picture *draw(struct model *m, const struct model_request *extra,
			    const char *name, uint32_t limit)
{
	struct picture *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->r.tries = TRIES;
	for (size_t i = 0; i < m->requests_len; i++) {
		const struct model_request *r = &m->requests[i];
		const struct model_part *part =
			name ? model_part(r, name) : NULL;

		if (r->parts_len == 0 || r->parts[0].mode >= MODE_BARRIER ||
		    (part && r->record.request.state == REQUEST_WAITING &&
		     part->permits > limit))
			continue;
		add(p, m, r);
	}
	if (extra)
		add(p, m, extra);
	if (name)
		p->r.limits[lock_at(p, m, name)] = limit;
	join_conversions(p);
	return p;
}

static size_t find(const struct picture *p, const struct model_request *r)
{
	size_t i = 0;

	while (p->request[i] != r)
		i++;
	return i;
}

/* Say who is in the way of the wait `at`: all, though the core says 16. Itself
 * is, too, if it isn't what is refused. */
static void say_who(struct model *m, const struct picture *p, size_t at,
		    bool itself, struct output refused)
{
	bool found[REDUCE_REQUESTS];

	reduce_closure(&p->r, at, found);
	for (size_t i = 0; i < p->r.requests_len; i++) {
		const struct model_request *r = p->request[i];
		struct output o = refused;

		if (!found[i] || (i == at && !itself) ||
		    !p->r.requests[i].waits ||
		    reduce_wait(&p->r, i) == REDUCE_THROUGH)
			continue;
		o.kind = OUTPUT_DEADLOCK;
		o.by = model_session(m, r->record.request.session)->node;
		o.token = r->record.request.session;
		o.number = r->record.request.owner;
		model_attach(m, model_say(m, o), r->parts[0].name, NULL);
	}
}

static struct output refusal(const struct model *m, const struct op *op)
{
	return (struct output){ .node = op->node,
				.session = op->session,
				.seq = op->seq,
				.stamp = m->now };
}

bool model_deadlocked(struct model *m, const struct model_request *r,
		      const struct op *op)
{
	struct picture *p;
	bool deadlock;
	size_t at;

	if (m->limits.search == 0 || r->parts[0].mode >= MODE_BARRIER)
		return false;
	p = draw(m, r, NULL, 0);
	at = find(p, r);
	deadlock = reduce_owner(&p->r, at) != REDUCE_THROUGH;
	if (deadlock)
		say_who(m, p, at, false, refusal(m, op));
	free(p);
	return deadlock;
}

bool model_limit_deadlocks(struct model *m, const char *name, uint32_t limit,
			   const struct op *op)
{
	struct picture *p;
	bool deadlock = false;

	if (m->limits.search == 0)
		return false;
	p = draw(m, NULL, name, limit);
	for (size_t i = 0; i < p->r.requests_len && !deadlock; i++) {
		deadlock = p->r.requests[i].waits &&
			   model_part(p->request[i], name) &&
			   reduce_owner(&p->r, i) != REDUCE_THROUGH;
		if (deadlock)
			say_who(m, p, i, true, refusal(m, op));
	}
	free(p);
	return deadlock;
}

static bool waits_of(const struct model_request *r,
		     const struct model_suspect *suspect)
{
	return r->record.request.state == REQUEST_WAITING && r->parts_len > 0 &&
	       r->parts[0].mode < MODE_BARRIER &&
	       r->record.request.session == suspect->session &&
	       r->record.request.owner == suspect->owner;
}

void model_suspect(struct model *m, const struct model_request *granted)
{
	if (granted->record.request.owner == 0 || m->limits.search == 0 ||
	    granted->parts[0].mode >= MODE_BARRIER)
		return;
	assert(m->suspects_len < MODEL_REQUESTS);
	m->suspects[m->suspects_len++] =
		(struct model_suspect){ granted->record.request.session,
					granted->record.request.owner };
}

/* True: the newest of its waits that never come to an end has ended. */
static bool break_deadlock(struct model *m, const struct model_suspect *suspect)
{
	struct picture *p = draw(m, NULL, NULL, 0);
	struct model_request *newest = NULL;
	struct output o;
	size_t at;

	for (size_t i = m->requests_len; i-- > 0 && !newest;) {
		if (waits_of(&m->requests[i], suspect) &&
		    reduce_wait(&p->r, find(p, &m->requests[i])) !=
			    REDUCE_THROUGH)
			newest = &m->requests[i];
	}
	if (newest) {
		at = find(p, newest);
		o = *model_say_request(m, newest, OUTPUT_DEADLOCK, 0);
		m->outputs_len--;
		say_who(m, p, at, false, o);
		model_end(m, newest, HF_EDEADLK, 0);
	}
	free(p);
	return newest != NULL;
}

bool model_end_suspects(struct model *m)
{
	bool ended = false;

	for (size_t i = 0; i < m->suspects_len; i++) {
		while (break_deadlock(m, &m->suspects[i]))
			ended = true;
	}
	m->suspects_len = 0;
	return ended;
}
