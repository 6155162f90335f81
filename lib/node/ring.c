/* The ring of changes: ring.h.
 *
 * Copies (change.h) lie whole. Where one doesn't fit before the ring's end, a
 * zero stands instead of its length, and it lies at the beginning. As none is
 * longer than half of the ring, there is always room in an empty one. */
#include "node/ring.h"

#include <string.h>

int ring_open(struct ring *r, const struct mem *mem, size_t bytes)
{
	size_t size = RING_BYTES_MIN;

	if (bytes == 0)
		bytes = RING_BYTES;
	while (size < bytes && size < RING_BYTES_MAX)
		size *= 2;
	*r = (struct ring){ .mem = mem, .size = size, .tail = 8, .head = 8 };
	r->base = (uint8_t *)mem_alloc(mem, size);
	return r->base ? 0 : HF_ENOMEM;
}

void ring_free(struct ring *r)
{
	mem_free(r->mem, r->base);
	r->base = NULL;
}

static uint8_t *place(const struct ring *r, uint64_t at)
{
	return r->base + (at & (r->size - 1));
}

static size_t before_end(const struct ring *r, uint64_t at)
{
	return r->size - (size_t)(at & (r->size - 1));
}

static uint64_t step_over_end(const struct ring *r, uint64_t at)
{
	uint32_t len;

	memcpy(&len, place(r, at), sizeof(len));
	return len ? at : at + before_end(r, at);
}

static void drop_oldest_index(struct ring *r)
{
	uint64_t at = step_over_end(r, r->tail), index;

	at += change_peek(place(r, at), &r->past);
	r->tail = at;
	while (r->tail < r->head) {
		at = step_over_end(r, r->tail);
		at += change_peek(place(r, at), &index);
		if (index != r->past)
			return;
		r->tail = at;
	}
}

/* false: all of the index is gone. */
static bool make_room(struct ring *r, uint64_t index, size_t len)
{
	if (len > r->size / 2) {
		ring_restart(r, index);
		return false;
	}
	if (before_end(r, r->head) < len)
		len += before_end(r, r->head);
	while (r->size - (r->head - r->tail) < len) {
		drop_oldest_index(r);
		if (r->past == index)
			return false;
	}
	return true;
}

void ring_put(struct ring *r, const struct output *o)
{
	const uint32_t end = 0;
	struct hf_change c;
	size_t len;

	if (o->index <= r->past)
		return;
	change_of(&c, o);
	len = change_size(&c);
	if (!make_room(r, o->index, len))
		return;
	if (before_end(r, r->head) < len) {
		memcpy(place(r, r->head), &end, sizeof(end));
		r->head += before_end(r, r->head);
	}
	change_write(place(r, r->head), &c);
	r->head += len;
}

/* The head moves, so that whoever stood there sees that something is gone. */
void ring_restart(struct ring *r, uint64_t past)
{
	if (past > r->past)
		r->past = past;
	r->head += 8;
	r->tail = r->head;
}

int ring_next(const struct ring *r, uint64_t *at, struct hf_change *change)
{
	uint64_t from = *at;

	if (from < r->tail)
		return HF_EGAP;
	if (from == r->head)
		return 0;
	from = step_over_end(r, from);
	*at = from + change_read(place(r, from), change);
	return 1;
}
