/* Deadlocks: when to look for one, whom to refuse, what to say (README, 11).
 *
 * The rule: no false alarm, and none missed within limits.search steps. */
#include "core/search.h"

#define TOLD_MAX 16   /* waits named in a refusal */
#define BEHIND_MAX 64 /* parties of the quick look */

/* --- what is said */

struct refusal {
	uint64_t node, session, seq;
};

static void tell(struct core *core, const struct refusal *of,
		 const struct request *r)
{
	const struct lock *lock = r->parts[0].lock;

	core_emit(core, &(struct output){ .kind = OUTPUT_DEADLOCK,
					  .node = of->node,
					  .session = of->session,
					  .seq = of->seq,
					  .stamp = core->now,
					  .by = r->session->peer->node,
					  .token = r->session->id,
					  .number = r->owner ? r->owner->id : 0,
					  .name = lock->name,
					  .name_len = lock->name_len });
}

/* All but `but` who were never reached. */
static void tell_all(struct search *s, const struct refusal *of,
		     const struct request *but)
{
	size_t told = 0;

	for (struct line *line = s->lines; line; line = line->next) {
		struct rank_node *n = rank_first(&line->waiters);

		for (; n && told < TOLD_MAX; n = rank_next(n)) {
			const struct part *part = in_line(n);
			struct request *r = part->request;

			if (part->number > 0 || r == but ||
			    r->gone == s->mark || !search_counts(r))
				continue;
			tell(s->core, of, r);
			told++;
		}
	}
}

/* The first in the line is it. */
void core_tell_upgrader(struct core *core, const struct op *op,
			const struct lock *lock)
{
	struct refusal of = { op->node, op->session, op->seq };
	struct rank_node *n = rank_first(&lock->line->waiters);

	while (in_line(n)->mode != MODE_EXCLUSIVE)
		n = rank_next(n);
	tell(core, &of, in_line(n)->request);
}

/* --- when */

/* Those who may be blocked by a request or its owner, directly or by others of
 * them: one request for each party. */
struct behind {
	uint64_t mark;
	const struct request *target; /* whose locks it is about */
	struct request *parties[BEHIND_MAX];
	size_t len, steps;
};

static bool converts(const struct request *r)
{
	return r->extra && r->extra->from;
}

static bool stands_before(const struct part *a, const struct part *b)
{
	const struct rank_node *x = &a->in_line, *y = &b->in_line;

	return x->major < y->major ||
	       (x->major == y->major && x->minor < y->minor);
}

/* Does it hold one of the target's locks, or wait for it before the target? Who
 * converts does both. */
static bool in_the_way(const struct request *r, const struct request *target)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		for (size_t j = 0; j < target->parts_len; j++) {
			if (r->parts[i].lock != target->parts[j].lock)
				continue;
			if (r->state == REQUEST_HELD || converts(r) ||
			    stands_before(&r->parts[i], &target->parts[j]))
				return true;
		}
	}
	return false;
}

/* true: it may be in the target's way, or there are too many to tell. */
static bool add_party(struct behind *b, struct request *r)
{
	struct owner *owner = r->owner;

	if (b->steps++ >= BEHIND_MAX || b->len == BEHIND_MAX)
		return true;
	if (owner == b->target->owner && (owner || r == b->target))
		return false;
	if (owner ? owner->mark == b->mark : r->mark == b->mark)
		return false;
	r->mark = b->mark;
	if (owner)
		owner->mark = b->mark;
	b->parties[b->len++] = r;
	return in_the_way(r, b->target);
}

/* All who wait for what this request holds, or behind it. */
static bool add_blocked(struct behind *b, const struct request *r)
{
	bool held = r->state == REQUEST_HELD;

	if (b->steps++ >= BEHIND_MAX)
		return true;
	if (r != b->target &&
	    !(converts(b->target) && b->target->extra->from == r) &&
	    in_the_way(r, b->target))
		return true;
	for (size_t i = 0; i < r->parts_len; i++) {
		const struct part *part = &r->parts[i];
		struct rank_node *n;

		if (!held && !core_waits_for_locks(r))
			break;
		if (held && !part->lock->line)
			continue;
		n = held || converts(r) ? rank_first(&part->lock->line->waiters)
					: rank_next(&part->in_line);
		for (; n; n = rank_next(n)) {
			if (add_party(b, in_line(n)->request))
				return true;
		}
	}
	return false;
}

static bool add_blocked_by_owner(struct behind *b, struct request *r)
{
	if (!r->owner)
		return add_blocked(b, r);
	list_for (it, &r->owner->requests) {
		if (add_blocked(b, container_of(it, struct request, in_owner)))
			return true;
	}
	return false;
}

/* A quick look from the other end, enough for almost all: could anybody whom it
 * blocks be in its way? Only then can there be a cycle, and so a deadlock. */
static bool may_close_cycle(struct core *core, struct request *request)
{
	struct behind b = { .mark = ++core->searches, .target = request };

	/* What it gets it may have to keep until it gets the rest. */
	if (request->owner && request->owner->waits > 1)
		return true;
	if (add_blocked_by_owner(&b, request))
		return true;
	for (size_t i = 0; i < b.len; i++) {
		if (add_blocked_by_owner(&b, b.parties[i]))
			return true;
	}
	return false;
}

/* Was its owner never reached? It waits for more than this, perhaps. */
static bool is_stuck(const struct search *s, const struct request *r)
{
	if (r->owner)
		return r->owner->left > 0;
	return r->gone != s->mark;
}

bool core_deadlocked(struct core *core, struct request *request)
{
	struct refusal of = { .node = request->session->peer->node,
			      .session = request->session->id,
			      .seq = request->seq };
	struct search s;

	if (!may_close_cycle(core, request))
		return false;
	s = search_begin(core);
	search_meet(&s, request);
	if (!search_reduce(&s) || !is_stuck(&s, request))
		return false;
	tell_all(&s, &of, request);
	return true;
}

bool core_line_deadlocked(struct core *core, struct lock *lock,
			  const struct op *op)
{
	struct refusal of = { op->node, op->session, op->seq };
	struct search s = search_begin(core);
	struct rank_node *n;

	if (!lock->line)
		return false;
	search_meet_line(&s, lock->line);
	if (!search_reduce(&s))
		return false;
	n = rank_first(&lock->line->waiters);
	while (n && (!search_counts(in_line(n)->request) ||
		     !is_stuck(&s, in_line(n)->request)))
		n = rank_next(n);
	if (!n)
		return false;
	tell_all(&s, &of, NULL);
	return true;
}

void core_suspect(struct core *core, struct owner *owner)
{
	if (!owner || owner->waits == 0 || owner->suspected)
		return;
	owner->suspected = true;
	owner->next_suspect = core->suspects;
	core->suspects = owner;
}

/* Of those that were never let in. */
static struct request *newest_stuck(const struct search *s,
				    const struct owner *owner)
{
	struct list *it = owner->requests.prev;

	for (; it != &owner->requests; it = it->prev) {
		struct request *r = container_of(it, struct request, in_owner);

		if (search_counts(r) && r->gone != s->mark)
			return r;
	}
	return NULL;
}

static bool end_deadlock(struct core *core, struct owner *owner)
{
	struct search s = search_begin(core);
	struct refusal of;
	struct request *r;

	search_meet_owner(&s, owner);
	r = search_reduce(&s) ? newest_stuck(&s, owner) : NULL;
	if (!r)
		return false;
	of = (struct refusal){ r->session->peer->node, r->session->id, r->seq };
	tell_all(&s, &of, r);
	core_end_wait(core, r, HF_EDEADLK, 0);
	core_suspect(core, owner);
	return true;
}

bool core_end_suspects(struct core *core)
{
	while (core->suspects) {
		struct owner *owner = core->suspects;

		core->suspects = owner->next_suspect;
		owner->suspected = false;
		if (end_deadlock(core, owner))
			return true;
	}
	return false;
}
