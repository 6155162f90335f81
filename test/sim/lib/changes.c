/* See changes.h. */
#include "sim/lib/changes.h"
#include "sim/lib/terms.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_HEAD 80 /* of a change in a ring, beside name and bytes */

/* All names that there are, few: so that changes only point to them. */
static const char *keep(struct changes *c, const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < c->names_used; i++)
		if (c->names_len[i] == len && !memcmp(c->names[i], name, len))
			return c->names[i];
	if (c->names_used == c->names_cap) {
		c->names_cap = c->names_cap ? 2 * c->names_cap : 64;
		c->names = realloc(c->names, c->names_cap * sizeof(char *));
		c->names_len =
			realloc(c->names_len, c->names_cap * sizeof(size_t));
	}
	char *copy = malloc(len + 1);
	if (!c->names || !c->names_len || !copy)
		abort();
	memcpy(copy, name, len);
	c->names[c->names_used] = copy;
	c->names_len[c->names_used++] = len;
	return copy;
}

void changes_add(struct changes *c, const struct output *o)
{
	if (c->len == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 1024;
		c->items = realloc(c->items, c->cap * sizeof(*c->items));
		if (!c->items)
			abort();
	}
	c->items[c->len++] = (struct change_said){
		.change = o->change,
		.index = o->index,
		.token = o->token,
		.session = o->session,
		.by = o->by,
		.kind = o->seq,
		.number = (int64_t)o->number,
		.status = o->status,
		.bytes = terms_digest(o->bytes, o->bytes_len),
		.room = ROOM_HEAD + o->name_len + o->bytes_len,
		.name = keep(c, o->name, o->name_len),
		.name_len = o->name_len
	};
}

size_t changes_after(const struct changes *c, uint64_t index)
{
	size_t from = 0, to = c->len;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (c->items[mid].index > index)
			to = mid;
		else
			from = mid + 1;
	}
	return from;
}

void changes_free(struct changes *c)
{
	for (size_t i = 0; i < c->names_used; i++)
		free(c->names[i]);
	free(c->names);
	free(c->names_len);
	free(c->items);
	*c = (struct changes){ 0 };
}
