/* See ledger.h. */
#include "sim/lib/ledger.h"
#include "holdfast.h"
#include "sim/lib/terms.h"

#include <stdlib.h>
#include <string.h>

static void wrong(struct ledger *l, const char *checker, const char *what)
{
	if (!l->wrong.checker)
		l->wrong = (struct wrong){ checker, what };
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

/* False: it isn't one of those looked at. */
static bool find(const struct ledger *l, const uint8_t *name, size_t len,
		 unsigned *number)
{
	for (unsigned i = 0; i < l->names_len; i++) {
		if (l->names[i].len != len ||
		    memcmp(l->names[i].text, name, len))
			continue;
		*number = i;
		return true;
	}
	return false;
}

bool ledger_so(const struct ledger_value *v, enum condition condition,
	       int64_t number)
{
	switch (condition) {
	case AWAIT_ABSENT:
		return !v->version;
	case AWAIT_PRESENT:
		return v->version;
	case AWAIT_NEWER:
		return v->version > (uint64_t)number;
	case AWAIT_AT_MOST:
		return v->number <= number && (!v->version || v->counter);
	case AWAIT_AT_LEAST:
		return v->number >= number && (!v->version || v->counter);
	}
	return false;
}

/* --- changes */

static void note_change(struct ledger *l, unsigned name)
{
	l->changes = grown(l->changes, l->changes_len, &l->changes_cap,
			   sizeof(*l->changes));
	l->changes[l->changes_len++] = (struct ledger_change){
		.at = l->time, .name = name, .value = l->values[name]
	};
	for (size_t i = 0; i < l->waits_len; i++) {
		struct ledger_wait *w = &l->waits[i];
		if (w->name == name)
			w->due |= ledger_so(&l->values[name], w->condition,
					    w->number);
	}
}

/* What was changed and not by the operation in hand went with its session. */
static void settle(struct ledger *l)
{
	if (!l->pending)
		return;
	l->pending = false;
	l->dropped++;
	if (l->values[l->name].version || !l->before.session)
		wrong(l, "value",
		      "a value was changed, and nobody asked for it");
	if (l->drops_len == LEDGER_DROPS_MAX)
		abort();
	l->drops[l->drops_len++] = l->before.session;
}

static void changed(struct ledger *l, const struct said *s)
{
	const struct output *o = s->output;
	unsigned name;

	if ((o->change != CHANGE_PUT && o->change != CHANGE_DELETED) ||
	    !find(l, o->name, o->name_len, &name))
		return;
	l->touched = true;
	settle(l);
	l->pending = true;
	l->name = name;
	l->before = l->values[name];
	l->values[name] = (struct ledger_value){ 0 };
	if (o->change == CHANGE_PUT) {
		l->values[name] = (struct ledger_value){
			.version = o->token,
			.session = o->session,
			.counter = o->seq,
			.number = (int64_t)o->number,
			.bytes = terms_digest(o->bytes, o->bytes_len)
		};
		if (o->token <= l->newest[name])
			wrong(l, "value", "a version that doesn't rise");
		l->newest[name] = o->token;
	} else if (o->token != l->before.version) {
		wrong(l, "value", "another version was deleted than there was");
	}
	note_change(l, name);
}

/* --- answers */

static bool holds(const struct said *s)
{
	struct record r;

	return core_hold(s->core, s->op->value.guard, &r) &&
	       r.request.session == s->op->session;
}

static void done(struct ledger *l, const struct said *s, unsigned name)
{
	const struct op *op = s->op;
	const struct ledger_value *v = &l->values[name];
	uint64_t expect = op->value.expect;

	if (!l->pending || l->name != name) {
		wrong(l, "value", "a write is confirmed, and nothing changed");
		return;
	}
	l->pending = false;
	if (expect != EXPECT_ANY && expect != l->before.version)
		wrong(l, "value", "a write of another version was applied");
	l->won += expect != EXPECT_ANY;
	if (op->value.guard && !holds(s))
		wrong(l, "value",
		      "a write was applied, and its guard isn't "
		      "held");
	l->guarded += op->value.guard != 0;
	if (op->kind == OP_DELETE)
		return;
	if (v->session != (op->value.flags & PUT_EPHEMERAL ? op->session : 0))
		wrong(l, "value", "it goes with another session");
	if (op->kind == OP_PUT
		    ? v->counter || s->output->token != v->version ||
			      v->bytes != terms_digest(op->value.bytes,
						       op->value.bytes_len)
		    : !v->counter ||
			      v->number != l->before.number + op->value.delta ||
			      s->output->token !=
				      (uint64_t)(v->number +
						 (int64_t)COUNT_BIAS))
		wrong(l, "value", "something else was written");
}

static void refused(struct ledger *l, const struct said *s, unsigned name)
{
	const struct op *op = s->op;
	const struct ledger_value *v = &l->values[name];
	bool right = true;

	switch (s->output->status) {
	case HF_EVERSION:
		right = op->value.expect != EXPECT_ANY &&
			op->value.expect != v->version &&
			s->output->token == v->version;
		l->versions_refused++;
		break;
	case HF_ENOTHELD:
		right = op->value.guard && !holds(s);
		l->guard_refused++;
		break;
	case HF_ENOVALUE:
		right = op->kind == OP_DELETE && !v->version;
		break;
	case HF_EKIND:
		right = v->version && v->counter == (op->kind == OP_PUT);
		break;
	default:
		break;
	}
	if (!right)
		wrong(l, "value", "a write was refused without reason");
}

static void await_answered(struct ledger *l, const struct said *s,
			   unsigned name)
{
	const struct op *op = s->op;
	int status = s->output->status;
	bool now = ledger_so(&l->values[name], op->await.condition,
			     op->await.number);

	if ((status == 0) != now &&
	    (status == 0 || status == STATUS_WAITING || status == HF_ETIMEDOUT))
		wrong(l, "await", "what it waits for isn't as it was told");
	if (status != STATUS_WAITING)
		return;
	l->waits =
		grown(l->waits, l->waits_len, &l->waits_cap, sizeof(*l->waits));
	l->waits[l->waits_len++] =
		(struct ledger_wait){ .session = op->session,
				      .seq = op->seq,
				      .name = name,
				      .condition = op->await.condition,
				      .number = op->await.number };
}

static void forget(struct ledger *l, uint64_t session, uint64_t seq)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->waits_len; i++)
		if (l->waits[i].session != session ||
		    (seq && l->waits[i].seq != seq))
			l->waits[kept++] = l->waits[i];
	l->waits_len = kept;
}

static void answered(struct ledger *l, const struct said *s)
{
	const struct op *op = s->op;
	unsigned name;

	if (op && op->kind == OP_CANCEL)
		forget(l, op->session, op->seq);
	if (op && !s->again && op->kind == OP_AWAIT) {
		if (find(l, op->await.name, op->await.name_len, &name))
			await_answered(l, s, name);
	} else if (op && !s->again &&
		   (op->kind == OP_PUT || op->kind == OP_DELETE ||
		    op->kind == OP_ADD)) {
		l->touched = true;
		if (!find(l, op->value.name, op->value.name_len, &name))
			return;
		if (s->output->status == 0)
			done(l, s, name);
		else
			refused(l, s, name);
	} else if (op && s->again && l->pending && l->before.session == 0) {
		wrong(l, "value", "a write was applied twice");
	}
	l->repeated +=
		op && s->again && (op->kind == OP_ADD || op->kind == OP_PUT);
	settle(l);
}

static void ended(struct ledger *l, const struct said *s)
{
	const struct output *o = s->output;

	for (size_t i = 0; i < l->waits_len; i++) {
		const struct ledger_wait *w = &l->waits[i];
		if (w->session != o->session || w->seq != o->seq)
			continue;
		bool now =
			ledger_so(&l->values[w->name], w->condition, w->number);
		l->awaited += o->status == 0;
		if (o->status == 0 && !now)
			wrong(l, "await", "a wait has ended, and it isn't so");
		if (o->status == HF_ETIMEDOUT && now)
			wrong(l, "await", "a wait timed out, and it is so");
		forget(l, o->session, o->seq);
		return;
	}
}

void ledger_said(struct ledger *l, const struct said *s)
{
	switch (s->output->kind) {
	case OUTPUT_ANSWER:
		answered(l, s);
		break;
	case OUTPUT_CHANGED:
		changed(l, s);
		break;
	case OUTPUT_ENDED:
		ended(l, s);
		break;
	case OUTPUT_SESSION_ENDED:
		forget(l, s->output->session, 0);
		break;
	case OUTPUT_GRANTED:
	case OUTPUT_REVOKED:
	case OUTPUT_DEADLOCK:
		break;
	}
}

static bool same(const struct ledger_value *v, const struct record *r,
		 bool there)
{
	if (!there || !v->version)
		return !there && !v->version;
	return v->version == r->value.version &&
	       v->session == r->value.session &&
	       v->counter == r->value.counter && v->number == r->value.number &&
	       v->bytes == terms_digest(r->value.bytes, r->value.bytes_len);
}

void ledger_end(struct ledger *l, const struct core *core)
{
	struct record r;

	settle(l);
	for (unsigned i = 0; i < l->names_len; i++) {
		const struct ledger_value *v = &l->values[i];
		if (v->session && !core_session(core, v->session, &r))
			wrong(l, "value", "a value outlives its session");
		if (!l->touched)
			continue;
		bool there = core_value(core, l->names[i].text, l->names[i].len,
					&r) &&
			     r.value.version;
		if (!same(v, &r, there))
			wrong(l, "value", "a value isn't what was written");
	}
	for (size_t i = 0; i < l->waits_len; i++)
		if (l->waits[i].due)
			wrong(l, "await", "it was so, and a wait missed it");
	for (size_t i = 0; i < l->drops_len; i++)
		if (core_session(core, l->drops[i], &r))
			wrong(l, "value",
			      "a value went, and its session lives");
	l->drops_len = 0;
	l->touched = false;
}

void ledger_free(struct ledger *l)
{
	free(l->changes);
	free(l->waits);
	*l = (struct ledger){ 0 };
}
