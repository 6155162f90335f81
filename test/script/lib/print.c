/* What the scripts show of outputs, in words. */
#include "script/lib/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct shown_time print_time(uint64_t us)
{
	struct shown_time s;

	if (us % 1000000 == 0)
		snprintf(s.text, sizeof(s.text), "%" PRIu64 "s", us / 1000000);
	else if (us % 1000 == 0)
		snprintf(s.text, sizeof(s.text), "%" PRIu64 "ms", us / 1000);
	else
		snprintf(s.text, sizeof(s.text), "%" PRIu64 "us", us);
	return s;
}

const char *print_status(int status)
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

const char *print_mode(enum mode mode)
{
	static const char names[][12] = { "exclusive", "shared", "permits",
					  "barrier", "leave" };

	return names[mode];
}

static const char *op_name(enum op_kind kind)
{
	static const char names[][10] = {
		"?",      "open",   "renew",  "close",  "acquire", "release",
		"cancel", "limits", "extend", "revoke", "noted",   "permits",
		"put",    "delete", "add",    "await",  "announce"
	};

	return names[kind];
}

static bool numbered(enum op_kind kind)
{
	return kind >= OP_ACQUIRE && kind != OP_LIMITS && kind != OP_EXTEND &&
	       kind != OP_NOTED;
}

/* A token, a version, or a counter where the number is of that size. */
static void print_token(uint64_t token, const char *word, struct text *out)
{
	if (token >= COUNT_BIAS - (uint64_t)COUNT_MAX)
		text_print(out, " count %" PRId64,
			   (int64_t)(token - COUNT_BIAS));
	else if (token > 0)
		text_print(out, " %s %" PRIu64, word, token);
}

static const char *token_word(const struct output *o)
{
	bool value = (o->op >= OP_PUT && o->op <= OP_AWAIT) ||
		     (o->kind == OUTPUT_ENDED && o->status == 0);

	return value ? "version" : "token";
}

static void print_answer(const struct story *s, const struct output *o,
			 struct text *out)
{
	text_print(out, "%s", op_name(o->op));
	if (o->op != OP_LIMITS)
		text_print(out, " %s", story_name_of(s, o->session));
	if (numbered(o->op))
		text_print(out, ".%" PRIu64, o->seq);
	text_print(out, ": %s", print_status(o->status));
	print_token(o->token, token_word(o), out);
	text_print(out, " at %s", print_time(o->stamp).text);
	if (o->deadline > 0)
		text_print(out, " until %s", print_time(o->deadline).text);
}

static void print_end(const struct story *s, const struct output *o,
		      struct text *out)
{
	text_print(out, "%s.%" PRIu64, story_name_of(s, o->session), o->seq);
	if (o->kind == OUTPUT_GRANTED)
		text_print(out, " granted");
	else
		text_print(out, " ended: %s", print_status(o->status));
	print_token(o->token, token_word(o), out);
	text_print(out, " at %s", print_time(o->stamp).text);
	if (o->deadline > 0)
		text_print(out, " until %s", print_time(o->deadline).text);
}

static void print_revoked(const struct story *s, const struct output *o,
			  struct text *out)
{
	text_print(out,
		   "%s.%" PRIu64 " token %" PRIu64 " revoked by node %" PRIu64,
		   story_name_of(s, o->session), o->seq, o->token, o->by);
	text_print(out, ": at %s", print_time(o->deadline).text);
	text_print(out, ", noted at %s", print_time(o->number).text);
	if (o->bytes_len > 0)
		text_print(out, ", \"%.*s\"", (int)o->bytes_len,
			   (const char *)o->bytes);
}

static void print_deadlock(const struct story *s, const struct output *o,
			   struct text *out)
{
	text_print(out,
		   "%s.%" PRIu64 " in the way:", story_name_of(s, o->session),
		   o->seq);
	text_print(out, " owner %" PRIu64 " of %s, node %" PRIu64, o->number,
		   story_name_of(s, o->token), o->by);
	text_print(out, ", waits for %.*s", (int)o->name_len,
		   (const char *)o->name);
}

static void print_value(const struct output *o, struct text *out)
{
	if (o->change == CHANGE_DELETED)
		text_print(out, " deleted, was version %" PRIu64, o->token);
	else if (o->seq > 0)
		text_print(out, " count %" PRId64 ", version %" PRIu64,
			   (int64_t)o->number, o->token);
	else
		text_print(out, " \"%.*s\", version %" PRIu64,
			   (int)o->bytes_len, (const char *)o->bytes, o->token);
}

static void print_changed(const struct story *s, const struct output *o,
			  struct text *out)
{
	text_print(out, "watch %.*s:", (int)o->name_len, (const char *)o->name);
	if (o->change >= CHANGE_PUT) {
		print_value(o, out);
		return;
	}
	text_print(out, " token %" PRIu64 " of %s", o->token,
		   story_name_of(s, o->session));
	if (o->change == CHANGE_FREED)
		text_print(out, " freed: %s", print_status(o->status));
	else
		text_print(out, " %s %s",
			   o->change == CHANGE_HELD ? "held" : "shown",
			   print_mode((enum mode)o->seq));
	if (o->change != CHANGE_FREED && o->bytes_len > 0)
		text_print(out, " \"%.*s\"", (int)o->bytes_len,
			   (const char *)o->bytes);
}

void print_output(const struct story *s, const struct output *o,
		  struct text *out)
{
	if (o->kind != OUTPUT_CHANGED)
		text_print(out, "node %" PRIu64 " < ", o->node);
	switch (o->kind) {
	case OUTPUT_ANSWER:
		print_answer(s, o, out);
		break;
	case OUTPUT_GRANTED:
	case OUTPUT_ENDED:
		print_end(s, o, out);
		break;
	case OUTPUT_SESSION_ENDED:
		text_print(out, "%s ended: %s at %s",
			   story_name_of(s, o->session),
			   print_status(o->status), print_time(o->stamp).text);
		break;
	case OUTPUT_REVOKED:
		print_revoked(s, o, out);
		break;
	case OUTPUT_DEADLOCK:
		print_deadlock(s, o, out);
		break;
	case OUTPUT_CHANGED:
		print_changed(s, o, out);
		break;
	}
	text_print(out, "\n");
}
