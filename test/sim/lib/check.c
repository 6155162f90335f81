/* See check.h. */
#include "sim/lib/check.h"

static void check_state(struct process *p)
{
	struct world *w = p->world;
	const struct core *core = node_core(p->node);
	uint64_t index = core_index(core);
	struct vdisk *disks[MACHINES_MAX];

	if (index == p->applied)
		return;
	p->applied = index;
	if (core_poisoned(core)) {
		world_violation(w, "member %u: %s", p->machine->number + 1,
				core_error(core));
		return;
	}
	for (unsigned i = 0; i < w->plan.members; i++)
		disks[i] = &w->machines[i].disk;
	const char *wrong = oracle_follow(&w->oracle, disks, w->plan.members,
					  index, core_hash(core));
	if (wrong)
		world_violation(w, "member %u, index %llu: %s",
				p->machine->number + 1,
				(unsigned long long)index, wrong);
}

static void check_leader(struct process *p)
{
	struct world *w = p->world;
	uint64_t term = repl_term(node_repl(p->node));
	uint8_t me = (uint8_t)(p->machine->number + 1);

	if (term == p->term || !node_serving(p->node))
		return;
	p->term = term;
	w->counters.elections++;
	world_say(w, "member %u serves in term %llu", me,
		  (unsigned long long)term);
	if (term >= TERMS_MAX)
		return;
	if (w->leader_of[term] && w->leader_of[term] != me)
		world_violation(w, "members %u and %u both lead in term %llu",
				w->leader_of[term], me,
				(unsigned long long)term);
	w->leader_of[term] = me;
}

static uint64_t certain(void *ctx, const struct belief *b)
{
	const struct user *u = b->holder;

	(void)ctx;
	return process_certain(u->process, b->record->session);
}

void check_belief(struct process *p, const struct belief *b)
{
	struct world *w = p->world;
	struct hold_record *r = b->record;

	if (!certain(NULL, b))
		return;
	r->held_until = world_now(w);
	const struct belief *other =
		belief_conflict(&w->names[r->name].beliefs, b, certain, NULL);
	if (other)
		world_violation(w,
				"lock %u: member %u is certain of token %llu "
				"and member %u of token %llu",
				r->name, r->machine + 1,
				(unsigned long long)r->token,
				other->record->machine + 1,
				(unsigned long long)other->record->token);
	if (!oracle_hold(&w->oracle, r->session, r->token))
		world_violation(w,
				"lock %u: member %u is certain of token %llu, "
				"which the cluster doesn't have",
				r->name, r->machine + 1,
				(unsigned long long)r->token);
}

static void check_lease(struct process *p)
{
	uint64_t version = node_lease(p->node)->version;

	if (version == p->lease_version)
		return;
	p->lease_version = version;
	for (unsigned i = 0; i < p->world->plan.users; i++)
		if (p->users[i].belief.held)
			check_belief(p, &p->users[i].belief);
}

void check_process(struct process *p)
{
	check_state(p);
	check_leader(p);
	check_lease(p);
}

void check_session_ended(void *ctx, uint64_t node, uint64_t session)
{
	struct world *w = ctx;
	const struct process *p = w->machines[node - 1].process;

	if (p && !p->zombie && process_certain(p, session))
		world_violation(w,
				"member %llu is certain of session %llu, "
				"which has ended",
				(unsigned long long)node,
				(unsigned long long)session);
}
