/* Commands of a script that are operations of an entry; see story.h. */
#include "script/lib/story.h"
#include "script/lib/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *bytes_of(struct story *s, const char *text)
{
	return story_keep(s, strdup(text ? text : ""));
}

static size_t len_of(const char *text)
{
	return text ? strlen(text) : 0;
}

static void do_open(struct story *s, const struct words *w, struct op *op)
{
	op->node = words_number(w, "node", 0);
	op->session = 0;
	op->open.boot = words_number(w, "boot", 1);
	op->open.nth = words_number(w, "nth", s->names_len + 1);
	op->open.ttl = words_number(w, "ttl", 10 * SECOND);
	op->open.flags = words_option(w, "member") ? OPEN_MEMBER : 0;
	op->open.nonce[0] = (uint8_t)words_number(w, "nonce", s->names_len + 1);
	story_gather(s, op, w->len > 1 ? w->word[1] : NULL);
}

static enum mode mode_of(const struct words *w)
{
	const char *mode = words_option(w, "mode");

	if (words_number(w, "permits", 0) > 0)
		return MODE_PERMITS;
	for (int i = MODE_SHARED; mode && i <= MODE_LEAVE; i++) {
		if (strcmp(mode, print_mode((enum mode)i)) == 0)
			return (enum mode)i;
	}
	return MODE_EXCLUSIVE;
}

/* NAME, NAME,shared or NAME,PERMITS/LIMIT */
static struct op_part part_of(struct story *s, const char *text)
{
	char *name = story_keep(s, strdup(text));
	char *comma = strchr(name, ',');
	struct op_part part = { .name = (const uint8_t *)name };

	part.name_len = comma ? (size_t)(comma - name) : strlen(name);
	if (!comma)
		return part;
	part.mode = MODE_SHARED;
	if (sscanf(comma + 1, "%u/%u", &part.permits, &part.limit) == 2)
		part.mode = MODE_PERMITS;
	return part;
}

static void set_parts(struct story *s, const struct words *w, struct op *op)
{
	struct op_part *parts =
		story_keep(s, calloc(PARTS_MAX, sizeof(*parts)));
	size_t len = 0;
	const char *text;

	while ((text = words_nth(w, "also", len)))
		parts[len++] = part_of(s, text);
	op->acquire.more = len > 0 ? parts : NULL;
	op->acquire.more_len = len;
}

static void do_acquire(struct story *s, const struct words *w, struct op *op)
{
	const char *name = words_option(w, "name");
	const char *shown = words_option(w, "shown");

	op->acquire.owner = words_number(w, "owner", 0);
	op->acquire.name = bytes_of(s, name);
	op->acquire.name_len = len_of(name);
	op->acquire.mode = mode_of(w);
	op->acquire.permits = (uint32_t)words_number(w, "permits", 0);
	op->acquire.limit = (uint32_t)words_number(w, "limit", 0);
	op->acquire.wait = words_number(w, "wait", 0);
	op->acquire.delay = words_number(w, "delay", 0);
	set_parts(s, w, op);
	op->acquire.priority = (int32_t)words_signed(w, "priority", 0);
	op->acquire.line = (uint32_t)words_number(w, "line", 0);
	op->acquire.hold = words_number(w, "hold", 0);
	op->acquire.lease = words_number(w, "lease", 0);
	op->acquire.from = words_number(w, "from", 0);
	op->acquire.shown = bytes_of(s, shown);
	op->acquire.shown_len = len_of(shown);
	story_gather(s, op, NULL);
}

static void do_release(struct story *s, const struct words *w, struct op *op)
{
	op->release.token = words_number(w, "token", 0);
	op->release.to = words_number(w, "to", 0);
	story_gather(s, op, NULL);
}

static void do_cancel(struct story *s, const struct words *w, struct op *op)
{
	op->cancel.flags = words_option(w, "wait") ? CANCEL_WAIT : 0;
	story_gather(s, op, NULL);
}

static void do_extend(struct story *s, const struct words *w, struct op *op)
{
	op->extend.token = words_number(w, "token", 0);
	story_gather(s, op, NULL);
}

static void do_noted(struct story *s, const struct words *w, struct op *op)
{
	op->noted.token = words_number(w, "token", 0);
	op->noted.noted_at = words_number(w, "at", 0);
	story_gather(s, op, NULL);
}

static void do_revoke(struct story *s, const struct words *w, struct op *op)
{
	const char *reason = words_option(w, "reason");

	op->revoke.token = words_number(w, "token", 0);
	op->revoke.grace = words_number(w, "grace", 0);
	op->revoke.reason = bytes_of(s, reason);
	op->revoke.reason_len = len_of(reason);
	story_gather(s, op, NULL);
}

static void do_permits(struct story *s, const struct words *w, struct op *op)
{
	const char *name = words_option(w, "name");

	op->permits.name = bytes_of(s, name);
	op->permits.name_len = len_of(name);
	op->permits.limit = (uint32_t)words_number(w, "limit", 0);
	story_gather(s, op, NULL);
}

static void do_write(struct story *s, const struct words *w, struct op *op)
{
	const char *name = words_option(w, "name");
	const char *bytes = words_option(w, "bytes");
	const char *version = words_option(w, "version");

	op->value.name = bytes_of(s, name);
	op->value.name_len = len_of(name);
	op->value.bytes = bytes_of(s, bytes);
	op->value.bytes_len = len_of(bytes);
	op->value.expect = EXPECT_ANY;
	if (version)
		op->value.expect = strcmp(version, "none") == 0
					   ? EXPECT_NONE
					   : words_number(w, "version", 0);
	op->value.guard = words_number(w, "guard", 0);
	op->value.delta = words_signed(w, "by", 0);
	op->value.flags = words_option(w, "ephemeral") ? PUT_EPHEMERAL : 0;
	story_gather(s, op, NULL);
}

static void do_await(struct story *s, const struct words *w, struct op *op)
{
	static const char conditions[][8] = { "absent", "present", "newer",
					      "atmost", "atleast" };
	const char *name = words_option(w, "name");

	op->await.name = bytes_of(s, name);
	op->await.name_len = len_of(name);
	op->await.wait = words_number(w, "wait", 0);
	for (size_t i = 0; i < 5; i++) {
		if (!words_option(w, conditions[i]))
			continue;
		op->await.condition = (enum condition)(AWAIT_ABSENT + i);
		if (i >= 2)
			op->await.number = words_signed(w, conditions[i], 0);
	}
	story_gather(s, op, NULL);
}

static void do_announce(struct story *s, const struct words *w, struct op *op)
{
	const char *shown = words_option(w, "shown");

	op->announce.token = words_number(w, "token", 0);
	op->announce.shown = bytes_of(s, shown);
	op->announce.shown_len = len_of(shown);
	story_gather(s, op, NULL);
}

static void do_limits(struct story *s, const struct words *w, struct op *op)
{
	op->limits = *core_limits(s->machine.core);
#define X(name, first, least, greatest) \
	op->limits.name = words_number(w, #name, op->limits.name);
	LIMITS(X)
#undef X
	story_gather(s, op, NULL);
}

static void do_other(struct story *s, const struct words *w, struct op *op)
{
	(void)w;
	story_gather(s, op, NULL);
}

static const struct {
	const char *name;
	enum op_kind kind;
	bool numbered; /* the word after the session is its seq */
	void (*parse)(struct story *s, const struct words *w, struct op *op);
} operations[] = {
	{ "open", OP_OPEN, false, do_open },
	{ "renew", OP_RENEW, false, do_other },
	{ "close", OP_CLOSE, false, do_other },
	{ "acquire", OP_ACQUIRE, true, do_acquire },
	{ "release", OP_RELEASE, true, do_release },
	{ "cancel", OP_CANCEL, true, do_cancel },
	{ "limits", OP_LIMITS, false, do_limits },
	{ "extend", OP_EXTEND, false, do_extend },
	{ "revoke", OP_REVOKE, true, do_revoke },
	{ "noted", OP_NOTED, false, do_noted },
	{ "permits", OP_PERMITS, true, do_permits },
	{ "put", OP_PUT, true, do_write },
	{ "delete", OP_DELETE, true, do_write },
	{ "add", OP_ADD, true, do_write },
	{ "await", OP_AWAIT, true, do_await },
	{ "announce", OP_ANNOUNCE, true, do_announce },
};

bool story_operation(struct story *s, const struct words *w)
{
	const struct story_name *name =
		story_find(s, w->len > 1 ? w->word[1] : NULL);
	struct op op = { .node = 1 };

	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		if (strcmp(w->word[0], operations[i].name) != 0)
			continue;
		op.kind = operations[i].kind;
		op.session = words_number(w, "session", name ? name->id : 0);
		op.node = words_number(w, "node", name ? name->node : 1);
		op.seq = operations[i].numbered ? words_number_at(w, 2)
						: words_number(w, "seq", 0);
		op.low = words_number(w, "low", 0);
		operations[i].parse(s, w, &op);
		return true;
	}
	return false;
}
