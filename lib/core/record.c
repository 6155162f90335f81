/* Objects as flat records. The one place that says what of an object is state:
 * images, digests and looks all come from here. */
#include "core/state.h"

#include <string.h>

static void record_peer(const struct peer *peer, struct record *r)
{
	r->peer.node = peer->node;
	r->peer.boot = peer->boot;
	r->peer.nth = peer->nth;
	r->peer.session = peer->session ? peer->session->id : 0;
}

static void record_session(const struct session *session, struct record *r)
{
	r->session.id = session->id;
	r->session.node = session->peer->node;
	r->session.boot = session->boot;
	r->session.nth = session->nth;
	r->session.ttl = session->ttl;
	r->session.deadline = session->deadline;
	r->session.opened = session->opened;
	memcpy(r->session.nonce, session->nonce, NONCE_LEN);
	r->session.flags = session->flags;
	r->session.low = session->window.low;
	r->session.slots = NULL;
	r->session.slots_len = 0;
}

static void record_lock(const struct lock *lock, struct record *r)
{
	r->lock.id = lock->id;
	r->lock.name = lock->name;
	r->lock.name_len = lock->name_len;
	r->lock.limit = lock->limit;
	r->lock.delay_until = lock->delay_until;
}

static void record_request(const struct request *request, struct record *r)
{
	r->request.session = request->session->id;
	r->request.seq = request->seq;
	r->request.owner = request->owner;
	r->request.lock = request->lock ? request->lock->id : 0;
	r->request.state = (enum request_state)request->state;
	r->request.mode = (enum mode)request->mode;
	r->request.permits = request->permits;
	r->request.token = request->token;
	r->request.stamp = request->stamp;
	r->request.index = request->index;
	r->request.place = request->place;
	r->request.deadline = request->deadline;
	r->request.delay = request->delay;
	r->request.status = request->status;
}

void core_record(const struct core *core, struct object *object,
		 struct record *r, bool slots)
{
	r->kind = (enum record_kind)object->kind;
	switch (r->kind) {
	case RECORD_PEER:
		record_peer(as_peer(object), r);
		break;
	case RECORD_SESSION:
		record_session(as_session(object), r);
		if (!slots)
			break;
		r->session.slots = core->scratch;
		r->session.slots_len = core_window_list(
			&as_session(object)->window, core->scratch);
		break;
	case RECORD_LOCK:
		record_lock(as_lock(object), r);
		break;
	case RECORD_REQUEST:
		record_request(as_request(object), r);
		break;
	case RECORD_STATE:
		break;
	}
}

void core_record_state(const struct core *core, struct record *r)
{
	r->kind = RECORD_STATE;
	r->state.now = core->now;
	r->state.term = core->term;
	r->state.skew = core->skew;
	r->state.wall = core->wall;
	r->state.index = core->index;
	r->state.counter = core->counter;
	r->state.arrivals = core->arrivals;
	r->state.hash = core->hash;
	r->state.version = SEMANTICS_VERSION;
	r->state.limits = core->limits;
}
