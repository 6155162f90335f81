/* See check_raft.h. */
#include "sim/lib/check_raft.h"
#include "repl/internal.h"

/* libraft's struct raft_progress, as of 0.22: what a leader knows of another.
 */
struct progress {
	unsigned short state, catch_up, features, capacity;
	raft_index next, match;
	raft_time last_send, last_recv;
	raft_index snapshot_index;
	raft_time snapshot_last_send;
};

/* The commit index of a process never goes back. */
static void check_commit(struct process *p, const struct raft *raft)
{
	raft_index commit = raft->commit_index;

	if (commit < p->commit_index)
		world_violation(p->world, "raft",
				"member %u: its commit index goes back from "
				"%llu to %llu",
				p->machine->number + 1,
				(unsigned long long)p->commit_index, commit);
	p->commit_index = commit;
}

static uint64_t stored_up_to(const struct vdisk *disk)
{
	uint64_t last = vdisk_end(disk) - 1;
	uint64_t image = disk->snapshot ? disk->snapshot->index : 0;

	return last > image ? last : image;
}

/* What a leader thinks that another has stored is on its disk, as long as that
 * one knows of no later term. */
static void check_match(struct process *p, const struct raft *raft,
			const struct machine *m, raft_index match)
{
	if (m->disk.term > raft->current_term || m->damaged ||
	    match <= stored_up_to(&m->disk))
		return;
	world_violation(p->world, "raft",
			"member %u leads and believes that member %u has "
			"stored up to %llu",
			p->machine->number + 1, m->number + 1, match);
}

static void check_progress(struct process *p, const struct raft *raft)
{
	const struct progress *all = (const void *)raft->leader_state.progress;

	for (unsigned i = 0; i < raft->configuration.n; i++) {
		raft_id id = raft->configuration.servers[i].id;
		if (id == raft->id)
			continue;
		if (all[i].next <= all[i].match)
			world_violation(p->world, "raft",
					"member %u leads, and sends member "
					"%llu entry %llu, though it has %llu",
					p->machine->number + 1, id, all[i].next,
					all[i].match);
		check_match(p, raft, &p->world->machines[id - 1], all[i].match);
	}
}

/* Nobody votes for two in a term, whatever it forgot. */
static void check_vote(struct process *p, const struct raft *raft)
{
	struct machine *m = p->machine;

	/* One that closes or has failed no longer says what it decides. */
	if (!raft->voted_for || p->closing ||
	    guard_dead(node_repl(p->node)->guard))
		return;
	if (m->vote_term == raft->current_term && m->vote != raft->voted_for)
		world_violation(p->world, "vote",
				"member %u votes for %llu and %llu in term "
				"%llu",
				m->number + 1, (unsigned long long)m->vote,
				(unsigned long long)raft->voted_for,
				(unsigned long long)raft->current_term);
	m->vote_term = raft->current_term;
	m->vote = raft->voted_for;
}

/* A leader counts no time in which it didn't run: what it hasn't read may say
 * that a session lives. */
static void check_clock(struct process *p, const struct repl *repl)
{
	uint64_t most = p->world->plan.election_ms * UINT64_C(1000);
	bool same = repl->serving && repl->serving == p->clock_term;

	if (same && repl->clock.now > p->clock + most)
		world_violation(
			p->world, "time",
			"member %u leads, and its clock advances by "
			"%llu us in one turn",
			p->machine->number + 1,
			(unsigned long long)(repl->clock.now - p->clock));
	p->clock_term = repl->serving;
	p->clock = repl->clock.now;
}

void check_raft(struct process *p)
{
	struct repl *repl = node_repl(p->node);

	if (!repl || !repl->running || !repl->guard)
		return;
	const struct raft *raft = raft_of(repl);
	check_commit(p, raft);
	check_vote(p, raft);
	check_clock(p, repl);
	if (raft->state == RAFT_LEADER)
		check_progress(p, raft);
}
