/* See watchman.h. */
#include "sim/lib/watchman.h"
#include "sim/lib/check.h"

#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000)
#define STALL_PPM 3000
#define RING_DEFAULT (UINT64_C(1) << 20)

static void watchman_step(void *ctx, uint64_t arg);

static struct world *world_of(const struct watchman *m)
{
	return m->process->world;
}

static struct random *dice(const struct watchman *m)
{
	return &world_of(m)->for_clerks;
}

static const struct changes *changes_of(const struct watchman *m)
{
	return &world_of(m)->oracle.changes;
}

static void plan_step(struct watchman *m, uint64_t us)
{
	struct world *w = world_of(m);

	agenda_add(&w->agenda, world_now(w) + us, &m->process->users_gate,
		   watchman_step, m, ++m->step);
}

static void wrong(const struct watchman *m, const char *what,
		  const struct hf_change *c)
{
	world_violation(
		world_of(m), "watch",
		"member %u, watch %u of \"%.*s\", told up to %llu: %s "
		"(index %llu, type %d, token %llu, version %llu)",
		m->process->machine->number + 1, m->number,
		(int)m->options.name_len, m->name, (unsigned long long)m->told,
		what, (unsigned long long)c->index, (int)c->type,
		(unsigned long long)c->token, (unsigned long long)c->version);
}

static bool concerns(const struct watchman *m, const struct change_said *s)
{
	const struct watch_options *o = &m->options;

	if (o->flags & HF_WATCH_PREFIX ? s->name_len < o->name_len
				       : s->name_len != o->name_len)
		return false;
	return !memcmp(s->name, m->name, o->name_len);
}

static bool is_value(enum change change)
{
	return change == CHANGE_PUT || change == CHANGE_DELETED;
}

static bool same(const struct change_said *s, const struct hf_change *c)
{
	if ((int)s->change != (int)c->type || s->name_len != c->name_len ||
	    memcmp(s->name, c->name, s->name_len) != 0 ||
	    s->session != c->owner.session || s->status != c->rc ||
	    s->bytes != terms_digest(c->bytes, c->bytes_len))
		return false;
	if (!is_value(s->change))
		return s->token == c->token && s->by == c->owner.node &&
		       s->kind == c->mode;
	return s->token == c->version && (s->kind != 0) == c->counter &&
	       (!c->counter || s->number == c->number);
}

/* --- what is, at the beginning */

static bool replaces(const struct change_said *s, const struct change_said *old)
{
	if (is_value(s->change) != is_value(old->change) ||
	    s->name != old->name)
		return false;
	return is_value(s->change) || s->token == old->token;
}

/* All that happened up to then, boiled down. */
static void expect_now(struct watchman *m)
{
	const struct changes *all = changes_of(m);
	size_t end = changes_after(all, m->now), len = 0;
	struct change_said *left = calloc(end + 1, sizeof(*left));

	if (!left)
		abort();
	for (size_t i = 0; i < end; i++) {
		const struct change_said *s = &all->items[i];
		size_t at = 0;
		if (!concerns(m, s))
			continue;
		while (at < len && !replaces(s, &left[at]))
			at++;
		if (s->change == CHANGE_FREED || s->change == CHANGE_DELETED) {
			if (at < len)
				left[at] = left[--len];
			continue;
		}
		left[at] = *s;
		len += at == len;
		left[at].change =
			is_value(s->change) ? CHANGE_PUT : CHANGE_HELD;
	}
	m->expected = left;
	m->expected_len = len;
}

static void expect_no_more(struct watchman *m)
{
	free(m->expected);
	m->expected = NULL;
	m->expected_len = 0;
}

static void hear_now(struct watchman *m, const struct hf_change *c)
{
	world_of(m)->counters.changes_now++;
	if (c->type == HF_CHANGE_NOBODY) {
		if (m->expected_len)
			wrong(m, "nobody, it is told, but somebody is", c);
		return;
	}
	for (size_t i = 0; i < m->expected_len; i++) {
		if (!same(&m->expected[i], c))
			continue;
		m->expected[i] = m->expected[--m->expected_len];
		return;
	}
	wrong(m, "what it is told wasn't so at the beginning", c);
}

/* --- gaps */

/* So many bytes of changes the ring had to keep since `m->told`, of which not
 * all may have been told. */
static bool ring_overflowed(const struct watchman *m)
{
	const struct changes *all = changes_of(m);
	uint64_t size = world_of(m)->plan.ring_bytes;
	uint64_t seen = core_index(node_core(m->process->node)), sum = 0;

	size = size ? size : RING_DEFAULT;
	for (size_t i = changes_after(all, m->told ? m->told - 1 : 0);
	     i < all->len; i++) {
		if (all->items[i].index > seen)
			break;
		sum += all->items[i].room;
		if (sum > size / 2)
			return true;
	}
	return false;
}

static uint64_t installed(const struct watchman *m)
{
	struct repl_stats stats;

	repl_stats(node_repl(m->process->node), &stats);
	return stats.snapshots_installed;
}

static bool gap_has_reason(const struct watchman *m)
{
	return m->told < m->process->first_index ||
	       installed(m) > m->installed || ring_overflowed(m) ||
	       process_starved(m->process);
}

static void hear_gap(struct watchman *m, const struct hf_change *c)
{
	world_of(m)->counters.gaps++;
	if (c->index < m->told || c->rc != HF_EGAP)
		wrong(m, "a gap that leads back", c);
	if (!gap_has_reason(m))
		wrong(m, "a gap without a reason", c);
	expect_no_more(m);
	m->installed = installed(m);
	watchman_seek(m, c->index);
}

void watchman_seek(struct watchman *m, uint64_t index)
{
	m->told = index;
	m->next = changes_after(changes_of(m), index);
}

static void hear_change(struct watchman *m, const struct hf_change *c)
{
	const struct changes *all = changes_of(m);

	if (m->expected && m->expected_len)
		wrong(m, "it wasn't told all that is", c);
	expect_no_more(m);
	while (m->next < all->len && !concerns(m, &all->items[m->next]))
		m->next++;
	if (m->next == all->len || all->items[m->next].index != c->index ||
	    !same(&all->items[m->next], c)) {
		wrong(m, "another change was the next", c);
		return;
	}
	m->next++;
	m->told = c->index;
}

bool watchman_hears(struct watchman *m, const struct hf_change *c)
{
	struct world *w = world_of(m);

	if (m->process->zombie)
		return true;
	check_state(m->process);
	if (w->phase == PHASE_CHAOS && !m->process->closing &&
	    dice_chance(dice(m), STALL_PPM)) {
		m->stalled = true;
		plan_step(m, random_below(dice(m), 2 * w->plan.ttl_us));
		return false;
	}
	w->counters.changes++;
	if (c->type == HF_CHANGE_GAP)
		hear_gap(m, c);
	else if (m->expected && c->index == m->now)
		hear_now(m, c);
	else
		hear_change(m, c);
	return true;
}

static bool told(void *arg, const struct hf_change *change)
{
	return watchman_hears(arg, change);
}

static void over(void *arg)
{
	struct watchman *m = arg;

	m->watcher = NULL;
}

/* --- its life */

static void draw(struct watchman *m)
{
	static const char *const names[] = { "",        "lock",   "lock 1",
					     "value",   "count",  "value 0",
					     "count 1", "value 2" };
	const char *name = DICE_PICK(dice(m), names);
	const struct world *w = world_of(m);

	m->options = (struct watch_options){ .ended = over };
	m->options.name_len = strlen(name);
	memcpy(m->name, name, m->options.name_len);
	if (random_below(dice(m), 4) == 0) {
		const struct lock_name *lock =
			&w->names[random_below(dice(m), w->plan.names)];
		m->options.name_len = lock->len;
		memcpy(m->name, lock->text, lock->len);
	}
	m->options.name = m->name;
	if (!m->options.name_len || random_below(dice(m), 3))
		m->options.flags = HF_WATCH_PREFIX;
	if (random_below(dice(m), 3) == 0)
		m->options.flags |= HF_WATCH_NOW;
}

/* Where this one, or one of an earlier process, was. */
static void resume(struct watchman *m)
{
	const struct watch_memory *memory =
		&m->process->machine->watches[m->number];

	m->options = (struct watch_options){ .name = m->name,
					     .name_len = memory->name_len,
					     .flags = memory->flags,
					     .after = memory->index,
					     .ended = over };
	memcpy(m->name, memory->name, sizeof(m->name));
	world_of(m)->counters.resumed++;
}

static void remember(const struct watchman *m)
{
	struct watch_memory *memory = &m->process->machine->watches[m->number];

	if (!m->told)
		return;
	memcpy(memory->name, m->name, sizeof(memory->name));
	memory->name_len = m->options.name_len;
	memory->flags = m->options.flags & HF_WATCH_PREFIX;
	memory->index = m->told;
}

static void begin(struct watchman *m)
{
	struct process *p = m->process;

	if (p->machine->watches[m->number].index && random_below(dice(m), 2))
		resume(m);
	else
		draw(m);
	int rc = node_watch(p->node, &m->options, told, m, &m->watcher);
	if (rc) {
		if (rc != HF_ENOMEM || !process_starved(p))
			world_violation(p->world, "watch",
					"a watch couldn't begin: %d", rc);
		return;
	}
	p->world->counters.watches++;
	m->stalled = false;
	m->installed = installed(m);
	m->now = core_index(node_core(p->node));
	expect_no_more(m);
	watchman_seek(m, m->options.after ? m->options.after : m->now);
	if (m->options.flags & HF_WATCH_NOW)
		expect_now(m);
	process_poke(p);
}

static void end(struct watchman *m)
{
	/* What is left of what was at first would be missing. */
	if (!m->expected)
		remember(m);
	node_unwatch(m->process->node, m->watcher);
	m->watcher = NULL;
	expect_no_more(m);
}

static void listen(struct watchman *m)
{
	m->stalled = false;
	node_watch_more(m->process->node, m->watcher);
	process_poke(m->process);
}

static void watchman_step(void *ctx, uint64_t arg)
{
	struct watchman *m = ctx;
	struct process *p = m->process;

	if (arg != m->step || p->closing || p->failed)
		return;
	if (m->watcher && m->stalled)
		listen(m);
	else if (m->watcher && p->world->phase == PHASE_CHAOS)
		end(m);
	else if (!m->watcher)
		begin(m);
	if (p->world->phase == PHASE_CHAOS)
		plan_step(m, random_below(dice(m),
					  m->watcher ? 8000 * MS : 200 * MS));
}

void watchman_start(struct watchman *m, struct process *p, unsigned number)
{
	*m = (struct watchman){ .process = p, .number = number };
	plan_step(m, random_below(dice(m), 100 * MS));
}

void watchman_forget(struct watchman *m)
{
	if (m->watcher && !m->expected)
		remember(m);
	m->step++;
}

void watchman_hurry(struct watchman *m)
{
	if (!m->process)
		return; /* it couldn't start */
	plan_step(m, random_below(dice(m), 10 * MS));
}

void watchman_check(struct watchman *m)
{
	const struct changes *all = changes_of(m);
	uint64_t seen = core_index(node_core(m->process->node));
	struct hf_change none = { .index = seen };

	if (!m->watcher)
		return;
	if (m->stalled)
		wrong(m, "it listens, and nothing comes", &none);
	if (m->expected_len)
		wrong(m, "it wasn't told all that is", &none);
	for (size_t i = m->next; i < all->len; i++)
		if (all->items[i].index <= seen && concerns(m, &all->items[i]))
			wrong(m, "a change wasn't told", &none);
}
