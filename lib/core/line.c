/* Lines, and the one loop that lets waiters in.
 *
 * The rule: a waiter is let in when, in each of its locks, no delay runs and it
 * fits beside the holders and all who are before it in the line (README, 2).
 * Nothing is compared but sums: what the holders take, what stands before. */
#include "core/state.h"

#include <assert.h>

struct rank_weight core_weight(enum mode mode, uint32_t permits)
{
	switch (mode) {
	case MODE_EXCLUSIVE:
		return (struct rank_weight){ .alone = 1 };
	case MODE_PERMITS:
		return (struct rank_weight){ .units = permits };
	case MODE_SHARED:
	case MODE_BARRIER:
	case MODE_LEAVE:
		break;
	}
	return (struct rank_weight){ .units = 1 };
}

bool core_fits(uint32_t limit, struct rank_weight before, enum mode mode,
	       uint32_t permits)
{
	uint64_t more = core_weight(mode, permits).units;

	if (before.alone > 0)
		return false;
	if (mode == MODE_EXCLUSIVE)
		return before.units == 0;
	return limit == 0 || before.units + more <= limit;
}

bool core_full(uint32_t limit, struct rank_weight before)
{
	return before.alone > 0 || (limit > 0 && before.units >= limit);
}

struct rank_weight core_without_own(const struct part *part,
				    struct rank_weight before)
{
	const struct extra *extra = part->request->extra;
	const struct part *own;

	if (!extra || !extra->from)
		return before;
	own = &extra->from->parts[0];
	return rank_sub(before,
			core_weight((enum mode)own->mode, own->permits));
}

bool core_admissible(const struct core *core, const struct request *request)
{
	for (size_t i = 0; i < request->parts_len; i++) {
		const struct part *part = &request->parts[i];
		const struct lock *lock = part->lock;
		struct rank_weight before =
			rank_add(lock->use, rank_before(&part->in_line));

		if (!core_lock_open(core, lock) ||
		    !core_fits(lock->limit, core_without_own(part, before),
			       (enum mode)part->mode, part->permits))
			return false;
	}
	return true;
}

/* A barrier lets in all or nobody: there must be tokens for all. */
bool core_barrier_opens(const struct core *core, const struct lock *lock)
{
	return list_empty(&lock->holders) && list_empty(&lock->line->leavers) &&
	       rank_len(&lock->line->waiters) >= lock->limit &&
	       lock->delay_until == 0 &&
	       COUNTER_MAX - core->counter >= lock->limit;
}

static struct line *line_of(struct core *core, struct lock *lock)
{
	struct line *line = lock->line;

	if (line)
		return line;
	line = core_pool_take(core, POOL_LINE);
	line->lock = lock;
	list_init(&line->leavers);
	lock->line = line;
	return line;
}

static void line_shrink(struct core *core, struct lock *lock)
{
	struct line *line = lock->line;

	if (rank_len(&line->waiters) > 0 || !list_empty(&line->leavers))
		return;
	lock->line = NULL;
	core_pool_give(core, POOL_LINE, line);
}

/* Conversions, then by priority. */
static uint64_t major_of(bool conversion, int priority)
{
	return conversion ? 0 : (uint64_t)(1 + INT8_MAX - priority);
}

void core_line_join(struct core *core, struct request *request)
{
	bool conversion = request->extra && request->extra->from;

	for (size_t i = 0; i < request->parts_len; i++) {
		struct part *part = &request->parts[i];
		struct line *line = line_of(core, part->lock);

		if (part->mode == MODE_LEAVE)
			list_push(&line->leavers, &part->in_lock);
		else
			rank_insert(&line->waiters, &part->in_line,
				    major_of(conversion, request->priority),
				    request->place,
				    core_weight((enum mode)part->mode,
						part->permits));
		core->waiting_parts++;
	}
}

void core_line_leave(struct core *core, struct request *request)
{
	for (size_t i = 0; i < request->parts_len; i++) {
		struct part *part = &request->parts[i];

		if (part->mode == MODE_LEAVE)
			list_remove(&part->in_lock);
		else
			rank_remove(&part->lock->line->waiters, &part->in_line);
		line_shrink(core, part->lock);
		core->waiting_parts--;
	}
}

/* The last part of the line that stands before a new one: its length and what
 * it asks for. */
static struct rank_weight ahead(const struct lock *lock, uint64_t major,
				size_t *len)
{
	const struct rank_node *n =
		lock->line ? lock->line->waiters.root : NULL;
	struct rank_weight w = { 0, 0 };

	*len = 0;
	while (n) {
		if (n->major > major) {
			n = n->left;
			continue;
		}
		w = rank_add(w, n->own);
		if (n->left)
			w = rank_add(w, n->left->sum);
		*len += n->left ? n->left->len + 1 : 1;
		n = n->right;
	}
	return w;
}

struct rank_weight core_line_ahead(const struct lock *lock, bool conversion,
				   int priority)
{
	size_t len;

	return ahead(lock, major_of(conversion, priority), &len);
}

size_t core_line_place(const struct lock *lock, int priority)
{
	size_t len;

	ahead(lock, major_of(false, priority), &len);
	return len + 1;
}

static void pace(struct core *core, struct lock *lock)
{
	struct line *line = lock->line;

	if (!line)
		return;
	if (line->paced_at > 0) {
		uint64_t took = core->now - line->paced_at;

		line->pace = line->pace ? (7 * line->pace + took) / 8 : took;
	}
	line->paced_at = core->now;
}

void core_let_in(struct core *core, struct request *request)
{
	for (size_t i = 0; i < request->parts_len; i++)
		pace(core, request->parts[i].lock);
	core_grant(core, request);
	core_emit(core,
		  &(struct output){ .kind = OUTPUT_GRANTED,
				    .node = request->session->peer->node,
				    .session = request->session->id,
				    .seq = request->seq,
				    .token = request->token,
				    .stamp = request->stamp,
				    .deadline = core_hold_deadline(request) });
	core_tell_hold(core, request, CHANGE_HELD, 0);
}

static void admit_barrier(struct core *core, struct lock *lock)
{
	uint32_t parties = lock->limit;

	if (rank_len(&lock->line->waiters) == 0 ||
	    !core_barrier_opens(core, lock))
		return;
	for (uint32_t i = 0; i < parties; i++)
		core_let_in(core,
			    in_line(rank_first(&lock->line->waiters))->request);
}

/* All who leave have left when nobody is in. */
static void dismiss(struct core *core, struct lock *lock)
{
	if (!lock->line || !list_empty(&lock->holders))
		return;
	while (lock->line && !list_empty(&lock->line->leavers))
		core_end_wait(core, in_lock(lock->line->leavers.next)->request,
			      0, 0);
}

/* Can neither this one go in, nor anybody behind it? Who converts has one unit
 * at least, which doesn't count against it. */
static bool stops(const struct lock *lock, const struct rank_node *n)
{
	struct rank_weight before = rank_add(lock->use, rank_before(n));

	if (!core_full(lock->limit, before))
		return false;
	return n->major > 0 || before.alone > 0 || before.units > 1;
}

static void admit(struct core *core, struct lock *lock)
{
	struct rank_node *n = rank_first(&lock->line->waiters);

	while (n && !stops(lock, n)) {
		struct rank_node *next = rank_next(n);
		struct request *request = in_line(n)->request;

		if (core_admissible(core, request))
			core_let_in(core, request);
		n = next;
	}
}

static void settle(struct core *core, struct lock *lock)
{
	if (lock->flags & LOCK_BARRIER)
		dismiss(core, lock);
	if (lock->line && (lock->flags & LOCK_BARRIER))
		admit_barrier(core, lock);
	else if (lock->line)
		admit(core, lock);
	if (core_lock_idle(lock) && !lock->marked)
		core_lock_vanish(core, lock);
}

static void settle_marked(struct core *core)
{
	while (core->marked) {
		struct lock *lock = core->marked;

		core->marked = lock->next_marked;
		if (!core->marked)
			core->marked_end = &core->marked;
		lock->marked = false;
		settle(core, lock);
	}
}

/* Ending a wait that can't come true may let in others. Each turn ends one. */
void core_settle(struct core *core)
{
	do
		settle_marked(core);
	while (core_end_suspects(core));
	assert(!core->marked && !core->suspects);
}
