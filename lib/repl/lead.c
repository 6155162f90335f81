/* Leading: the term's own entry, the clock, and what is proposed when.
 *
 * A new leader proposes an entry without operations and without a stamp. When
 * it has been applied here, everything before it has been, too: from then on
 * this member serves. (Such an entry is also what makes changes of the members
 * one by one safe.) */
#include "repl/internal.h"

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool leads(const struct repl *repl)
{
	return repl->running && !guard_dead(repl->guard) &&
	       raft_state(raft_of(repl)) == RAFT_LEADER;
}

bool lead_serving(const struct repl *repl)
{
	return leads(repl) && repl->serving != 0 &&
	       repl->serving == raft_current_term(raft_of(repl));
}

void lead_clear(struct repl *repl)
{
	batch_clear(&repl->batch);
	sealed_free(&repl->batch, &repl->sealed);
}

static uint64_t election_us(const struct repl *repl)
{
	return (uint64_t)repl->config.election_ms * 1000;
}

/* The index tells our entry from one of the same term that this member proposed
 * in a former process: the only voter of a group leads on in its old term. */
void lead_applied(struct repl *repl, uint64_t index, const struct entry *entry)
{
	struct clocks now;

	if (!leads(repl) || index != repl->opened_index ||
	    entry->term != raft_current_term(raft_of(repl)))
		return;
	env_clocks(repl->env, &now);
	clock_start(&repl->clock, core_now(repl->fsm.core), &now);
	repl->serving = entry->term;
	repl->stamp = core_now(repl->fsm.core);
	repl->stamped = now.monotonic;
}

static void open_term(struct repl *repl)
{
	raft_term term = raft_current_term(raft_of(repl));

	repl->serial = 0;
	repl->hashed = 0;
	repl->opened_index = propose(repl, 0, NULL);
	if (repl->opened_index == 0)
		return;
	repl->opened = term;
	repl->stats.elections++;
}

/* The latest stamp that expires no session whose renewal waits here: "a due
 * tick goes behind renewals already received".
 *
 * The clock is set back to what is stamped, which is always safe: time only
 * runs slower. It can't go on for ever: the renewal that time waits for is in
 * the very next entries, and then its session's deadline lies a ttl ahead. Only
 * renewals count that the core will accept (the session lives, and is the
 * asking node's). Where the deadline isn't above the last stamp proposed, an
 * entry on its way has ended the session, or has renewed it, so that it ends
 * later than is known here: time stands still until that has been applied. */
struct hold {
	const struct core *core;
	uint64_t floor, stamp;
};

static void hold_back(void *ctx, const struct renewal *renewal)
{
	struct hold *h = ctx;
	struct record r;

	if (!core_session(h->core, renewal->session, &r) ||
	    r.session.node != renewal->node || r.session.deadline > h->stamp)
		return;
	/* One that is due by entries on their way may be renewed by them, too:
	 * until they are applied no time passes. */
	h->stamp = most(r.session.deadline - 1, h->floor);
}

/* Read the clock for an entry, after the last of its operations was received.
 * A step beyond the replicated maximum would be cut by the core, so the clock
 * doesn't make it either. */
static uint64_t stamp_of(struct repl *repl)
{
	const struct core *core = repl->fsm.core;
	struct hold h = { core, most(repl->stamp, core_now(core)), 0 };
	struct clocks now;

	env_clocks(repl->env, &now);
	h.stamp = least(clock_read(&repl->clock, &now),
			h.floor + core_limits(core)->step_max_us);
	if (core_deadline(core) <= h.stamp) {
		batch_renewals(&repl->batch, hold_back, &h);
		sealed_renewals(&repl->sealed, hold_back, &h);
	}
	h.stamp = most(h.stamp, h.floor);
	clock_set_back(&repl->clock, h.stamp);
	return h.stamp;
}

/* false: not now. */
static bool seal(struct repl *repl)
{
	uint64_t stamp = stamp_of(repl);

	if (!repl->sealed.chunk && !batch_empty(&repl->batch) &&
	    !batch_seal(&repl->batch, &repl->sealed))
		return false;
	if (propose(repl, stamp, &repl->sealed) == 0)
		return false;
	sealed_free(&repl->batch, &repl->sealed);
	repl->stamp = stamp;
	repl->stamped = monotonic_now(repl);
	return true;
}

/* On the monotonic clock, when an entry is to be proposed for its stamp alone:
 * a deadline is reached, or pending and the last stamp is old. An entry on its
 * way may change either, so there is none before it was applied. */
static uint64_t tick_due(const struct repl *repl)
{
	uint64_t deadline = core_deadline(repl->fsm.core);
	uint64_t now = repl->clock.now;

	if (deadline == UINT64_MAX || propose_inflight(repl) > 0)
		return UINT64_MAX;
	uint64_t at = repl->stamped + STAMP_EVERY_US;
	if (repl->stamp >= deadline)
		return at;
	if (deadline <= now)
		return 0;
	return least(at, repl->clock.last.monotonic + (deadline - now));
}

static uint64_t seal_due(const struct repl *repl)
{
	if (propose_inflight(repl) >= repl->config.inflight_max)
		return UINT64_MAX;
	if (repl->sealed.chunk)
		return 0;
	return least(batch_ready(&repl->batch), tick_due(repl));
}

static void serve(struct repl *repl, bool paused)
{
	struct clocks now;

	env_clocks(repl->env, &now);
	clock_turn(&repl->clock, election_us(repl));
	clock_read(&repl->clock, &now);
	while (!paused && lead_serving(repl) && seal_due(repl) <= now.monotonic)
		if (!seal(repl))
			return;
}

/* The voter that has most of the log, of those that are linked. */
static raft_id best_successor(const struct repl *repl)
{
	struct raft *raft = raft_of(repl);
	raft_index best = 0, match;
	raft_id id = 0;

	for (unsigned i = 0; i < raft->configuration.n; i++) {
		const struct raft_server *s = &raft->configuration.servers[i];

		if (s->id == raft->id || s->role != RAFT_VOTER ||
		    !repl->calls->linked(repl->arg, s->id) ||
		    raft_match_index(raft, s->id, &match) != 0)
			continue;
		if (id == 0 || match > best) {
			id = s->id;
			best = match;
		}
	}
	return id;
}

/* A last stamp first: the next leader's clock continues from it. */
static void hand_over(struct repl *repl)
{
	struct raft *raft = raft_of(repl);
	raft_id id = best_successor(repl);

	repl->transfer_wanted = false;
	if (id == 0 || raft->transfer)
		return;
	if (core_deadline(repl->fsm.core) != UINT64_MAX)
		seal(repl);
	if (lead_serving(repl))
		raft_transfer(raft, &repl->transfer, id, NULL);
}

void lead_turn(struct repl *repl, bool paused)
{
	propose_reclaim(repl);
	if (!lead_serving(repl))
		lead_clear(repl);
	if (leads(repl) && repl->opened != raft_current_term(raft_of(repl)))
		open_term(repl);
	if (lead_serving(repl))
		serve(repl, paused);
	if (lead_serving(repl) && repl->transfer_wanted && !paused)
		hand_over(repl);
}

uint64_t lead_wake(struct repl *repl)
{
	uint64_t now = repl->turned.monotonic;

	if (!lead_serving(repl))
		return UINT64_MAX;
	uint64_t due = seal_due(repl);
	/* What is due and wasn't proposed is refused for the moment. */
	return due > now ? due : now + (uint64_t)repl->config.tick_ms * 1000;
}
