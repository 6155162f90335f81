/* Changing a hold into another, leaving a barrier, handing over.
 *
 * The rule: who holds something keeps what it believes in until it has been
 * told of more, or has asked for less (README, 2). */
#include "core/state.h"

#include <string.h>

static bool other_name(const struct op *op, const struct request *hold)
{
	const struct lock *lock = hold->parts[0].lock;

	return lock->name_len != op->acquire.name_len ||
	       memcmp(lock->name, op->acquire.name, lock->name_len) != 0;
}

int core_judge_conversion(const struct op *op, const struct request *hold)
{
	const struct part *part = hold ? &hold->parts[0] : NULL;
	enum mode to = op->acquire.mode;

	if (!hold)
		return HF_ENOTHELD;
	if (hold->parts_len > 1 || other_name(op, hold) ||
	    (hold->extra && hold->extra->conversion))
		return HF_EINVAL;
	switch ((enum mode)part->mode) {
	case MODE_EXCLUSIVE:
		return to <= MODE_SHARED ? 1 : HF_EINVAL;
	case MODE_SHARED:
		return to <= MODE_SHARED ? to == MODE_SHARED : HF_EINVAL;
	case MODE_PERMITS:
		if (to != MODE_PERMITS)
			return HF_EINVAL;
		return op->acquire.permits <= part->permits;
	case MODE_BARRIER:
		return to == MODE_LEAVE ? 1 : HF_EINVAL;
	case MODE_LEAVE:
		break;
	}
	return HF_EINVAL;
}

void core_convert_down(struct core *core, struct request *hold,
		       const struct op *op)
{
	struct part *part = &hold->parts[0];
	struct lock *lock = part->lock;
	struct rank_weight was =
		core_weight((enum mode)part->mode, part->permits);
	struct rank_weight is =
		core_weight(op->acquire.mode, op->acquire.permits);

	core_touch(core, &hold->object);
	core_lock_mark(core, lock);
	part->mode = (uint8_t)op->acquire.mode;
	part->permits = op->acquire.permits;
	lock->use = rank_add(rank_sub(lock->use, was), is);
	core_tell_hold(core, hold, CHANGE_SHOWN, 0);
}

/* What the hold had besides is one struct: it changes hands. */
void core_convert_up(struct core *core, struct request *request)
{
	struct extra *extra = request->extra;
	struct request *from = extra->from;

	core_touch(core, &from->object);
	extra->from = NULL;
	request->extra = from->extra;
	request->extra->request = request;
	request->extra->conversion = NULL;
	from->extra = extra;
	extra->request = from;
	core_notice_moved(request->extra);
	core_request_remove(core, from, 0);
}

bool core_leave(struct core *core, struct session *session,
		struct request *hold, const struct op *op)
{
	struct lock *lock = hold->parts[0].lock;
	struct request *r;

	core_request_remove(core, hold, 0);
	if (list_empty(&lock->holders))
		return false;
	r = core_request_make(core, session, op, 1);
	r->parts[0].lock = lock;
	r->parts[0].mode = MODE_LEAVE;
	core_begin_wait(core, r, op->acquire.wait);
	return true;
}

static bool is_candidate(const struct request *r, const struct lock *lock)
{
	return r->state == REQUEST_WAITING && r->parts_len == 1 &&
	       r->parts[0].lock == lock && r->parts[0].in_line.major > 0;
}

static struct request *better(struct request *a, struct request *b)
{
	const struct rank_node *x = &b->parts[0].in_line, *y;

	if (!a)
		return b;
	y = &a->parts[0].in_line;
	return x->major < y->major ||
			       (x->major == y->major && x->minor < y->minor)
		       ? b
		       : a;
}

/* The next request of the peer's, over all of its sessions; NULL: no more. */
static struct list *next_of(const struct peer *peer, struct list **session,
			    struct list *it)
{
	for (;;) {
		struct session *s =
			container_of(*session, struct session, in_peer);

		if (it->next != &s->requests)
			return it->next;
		*session = (*session)->next;
		if (*session == &peer->sessions)
			return NULL;
		it = &container_of(*session, struct session, in_peer)->requests;
	}
}

/* Along the line and along what the node has, a step each in turn: whichever
 * ends first knows. */
static struct request *candidate(const struct lock *lock,
				 const struct peer *peer)
{
	struct rank_node *n =
		lock->line ? rank_first(&lock->line->waiters) : NULL;
	struct list *session = peer->sessions.next, *it;
	struct request *best = NULL;

	if (session == &peer->sessions)
		return NULL;
	it = &container_of(session, struct session, in_peer)->requests;
	for (; n; n = rank_next(n)) {
		struct request *r = in_line(n)->request;

		if (r->session->peer == peer && is_candidate(r, lock))
			return r;
		it = next_of(peer, &session, it);
		if (!it)
			return best;
		if (is_candidate(in_session(it), lock))
			best = better(best, in_session(it));
	}
	return NULL;
}

int core_hand_over(struct core *core, struct request *hold, uint64_t to)
{
	struct lock *lock = hold->parts[0].lock;
	const struct peer *peer = core_peer_find(core, to);
	struct request *next;

	if (hold->parts_len > 1 || hold->parts[0].mode != MODE_EXCLUSIVE)
		return HF_EINVAL;
	next = peer && core_lock_open(core, lock) ? candidate(lock, peer)
						  : NULL;
	if (!next)
		return HF_ENOCANDIDATE;
	core_request_remove(core, hold, 0);
	core_let_in(core, next);
	core_suspect(core, next->owner);
	return 0;
}
