/* What the oracle's core says while it applies an entry: counted, and handed to
 * those who keep the same once more. See oracle.h. */
#include "holdfast.h"
#include "sim/lib/oracle.h"
#include "sim/lib/tangle.h"

#include <stdlib.h>
#include <string.h>

void oracle_wrong(struct oracle *o, struct wrong wrong)
{
	if (!o->rules.wrong.checker)
		o->rules.wrong = wrong;
}

/* The operation that is answered: one after the other are. */
static const struct op *answered_op(struct oracle *o, const struct output *a)
{
	while (o->entry && o->answered < o->entry->ops_len) {
		const struct op *op = &o->entry->ops[o->answered++];
		if (op->kind == a->op && op->node == a->node &&
		    op->seq == a->seq)
			return op;
	}
	return NULL;
}

static uint32_t limit_of(const struct oracle *o, uint64_t lock)
{
	struct record r;

	for (size_t i = 0; i < o->names_len; i++)
		if (core_lock(o->core, o->names[i].text, o->names[i].len, &r) &&
		    r.lock.id == lock)
			return r.lock.limit;
	return 0;
}

/* It may be another before the entry ends. */
static void note_limits(struct oracle *o, uint64_t token)
{
	struct record r;

	if (!core_hold(o->core, token, &r))
		return;
	pairs_put(&o->limits, 0, token,
		  limit_of(o, r.request.lock) + UINT64_C(1));
	for (size_t i = 0; i < r.request.more_len; i++)
		pairs_put(&o->limits, 0, token + i + 1,
			  limit_of(o, r.request.more[i].lock) + UINT64_C(1));
}

/* A hold has another token from now on. */
static void note_conversion(struct oracle *o, const struct output *output)
{
	uint64_t from = pairs_get(&o->from, output->session, output->seq);

	if (!from || from == output->token)
		return;
	pairs_put(&o->next_token, 0, from, output->token);
	pairs_put(&o->roots, 0, output->token, oracle_root(o, from));
	terms_moved(&o->terms, from, output->token);
}

static void note_grant(struct oracle *o, const struct output *output)
{
	note_conversion(o, output);
	note_limits(o, output->token);
	if (o->grants_len == APPLY_GRANTS_MAX)
		abort();
	o->let_in = (struct oracle_grant){ output->node, output->session,
					   output->seq, output->token };
	o->grants[o->grants_len++] = o->let_in;
}

static const struct lines *read_lines(struct oracle *o)
{
	lines_read(&o->meanwhile, o->core, o->names, o->names_len);
	return &o->meanwhile;
}

/* Was what is free refused as held? */
static void look_at_held(struct oracle *o, const struct op *op)
{
	struct line_piece pieces[PARTS_MAX];
	size_t len = lines_of_op(op, o->names, o->names_len, pieces);

	if (op->acquire.wait)
		oracle_wrong(
			o, (struct wrong){ "line",
					   "one who would wait was refused" });
	if (len && op->acquire.mode < MODE_BARRIER &&
	    lines_admit(read_lines(o), pieces, len))
		oracle_wrong(o, (struct wrong){
					"line",
					"what is free was refused as held" });
}

static void look_at_deadlock(struct oracle *o, const struct op *op)
{
	struct line_piece pieces[PARTS_MAX];
	size_t len = lines_of_op(op, o->names, o->names_len, pieces);

	o->counts.deadlocks++;
	if (len)
		oracle_wrong(o, tangle_refused(read_lines(o), pieces, len));
}

static void look_at_limit(struct oracle *o, const struct op *op)
{
	o->counts.deadlocks_of_limits++;
	for (unsigned i = 0; i < o->names_len; i++)
		if (o->names[i].len == op->permits.name_len &&
		    !memcmp(o->names[i].text, op->permits.name,
			    op->permits.name_len))
			oracle_wrong(o, tangle_limited(read_lines(o), i,
						       op->permits.limit));
}

/* The wait that has just ended: as it was before the entry, or as its operation
 * in this one says. */
static void look_at_ended_deadlock(struct oracle *o, const struct output *out)
{
	struct line_piece pieces[PARTS_MAX];
	const struct line_piece *p =
		lines_find(&o->now, out->session, out->seq);
	size_t len = 0;

	o->counts.deadlocks_later++;
	for (; p && len < PARTS_MAX; p = lines_next(&o->now, p->place, p))
		pieces[len++] = *p;
	for (size_t i = 0; i < o->entry->ops_len && !len; i++) {
		const struct op *op = &o->entry->ops[i];
		if (op->kind == OP_ACQUIRE && op->session == out->session &&
		    op->seq == out->seq)
			len = lines_of_op(op, o->names, o->names_len, pieces);
	}
	if (len)
		oracle_wrong(o, tangle_refused(read_lines(o), pieces, len));
}

static void acquire_answered(struct oracle *o, const struct said *s)
{
	int status = s->output->status;

	if (status == 0 && (!s->op || s->op->acquire.mode != MODE_LEAVE))
		note_grant(o, s->output);
	if (!s->op || s->again)
		return;
	o->counts.waits += status == STATUS_WAITING;
	o->counts.in_place += status == 0 && s->op->acquire.from &&
			      s->output->token == s->op->acquire.from;
	if (status < 0)
		once_refused(&o->once, s->op->session, s->op->seq, status);
	if (status == HF_EHELD)
		look_at_held(o, s->op);
	if (status == HF_EDEADLK)
		look_at_deadlock(o, s->op);
}

/* The hold is the other node's, whoever waits. */
static void handed_over(struct oracle *o, const struct op *op)
{
	if (o->let_in.node != op->release.to) {
		oracle_wrong(o, (struct wrong){ "line",
						"a hold was handed over to "
						"somebody else" });
		return;
	}
	o->counts.handed_over++;
	if (o->handed_len == APPLY_HANDED_MAX)
		abort();
	o->handed[o->handed_len++] = o->let_in.token;
}

/* --- barriers: all are in together, and all are out together */

struct barrier {
	uint64_t index;
	uint64_t in, waiting, leaving;
	bool mixed; /* somebody has been in since before */
};

static bool count_party(void *ctx, const struct record *r)
{
	struct barrier *b = ctx;

	b->in += r->request.state == REQUEST_HELD;
	b->mixed |=
		r->request.state == REQUEST_HELD && r->request.index < b->index;
	b->waiting += r->request.state == REQUEST_WAITING &&
		      r->request.mode == MODE_BARRIER;
	b->leaving += r->request.state == REQUEST_WAITING &&
		      r->request.mode == MODE_LEAVE;
	return true;
}

static struct barrier look_at_barrier(const struct oracle *o, size_t name)
{
	struct barrier b = { .index = core_index(o->core) };

	core_visit_lock(o->core, o->names[name].text, o->names[name].len,
			count_party, &b);
	return b;
}

static void barrier_opens(struct oracle *o, uint64_t lock)
{
	for (size_t i = 0; i < o->names_len; i++) {
		struct record r;
		if (!core_lock(o->core, o->names[i].text, o->names[i].len,
			       &r) ||
		    r.lock.id != lock)
			continue;
		struct barrier b = look_at_barrier(o, i);
		if (b.mixed || b.leaving || b.in + b.waiting < r.lock.limit ||
		    b.in > r.lock.limit)
			oracle_wrong(o, (struct wrong){
						"barrier",
						"a barrier let in others than "
						"all who were to come" });
	}
}

static void barrier_left(struct oracle *o, uint64_t name)
{
	struct barrier b = look_at_barrier(o, name - 1);

	o->counts.left++;
	if (b.in)
		oracle_wrong(o, (struct wrong){ "barrier",
						"one has left, and others are "
						"still in" });
}

/* --- */

static void granted(struct oracle *o, const struct output *output)
{
	struct record r;

	note_grant(o, output);
	o->counts.granted_after_waiting++;
	if (!core_hold(o->core, output->token, &r) ||
	    r.request.mode != MODE_BARRIER)
		return;
	o->counts.barriers++;
	barrier_opens(o, r.request.lock);
}

static void answered(struct oracle *o, const struct said *s)
{
	const struct output *a = s->output;
	uint64_t left = pairs_get(&o->leaves, a->session, a->seq);

	o->counts.sessions_opened += a->op == OP_OPEN && a->status == 0;
	if (a->op == OP_ACQUIRE)
		acquire_answered(o, s);
	if (said_first(s, OP_ACQUIRE, 0) && left &&
	    s->op->acquire.mode == MODE_LEAVE)
		barrier_left(o, left);
	if (said_first(s, OP_RELEASE, 0) && s->op->release.to)
		handed_over(o, s->op);
	if (said_first(s, OP_PERMITS, HF_EDEADLK))
		look_at_limit(o, s->op);
	o->let_in = (struct oracle_grant){ 0 };
}

static void ended(struct oracle *o, const struct output *output)
{
	uint64_t left = pairs_get(&o->leaves, output->session, output->seq);

	o->counts.waits_ended += output->status == HF_ETIMEDOUT;
	if (output->status == 0 && left)
		barrier_left(o, left);
	if (output->status < 0 && output->status != HF_EREVOKED &&
	    output->status != HF_EEXPIRED)
		once_refused(&o->once, output->session, output->seq,
			     output->status);
	if (output->status == HF_EDEADLK)
		look_at_ended_deadlock(o, output);
	if (output->status != HF_EREVOKED && output->status != HF_EEXPIRED)
		return;
	pairs_put(&o->ends, 0, output->token, (uint64_t)-output->status);
	if (o->hold_ended)
		o->hold_ended(o->ctx, output->node, output->session,
			      output->token);
}

static uint64_t root_of(const struct oracle *o, const struct said *s)
{
	struct record r;

	if (!s->op || s->op->kind != OP_REVOKE ||
	    !core_hold(o->core, s->op->revoke.token, &r))
		return 0;
	return oracle_root(o, r.request.token);
}

static bool sequenced(const struct op *op)
{
	return op && (op->kind == OP_ACQUIRE || op->kind == OP_RELEASE ||
		      op->kind == OP_REVOKE || op->kind >= OP_PERMITS);
}

void oracle_say(void *ctx, const struct output *output)
{
	struct oracle *o = ctx;
	bool expired = rules_output(&o->rules, output);
	struct said s = { .core = o->core, .output = output };

	if (output->kind == OUTPUT_ANSWER)
		s.op = answered_op(o, output);
	if (sequenced(s.op))
		s.again = once_answered(&o->once, output->session, output->seq);
	terms_said(&o->terms, &s, root_of(o, &s));
	ledger_said(&o->ledger, &s);
	switch (output->kind) {
	case OUTPUT_ANSWER:
		answered(o, &s);
		break;
	case OUTPUT_GRANTED:
		granted(o, output);
		break;
	case OUTPUT_ENDED:
		ended(o, output);
		break;
	case OUTPUT_CHANGED:
		changes_add(&o->changes, output);
		break;
	case OUTPUT_REVOKED:
	case OUTPUT_DEADLOCK:
		break;
	case OUTPUT_SESSION_ENDED:
		o->counts.sessions_ended++;
		o->counts.sessions_expired += expired;
		if (o->session_ended)
			o->session_ended(o->ctx, output->node, output->session,
					 expired);
		break;
	}
}
