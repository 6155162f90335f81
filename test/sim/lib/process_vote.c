/* A member's vote. It may crash just before the vote is stored, when its disk
 * knows the term already, and be back soon. And it never votes for two in a
 * term, whatever it forgot. */
#include "sim/lib/process.h"

static int set_vote(struct raft_io *io, raft_id id)
{
	struct process *p = container_of(io, struct process, disk.io);
	struct machine *m = p->machine;
	struct world *w = p->world;
	uint64_t term = m->disk.term;

	if (!id) /* none yet, in a new term */
		return p->store_vote(io, id);
	/* One that repeats its vote has more to forget. */
	uint64_t ppm = w->plan.vote_crash_ppm;
	if (m->vote_term == term)
		ppm *= VOTE_AGAIN_FACTOR;
	if (w->phase == PHASE_CHAOS && !p->zombie &&
	    dice_chance(&w->for_faults, ppm)) {
		w->counters.faults[FAULT_crash_at_vote]++;
		p->zombie = p->back_soon = true;
	}
	world_say(w, "member %u votes for %llu in term %llu%s%s", m->number + 1,
		  (unsigned long long)id, (unsigned long long)term,
		  m->vote_term == term ? " again" : "",
		  p->zombie ? ", and dies of it" : "");
	int rc = p->store_vote(io, id);
	if (rc || p->zombie || p->gate.dead)
		return rc;
	if (m->vote_term == term && m->vote != id)
		world_violation(w, "vote",
				"member %u votes for %llu and %llu in term "
				"%llu",
				m->number + 1, (unsigned long long)m->vote,
				(unsigned long long)id,
				(unsigned long long)term);
	m->vote_term = term;
	m->vote = id;
	return 0;
}

void process_watch_vote(struct process *p)
{
	p->store_vote = p->disk.io.set_vote;
	p->disk.io.set_vote = set_vote;
}
