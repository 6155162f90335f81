/* See oracle.h. */
#include "sim/lib/oracle.h"

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

static void count(void *ctx, const struct output *output)
{
	struct oracle *o = ctx;
	struct oracle_counts *c = &o->counts;

	switch (output->kind) {
	case OUTPUT_ANSWER:
		c->waits += output->op == OP_ACQUIRE &&
			    output->status == STATUS_WAITING;
		c->sessions_opened +=
			output->op == OP_OPEN && output->status == 0;
		break;
	case OUTPUT_GRANTED:
		c->granted_after_waiting++;
		break;
	case OUTPUT_ENDED:
		c->waits_ended++;
		break;
	case OUTPUT_SESSION_ENDED:
		c->sessions_expired++;
		if (o->session_ended)
			o->session_ended(o->ctx, output->node, output->session);
		break;
	}
}

static size_t seen_place(const struct seen *s, uint64_t key)
{
	size_t i = (key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->cap - 1);

	while (s->keys[i] && s->keys[i] != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static void seen_grow(struct seen *s)
{
	struct seen old = *s;

	s->cap = old.cap ? old.cap * 2 : 4096;
	s->keys = calloc(s->cap, sizeof(*s->keys));
	if (!s->keys)
		abort();
	for (size_t i = 0; i < old.cap; i++)
		if (old.keys[i])
			s->keys[seen_place(s, old.keys[i])] = old.keys[i];
	free(old.keys);
}

/* Was it in the set? It is from now on. */
static bool seen_before(struct seen *s, uint64_t session, uint64_t seq)
{
	uint64_t key = session << 32 ^ seq;

	if (s->len * 2 >= s->cap)
		seen_grow(s);
	size_t i = seen_place(s, key);
	if (s->keys[i])
		return true;
	s->keys[i] = key;
	s->len++;
	return false;
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
				seen_before(&o->seen, op->session, op->seq);
		if (op->kind == OP_CANCEL)
			core_visit_session(o->core, op->session, look_for,
					   &search);
		o->counts.cancels_of_holds += search.held;
	}
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

static const char *apply(struct oracle *o, uint64_t index,
			 const struct disk_entry *e)
{
	struct output_sink sink = { count, o };
	struct entry entry;

	if (e->type != RAFT_COMMAND)
		return NULL;
	if (entry_decode(e->bytes, e->len, &o->ops, &entry))
		return "a committed entry can't be decoded";
	look_at_ops(o, &entry);
	o->counts.entries++;
	o->counts.ops += entry.ops_len;
	if (core_apply(o->core, index, &entry, &sink))
		return core_error(o->core);
	remember(o, index, core_hash(o->core));
	return NULL;
}

static bool same(const struct disk_entry *a, const struct disk_entry *b)
{
	return a->term == b->term && a->type == b->type && a->len == b->len &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* On how many disks is this entry, or a snapshot in its place? */
static size_t copies(struct vdisk *const *disks, size_t len, uint64_t index,
		     const struct disk_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const struct disk_entry *other = vdisk_entry(disks[i], index);
		if (other)
			n += same(e, other);
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
		if (e && copies(disks, len, index, e) > len / 2)
			return e;
	}
	return NULL;
}

const char *oracle_follow(struct oracle *o, struct vdisk *const *disks,
			  size_t disks_len, uint64_t index, uint64_t hash)
{
	const char *wrong = NULL;

	for (; o->next <= index && !wrong; o->next++) {
		const struct disk_entry *e =
			committed(disks, disks_len, o->next);
		if (!e)
			return "an entry was applied that no majority has";
		wrong = apply(o, o->next, e);
	}
	if (wrong)
		return wrong;
	if (index && (index >= o->hashes_cap || o->hashes[index] != hash))
		return "its state differs from the others' at this index";
	return NULL;
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

void oracle_free(struct oracle *o)
{
	core_destroy(o->core);
	op_array_free(&o->ops);
	free(o->hashes);
	free(o->seen.keys);
	*o = (struct oracle){ 0 };
}
