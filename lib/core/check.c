/* The invariants of the state, checked.
 *
 * The rule: what README says of an object is a line here. It's off in the
 * library and on in tests and in the simulator; a restore runs it always, since
 * an image comes from outside. */
#include "core/state.h"

/* A claim about an object, named by its id. */
#define CLAIM(condition, text, id)                                 \
	do {                                                       \
		if (!(condition))                                  \
			return core_complain(core, text, (id), 0); \
	} while (0)

static bool timer_is(const struct object *object, uint64_t deadline,
		     uint64_t tie)
{
	const struct heap_node *n = &object->timer;

	if (deadline == 0)
		return !n->queued;
	return n->queued && n->key == deadline && n->tie == tie;
}

static int check_peer(struct core *core, const struct peer *peer)
{
	uint64_t last = 0;
	const struct session *s = NULL;

	CLAIM(peer->node > 0 && core_peer_find(core, peer->node) == peer,
	      "node % isn't found", peer->node);
	list_for (it, &peer->sessions) {
		s = container_of(it, struct session, in_peer);
		CLAIM(s->peer == peer, "node % has another's session",
		      peer->node);
		CLAIM(s->id > last, "node % has sessions out of order",
		      peer->node);
		last = s->id;
	}
	if (!peer->session)
		return 0;
	CLAIM(peer->session == s, "the newest session of node % isn't its last",
	      peer->node);
	CLAIM(s->boot == peer->boot && s->nth == peer->nth,
	      "node % remembers another boot than its session's", peer->node);
	return 0;
}

static int check_window(struct core *core, const struct session *s)
{
	const struct window *w = &s->window;
	uint64_t sum = 0;
	uint32_t used = 0;

	CLAIM(w->low > 0 && w->low <= w->high + 1,
	      "the window of session % is above its slots", s->id);
	CLAIM(w->used == 0 || w->high - w->low < w->cap,
	      "the window of session % is wider than its ring", s->id);
	CLAIM(w->cap <= core->scratch_cap,
	      "the ring of session % is larger than the scratch", s->id);
	for (uint32_t i = 0; i < w->cap; i++) {
		const struct slot *slot = &w->ring[i];

		if (slot->seq == 0)
			continue;
		CLAIM(core_window_find(w, slot->seq) == slot,
		      "session % has a slot out of place", s->id);
		used++;
		sum += core_slot_digest(slot);
	}
	CLAIM(used == w->used && sum == w->sum,
	      "the slots of session % aren't those counted", s->id);
	CLAIM(used == 0 ? w->high + 1 == w->low
			: core_window_find(w, w->high) != NULL,
	      "the highest slot of session % isn't there", s->id);
	return 0;
}

static int check_session(struct core *core, const struct session *s)
{
	uint64_t last = 0;

	CLAIM(s->id > 0 && s->id <= core->counter &&
		      core_session_find(core, s->id) == s,
	      "session % isn't found", s->id);
	CLAIM(s->deadline > core->now, "session % should have ended", s->id);
	CLAIM(timer_is(&s->object, s->deadline, s->id),
	      "the timer of session % isn't its deadline", s->id);
	CLAIM(s->boot < s->peer->boot ||
		      (s->boot == s->peer->boot && s->nth <= s->peer->nth),
	      "session % is newer than its node remembers", s->id);
	list_for (it, &s->requests) {
		const struct request *r = in_session(it);

		CLAIM(r->session == s, "session % has another's request",
		      s->id);
		CLAIM(r->place > last, "session % has requests out of order",
		      s->id);
		last = r->place;
	}
	return check_window(core, s);
}

static int check_holders(struct core *core, const struct lock *lock)
{
	uint64_t last = 0, permits = 0;
	uint32_t by_mode[MODE_PERMITS + 1] = { 0 };

	list_for (it, &lock->holders) {
		const struct request *r = in_lock(it);

		CLAIM(r->lock == lock && r->state == REQUEST_HELD,
		      "lock % has a holder that doesn't hold it", lock->id);
		CLAIM(r->token > last, "lock % has holders out of order",
		      lock->id);
		last = r->token;
		by_mode[r->mode]++;
		permits += r->permits;
	}
	CLAIM(by_mode[MODE_EXCLUSIVE] == lock->exclusive &&
		      by_mode[MODE_SHARED] == lock->shared &&
		      permits == lock->permits,
	      "the holders of lock % aren't those counted", lock->id);
	CLAIM(lock->exclusive == 0 ||
		      (lock->exclusive == 1 && lock->shared == 0 &&
		       by_mode[MODE_PERMITS] == 0),
	      "lock % is held exclusively and by others", lock->id);
	CLAIM(permits <= lock->limit,
	      "more permits of lock % are held than are", lock->id);
	return 0;
}

static int check_line(struct core *core, const struct lock *lock)
{
	uint64_t last = 0;
	uint32_t waiting = 0;

	list_for (it, &lock->line) {
		const struct request *r = in_lock(it);

		CLAIM(r->lock == lock && r->state == REQUEST_WAITING,
		      "lock % has a waiter that doesn't wait for it", lock->id);
		CLAIM(r->place > last, "lock % has a line out of order",
		      lock->id);
		CLAIM(r->permits <= lock->limit,
		      "a waiter asks more permits of lock % than there are",
		      lock->id);
		last = r->place;
		waiting++;
	}
	CLAIM(waiting == lock->waiting, "the line of lock % isn't as counted",
	      lock->id);
	CLAIM(!core_lock_admits_head(core, lock),
	      "the first in the line of lock % should have been let in",
	      lock->id);
	return 0;
}

static int check_lock(struct core *core, const struct lock *lock)
{
	CLAIM(lock->id > 0 && lock->id <= core->counter,
	      "lock % has a number that wasn't given", lock->id);
	CLAIM(core_lock_find(core, lock->name, lock->name_len) == lock,
	      "lock % isn't found", lock->id);
	CLAIM(!core_lock_idle(lock) && !lock->marked,
	      "lock % should have vanished", lock->id);
	CLAIM(lock->delay_until == 0 || lock->delay_until > core->now,
	      "the delay of lock % should have ended", lock->id);
	CLAIM(timer_is(&lock->object, lock->delay_until, lock->id),
	      "the timer of lock % isn't its delay", lock->id);
	if (check_holders(core, lock))
		return HF_ECORRUPT;
	return check_line(core, lock);
}

static int check_request(struct core *core, const struct request *r)
{
	const struct slot *slot = core_window_find(&r->session->window, r->seq);

	CLAIM(core_session_find(core, r->session->id) == r->session,
	      "the request at place % outlived its session", r->place);
	CLAIM(core_request_find(core, r->session->id, r->seq) == r,
	      "the request at place % isn't found", r->place);
	CLAIM(r->place > 0 && r->place <= core->arrivals,
	      "the request at place % came from the future", r->place);
	CLAIM(timer_is(&r->object, r->deadline, r->place | PLACE_TIE),
	      "the timer of the request at place % isn't its deadline",
	      r->place);
	CLAIM(r->seq < r->session->window.low ||
		      (slot &&
		       (slot->status == STATUS_WAITING ||
			(slot->status == 0 && slot->token == r->token))),
	      "the slot of the request at place % says otherwise", r->place);
	CLAIM((r->state == REQUEST_ENDED) == (r->lock == NULL) &&
		      (r->state == REQUEST_ENDED) == (r->status < 0),
	      "the request at place % has half ended", r->place);
	CLAIM(r->state == REQUEST_WAITING || r->deadline == 0,
	      "the request at place % ended and has a deadline", r->place);
	CLAIM(r->deadline == 0 || r->deadline > core->now,
	      "the wait at place % should have ended", r->place);
	CLAIM((r->state == REQUEST_HELD) == (r->token > 0),
	      "the request at place % has a token and doesn't hold", r->place);
	if (r->token == 0)
		return 0;
	CLAIM(r->token <= core->counter && core_token_find(core, r->token) == r,
	      "token % isn't found", r->token);
	return 0;
}

int core_check_object(struct core *core, struct object *object)
{
	switch ((enum record_kind)object->kind) {
	case RECORD_PEER:
		return check_peer(core, as_peer(object));
	case RECORD_SESSION:
		return check_session(core, as_session(object));
	case RECORD_LOCK:
		return check_lock(core, as_lock(object));
	case RECORD_REQUEST:
		return check_request(core, as_request(object));
	case RECORD_STATE:
		break;
	}
	return core_complain(core, "an object is of kind %", object->kind, 0);
}

struct tally {
	uint64_t sum, timers, states[REQUEST_ENDED + 1];
};

static int check_kind(struct core *core, uint8_t kind, struct tally *tally)
{
	uint64_t len = 0;

	list_for (it, &core->all[kind]) {
		struct object *object = object_of(it);

		CLAIM(object->kind == kind && !object->dead && !object->touched,
		      "an object among those of kind % can't be there", kind);
		CLAIM(object->digest == core_digest(object),
		      "an object of kind % changed untouched", kind);
		if (core_check_object(core, object))
			return HF_ECORRUPT;
		if (kind == RECORD_REQUEST)
			tally->states[as_request(object)->state]++;
		tally->timers += object->timer.queued;
		tally->sum += object->digest;
		len++;
	}
	CLAIM(len == core->len[kind], "objects of kind % aren't as counted",
	      kind);
	return 0;
}

int core_check(struct core *core)
{
	struct tally tally = { .sum = 0 };
	const struct heap_node *first = heap_first(&core->deadlines);

	for (uint8_t kind = 0; kind < KINDS; kind++) {
		if (check_kind(core, kind, &tally))
			return HF_ECORRUPT;
	}
	CLAIM(tally.states[REQUEST_WAITING] == core->waits &&
		      tally.states[REQUEST_HELD] == core->holds,
	      "waits or holds aren't as counted: % waits", core->waits);
	CLAIM(core->peers.len == core->len[RECORD_PEER] &&
		      core->sessions.len == core->len[RECORD_SESSION] &&
		      core->locks.len == core->len[RECORD_LOCK] &&
		      core->requests.len == core->len[RECORD_REQUEST] &&
		      core->tokens.len == core->holds,
	      "a map isn't as long as its list at index %", core->index);
	CLAIM(core->deadlines.len == tally.timers,
	      "% deadlines are pending, and others are meant",
	      core->deadlines.len);
	CLAIM(!first || first->key > core->now, "deadline % should have ended",
	      first->key);
	CLAIM(tally.sum == core->sum &&
		      core->hash == core->sum + core_state_digest(core),
	      "the hash at index % isn't the state's", core->index);
	CLAIM(!core->marked && !core->touched, "index % was left unsettled",
	      core->index);
	return 0;
}

void core_check_every(struct core *core, uint64_t every)
{
	core->check_every = every;
	core->applies = 0;
}
