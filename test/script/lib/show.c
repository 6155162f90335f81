/* What the scripts show of the whole state, in words. */
#include "script/lib/story.h"

#include <inttypes.h>
#include <string.h>

/* While the state is shown. */
struct show {
	const struct story *story;
	struct text *out;
	uint64_t lock, value; /* of which the requests are shown */
};

static void show_state(const struct show *s, const struct record *r)
{
	text_print(s->out, "time %s", print_time(r->state.now).text);
	if (r->state.skew > 0)
		text_print(s->out, ", %s cut off",
			   print_time(r->state.skew).text);
	text_print(s->out, ", index %" PRIu64 ", last number %" PRIu64 "\n",
		   r->state.index, r->state.counter);
}

static void show_peer(const struct show *s, const struct record *r)
{
	text_print(s->out,
		   "node %" PRIu64 ": boot %" PRIu64 ".%" PRIu64 ", %s\n",
		   r->peer.node, r->peer.boot, r->peer.nth,
		   r->peer.session ? story_name_of(s->story, r->peer.session)
				   : "no session");
}

static void show_session(const struct show *s, const struct record *r)
{
	text_print(s->out,
		   "session %s: node %" PRIu64 ", until %s, low %" PRIu64 "\n",
		   story_name_of(s->story, r->session.id), r->session.node,
		   print_time(r->session.deadline).text, r->session.low);
	for (size_t i = 0; i < r->session.slots_len; i++) {
		const struct slot *slot = &r->session.slots[i];

		text_print(s->out, "  %" PRIu64 " %s", slot->seq,
			   print_status(slot->status));
		if (slot->token > 0)
			text_print(s->out, " token %" PRIu64, slot->token);
		text_print(s->out, "\n");
	}
}

static void show_until(const struct show *s, const char *word, uint64_t at)
{
	if (at > 0)
		text_print(s->out, " %s %s", word, print_time(at).text);
}

static void show_besides(const struct show *s, const struct record *r)
{
	if (r->request.priority != 0)
		text_print(s->out, " priority %" PRId32, r->request.priority);
	if (r->request.from > 0)
		text_print(s->out, " instead of token %" PRIu64,
			   r->request.from);
	show_until(s, "hold until", r->request.hold_until);
	show_until(s, "lease until", r->request.lease_until);
	if (r->request.revoke.at > 0)
		text_print(s->out, " revoked%s",
			   r->request.revoke.noted ? ", noted," : "");
	show_until(s, "at", r->request.revoke.at);
	if (r->request.shown_len > 0)
		text_print(s->out, " shows \"%.*s\"", (int)r->request.shown_len,
			   (const char *)r->request.shown);
}

/* `lock`: as in the line of this one; 0: of any. */
static void show_request(const struct show *s, const struct record *r,
			 uint64_t lock)
{
	enum mode mode = r->request.mode;
	uint32_t permits = r->request.permits;

	for (size_t i = 0; lock > 0 && i < r->request.more_len; i++) {
		if (r->request.more[i].lock != lock)
			continue;
		mode = r->request.more[i].mode;
		permits = r->request.more[i].permits;
	}
	text_print(s->out, "  %s.%" PRIu64,
		   story_name_of(s->story, r->request.session), r->request.seq);
	if (mode == MODE_PERMITS)
		text_print(s->out, " %" PRIu32 " permits", permits);
	else
		text_print(s->out, " %s", print_mode(mode));
	if (r->request.state == REQUEST_HELD)
		text_print(s->out, " holds, token %" PRIu64, r->request.token);
	else if (r->request.state == REQUEST_WAITING)
		text_print(s->out, " waits");
	else
		text_print(s->out, " ended: %s",
			   print_status(r->request.status));
	show_until(s, "until", r->request.deadline);
	show_besides(s, r);
	text_print(s->out, "\n");
}

static bool show_in_lock(void *ctx, const struct record *r)
{
	const struct show *s = ctx;

	show_request(s, r, s->lock);
	return true;
}

static void show_lock(struct show *s, const struct record *r)
{
	text_print(s->out, "lock %.*s:", (int)r->lock.name_len,
		   (const char *)r->lock.name);
	if (r->lock.limit > 0)
		text_print(s->out, " %s %" PRIu32,
			   r->lock.flags & LOCK_BARRIER ? "barrier of"
							: "limit",
			   r->lock.limit);
	if (r->lock.flags & LOCK_PINNED)
		text_print(s->out, " pinned");
	show_until(s, "delayed until", r->lock.delay_until);
	text_print(s->out, "\n");
	s->lock = r->lock.id;
	core_visit_lock(s->story->machine.core, r->lock.name, r->lock.name_len,
			show_in_lock, s);
}

static bool show_wait(void *ctx, const struct record *r)
{
	static const char conditions[][9] = { "?",     "absent",  "present",
					      "newer", "at most", "at least" };
	const struct show *s = ctx;

	if (r->kind != RECORD_REQUEST || r->request.value != s->value)
		return true;
	text_print(s->out, "  %s.%" PRIu64 " waits until %s",
		   story_name_of(s->story, r->request.session), r->request.seq,
		   conditions[r->request.condition]);
	if (r->request.condition >= AWAIT_NEWER)
		text_print(s->out, " %" PRId64, r->request.number);
	show_until(s, "until", r->request.deadline);
	text_print(s->out, "\n");
	return true;
}

static void show_value(struct show *s, const struct record *r)
{
	text_print(s->out, "value %.*s:", (int)r->value.name_len,
		   (const char *)r->value.name);
	if (r->value.version == 0)
		text_print(s->out, " none");
	else if (r->value.counter)
		text_print(s->out, " count %" PRId64, r->value.number);
	else
		text_print(s->out, " \"%.*s\"", (int)r->value.bytes_len,
			   (const char *)r->value.bytes);
	if (r->value.version > 0)
		text_print(s->out, ", version %" PRIu64, r->value.version);
	if (r->value.session > 0)
		text_print(s->out, ", of %s",
			   story_name_of(s->story, r->value.session));
	text_print(s->out, "\n");
	s->value = r->value.id;
	core_visit_all(s->story->machine.core, show_wait, s);
}

static bool show(void *ctx, const struct record *r)
{
	struct show *s = ctx;

	switch (r->kind) {
	case RECORD_STATE:
		show_state(s, r);
		break;
	case RECORD_PEER:
		show_peer(s, r);
		break;
	case RECORD_SESSION:
		show_session(s, r);
		break;
	case RECORD_LOCK:
		show_lock(s, r);
		break;
	case RECORD_REQUEST:
		if (r->request.state == REQUEST_ENDED) {
			text_print(s->out, "no lock:\n");
			show_request(s, r, 0);
		}
		break;
	case RECORD_VALUE:
		show_value(s, r);
		break;
	}
	return true;
}

void print_state(const struct story *s, struct text *out)
{
	struct show ctx = { .story = s, .out = out };

	core_visit_all(s->machine.core, show, &ctx);
}
