/* See check.h. */
#include "sim/lib/check.h"
#include "lib/linear.h"
#include "sim/lib/promise.h"

#include <string.h>

void check_state(struct process *p)
{
	struct world *w = p->world;
	const struct core *core = node_core(p->node);
	uint64_t index = core_index(core);
	struct vdisk *disks[MACHINES_MAX];

	if (index == p->applied)
		return;
	p->applied = index;
	/* Where memory ran out it must fail, but has applied all before that.
	 */
	if (core_poisoned(core) && !process_starved(p)) {
		world_violation(w, "core", "member %u: %s",
				p->machine->number + 1, core_error(core));
		return;
	}
	for (unsigned i = 0; i < w->plan.members; i++)
		disks[i] = &w->machines[i].disk;
	w->oracle.ledger.time = world_now(w);
	struct wrong wrong = oracle_follow(&w->oracle, disks, w->plan.members,
					   index, core_hash(core));
	if (wrong.checker)
		world_violation(w, wrong.checker, "member %u, index %llu: %s",
				p->machine->number + 1,
				(unsigned long long)index, wrong.what);
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
	reigns_next(&w->reigns, &w->counters, me, term, world_now(w),
		    w->oracle.counts.sessions_expired, w->plan.ttl_us);
	world_say(w, "member %u serves in term %llu", me,
		  (unsigned long long)term);
	if (term >= TERMS_MAX)
		return;
	if (w->leader_of[term] && w->leader_of[term] != me)
		world_violation(
			w, "leader", "members %u and %u both lead in term %llu",
			w->leader_of[term], me, (unsigned long long)term);
	w->leader_of[term] = me;
}

static uint64_t certain(void *ctx, const struct belief *b)
{
	const struct user *u = b->holder;

	(void)ctx;
	return user_certain(u);
}

void check_belief(struct process *p, const struct belief *b)
{
	struct world *w = p->world;
	struct hold_record *r = b->record;

	if (!certain(NULL, b))
		return;
	/* Else part of it may be gone. */
	if (b->mode == r->mode)
		r->held_until = world_now(w);
	const struct belief *other =
		beliefs_conflict(&w->names[r->name].beliefs, b, certain, NULL);
	if (other)
		world_violation(w, "belief",
				"lock %u: member %u is certain of token %llu "
				"and member %u of token %llu",
				r->name, r->machine + 1,
				(unsigned long long)r->token,
				other->record->machine + 1,
				(unsigned long long)other->record->token);
	if (!oracle_hold(&w->oracle, r->session, r->token))
		world_violation(w, "certain",
				"lock %u: member %u is certain of token %llu, "
				"which the cluster doesn't have",
				r->name, r->machine + 1,
				(unsigned long long)r->token);
}

static void check_user(struct process *p, const struct user *u)
{
	for (size_t i = 0; i < u->parts_len; i++)
		if (u->parts[i].held)
			check_belief(p, &u->parts[i]);
}

static void check_lease(struct process *p)
{
	uint64_t version = node_lease(p->node)->version;

	if (version == p->lease_version)
		return;
	p->lease_version = version;
	for (unsigned i = 0; i < p->world->plan.users; i++)
		check_user(p, &p->users[i]);
}

/* What was before an installed snapshot its watches can't tell. */
static void note_installed(struct process *p)
{
	struct repl_stats stats;

	repl_stats(node_repl(p->node), &stats);
	if (stats.snapshots_installed != p->installed)
		p->first_index = core_index(node_core(p->node));
	p->installed = stats.snapshots_installed;
}

void check_process(struct process *p)
{
	if (p->mute && node_serving(p->node))
		world_violation(p->world, "failed",
				"member %u serves though it has failed",
				p->machine->number + 1);
	check_state(p);
	note_installed(p);
	check_leader(p);
	check_lease(p);
}

void check_session_ended(void *ctx, uint64_t node, uint64_t session,
			 bool expired)
{
	struct world *w = ctx;
	const struct process *p = w->machines[node - 1].process;

	if (!p || p->zombie)
		return;
	if (process_certain(p, session))
		world_violation(w, "certain",
				"member %llu is certain of session %llu, "
				"which has ended",
				(unsigned long long)node,
				(unsigned long long)session);
	/* It reads its own renewals before it expires anything. */
	if (expired && w->plan.members == 1 && !p->closing && !p->failed &&
	    node_lease(p->node)->session == session)
		world_violation(w, "expiry",
				"the only member let its own session %llu "
				"expire",
				(unsigned long long)session);
}

/* Those who hold by another session than the process has now know of it. */
static void check_losses(struct process *p, uint64_t session)
{
	for (unsigned i = 0; i < p->world->plan.users; i++) {
		const struct user *u = &p->users[i];
		if (user_holds(u) && !u->lost &&
		    u->parts[0].record->session != session)
			world_violation(
				p->world, "told",
				"member %u, user %u, lock %u: its hold of an "
				"ended session is lost, but nobody said so",
				p->machine->number + 1, i + 1, u->wish.name);
	}
}

void check_told(struct process *p)
{
	uint64_t session = node_lease(p->node)->session;

	if (p->zombie || p->closing || p->failed)
		return;
	if ((p->session == HF_SESSION_SAFE ||
	     p->session == HF_SESSION_JEOPARDY) &&
	    !p->world->plan.beyond_bound && !process_certain(p, session))
		world_violation(p->world, "told",
				"member %u isn't certain of its session, but "
				"says that it is",
				p->machine->number + 1);
	if (session != p->lease_session)
		check_losses(p, session);
	p->lease_session = session;
}

void check_histories(struct world *w)
{
	const struct hold_record *at = NULL;
	const char *wrong = history_check(&w->history, w->plan.names, &at);

	if (wrong) {
		world_violation(w, "history", "lock %u, token %llu: %s",
				at->name, (unsigned long long)at->token, wrong);
		return;
	}
	if (!linear_check_windows(&w->history, w->plan.names,
				  &w->counters.windows, &at))
		world_violation(w, "linear",
				"lock %u, up to token %llu: no order of it is "
				"legal",
				at->name, (unsigned long long)at->token);
}

/* At the moment when it was taken, or its time was over. */
static void check_end(struct user *u, uint64_t token)
{
	const struct hold_record *r = u->parts[0].record;
	struct world *w = u->process->world;

	if (!u->parts[0].held ||
	    oracle_root(&w->oracle, r->token) != oracle_root(&w->oracle, token))
		return;
	if (user_certain(u))
		world_violation(w, "certain",
				"lock %u: member %u is certain of token %llu, "
				"which has ended by itself",
				r->name, r->machine + 1,
				(unsigned long long)token);
	promise_lost(u);
}

void check_hold_ended(void *ctx, uint64_t node, uint64_t session,
		      uint64_t token)
{
	struct world *w = ctx;
	struct process *p = w->machines[node - 1].process;

	for (unsigned i = 0; p && !p->zombie && i < w->plan.users; i++)
		if (p->users[i].parts_len &&
		    p->users[i].parts[0].record->session == session)
			check_end(&p->users[i], token);
}

/* Whose it is hears of it once. */
void check_revoked(struct process *p, const struct hf_event *event)
{
	struct world *w = p->world;
	uint64_t reason = terms_digest(event->text, strlen(event->text));

	w->counters.revocations_told++;
	if (!terms_tell(&w->oracle.terms, oracle_root(&w->oracle, event->token),
			event->by, reason))
		world_violation(w, "told",
				"member %u: token %llu is said to be revoked "
				"by %llu, for \"%s\"",
				p->machine->number + 1,
				(unsigned long long)event->token,
				(unsigned long long)event->by, event->text);
	for (unsigned i = 0; i < w->plan.users; i++)
		if (user_holds(&p->users[i]) &&
		    p->users[i].token == event->token)
			user_revoked(&p->users[i], event->left_ms);
}

void check_granted(void *ctx, uint64_t node, uint64_t identity)
{
	user_granted(ctx, node, identity);
}
