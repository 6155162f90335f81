/* A repl's turns, what comes in, and what it knows: repl.h. */
#include "repl/internal.h"

#include "codec/raftmsg.h"
#include "repl/message.h"

static void tell_changes(struct repl *repl)
{
	uint64_t leader = repl_leader(repl), term = repl_term(repl);
	bool serving = repl_serving(repl);

	if (leader == repl->told_leader && term == repl->told_term &&
	    serving == repl->told_serving)
		return;
	repl->told_leader = leader;
	repl->told_term = term;
	repl->told_serving = serving;
	repl->calls->changed(repl->arg);
}

static void tell_failure(struct repl *repl)
{
	if (!repl->failed || repl->failed_told)
		return;
	repl->failed_told = true;
	repl->calls->failed(repl->arg, repl->failed, repl->text);
}

/* Time since the last turn on the monotonic clock. */
static uint64_t elapsed(struct repl *repl)
{
	uint64_t before = repl->turned.monotonic;

	env_clocks(repl->env, &repl->turned);
	return repl->turned.monotonic - before;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_turn(struct repl *repl, bool at_once)
{
	uint64_t now = repl->turned.monotonic;
	uint64_t patience = disk_patience(repl->guard);
	uint64_t at = earliest(lead_wake(repl), read_wake(repl));

	if (at_once || guard_dead(repl->guard) != repl->failed_told)
		return now;
	if (patience != UINT64_MAX)
		at = earliest(at, now + patience);
	return at > now ? at : now;
}

uint64_t repl_turn(struct repl *repl)
{
	if (!repl->running)
		return UINT64_MAX;
	uint64_t gap = elapsed(repl);
	uint64_t most = (uint64_t)repl->config.election_ms * 1000;
	bool paused = gap > most;

	guard_turn(repl->guard, earliest(gap, most));
	if (raft_state(raft_of(repl)) == RAFT_UNAVAILABLE)
		guard_fail(repl->guard, HF_EIO, "libraft has given up");
	tell_changes(repl);
	lead_turn(repl, paused);
	bool more = snapshot_turn(repl);
	read_turn(repl, repl->turned.monotonic);
	if (!repl->running)
		return UINT64_MAX;
	tell_changes(repl);
	tell_failure(repl);
	if (!repl->running || repl->failed)
		return UINT64_MAX;
	return next_turn(repl, paused || more);
}

static int receive_raft(struct repl *repl, uint64_t from, const uint8_t *bytes,
			size_t len)
{
	struct raft_message m = { 0 };
	int rc = raftmsg_decode(bytes, len, &m);

	if (rc == HF_ENOMEM)
		return 0; /* a lost message */
	if (rc != 0)
		return rc;
	m.server_id = from;
	m.server_address = "";
	guard_receive(repl->guard, &m);
	return 0;
}

int repl_receive(struct repl *repl, uint64_t from, const uint8_t *bytes,
		 size_t len)
{
	if (!repl->running || guard_dead(repl->guard))
		return 0;
	if (len == 0)
		return HF_ECORRUPT;
	switch (bytes[0]) {
	case MESSAGE_RAFT:
		return receive_raft(repl, from, bytes + 1, len - 1);
	case MESSAGE_POLL:
	case MESSAGE_TERM:
		return read_message(repl, from, bytes, len);
	default:
		return HF_ECORRUPT;
	}
}

/* How long a renewal may wait for company. */
static uint64_t patience_of(const struct repl *repl, const struct op *op)
{
	uint64_t wait = RENEW_WAIT_US;
	struct record r;

	if (core_session(repl->fsm.core, op->session, &r))
		wait = earliest(wait, r.session.ttl / RENEW_WAIT_SHARE);
	return wait;
}

int repl_submit(struct repl *repl, const struct op *op, const uint8_t *bytes,
		size_t len)
{
	uint64_t ready = 0;

	if (!lead_serving(repl))
		return HF_ENOLEADER;
	if (op->kind == OP_RENEW)
		ready = monotonic_now(repl) + patience_of(repl, op);
	return batch_add(&repl->batch, op, bytes, len, ready);
}

const struct core *repl_core(const struct repl *repl)
{
	return repl->fsm.core;
}

uint64_t repl_leader(const struct repl *repl)
{
	raft_id id = 0;
	const char *address;

	if (repl->running && !repl->failed)
		raft_leader(raft_of(repl), &id, &address);
	return id;
}

uint64_t repl_term(const struct repl *repl)
{
	return repl->running ? raft_current_term(raft_of(repl)) : 0;
}

bool repl_serving(const struct repl *repl)
{
	return lead_serving(repl);
}

uint64_t repl_applied(const struct repl *repl)
{
	return core_index(repl->fsm.core);
}

bool repl_failed(const struct repl *repl)
{
	return repl->failed != 0;
}

void repl_stats(const struct repl *repl, struct repl_stats *stats)
{
	*stats = repl->stats;
	for (size_t i = 0; repl->guard && i < GUARDS; i++)
		stats->guarded[i] = repl->guard->counts[i];
}

void repl_transfer(struct repl *repl)
{
	repl->transfer_wanted = lead_serving(repl);
}
