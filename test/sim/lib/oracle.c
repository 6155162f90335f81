/* See oracle.h. */
#include "sim/lib/oracle.h"
#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

void oracle_init(struct oracle *o)
{
	static const struct mem libc;

	*o = (struct oracle){ 0 };
	o->next = 1;
	o->core = core_create(&libc, 1);
	if (!o->core)
		abort();
}

static void note_grant(struct oracle *o, const struct output *output)
{
	if (o->grants_len == APPLY_GRANTS_MAX)
		abort();
	o->grants[o->grants_len++] =
		(struct oracle_grant){ output->node, output->session,
				       output->seq, output->token };
}

/* A refusal that is said again was true once. */
static void note_refusal(struct oracle *o, const struct output *output)
{
	const struct op *op = NULL;

	for (size_t i = 0; i < o->rules.entry->ops_len && !op; i++) {
		const struct op *it = &o->rules.entry->ops[i];
		if (it->kind == OP_ACQUIRE && it->session == output->session &&
		    it->seq == output->seq)
			op = it;
	}
	if (!op)
		abort();
	if (!once_refused(&o->once, op->session, op->seq, op->acquire.owner))
		return;
	struct wrong wrong = rules_refused(o->core, op);
	if (!o->rules.wrong.checker)
		o->rules.wrong = wrong;
}

static void count(void *ctx, const struct output *output)
{
	struct oracle *o = ctx;
	struct oracle_counts *c = &o->counts;

	bool expired = rules_output(&o->rules, output);

	switch (output->kind) {
	case OUTPUT_ANSWER:
		if (output->op == OP_ACQUIRE && output->status == 0)
			note_grant(o, output);
		if (output->op == OP_ACQUIRE && output->status == HF_EHELD)
			note_refusal(o, output);
		c->waits += output->op == OP_ACQUIRE &&
			    output->status == STATUS_WAITING;
		c->sessions_opened +=
			output->op == OP_OPEN && output->status == 0;
		break;
	case OUTPUT_GRANTED:
		note_grant(o, output);
		c->granted_after_waiting++;
		break;
	case OUTPUT_ENDED:
		c->waits_ended++;
		break;
	case OUTPUT_SESSION_ENDED:
		c->sessions_ended++;
		c->sessions_expired += expired;
		if (o->session_ended)
			o->session_ended(o->ctx, output->node, output->session,
					 expired);
		break;
	}
}

struct search {
	uint64_t seq;
	bool held;
};

static bool look_for(void *ctx, const struct record *r)
{
	struct search *s = ctx;

	s->held |= r->request.seq == s->seq && r->request.state == REQUEST_HELD;
	return !s->held;
}

/* What can be said of the operations before they are applied. */
static void look_at_ops(struct oracle *o, const struct entry *entry)
{
	for (size_t i = 0; i < entry->ops_len; i++) {
		const struct op *op = &entry->ops[i];
		struct search search = { op->seq, false };
		if (op->kind == OP_ACQUIRE || op->kind == OP_RELEASE)
			o->counts.duplicates +=
				once_again(&o->once, op->session, op->seq);
		if (op->kind == OP_CANCEL)
			core_visit_session(o->core, op->session, look_for,
					   &search);
		o->counts.cancels_of_holds += search.held;
	}
}

static struct wrong look_at_grant(struct oracle *o,
				  const struct oracle_grant *g)
{
	struct record r;
	bool first;
	struct wrong wrong =
		once_granted(&o->once, g->session, g->seq, g->token);

	if (wrong.checker)
		return wrong;
	if (!core_hold(o->core, g->token, &r)) {
		rules_vanished(&o->rules, g->session);
		return wrong;
	}
	wrong = once_held(&o->once, g->session, r.request.owner, g->token,
			  &first);
	if (wrong.checker)
		return wrong;
	rules_grant(&o->rules, o->core, &r);
	o->counts.grants += first;
	if (first && o->granted)
		o->granted(o->ctx, g->node, r.request.owner);
	return wrong;
}

static struct wrong look_at_grants(struct oracle *o)
{
	struct wrong wrong = { 0 };

	for (size_t i = 0; i < o->grants_len && !wrong.checker; i++)
		wrong = look_at_grant(o, &o->grants[i]);
	return wrong.checker ? wrong : rules_end(&o->rules, o->core);
}

/* Nobody is granted a lock while one who came before still waits for it; and
 * none is barred without a reason. */
static struct wrong look_at_lines(struct oracle *o)
{
	struct wrong wrong = { 0 };

	for (size_t i = 0; i < o->names_len && !wrong.checker; i++) {
		const struct oracle_name *name = &o->names[i];
		struct record lock;
		wrong = rules_line(o->core, name->text, name->len);
		if (!wrong.checker &&
		    core_lock(o->core, name->text, name->len, &lock))
			wrong = rules_delay(&o->rules, o->core, &lock);
	}
	return wrong;
}

static void remember(struct oracle *o, uint64_t index, uint64_t hash)
{
	if (index >= o->hashes_cap) {
		size_t cap = o->hashes_cap ? o->hashes_cap * 2 : 1024;
		while (cap <= index)
			cap *= 2;
		o->hashes = realloc(o->hashes, cap * sizeof(hash));
		if (!o->hashes)
			abort();
		memset(o->hashes + o->hashes_cap, 0,
		       (cap - o->hashes_cap) * sizeof(hash));
		o->hashes_cap = cap;
	}
	o->hashes[index] = hash;
}

static struct wrong apply(struct oracle *o, uint64_t index,
			  const struct disk_entry *e)
{
	struct output_sink sink = { count, o };
	struct entry entry;

	if (e->type != RAFT_COMMAND)
		return (struct wrong){ 0 };
	if (entry_decode(e->bytes, e->len, &o->ops, &entry))
		return (struct wrong){ "oracle",
				       "a committed entry can't be decoded" };
	look_at_ops(o, &entry);
	o->counts.entries++;
	o->counts.ops += entry.ops_len;
	o->grants_len = 0;
	rules_begin(&o->rules, &entry);
	if (core_apply(o->core, index, &entry, &sink))
		return (struct wrong){ "core", core_error(o->core) };
	remember(o, index, core_hash(o->core));
	if (!o->first_stamp)
		o->first_stamp = core_now(o->core);
	struct wrong wrong = look_at_grants(o);
	return wrong.checker ? wrong : look_at_lines(o);
}

static bool same(const struct disk_entry *a, const struct disk_entry *b)
{
	return a->term == b->term && a->type == b->type && a->len == b->len &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* On how many disks is this entry, or a snapshot in its place? Damage at rest
 * came later. */
static size_t copies(struct vdisk *const *disks, size_t len, uint64_t index,
		     const struct disk_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const struct disk_entry *other = vdisk_entry(disks[i], index);
		if (other)
			n += other->damaged || same(e, other);
		else
			n += disks[i]->snapshot &&
			     disks[i]->snapshot->index >= index;
	}
	return n;
}

static const struct disk_entry *committed(struct vdisk *const *disks,
					  size_t len, uint64_t index)
{
	for (size_t i = 0; i < len; i++) {
		const struct disk_entry *e = vdisk_entry(disks[i], index);
		if (e && !e->damaged && copies(disks, len, index, e) > len / 2)
			return e;
	}
	return NULL;
}

struct wrong oracle_follow(struct oracle *o, struct vdisk *const *disks,
			   size_t disks_len, uint64_t index, uint64_t hash)
{
	struct wrong wrong = { 0 };

	for (; o->next <= index && !wrong.checker; o->next++) {
		const struct disk_entry *e =
			committed(disks, disks_len, o->next);
		if (!e)
			return (struct wrong){
				"oracle",
				"an entry was applied that no majority has"
			};
		wrong = apply(o, o->next, e);
	}
	if (wrong.checker)
		return wrong;
	if (index && (index >= o->hashes_cap || o->hashes[index] != hash))
		return (struct wrong){
			"hash",
			"its state differs from the others' at this index"
		};
	return wrong;
}

bool oracle_session(const struct oracle *o, uint64_t session)
{
	struct record r;

	return core_session(o->core, session, &r);
}

bool oracle_hold(const struct oracle *o, uint64_t session, uint64_t token)
{
	struct record r;

	return core_hold(o->core, token, &r) && r.request.session == session;
}

bool oracle_refused(const struct oracle *o, uint64_t session, uint64_t owner)
{
	return once_was_refused(&o->once, session, owner);
}

void oracle_free(struct oracle *o)
{
	core_destroy(o->core);
	op_array_free(&o->ops);
	free(o->hashes);
	once_free(&o->once);
	rules_free(&o->rules);
	*o = (struct oracle){ 0 };
}
