/* See agenda.h: a binary heap in an array. */
#include "sim/lib/agenda.h"

#include <stdlib.h>
#include <string.h>

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void grow(struct agenda *a)
{
	a->cap = a->cap ? a->cap * 2 : 1024;
	a->heap = realloc(a->heap, a->cap * sizeof(*a->heap));
	if (!a->heap)
		abort();
}

static void rise(struct agenda *a, size_t i, struct event e)
{
	while (i && before(&e, &a->heap[(i - 1) / 2])) {
		a->heap[i] = a->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	a->heap[i] = e;
}

static void add(struct agenda *a, struct event e)
{
	e.order = a->orders++;
	if (a->len == a->cap)
		grow(a);
	rise(a, a->len++, e);
}

void agenda_add(struct agenda *a, uint64_t at, const struct gate *gate,
		event_run run, void *ctx, uint64_t arg)
{
	add(a, (struct event){ .at = at < a->now ? a->now : at,
			       .gate = gate,
			       .run = run,
			       .ctx = ctx,
			       .arg = arg });
}

void agenda_put_off(struct agenda *a, const struct gate *gate, event_run run,
		    void *ctx, uint64_t arg)
{
	add(a, (struct event){ .at = gate->shut_until,
			       .waits = gate,
			       .run = run,
			       .ctx = ctx,
			       .arg = arg });
}

/* Moving an event forward leaves what is below it in order, and what is above
 * it is made so: so each can be moved in one pass from the top. */
void agenda_open(struct agenda *a, struct gate *gate)
{
	gate->shut_until = 0;
	for (size_t i = 0; i < a->len; i++) {
		struct event e = a->heap[i];
		if (e.waits != gate)
			continue;
		e.at = a->now;
		rise(a, i, e);
	}
}

static struct event take_first(struct agenda *a)
{
	struct event first = a->heap[0], last = a->heap[--a->len];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < a->len &&
		    before(&a->heap[child + 1], &a->heap[child]))
			child++;
		if (child >= a->len || !before(&a->heap[child], &last))
			break;
		a->heap[i] = a->heap[child];
		i = child;
	}
	a->heap[i] = last;
	return first;
}

bool agenda_step(struct agenda *a, uint64_t until)
{
	if (!a->len || a->heap[0].at >= until)
		return false;
	struct event e = take_first(a);
	a->now = e.at;
	if (e.gate && e.gate->dead)
		return true;
	if (e.gate && e.gate->shut_until > a->now) {
		e.at = e.gate->shut_until;
		e.waits = e.gate;
		add(a, e);
		return true;
	}
	agenda_note(a, e.at ^ e.order << 40);
	a->ran++;
	e.run(e.ctx, e.arg);
	return true;
}

void agenda_note_bytes(struct agenda *a, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		agenda_note(a, word);
	}
	uint64_t rest = len;
	for (size_t i = 0; i < len; i++)
		rest = rest << 8 | at[i];
	agenda_note(a, rest);
}

void agenda_free(struct agenda *a)
{
	free(a->heap);
	*a = (struct agenda){ 0 };
}
