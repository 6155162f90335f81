/* The window of a session: which sequence numbers have a result, and which.
 *
 * The rule: `low` only rises, and a slot is given up only when `low` rises
 * above it. So a number that had an effect either has its slot or is below
 * `low`. */
#include "core/state.h"

#include <assert.h>
#include <string.h>

static struct slot *slot_at(const struct window *w, uint64_t seq)
{
	return &w->ring[seq & (w->cap - 1)];
}

static void move_slots(const struct window *from, struct window *to)
{
	if (from->used == 0)
		return;
	for (uint64_t seq = from->low; seq <= from->high; seq++) {
		if (slot_at(from, seq)->seq == seq)
			*slot_at(to, seq) = *slot_at(from, seq);
	}
}

/* The scratch grows first: a ring that is larger could not be recorded. */
static int grow(struct core *core, struct window *w, uint32_t cap)
{
	struct window larger = *w;
	size_t bytes = cap * sizeof(struct slot);

	if (core->scratch_cap < cap) {
		struct slot *scratch =
			mem_resize(core->mem, core->scratch, bytes);

		if (!scratch)
			return HF_ENOMEM;
		core->scratch = scratch;
		core->scratch_cap = cap;
	}
	larger.ring = mem_zalloc(core->mem, bytes);
	if (!larger.ring)
		return HF_ENOMEM;
	larger.cap = cap;
	move_slots(w, &larger);
	mem_free(core->mem, w->ring);
	*w = larger;
	return 0;
}

int core_window_reserve(struct core *core, struct window *w, uint64_t seq,
			uint64_t window_max)
{
	uint32_t cap = w->cap ? w->cap : SLOTS_MIN;
	uint64_t span;

	if (seq < w->low)
		return 0;
	span = seq - w->low;
	if (span >= window_max)
		span = window_max - 1;
	while (cap <= span)
		cap *= 2;
	return cap == w->cap ? 0 : grow(core, w, cap);
}

const struct slot *core_window_find(const struct window *w, uint64_t seq)
{
	if (w->used == 0 || seq < w->low || seq > w->high ||
	    slot_at(w, seq)->seq != seq)
		return NULL;
	return slot_at(w, seq);
}

static void drop(struct window *w, struct slot *slot)
{
	w->sum -= core_slot_digest(slot);
	w->used--;
	memset(slot, 0, sizeof(*slot));
}

void core_window_raise(struct window *w, uint64_t low)
{
	if (low > w->high + 1)
		low = w->high + 1;
	for (; w->low < low; w->low++) {
		if (core_window_find(w, w->low))
			drop(w, slot_at(w, w->low));
	}
}

void core_window_put(struct window *w, const struct slot *slot)
{
	struct slot *at = slot_at(w, slot->seq);

	assert(slot->seq >= w->low && slot->seq - w->low < w->cap);
	if (at->seq == slot->seq)
		drop(w, at);
	assert(at->seq == 0);
	*at = *slot;
	w->sum += core_slot_digest(slot);
	w->used++;
	if (w->high < slot->seq)
		w->high = slot->seq;
}

size_t core_window_list(const struct window *w, struct slot *to)
{
	size_t n = 0;

	for (uint64_t seq = w->low; n < w->used; seq++) {
		if (core_window_find(w, seq))
			to[n++] = *slot_at(w, seq);
	}
	return n;
}
