/* See pairs.h. */
#include "sim/lib/pairs.h"

#include <stdlib.h>

static size_t place_of(const struct pairs *p, uint64_t key)
{
	size_t i = (key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (p->cap - 1);

	while (p->items[i].key && p->items[i].key != key)
		i = (i + 1) & (p->cap - 1);
	return i;
}

static void grow(struct pairs *p)
{
	struct pairs old = *p;

	p->cap = old.cap ? old.cap * 2 : 1024;
	p->items = calloc(p->cap, sizeof(*p->items));
	if (!p->items)
		abort();
	for (size_t i = 0; i < old.cap; i++)
		if (old.items[i].key)
			p->items[place_of(p, old.items[i].key)] = old.items[i];
	free(old.items);
}

static uint64_t key_of(uint64_t a, uint64_t b)
{
	return a << 32 ^ b;
}

uint64_t pairs_put(struct pairs *p, uint64_t a, uint64_t b, uint64_t value)
{
	uint64_t key = key_of(a, b);

	if (p->len * 2 >= p->cap)
		grow(p);
	struct pairs_item *item = &p->items[place_of(p, key)];
	if (item->key)
		return item->value;
	*item = (struct pairs_item){ key, value };
	p->len++;
	return 0;
}

uint64_t pairs_get(const struct pairs *p, uint64_t a, uint64_t b)
{
	return p->cap ? p->items[place_of(p, key_of(a, b))].value : 0;
}

void pairs_free(struct pairs *p)
{
	free(p->items);
	*p = (struct pairs){ 0 };
}
