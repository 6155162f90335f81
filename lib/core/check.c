/* The invariants of the state, checked.
 *
 * The rule: what README says of an object is a line here. It's off in the
 * library and on in tests and in the simulator; a restore runs it always, since
 * an image comes from outside. */
#include "core/check.h"

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

static bool parts_have_locks(const struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++) {
		if ((r->parts[i].lock == NULL) != (r->state == REQUEST_ENDED) ||
		    r->parts[i].request != r || r->parts[i].number != i)
			return false;
	}
	return true;
}

static bool has_deadline(const struct request *r)
{
	uint64_t at = r->deadline;

	if (r->state == REQUEST_HELD && r->extra) {
		at = core_hold_deadline(r);
		if (r->extra->revoke_at > 0 &&
		    (at == 0 || r->extra->revoke_at < at))
			at = r->extra->revoke_at;
	}
	return timer_is(&r->object, at, r->place | PLACE_TIE);
}

static int check_extra(struct core *core, const struct request *r)
{
	const struct extra *e = r->extra;
	bool noticed;

	if (!e)
		return 0;
	noticed = e->revoke_at > 0 && !e->noted;
	CLAIM(e->request == r, "the request at place % has another's extra",
	      r->place);
	CLAIM(r->state == REQUEST_HELD ||
		      (e->hold_until == 0 && e->lease_until == 0 &&
		       e->revoke_at == 0 && !e->conversion),
	      "the request at place % has what only holds have", r->place);
	CLAIM(!e->from || (r->state == REQUEST_WAITING &&
			   e->from->state == REQUEST_HELD &&
			   e->from->session == r->session &&
			   e->from->extra->conversion == r),
	      "the request at place % converts nothing", r->place);
	CLAIM(noticed != list_empty(&e->in_notices),
	      "the request at place % has lost its notice", r->place);
	CLAIM((r->parts_len == 0 && r->state == REQUEST_WAITING) ==
		      (e->value != NULL),
	      "the request at place % waits for no value", r->place);
	CLAIM((e->hold_until == 0 || e->hold > 0) &&
		      (e->lease_until == 0 || e->lease > 0),
	      "the request at place % ends by what it wasn't given", r->place);
	CLAIM(r->state != REQUEST_ENDED || r->parts_len == 0 ||
		      (e->hold == 0 && e->lease == 0 && !e->shown),
	      "the request at place % has ended and still has terms", r->place);
	return 0;
}

static int check_owner(struct core *core, const struct request *r)
{
	const struct owner *owner = r->owner;
	uint32_t waits = 0;
	uint64_t last = 0;

	if (!owner)
		return 0;
	CLAIM(owner->session == r->session && r->state != REQUEST_ENDED,
	      "the request at place % has another's owner", r->place);
	if (owner->requests.next != &r->in_owner)
		return 0; /* once for each owner */
	list_for (it, &owner->requests) {
		const struct request *other =
			container_of(it, struct request, in_owner);

		CLAIM(other->owner == owner && other->place > last,
		      "the owner of place % has requests out of order",
		      r->place);
		last = other->place;
		waits += core_waits_for_locks(other);
	}
	CLAIM(waits == owner->waits,
	      "the waits of the owner of place % aren't as counted", r->place);
	return 0;
}

static int check_slot(struct core *core, const struct request *r)
{
	const struct slot *slot = core_window_find(&r->session->window, r->seq);

	if (r->seq < r->session->window.low)
		return 0;
	CLAIM(slot && (slot->status == STATUS_WAITING ||
		       (slot->status == 0 && (slot->token == r->token ||
					      r->state == REQUEST_ENDED))),
	      "the slot of the request at place % says otherwise", r->place);
	return 0;
}

static int check_tokens(struct core *core, const struct request *r)
{
	for (size_t i = 0; i < r->parts_len; i++)
		CLAIM(r->token + i <= core->counter &&
			      core_token_find(core, r->token + i) ==
				      &r->parts[i],
		      "token % isn't found", r->token + i);
	return 0;
}

static int check_request(struct core *core, const struct request *r)
{
	bool ended = r->state == REQUEST_ENDED;

	CLAIM(core_session_find(core, r->session->id) == r->session,
	      "the request at place % outlived its session", r->place);
	CLAIM(core_request_find(core, r->session->id, r->seq) == r,
	      "the request at place % isn't found", r->place);
	CLAIM(r->place > 0 && r->place <= core->arrivals,
	      "the request at place % came from the future", r->place);
	CLAIM(has_deadline(r),
	      "the timer of the request at place % isn't its deadline",
	      r->place);
	CLAIM(parts_have_locks(r) && (ended || r->status == 0),
	      "the request at place % has half ended", r->place);
	CLAIM(r->state == REQUEST_WAITING || r->deadline == 0,
	      "the request at place % ended and has a deadline", r->place);
	CLAIM(r->deadline == 0 || r->deadline > core->now,
	      "the wait at place % should have ended", r->place);
	CLAIM((r->state == REQUEST_HELD) == (r->token > 0) ||
		      (ended && r->parts_len == 0 && r->status == 0),
	      "the request at place % has a token and doesn't hold", r->place);
	if (check_slot(core, r) || check_extra(core, r) || check_owner(core, r))
		return HF_ECORRUPT;
	return r->state == REQUEST_HELD ? check_tokens(core, r) : 0;
}

static int check_value(struct core *core, const struct value *v)
{
	bool waited = false;

	for (size_t i = 0; i < AWAIT_AT_LEAST; i++) {
		const struct heap_node *n = heap_first(&v->waiters[i]);
		const struct extra *e =
			n ? container_of(n, struct extra, in_value) : NULL;

		waited = waited || e;
		CLAIM(!e || (e->value == v && e->condition == i + 1),
		      "value % is waited for by who doesn't", v->id);
	}
	CLAIM(core_value_settled(v),
	      "value % is waited for by one whose wait has come true", v->id);
	CLAIM(v->id > 0 && v->id <= core->counter,
	      "value % has a number that wasn't given", v->id);
	CLAIM(core_value_find(core, v->name, v->name_len) == v,
	      "value % isn't found", v->id);
	CLAIM(v->version <= core->counter && (v->version > 0 || waited),
	      "value % should have vanished", v->id);
	CLAIM(v->version > 0 || (!v->session && !v->blob && !v->counter),
	      "value % isn't there and is something", v->id);
	CLAIM(!v->counter || !v->blob, "value % is two things", v->id);
	CLAIM((v->session == NULL) == list_empty(&v->in_session),
	      "value % is of no session", v->id);
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
	case RECORD_VALUE:
		return check_value(core, as_value(object));
	case RECORD_STATE:
		break;
	}
	return core_complain(core, "an object is of kind %", object->kind, 0);
}

struct tally {
	uint64_t sum, timers, states[REQUEST_ENDED + 1];
	uint64_t held_parts, waiting_parts, values, bytes;
};

static void tally_request(struct tally *tally, const struct request *r)
{
	tally->states[r->state]++;
	if (r->state == REQUEST_HELD)
		tally->held_parts += r->parts_len;
	if (r->state == REQUEST_WAITING)
		tally->waiting_parts += r->parts_len;
}

static void tally_value(struct tally *tally, const struct value *v)
{
	tally->values += v->version > 0;
	tally->bytes += v->blob ? v->blob->len : 0;
}

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
			tally_request(tally, as_request(object));
		if (kind == RECORD_VALUE)
			tally_value(tally, as_value(object));
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
	CLAIM(tally.held_parts == core->held_parts &&
		      tally.waiting_parts == core->waiting_parts &&
		      tally.values == core->values &&
		      tally.bytes == core->bytes,
	      "parts or values aren't as counted: % values", core->values);
	CLAIM(core->peers.len == core->len[RECORD_PEER] &&
		      core->sessions.len == core->len[RECORD_SESSION] &&
		      core->locks.len == core->len[RECORD_LOCK] &&
		      core->requests.len == core->len[RECORD_REQUEST] &&
		      core->values_by.len == core->len[RECORD_VALUE] &&
		      core->tokens.len == core->held_parts,
	      "a map isn't as long as its list at index %", core->index);
	CLAIM(core->deadlines.len == tally.timers,
	      "% deadlines are pending, and others are meant",
	      core->deadlines.len);
	CLAIM(!first || first->key > core->now, "deadline % should have ended",
	      first->key);
	CLAIM(tally.sum == core->sum &&
		      core->hash == core->sum + core_state_digest(core),
	      "the hash at index % isn't the state's", core->index);
	CLAIM(!core->marked && !core->touched && !core->suspects &&
		      !core->blobs,
	      "index % was left unsettled", core->index);
	return 0;
}

void core_check_every(struct core *core, uint64_t every)
{
	core->check_every = every;
	core->applies = 0;
}
