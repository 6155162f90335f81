/* What the scripts show: outputs and the whole state, in words. */
#include "script/lib/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct shown {
	char text[40];
};

static struct shown duration(uint64_t us)
{
	struct shown s;

	if (us % 1000000 == 0)
		snprintf(s.text, sizeof(s.text), "%" PRIu64 "s", us / 1000000);
	else if (us % 1000 == 0)
		snprintf(s.text, sizeof(s.text), "%" PRIu64 "ms", us / 1000);
	else
		snprintf(s.text, sizeof(s.text), "%" PRIu64 "us", us);
	return s;
}

static const char *status_name(int status)
{
	if (status == STATUS_WAITING)
		return "waiting";
#define X(name, number, text) \
	if (status == number) \
		return #name;
	HF_ERRORS(X)
#undef X
	return status == 0 ? "ok" : "?";
}

static const char *op_name(enum op_kind kind)
{
	static const char names[][10] = { "?",      "open",    "renew",
					  "close",  "acquire", "release",
					  "cancel", "limits" };

	return names[kind];
}

static const char *mode_name(enum mode mode)
{
	static const char names[][12] = { "exclusive", "shared", "permits" };

	return names[mode];
}

static void print_answer(const struct story *s, const struct output *o,
			 struct text *out)
{
	text_print(out, "%s", op_name(o->op));
	if (o->op != OP_LIMITS)
		text_print(out, " %s", story_name_of(s, o->session));
	if (o->op == OP_ACQUIRE || o->op == OP_RELEASE || o->op == OP_CANCEL)
		text_print(out, ".%" PRIu64, o->seq);
	text_print(out, ": %s", status_name(o->status));
	if (o->token > 0)
		text_print(out, " token %" PRIu64, o->token);
	text_print(out, " at %s", duration(o->stamp).text);
	if (o->deadline > 0)
		text_print(out, " until %s", duration(o->deadline).text);
}

void print_output(const struct story *s, const struct output *o,
		  struct text *out)
{
	const char *name = story_name_of(s, o->session);

	text_print(out, "node %" PRIu64 " < ", o->node);
	switch (o->kind) {
	case OUTPUT_ANSWER:
		print_answer(s, o, out);
		break;
	case OUTPUT_GRANTED:
		text_print(out,
			   "%s.%" PRIu64 " granted token %" PRIu64 " at %s",
			   name, o->seq, o->token, duration(o->stamp).text);
		break;
	case OUTPUT_ENDED:
		text_print(out, "%s.%" PRIu64 " ended: %s at %s", name, o->seq,
			   status_name(o->status), duration(o->stamp).text);
		break;
	case OUTPUT_SESSION_ENDED:
		text_print(out, "%s ended: %s at %s", name,
			   status_name(o->status), duration(o->stamp).text);
		break;
	}
	text_print(out, "\n");
}

/* While the state is shown. */
struct show {
	const struct story *story;
	struct text *out;
};

static void show_state(const struct show *s, const struct record *r)
{
	text_print(s->out, "time %s", duration(r->state.now).text);
	if (r->state.skew > 0)
		text_print(s->out, ", %s cut off",
			   duration(r->state.skew).text);
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
		   duration(r->session.deadline).text, r->session.low);
	for (size_t i = 0; i < r->session.slots_len; i++) {
		const struct slot *slot = &r->session.slots[i];

		text_print(s->out, "  %" PRIu64 " %s", slot->seq,
			   status_name(slot->status));
		if (slot->token > 0)
			text_print(s->out, " token %" PRIu64, slot->token);
		text_print(s->out, "\n");
	}
}

static void show_request(const struct show *s, const struct record *r)
{
	text_print(s->out, "  %s.%" PRIu64,
		   story_name_of(s->story, r->request.session), r->request.seq);
	if (r->request.mode == MODE_PERMITS)
		text_print(s->out, " %" PRIu32 " permits", r->request.permits);
	else
		text_print(s->out, " %s", mode_name(r->request.mode));
	if (r->request.state == REQUEST_HELD)
		text_print(s->out, " holds, token %" PRIu64, r->request.token);
	else if (r->request.state == REQUEST_WAITING)
		text_print(s->out, " waits");
	else
		text_print(s->out, " ended: %s",
			   status_name(r->request.status));
	if (r->request.deadline > 0)
		text_print(s->out, " until %s",
			   duration(r->request.deadline).text);
	text_print(s->out, "\n");
}

static bool show_in_lock(void *ctx, const struct record *r)
{
	show_request(ctx, r);
	return true;
}

static void show_lock(struct show *s, const struct record *r)
{
	text_print(s->out, "lock %.*s:", (int)r->lock.name_len,
		   (const char *)r->lock.name);
	if (r->lock.limit > 0)
		text_print(s->out, " limit %" PRIu32, r->lock.limit);
	if (r->lock.delay_until > 0)
		text_print(s->out, " delayed until %s",
			   duration(r->lock.delay_until).text);
	text_print(s->out, "\n");
	core_visit_lock(s->story->machine.core, r->lock.name, r->lock.name_len,
			show_in_lock, s);
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
			show_request(s, r);
		}
		break;
	}
	return true;
}

void print_state(const struct story *s, struct text *out)
{
	struct show ctx = { s, out };

	core_visit_all(s->machine.core, show, &ctx);
}
