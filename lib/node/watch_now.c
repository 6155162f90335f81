/* What HF_WATCH_NOW tells first: holders with what they show, and values, as
 * changes of the state's index. */
#include "node/change.h"
#include "node/watch.h"

#include "core/core.h"

#include <string.h>

struct now {
	const struct core *core;
	const struct watch_options *options;
	struct buf *to;
	bool full;
	/* The lock whose holders are being looked at. */
	const uint8_t *name;
	size_t name_len;
};

bool watch_matches(const struct watch_options *o, const void *name, size_t len)
{
	bool prefix = o->flags & HF_WATCH_PREFIX;

	if (prefix ? len < o->name_len : len != o->name_len)
		return false;
	return o->name_len == 0 || memcmp(name, o->name, o->name_len) == 0;
}

static void put(struct now *now, struct hf_change *c)
{
	size_t len = change_size(c);
	uint8_t *to = NULL;

	c->index = core_index(now->core);
	if (now->to->len + len <= WATCH_NOW_MAX)
		to = buf_reserve(now->to, len);
	if (!to) {
		now->full = true;
		return;
	}
	change_write(to, c);
	now->to->len += len;
}

static struct hf_owner owner_of(const struct core *core, uint64_t session)
{
	struct hf_owner owner = { .session = session };
	struct record r;

	if (session && core_session(core, session, &r))
		owner.node = r.session.node;
	return owner;
}

/* Holders come first. */
static bool put_holder(void *ctx, const struct record *r)
{
	struct now *now = (struct now *)ctx;
	struct hf_change c = { .type = HF_CHANGE_HELD,
			       .name = now->name,
			       .name_len = now->name_len,
			       .token = r->request.token,
			       .mode = (enum hf_mode)r->request.mode,
			       .bytes = r->request.shown,
			       .bytes_len = r->request.shown_len };

	if (r->request.state != REQUEST_HELD)
		return false;
	c.owner = owner_of(now->core, r->request.session);
	put(now, &c);
	return !now->full;
}

static void put_lock(struct now *now, const struct record *lock)
{
	now->name = lock->lock.name;
	now->name_len = lock->lock.name_len;
	core_visit_lock(now->core, now->name, now->name_len, put_holder, now);
}

static void put_value(struct now *now, const struct record *r)
{
	struct hf_change c = { .type = HF_CHANGE_PUT,
			       .name = r->value.name,
			       .name_len = r->value.name_len,
			       .version = r->value.version,
			       .counter = r->value.counter,
			       .number = r->value.number,
			       .bytes = r->value.bytes,
			       .bytes_len = r->value.bytes_len };

	if (r->value.version == 0)
		return;
	c.owner = owner_of(now->core, r->value.session);
	put(now, &c);
}

static bool put_lock_if(void *ctx, const struct record *r)
{
	struct now *now = (struct now *)ctx;

	if (watch_matches(now->options, r->lock.name, r->lock.name_len))
		put_lock(now, r);
	return !now->full;
}

static bool put_value_if(void *ctx, const struct record *r)
{
	struct now *now = (struct now *)ctx;

	if (watch_matches(now->options, r->value.name, r->value.name_len))
		put_value(now, r);
	return !now->full;
}

static bool put_prefix(struct now *now)
{
	struct counts counts;

	core_counts(now->core, &counts);
	if (counts.locks + counts.values > WATCH_NOW_NAMES_MAX)
		return false;
	core_visit_locks(now->core, put_lock_if, now);
	core_visit_values(now->core, put_value_if, now);
	return true;
}

bool watch_now(const struct core *core, const struct watch_options *o,
	       struct buf *b)
{
	struct hf_change nobody = { .type = HF_CHANGE_NOBODY,
				    .name = o->name,
				    .name_len = o->name_len };
	struct now now = { .core = core, .options = o, .to = b };
	struct record r;

	if (o->flags & HF_WATCH_PREFIX) {
		if (!put_prefix(&now))
			return false;
	} else {
		if (core_lock(core, o->name, o->name_len, &r))
			put_lock(&now, &r);
		if (core_value(core, o->name, o->name_len, &r))
			put_value(&now, &r);
	}
	if (b->len == 0 && !now.full)
		put(&now, &nobody);
	return !now.full;
}
