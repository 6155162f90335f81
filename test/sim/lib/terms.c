/* See terms.h. */
#include "sim/lib/terms.h"
#include "holdfast.h"

#include <stdlib.h>

static void wrong(struct terms *t, const char *what)
{
	if (!t->wrong.checker)
		t->wrong = (struct wrong){ "terms", what };
}

static void *grown(void *items, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 64;
	items = realloc(items, *cap * size);
	if (!items)
		abort();
	return items;
}

static struct term *find(struct terms *t, uint64_t token)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->items[i].token == token)
			return &t->items[i];
	return NULL;
}

static struct term *get(struct terms *t, const struct record *hold)
{
	struct term *term = find(t, hold->request.token);

	if (term)
		return term;
	t->items = grown(t->items, t->len, &t->cap, sizeof(*t->items));
	term = &t->items[t->len++];
	*term = (struct term){ .token = hold->request.token,
			       .session = hold->request.session };
	return term;
}

uint64_t terms_digest(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* A hold is taken when its holder can't believe in it any more: at the end that
 * its session has now, if it hears nothing. */
static void revoked(struct terms *t, const struct said *s, uint64_t root)
{
	uint64_t noted_at = core_now(s->core) + s->op->revoke.grace;
	struct record hold, session;

	if (!core_hold(s->core, s->op->revoke.token, &hold) ||
	    !core_session(s->core, hold.request.session, &session)) {
		wrong(t, "what nobody holds is said to be revoked");
		return;
	}
	struct term *term = get(t, &hold);
	uint64_t at = noted_at > session.session.deadline
			      ? noted_at
			      : session.session.deadline;
	if (term->revoked && term->at <= at)
		return;
	term->revoked = true;
	term->at = at;
	term->noted_at = noted_at;
	term->noted = false;
	t->revocations++;
	t->said = grown(t->said, t->said_len, &t->said_cap, sizeof(*t->said));
	t->said[t->said_len++] = (struct revocation_said){
		.root = root,
		.by = s->op->node,
		.reason = terms_digest(s->op->revoke.reason,
				       s->op->revoke.reason_len)
	};
}

static void noted(struct terms *t, const struct said *s)
{
	struct term *term = find(t, s->op->noted.token);
	uint64_t now = core_now(s->core);

	if (!term || !term->revoked || term->noted ||
	    term->noted_at != s->op->noted.noted_at)
		return;
	uint64_t at = term->noted_at > now ? term->noted_at : now;
	t->notes++;
	term->noted = true;
	if (at < term->at)
		term->at = at;
}

static void extended(struct terms *t, const struct said *s)
{
	struct term *term = find(t, s->op->extend.token);

	if (!term || !term->lease) {
		wrong(t, "a lease that isn't there was extended");
		return;
	}
	uint64_t until = core_now(s->core) + term->lease;
	if (until > term->lease_until)
		term->lease_until = until;
}

/* Who has the answer to its renewal must have the notice. */
static void renewed(struct terms *t, const struct said *s)
{
	struct record r;

	for (size_t i = 0; i < t->len; i++) {
		const struct term *term = &t->items[i];
		if (term->session != s->output->session || !term->revoked ||
		    term->noted || term->told ||
		    !core_hold(s->core, term->token, &r))
			continue;
		wrong(t, "a session is renewed and not told of a revocation");
	}
}

static void ended(struct terms *t, const struct said *s)
{
	const struct output *o = s->output;
	const struct term *term = find(t, o->token);
	uint64_t now = core_now(s->core);

	if (o->status == HF_EREVOKED) {
		t->taken++;
		if (!term || !term->revoked || term->at > now)
			wrong(t, "a hold was taken while its holder may "
				 "believe in it");
	} else if (o->status == HF_EEXPIRED) {
		t->expired++;
		if (!term || !((term->hold_until && term->hold_until <= now) ||
			       (term->lease_until && term->lease_until <= now)))
			wrong(t, "a hold expired before its time");
	}
}

static void answered(struct terms *t, const struct said *s, uint64_t root)
{
	const struct output *o = s->output;

	if (o->op == OP_RENEW && o->status == 0)
		renewed(t, s);
	for (size_t i = 0; i < t->len; i++)
		t->items[i].told = false;
	if (said_first(s, OP_REVOKE, 0))
		revoked(t, s, root);
	else if (said_first(s, OP_NOTED, 0))
		noted(t, s);
	else if (said_first(s, OP_EXTEND, 0))
		extended(t, s);
}

void terms_said(struct terms *t, const struct said *s, uint64_t root)
{
	struct term *term;

	switch (s->output->kind) {
	case OUTPUT_ANSWER:
		answered(t, s, root);
		break;
	case OUTPUT_ENDED:
		ended(t, s);
		break;
	case OUTPUT_REVOKED:
		term = find(t, s->output->token);
		if (term)
			term->told = true;
		break;
	case OUTPUT_GRANTED:
	case OUTPUT_SESSION_ENDED:
	case OUTPUT_DEADLOCK:
	case OUTPUT_CHANGED:
		break;
	}
}

void terms_moved(struct terms *t, uint64_t from, uint64_t token)
{
	struct term *term = find(t, from);

	if (term)
		term->token = token;
}

void terms_granted(struct terms *t, const struct record *hold, uint64_t from)
{
	if (from || find(t, hold->request.token) ||
	    (!hold->request.hold && !hold->request.lease))
		return;
	struct term *term = get(t, hold);
	if (hold->request.hold)
		term->hold_until = hold->request.stamp + hold->request.hold;
	term->lease = hold->request.lease;
	if (term->lease)
		term->lease_until = hold->request.stamp + term->lease;
}

static bool over(uint64_t until, uint64_t now)
{
	return until && until <= now;
}

void terms_end(struct terms *t, const struct core *core)
{
	uint64_t now = core_now(core);
	size_t kept = 0;

	for (size_t i = 0; i < t->len; i++) {
		struct term term = t->items[i];
		struct record r;
		if (!core_hold(core, term.token, &r))
			continue;
		if ((term.revoked && term.at <= now) ||
		    over(term.hold_until, now) || over(term.lease_until, now))
			wrong(t, "a hold is kept beyond its time");
		t->items[kept++] = term;
	}
	t->len = kept;
}

bool terms_tell(struct terms *t, uint64_t root, uint64_t by, uint64_t reason)
{
	for (size_t i = 0; i < t->said_len; i++) {
		struct revocation_said *said = &t->said[i];
		if (said->root != root || said->by != by ||
		    said->reason != reason || said->told)
			continue;
		said->told = true;
		return true;
	}
	return false;
}

void terms_free(struct terms *t)
{
	free(t->items);
	free(t->said);
	*t = (struct terms){ 0 };
}
