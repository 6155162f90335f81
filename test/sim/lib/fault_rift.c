/* A member that gains terms while nobody hears it, and then is needed.
 *
 * Of three: while the first is away, the second's candidacies are lost, so that
 * its term rises; then it restarts and is cut off, while the other two go on in
 * lower terms; then the first goes for good. Of the two that are left one has
 * the later entries and the other one the higher term: they must get together.
 */
#include "sim/lib/fault_kind.h"

/* Election timeouts that it gains terms for, and that the others are alone. */
#define GAIN 16
#define APART 14

enum { AWAY = 0, ALONE = 1, LEFT = 2 }; /* of the members, counted from one */

static unsigned member(const struct world *w, unsigned who)
{
	return (w->rift.first + who) % w->plan.members;
}

static void gone_for_good(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	struct machine *m = &w->machines[member(w, AWAY)];

	(void)arg;
	for (unsigned i = 0; i < w->plan.members; i++)
		if (w->machines[i].out || w->machines[i].damaged)
			return;
	if (!m->process)
		return;
	world_say(w, "member %u is gone for good", m->number + 1);
	m->out = true;
	w->counters.faults[FAULT_rift]++;
	process_crash(m->process, false);
}

static void others_go_on(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	uint64_t left = w->plan.chaos_us - world_now(w);

	(void)arg;
	w->net.mute_votes = w->net.mute_questions = 0;
	for (unsigned i = 0; i < w->plan.members; i++)
		for (unsigned j = 0; j < w->plan.members; j++)
			vnet_mend(&w->net, i, j);
	fault_isolate(w, member(w, ALONE), left);
	/* Else it goes on with its candidacy, and tells its term that way. */
	struct process *alone = w->machines[member(w, ALONE)].process;
	if (alone)
		process_crash(alone, false);
	agenda_add(&w->agenda, w->plan.chaos_us - 1, NULL, gone_for_good, w, 0);
}

/* Candidacies of the second are heard only as a question, those of the third
 * not at all. */
static void rift(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	uint64_t election = w->plan.election_ms * MS;
	struct process *leader = fault_leader(w);

	(void)arg;
	if (leader)
		w->rift.first = leader->machine->number;
	world_say(w, "member %u is away, member %u gains terms",
		  member(w, AWAY) + 1, member(w, ALONE) + 1);
	fault_isolate(w, member(w, AWAY), GAIN * election);
	w->net.mute_votes = 1u << member(w, ALONE);
	w->net.mute_questions = 1u << member(w, LEFT);
	agenda_add(&w->agenda, world_now(w) + GAIN * election, NULL,
		   others_go_on, w, 0);
}

void rift_start(struct world *w)
{
	uint64_t election = w->plan.election_ms * MS;
	uint64_t at = w->plan.chaos_us - (GAIN + APART) * election;

	if (!w->plan.rift || w->plan.chaos_us < (GAIN + APART) * election)
		return;
	agenda_add(&w->agenda, at, NULL, rift, w, 0);
}
