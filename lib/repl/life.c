/* The life of a repl: options, opening, starting, closing: repl.h. */
#include "repl/internal.h"

#include <stdio.h>

static void set_default(uint32_t *value, uint32_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

static uint32_t tick_default(uint32_t election_ms)
{
	uint32_t tick = election_ms / TICKS_IN_ELECTION_MIN;

	return tick < TICK_MS ? (tick ? tick : 1) : TICK_MS;
}

static void set_defaults(struct repl_config *c)
{
	set_default(&c->election_ms, ELECTION_MS);
	set_default(&c->tick_ms, tick_default(c->election_ms));
	set_default(&c->heartbeat_ms, c->tick_ms / HEARTBEATS_IN_TICK);
	set_default(&c->heartbeat_ms, 1);
	set_default(&c->snapshot_threshold, SNAPSHOT_THRESHOLD);
	set_default(&c->snapshot_trailing, SNAPSHOT_TRAILING);
	set_default(&c->image_slice, IMAGE_SLICE);
	set_default(&c->append_timeout_ms, APPEND_TIMEOUT_MS);
	set_default(&c->inflight_max, INFLIGHT);
	if (c->hash_every == 0)
		c->hash_every = HASH_EVERY;
}

/* Entries that may be in flight to one follower. The log must keep many times
 * as many behind a snapshot: guard 9. */
static uint32_t raft_inflight(const struct repl_config *c)
{
	uint32_t most = c->snapshot_trailing / TRAILING_FACTOR;

	if (c->guards_off & UINT32_C(1) << GUARD_COMPACTED)
		return RAFT_INFLIGHT_MAX;
	return most < RAFT_INFLIGHT_MAX ? most : RAFT_INFLIGHT_MAX;
}

static const char *config_wrong(const struct repl_config *c)
{
	if (c->id == 0)
		return "a member's id must be 1 or more";
	if (c->members_len > HF_MEMBERS_MAX)
		return "too many members";
	if (c->heartbeat_ms > c->tick_ms || c->tick_ms >= c->election_ms)
		return "heartbeat <= tick < election timeout doesn't hold";
	if (c->inflight_max > INFLIGHT_MAX)
		return "too many entries in flight";
	if (raft_inflight(c) < c->inflight_max)
		return "the snapshot trailing is too small for the entries in "
		       "flight";
	return NULL;
}

static int refuse(char *error, int rc, const char *text)
{
	if (error)
		snprintf(error, HF_ERROR_TEXT, "%s", text);
	return rc;
}

static int refuse_raft(char *error, int rv, const char *text)
{
	int rc = HF_EIO;

	if (rv == RAFT_NOMEM)
		rc = HF_ENOMEM;
	else if (rv == RAFT_CORRUPT || rv == RAFT_MALFORMED)
		rc = HF_ECORRUPT;
	return refuse(error, rc, text && *text ? text : raft_strerror(rv));
}

static void world_send(void *arg, uint64_t to, enum lane lane,
		       const uint8_t *bytes, size_t len)
{
	struct repl *repl = arg;

	repl->calls->send(repl->arg, to, lane, bytes, len);
}

static bool world_linked(void *arg, uint64_t to)
{
	struct repl *repl = arg;

	return repl->calls->linked(repl->arg, to);
}

static void world_failed(void *arg, int rc, const char *text)
{
	struct repl *repl = arg;

	repl->failed = rc;
	snprintf(repl->text, sizeof(repl->text), "%s", text);
}

static void world_hold(void *arg, struct disk_request *put)
{
	snapshot_hold(arg, put);
}

static void world_unhold(void *arg)
{
	snapshot_abort(arg);
}

static void world_stored(void *arg, bool taken)
{
	struct repl *repl = arg;

	if (taken)
		repl->stats.snapshots_taken++;
	else
		repl->stats.snapshots_installed++;
}

static void end(struct repl *repl, bool clean)
{
	if (repl->done_called)
		return;
	repl->done_called = true;
	repl->done(repl->done_arg, clean);
}

static void world_closed(void *arg)
{
	end(arg, true);
}

static const struct guard_world world = {
	.send = world_send,
	.linked = world_linked,
	.failed = world_failed,
	.hold = world_hold,
	.unhold = world_unhold,
	.stored = world_stored,
	.closed = world_closed,
};

static const char *own_address(const struct repl_config *c)
{
	for (size_t i = 0; i < c->members_len; i++)
		if (c->members[i].id == c->id)
			return c->members[i].address;
	return "";
}

/* The election timeout comes first: libraft triples the pair 150 and 15. */
static void set_up(struct repl *repl)
{
	const struct repl_config *c = &repl->config;
	struct raft *raft = raft_of(repl);

	raft->tracer = NULL; /* else it formats each of its steps as text */
	raft_set_election_timeout(raft, c->election_ms);
	raft_set_heartbeat_timeout(raft, c->heartbeat_ms);
	raft_set_install_snapshot_timeout(raft, INSTALL_MS);
	raft_set_pre_vote(raft, true);
	raft_set_capacity_threshold(raft, 0);
	raft_set_max_inflight_entries(raft, raft_inflight(c));
	raft_set_snapshot_threshold(raft, c->snapshot_threshold);
	raft_set_snapshot_trailing(raft, c->snapshot_trailing);
	raft_seed(raft, (unsigned)env_random64(repl->env));
}

static int open_raft(struct repl *repl, char *error)
{
	struct guard *g = repl->guard;

	fsm_init(repl);
	int rv = raft_init(&g->raft, &g->io, &g->fsm, repl->config.id,
			   own_address(&repl->config));
	if (rv != 0)
		return refuse_raft(error, rv, g->raft.errmsg);
	set_up(repl);
	return 0;
}

static int make_parts(struct repl *repl, struct raft_io *io)
{
	const struct guard_config guard = {
		.tick_ms = repl->config.tick_ms,
		.append_timeout_ms = repl->config.append_timeout_ms,
		.off = repl->config.guards_off,
		.mem = repl->mem,
	};

	repl->fsm.core = core_create(repl->mem, env_random64(repl->env));
	if (!repl->fsm.core)
		return HF_ENOMEM;
	core_check_every(repl->fsm.core, repl->config.check_every);
	repl->guard = guard_create(&guard, repl->env, io, &world, repl);
	return repl->guard ? 0 : HF_ENOMEM;
}

static const struct mem plain_mem;

int repl_open(struct repl **out, const struct repl_config *config,
	      struct env *env, struct raft_io *io,
	      const struct repl_calls *calls, void *arg, char *error)
{
	struct repl_config c = *config;

	*out = NULL;
	set_defaults(&c);
	if (config_wrong(&c))
		return refuse(error, HF_EINVAL, config_wrong(&c));
	const struct mem *mem = c.mem ? c.mem : &plain_mem;
	struct repl *repl = mem_zalloc(mem, sizeof(*repl));
	if (!repl)
		return refuse(error, HF_ENOMEM, "out of memory");
	repl->config = c;
	repl->env = env;
	repl->mem = repl->batch.mem = mem;
	repl->calls = calls;
	repl->arg = arg;
	repl->reads.nonce = env_random64(env);
	env_clocks(env, &repl->turned);
	int rc = make_parts(repl, io);
	if (rc != 0)
		refuse(error, rc, "out of memory");
	else
		rc = open_raft(repl, error);
	if (rc != 0) {
		fsm_free(repl);
		guard_destroy(repl->guard);
		mem_free(mem, repl);
		return rc;
	}
	*out = repl;
	return 0;
}

static int bootstrap(struct repl *repl)
{
	const struct repl_config *c = &repl->config;
	struct raft_configuration conf;
	int rv = 0;

	if (c->members_len == 0)
		return 0;
	raft_configuration_init(&conf);
	for (size_t i = 0; i < c->members_len && rv == 0; i++)
		rv = raft_configuration_add(&conf, c->members[i].id,
					    c->members[i].address, RAFT_VOTER);
	if (rv == 0)
		rv = raft_bootstrap(raft_of(repl), &conf);
	raft_configuration_close(&conf);
	return rv == RAFT_CANTBOOTSTRAP ? 0 : rv; /* it has a state already */
}

int repl_start(struct repl *repl, char *error)
{
	int rv = bootstrap(repl);

	repl->config.members = NULL;
	/* libraft keeps the io's words only from raft_start. */
	if (rv != 0)
		return refuse_raft(error, rv, repl->guard->io.errmsg);
	rv = raft_start(raft_of(repl));
	if (repl->failed)
		return refuse(error, repl->failed, repl->text);
	if (rv != 0)
		return refuse_raft(error, rv, raft_errmsg(raft_of(repl)));
	repl->running = true;
	env_clocks(repl->env, &repl->turned);
	return 0;
}

void repl_close(struct repl *repl, void (*done)(void *arg, bool clean),
		void *arg)
{
	if (!repl || repl->closing)
		return;
	repl->closing = true;
	repl->running = false;
	repl->done = done;
	repl->done_arg = arg;
	read_close(repl);
	lead_clear(repl);
	guard_close(repl->guard);
	/* After a failed write raft_uv's close never completes. */
	if (!repl->guard->closed && repl->guard->disk_failed) {
		guard_abandon(repl->guard);
		repl->guard = NULL;
		end(repl, false);
	}
}

void repl_free(struct repl *repl)
{
	if (!repl)
		return;
	lead_clear(repl);
	fsm_free(repl);
	guard_destroy(repl->guard);
	mem_free(repl->mem, repl);
}
