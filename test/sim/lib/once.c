/* See once.h. */
#include "sim/lib/once.h"

#include <stdlib.h>

static size_t seen_place(const struct seen *s, uint64_t key)
{
	size_t i = (key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->cap - 1);

	while (s->items[i].key && s->items[i].key != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

static void seen_grow(struct seen *s)
{
	struct seen old = *s;

	s->cap = old.cap ? old.cap * 2 : 4096;
	s->items = calloc(s->cap, sizeof(*s->items));
	if (!s->items)
		abort();
	for (size_t i = 0; i < old.cap; i++)
		if (old.items[i].key)
			s->items[seen_place(s, old.items[i].key)] =
				old.items[i];
	free(old.items);
}

static uint64_t key_of(uint64_t session, uint64_t number)
{
	return session << 32 ^ number;
}

/* What was put there before; 0: nothing, and this is now. */
static uint64_t seen_before(struct seen *s, uint64_t session, uint64_t number,
			    uint64_t value)
{
	uint64_t key = key_of(session, number);

	if (s->len * 2 >= s->cap)
		seen_grow(s);
	struct seen_item *item = &s->items[seen_place(s, key)];
	if (item->key)
		return item->value;
	*item = (struct seen_item){ key, value };
	s->len++;
	return 0;
}

bool once_again(struct once *o, uint64_t session, uint64_t seq)
{
	return seen_before(&o->ops, session, seq, 1) != 0;
}

struct wrong once_granted(struct once *o, uint64_t session, uint64_t seq,
			  uint64_t token)
{
	uint64_t before = seen_before(&o->by_seq, session, seq, token);

	if (before && before != token)
		return (struct wrong){ "once",
				       "an acquire was granted two tokens" };
	return (struct wrong){ 0 };
}

struct wrong once_held(struct once *o, uint64_t session, uint64_t owner,
		       uint64_t token, bool *first)
{
	uint64_t before = seen_before(&o->by_owner, session, owner, token);

	*first = before == 0;
	if (before && before != token)
		return (struct wrong){
			"once", "what was asked once was granted twice"
		};
	return (struct wrong){ 0 };
}

bool once_refused(struct once *o, uint64_t session, uint64_t seq,
		  uint64_t owner)
{
	seen_before(&o->held_owner, session, owner, 1);
	return seen_before(&o->held_seq, session, seq, 1) == 0;
}

bool once_was_refused(const struct once *o, uint64_t session, uint64_t owner)
{
	const struct seen *s = &o->held_owner;

	return s->cap &&
	       s->items[seen_place(s, key_of(session, owner))].key != 0;
}

void once_free(struct once *o)
{
	free(o->ops.items);
	free(o->by_seq.items);
	free(o->by_owner.items);
	free(o->held_seq.items);
	free(o->held_owner.items);
	*o = (struct once){ 0 };
}
