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
	r->lock.flags = lock->flags;
	r->lock.delay_until = lock->delay_until;
}

static uint64_t lock_id(const struct part *part)
{
	return part->lock ? part->lock->id : 0;
}

/* Of one that isn't a wait for a value. */
static void record_parts(const struct request *request, struct record *r,
			 struct record_part *more)
{
	r->request.lock = lock_id(&request->parts[0]);
	r->request.mode = (enum mode)request->parts[0].mode;
	r->request.permits = request->parts[0].permits;
	r->request.more_len = request->parts_len - 1U;
	r->request.more = more;
	for (size_t i = 1; more && i < request->parts_len; i++)
		more[i - 1] = (struct record_part){
			.lock = lock_id(&request->parts[i]),
			.mode = (enum mode)request->parts[i].mode,
			.permits = request->parts[i].permits
		};
}

static void record_blob(const struct blob *blob, const uint8_t **bytes,
			size_t *len)
{
	*bytes = blob ? blob->bytes : NULL;
	*len = blob ? blob->len : 0;
}

static void record_extra(const struct extra *extra, struct record *r)
{
	r->request.hold = extra->hold;
	r->request.lease = extra->lease;
	r->request.hold_until = extra->hold_until;
	r->request.lease_until = extra->lease_until;
	r->request.from = extra->from ? extra->from->token : 0;
	record_blob(extra->shown, &r->request.shown, &r->request.shown_len);
	r->request.revoke.at = extra->revoke_at;
	r->request.revoke.noted_at = extra->noted_at;
	r->request.revoke.by = extra->revoke_by;
	r->request.revoke.noted = extra->noted;
	record_blob(extra->reason, &r->request.revoke.reason,
		    &r->request.revoke.reason_len);
	r->request.value = extra->value ? extra->value->id : 0;
	r->request.condition = (enum condition)extra->condition;
	r->request.number = extra->number;
}

static void record_request(const struct request *request, struct record *r,
			   struct record_part *more)
{
	memset(&r->request, 0, sizeof(r->request));
	r->request.session = request->session->id;
	r->request.seq = request->seq;
	r->request.owner = request->owner ? request->owner->id : 0;
	r->request.state = (enum request_state)request->state;
	r->request.token = request->token;
	r->request.stamp = request->stamp;
	r->request.index = request->index;
	r->request.place = request->place;
	r->request.deadline = request->deadline;
	r->request.delay = request->delay;
	r->request.status = request->status;
	r->request.priority = request->priority;
	if (request->parts_len > 0)
		record_parts(request, r, more);
	if (request->extra)
		record_extra(request->extra, r);
}

static void record_value(const struct value *value, struct record *r)
{
	r->value.id = value->id;
	r->value.name = value->name;
	r->value.name_len = value->name_len;
	r->value.version = value->version;
	r->value.session = value->session ? value->session->id : 0;
	r->value.counter = value->counter;
	r->value.number = value->number;
	record_blob(value->blob, &r->value.bytes, &r->value.bytes_len);
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
		record_request(as_request(object), r,
			       core ? core->scratch_parts : NULL);
		break;
	case RECORD_VALUE:
		record_value(as_value(object), r);
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
