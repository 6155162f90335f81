/* See operator.h.
 *
 * The window isn't made smaller: a release that a node has numbered by the old
 * one would be refused for good. */
#include "sim/lib/operator.h"
#include "codec/entry.h"
#include "sim/lib/process.h"

#include <stdlib.h>

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

static struct limits first_limits(void)
{
	struct limits limits = {
#define X(name, first, least, greatest) .name = first,
		LIMITS(X)
#undef X
	};

	return limits;
}

static struct process *leader(struct world *w)
{
	for (unsigned i = 0; i < w->plan.members; i++) {
		struct process *p = w->machines[i].process;
		if (p && !p->closing && !process_hangs(p) &&
		    node_serving(p->node))
			return p;
	}
	return NULL;
}

/* False: nobody took it; it may be lost even so. */
static bool propose(struct world *w, const struct limits *limits)
{
	static const struct mem libc;
	struct buf bytes = { .mem = &libc };
	struct process *p = leader(w);

	if (!p)
		return false;
	struct op op = { .kind = OP_LIMITS,
			 .node = p->machine->number + 1,
			 .seq = 1,
			 .limits = *limits };
	op_encode(&bytes, &op);
	if (bytes.failed)
		abort();
	int rc = repl_submit(node_repl(p->node), &op, bytes.base, bytes.len);
	buf_free(&bytes);
	process_poke(p);
	return rc == 0;
}

static void change(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	struct limits limits = first_limits();
	struct random *r = &w->for_limits;

	(void)arg;
	if (w->phase != PHASE_CHAOS)
		return;
	limits.requests = DICE_PICK(r, ((const uint64_t[]){ 10, 50, 8388608 }));
	limits.locks = DICE_PICK(r, ((const uint64_t[]){ 3, 4194304 }));
	limits.line = DICE_PICK(r, ((const uint64_t[]){ 1, 5, 1048576 }));
	limits.step_max_us = DICE_PICK(
		r, ((const uint64_t[]){ SECOND, 2 * SECOND, 60 * SECOND }));
	w->counters.limits += propose(w, &limits);
	agenda_add(&w->agenda,
		   world_now(w) +
			   dice_between(r, 1, 2 * w->plan.limits_every_us),
		   NULL, change, w, 0);
}

void operator_start(struct world *w)
{
	if (w->plan.limits_every_us)
		agenda_add(&w->agenda, SECOND, NULL, change, w, 0);
}

bool operator_restored(const struct world *w)
{
	const struct limits *now = core_limits(w->oracle.core);
	const struct limits wanted = first_limits();

#define X(name, first, least, greatest) \
	if (now->name != wanted.name)   \
		return false;
	LIMITS(X)
#undef X
	return true;
}

static void restore(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	struct limits limits = first_limits();

	(void)arg;
	if (w->recovered_at)
		return;
	/* A change that was left in a log may still come. */
	if (!operator_restored(w))
		propose(w, &limits);
	agenda_add(&w->agenda, world_now(w) + 50 * MS, NULL, restore, w, 0);
}

void operator_restore(struct world *w)
{
	if (w->plan.limits_every_us)
		restore(w, 0);
}
