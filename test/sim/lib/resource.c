/* See resource.h. */
#include "sim/lib/resource.h"

#include <stdlib.h>

struct write {
	struct world *world;
	unsigned name;
	enum hf_mode mode;
	uint64_t token;
};

/* The rule of hf_guard_check, written down once more. */
static bool admits(struct hf_guard *g, enum hf_mode mode, uint64_t token)
{
	bool exclusive = mode == HF_EXCLUSIVE;

	if (token < (exclusive ? g->newest : g->newest_exclusive))
		return false;
	g->newest = token > g->newest ? token : g->newest;
	if (exclusive)
		g->newest_exclusive = token;
	return true;
}

static bool arrives(struct world *w, unsigned name, enum hf_mode mode,
		    uint64_t token)
{
	bool ok = admits(&w->names[name].guard, mode, token);

	w->counters.writes += ok;
	w->counters.stale_writes += !ok;
	return ok;
}

static void write_arrives(void *ctx, uint64_t arg)
{
	struct write *write = ctx;

	(void)arg;
	arrives(write->world, write->name, write->mode, write->token);
	free(write);
}

void resource_write(struct world *w, const struct hold_record *r, bool certain,
		    uint64_t delay_us)
{
	if (certain) {
		w->counters.writes_certain++;
		if (!arrives(w, r->name, r->mode, r->token))
			world_violation(w, "resource",
					"lock %u: a write with token %llu was "
					"refused though its holder is certain",
					r->name, (unsigned long long)r->token);
		return;
	}
	struct write *write = malloc(sizeof(*write));
	if (!write)
		abort();
	*write = (struct write){ w, r->name, r->mode, r->token };
	agenda_add(&w->agenda, world_now(w) + delay_us, NULL, write_arrives,
		   write, 0);
}
