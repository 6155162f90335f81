/* See oracle.h. */
#include "sim/lib/oracle.h"
#include "sim/lib/tangle.h"

#include <stdlib.h>
#include <string.h>

#define TANGLE_EVERY 8 /* entries */

void oracle_init(struct oracle *o)
{
	static const struct mem libc;

	*o = (struct oracle){ 0 };
	o->next = 1;
	o->core = core_create(&libc, 1);
	if (!o->core)
		abort();
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
static bool sequenced(enum op_kind kind)
{
	return kind == OP_ACQUIRE || kind == OP_RELEASE || kind == OP_REVOKE ||
	       kind >= OP_PERMITS;
}

static void look_at_acquire(struct oracle *o, const struct op *op)
{
	if (op->acquire.mode == MODE_LEAVE) {
		for (unsigned i = 0; i < o->names_len; i++)
			if (o->names[i].len == op->acquire.name_len &&
			    !memcmp(o->names[i].text, op->acquire.name,
				    op->acquire.name_len))
				pairs_put(&o->leaves, op->session, op->seq,
					  i + 1);
	} else if (op->acquire.from) {
		pairs_put(&o->from, op->session, op->seq, op->acquire.from);
	}
}

static void look_at_ops(struct oracle *o, const struct entry *entry)
{
	for (size_t i = 0; i < entry->ops_len; i++) {
		const struct op *op = &entry->ops[i];
		struct search search = { op->seq, false };
		if (sequenced(op->kind))
			o->counts.duplicates += once_again(&o->once, op);
		if (op->kind == OP_ACQUIRE)
			look_at_acquire(o, op);
		if (op->kind == OP_CANCEL)
			core_visit_session(o->core, op->session, look_for,
					   &search);
		o->counts.cancels_of_holds += search.held;
	}
}

static struct wrong look_at_grant(struct oracle *o,
				  const struct oracle_grant *g)
{
	struct record_part more[PARTS_MAX];
	struct record r;
	bool first = true;
	uint64_t from = pairs_get(&o->from, g->session, g->seq);
	struct wrong wrong =
		once_granted(&o->once, g->session, g->seq, g->token);

	if (wrong.checker)
		return wrong;
	from = from == g->token ? 0 : from;
	if (!core_hold(o->core, g->token, &r)) {
		rules_vanished(&o->rules, g->session, g->token);
		return wrong;
	}
	/* The core forgets them with the next look. */
	if (r.request.more_len)
		memcpy(more, r.request.more,
		       r.request.more_len * sizeof(*more));
	r.request.more = more;
	uint64_t identity = once_identity(r.request.owner, r.request.shown,
					  r.request.shown_len);
	if (!pairs_get(&o->from, g->session, g->seq))
		wrong = once_held(&o->once, g->session, identity, g->token,
				  &first);
	else
		first = !pairs_put(&o->converted, 0, g->token, 1);
	if (wrong.checker || !first)
		return wrong;
	rules_grant(&o->rules, o->core, &r);
	terms_granted(&o->terms, &r, from);
	o->counts.several += r.request.more_len > 0;
	o->counts.conversions += from != 0;
	o->counts.grants++;
	if (o->granted)
		o->granted(o->ctx, g->node, identity);
	return wrong;
}

static uint64_t converted(void *ctx, const struct line_piece *piece)
{
	const struct oracle *o = ctx;

	return pairs_get(&o->from, piece->session, piece->seq);
}

static struct wrong look_at_grants(struct oracle *o)
{
	struct wrong wrong = { 0 };
	const struct grants grants = { .before = &o->before,
				       .now = &o->now,
				       .index = core_index(o->core),
				       .entry = o->entry,
				       .handed = o->handed,
				       .handed_len = o->handed_len,
				       .converted = converted,
				       .ctx = o };

	for (size_t i = 0; i < o->grants_len && !wrong.checker; i++)
		wrong = look_at_grant(o, &o->grants[i]);
	if (wrong.checker)
		return wrong;
	wrong = rules_end(&o->rules, o->core);
	return wrong.checker ? wrong : lines_granted(&grants);
}

/* None is barred without a reason. */
static struct wrong look_at_delays(struct oracle *o)
{
	struct wrong wrong = { 0 };

	for (size_t i = 0; i < o->names_len && !wrong.checker; i++) {
		struct record lock;
		if (core_lock(o->core, o->names[i].text, o->names[i].len,
			      &lock))
			wrong = rules_delay(&o->rules, o->core, &lock);
	}
	return wrong;
}

/* They last: so it is enough to look now and then. */
static struct wrong look_for_tangles(struct oracle *o)
{
	if (core_index(o->core) % TANGLE_EVERY)
		return (struct wrong){ 0 };
	return tangle_left(&o->now);
}

static struct wrong look(struct oracle *o)
{
	struct lines before = o->before;
	struct wrong wrong;

	o->before = o->now;
	o->now = before;
	lines_read(&o->now, o->core, o->names, o->names_len);
	wrong = look_at_grants(o);
	terms_end(&o->terms, o->core);
	ledger_end(&o->ledger, o->core);
	if (!wrong.checker)
		wrong = o->terms.wrong;
	if (!wrong.checker)
		wrong = o->ledger.wrong;
	if (!wrong.checker)
		wrong = look_at_delays(o);
	if (!wrong.checker)
		wrong = lines_settled(&o->now);
	return wrong.checker ? wrong : look_for_tangles(o);
}

struct wrong oracle_tangle(struct oracle *o)
{
	return tangle_left(&o->now);
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
	struct output_sink sink = { oracle_say, o };
	const struct entry *entry = &o->decoded;

	if (e->type != RAFT_COMMAND)
		return (struct wrong){ 0 };
	if (entry_decode(e->bytes, e->len, &o->ops, &o->decoded))
		return (struct wrong){ "oracle",
				       "a committed entry can't be decoded" };
	look_at_ops(o, entry);
	o->counts.entries++;
	o->counts.ops += entry->ops_len;
	o->grants_len = o->handed_len = o->answered = 0;
	o->let_in = (struct oracle_grant){ 0 };
	o->entry = entry;
	rules_begin(&o->rules, entry);
	if (core_apply(o->core, index, entry, &sink))
		return (struct wrong){ "core", core_error(o->core) };
	remember(o, index, core_hash(o->core));
	if (!o->first_stamp)
		o->first_stamp = core_now(o->core);
	struct wrong wrong = look(o);
	o->entry = NULL;
	return wrong;
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

	for (uint64_t next = token; next;
	     next = pairs_get(&o->next_token, 0, next))
		token = next;
	return core_hold(o->core, token, &r) && r.request.session == session;
}

uint64_t oracle_root(const struct oracle *o, uint64_t token)
{
	uint64_t root = pairs_get(&o->roots, 0, token);

	return root ? root : token;
}

int oracle_end(const struct oracle *o, uint64_t token)
{
	for (uint64_t next = token; next;
	     next = pairs_get(&o->next_token, 0, next))
		token = next;
	return -(int)pairs_get(&o->ends, 0, token);
}

int oracle_fate(const struct oracle *o, uint64_t session, uint64_t identity)
{
	uint64_t token = pairs_get(&o->once.by_identity, session, identity);

	return token ? oracle_end(o, token) : 0;
}

uint32_t oracle_limit(const struct oracle *o, uint64_t token)
{
	uint64_t limit = pairs_get(&o->limits, 0, token);

	return limit ? (uint32_t)(limit - 1) : 0;
}

bool oracle_refused(const struct oracle *o, uint64_t session, uint64_t identity,
		    int status)
{
	return once_was_refused(&o->once, session, identity, status);
}

void oracle_free(struct oracle *o)
{
	core_destroy(o->core);
	op_array_free(&o->ops);
	free(o->hashes);
	once_free(&o->once);
	rules_free(&o->rules);
	terms_free(&o->terms);
	ledger_free(&o->ledger);
	changes_free(&o->changes);
	lines_free(&o->before);
	lines_free(&o->now);
	lines_free(&o->meanwhile);
	pairs_free(&o->from);
	pairs_free(&o->next_token);
	pairs_free(&o->roots);
	pairs_free(&o->converted);
	pairs_free(&o->limits);
	pairs_free(&o->ends);
	pairs_free(&o->leaves);
	*o = (struct oracle){ 0 };
}
