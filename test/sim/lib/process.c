/* See process.h. */
#include "sim/lib/process.h"
#include "sim/lib/check.h"
#include "sim/lib/check_raft.h"

#include <stdlib.h>

#define CLOSE_US 1000000
#define OPERATOR_MAX_US 500000 /* until somebody closes what has failed */
#define DOWN_MAX_US 3000000    /* between a crash and the next boot */
#define BACK_SOON_US 50000

static void turn(void *ctx, uint64_t arg);

void process_turn_at(struct process *p, uint64_t at)
{
	if (at >= p->turn_at)
		return;
	p->turn_at = at;
	agenda_add(&p->world->agenda, at, &p->gate, turn, p, at);
}

void process_poke(struct process *p)
{
	process_turn_at(p, world_now(p->world) + process_turn_delay(p));
}

uint64_t process_turn_delay(struct process *p)
{
	bool slow = p->turn_waits && world_now(p->world) < p->slow_until;

	return dice_between(&p->random, 1,
			    slow ? p->turn_waits : PROCESS_TURN_US);
}

/* The turn that was has taken its time. */
static void take_time(struct process *p)
{
	uint64_t now = world_now(p->world);

	if (now >= p->slow_until || p->gate.dead)
		return;
	p->pauses++;
	if (p->turn_takes && p->gate.shut_until <= now)
		p->gate.shut_until =
			now + dice_between(&p->random, 1, p->turn_takes);
}

void process_wake(struct process *p)
{
	agenda_open(&p->world->agenda, &p->gate);
	agenda_open(&p->world->agenda, &p->users_gate);
	p->turn_at = UINT64_MAX; /* of a turn that is put off */
	process_poke(p);
}

/* The node has run: see whether it died on the way, and what it has become. */
static void settle(struct process *p)
{
	if (p->zombie && !p->gate.dead) {
		p->world->counters.faults[FAULT_crash_in_step]++;
		process_crash(p, false);
		if (p->back_soon)
			machine_boot_later(p->machine,
					   dice_between(&p->world->for_faults,
							1, BACK_SOON_US));
	} else if (!p->gate.dead && !p->world->stop) {
		check_process(p);
		check_raft(p);
		p->mute = p->failed;
	}
}

bool process_hangs(const struct process *p)
{
	return p->gate.shut_until > world_now(p->world);
}

static void turn(void *ctx, uint64_t arg)
{
	struct process *p = ctx;

	if (arg != p->turn_at)
		return;
	p->turn_at = UINT64_MAX;
	node_turn(p->node);
	settle(p);
	if (!p->gate.dead && !p->world->stop)
		check_told(p);
	take_time(p);
}

static void disk_ran(void *ctx)
{
	struct process *p = ctx;

	settle(p);
	process_poke(p);
}

static void disk_broken(void *ctx, const char *text)
{
	struct process *p = ctx;

	world_violation(p->world, "disk", "member %u: %s",
			p->machine->number + 1, text);
}

static void net_incoming(void *ctx, struct conn *conn)
{
	struct process *p = ctx;

	node_conn_incoming(p->node, conn);
	disk_ran(p);
}

static void net_connected(void *ctx, void *owner)
{
	struct process *p = ctx;

	node_conn_connected(p->node, owner);
	disk_ran(p);
}

static void net_data(void *ctx, void *owner, const uint8_t *bytes, size_t len)
{
	struct process *p = ctx;

	node_conn_data(p->node, owner, bytes, len);
	disk_ran(p);
}

static void net_closed(void *ctx, void *owner)
{
	struct process *p = ctx;

	node_conn_closed(p->node, owner);
	disk_ran(p);
}

static void session_changed(struct process *p, enum hf_session_state state)
{
	struct counters *c = &p->world->counters;

	c->to_unsure +=
		state == HF_SESSION_UNSURE && p->session != HF_SESSION_UNSURE;
	c->unsure_to_safe +=
		state == HF_SESSION_SAFE && p->session == HF_SESSION_UNSURE;
	p->session = state;
	p->session_at = world_now(p->world);
	world_say(p->world, "member %u: session state %d",
		  p->machine->number + 1, (int)state);
}

bool process_starved(const struct process *p)
{
	return p->machine->memory.failures > p->memory_failures;
}

static bool starved_to_death(const struct process *p, int rc)
{
	return rc == HF_ENOMEM && process_starved(p);
}

static void operator_closes(void *ctx, uint64_t arg)
{
	(void)arg;
	process_close(ctx);
}

/* Only what its machine has done to it may end a member's part; somebody then
 * restarts it. */
static void on_failed(struct process *p, const struct hf_event *event)
{
	struct world *w = p->world;

	if (!p->disk.failed && !starved_to_death(p, event->rc))
		world_violation(w, "failed", "member %u failed: %s",
				p->machine->number + 1, event->text);
	world_say(w, "member %u fails: %s", p->machine->number + 1,
		  event->text);
	p->failed = true;
	agenda_add(&w->agenda,
		   world_now(w) +
			   dice_between(&w->for_trouble, 1, OPERATOR_MAX_US),
		   &p->gate, operator_closes, p, 0);
}

static void on_event(void *arg, const struct hf_event *event)
{
	struct process *p = arg;

	if (p->zombie)
		return;
	agenda_note(&p->world->agenda, event->type);
	if (event->type == HF_EVENT_SESSION)
		session_changed(p, event->session);
	else if (event->type == HF_EVENT_FAILED)
		on_failed(p, event);
}

static const struct vdisk_calls disk_calls = { process_effect, disk_ran,
					       disk_broken };
static const struct vnet_calls net_calls = { net_incoming, net_connected,
					     net_data, net_closed };
static const struct node_calls node_calls = { on_event };

static void init_env(struct process *p)
{
	struct world *w = p->world;

	process_env(p);
	p->disk.disk = &p->machine->disk;
	p->disk.agenda = &w->agenda;
	p->disk.gate = &p->gate;
	p->disk.random = &w->for_disk;
	p->disk.timing = &p->machine->timing;
	p->disk.trouble = &p->machine->trouble;
	p->disk.counts = &w->disk_counts;
	p->disk.calls = &disk_calls;
	p->disk.ctx = p;
	vdisk_io_init(&p->disk);
	process_watch_vote(p);
	p->host.net = &w->net;
	p->host.machine = p->machine->number;
	p->host.gate = &p->gate;
	p->host.calls = &net_calls;
	p->host.ctx = p;
}

static int open_node(struct process *p, char *error)
{
	const struct world *w = p->world;
	const struct plan *plan = &w->plan;
	struct repl_member members[MACHINES_MAX];
	struct node_config config = {
		.cluster = 1,
		.incarnation = 1,
		.boot = p->machine->boots,
		.former_dead = plan->former_dead,
		.ttl_us = plan->ttl_us,
		.renew_us = plan->renew_us,
		.margin_us = plan->margin_us,
		.drift_ppm = plan->drift_ppm,
		.unsure_is_lost = plan->unsure_is_lost,
		.checksum = true,
		.repl = { .id = p->machine->number + 1,
			  .members = members,
			  .members_len = plan->members,
			  .election_ms = plan->election_ms,
			  .snapshot_threshold = plan->snapshot_threshold,
			  .snapshot_trailing = plan->snapshot_trailing,
			  .image_slice = plan->image_slice,
			  .inflight_max = plan->inflight_max,
			  .check_every = plan->check_every,
			  .hash_every = plan->hash_every,
			  .mem = &p->machine->memory.mem,
			  .guards_off = w->options.guards_off }
	};

	for (unsigned i = 0; i < plan->members; i++)
		members[i] =
			(struct repl_member){ i + 1, w->machines[i].address };
	int rc = node_open(&p->node, &config, &p->env, &p->disk.io, &node_calls,
			   p, error);
	return rc ? rc : node_start(p->node, error);
}

/* It must refuse a damaged disk, and may be stopped by one that fails. */
static bool refused(struct process *p, int rc, const char *error)
{
	struct machine *m = p->machine;
	struct world *w = m->world;

	if (m->damaged && rc != HF_ECORRUPT && !starved_to_death(p, rc))
		world_violation(w, "damage",
				"member %u starts with damage to "
				"%s: %d",
				m->number + 1, m->damaged, rc);
	if (!rc)
		return false;
	if (!m->damaged && !p->disk.failed && !starved_to_death(p, rc))
		world_violation(w, "start", "member %u can't start: %d %s",
				m->number + 1, rc, error);
	world_say(w, "member %u can't start: %s", m->number + 1, error);
	m->out = rc == HF_ECORRUPT;
	w->counters.faults[FAULT_damage] += m->out;
	p->failed = p->mute = true;
	if (!p->node) {
		p->gate.dead = true;
		m->process = NULL;
		machine_boot_later(
			m, dice_between(&w->for_trouble, 1, OPERATOR_MAX_US));
		return true;
	}
	list_init(&p->host.conns); /* it never was on the network */
	process_close(p);
	return true;
}

void process_boot(struct machine *m)
{
	struct process *p = calloc(1, sizeof(*p));
	char error[HF_ERROR_TEXT] = "";

	if (!p)
		abort();
	m->boots++;
	m->process = p;
	p->world = m->world;
	p->machine = m;
	p->turn_at = UINT64_MAX;
	p->memory_failures = m->memory.failures;
	p->random =
		dice_fork(m->world->options.seed,
			  FOR_PROCESS + m->boots * MACHINES_MAX + m->number);
	world_say(m->world, "member %u boots (%llu)", m->number + 1,
		  (unsigned long long)m->boots);
	init_env(p);
	int rc = open_node(p, error);
	if (refused(p, rc, error))
		return;
	vnet_up(&p->host);
	for (unsigned i = 0; i < PROCESS_USERS; i++)
		user_start(&p->users[i], p, i);
	process_poke(p);
}

static void boot_if_down(void *ctx, uint64_t arg)
{
	struct machine *m = ctx;

	if (!m->process && !m->out && arg == m->restart)
		process_boot(m);
}

void machine_boot_later(struct machine *m, uint64_t us)
{
	struct agenda *agenda = &m->world->agenda;

	agenda_add(agenda, agenda->now + us, NULL, boot_if_down, m,
		   ++m->restart);
}

void process_count(const struct process *p)
{
	struct repl_stats stats;
	struct counters *c = &p->world->counters;

	repl_stats(node_repl(p->node), &stats);
	c->snapshots_taken += stats.snapshots_taken;
	c->snapshots_installed += stats.snapshots_installed;
	for (size_t i = 0; i < sizeof(stats.guarded) / sizeof(uint64_t); i++)
		c->guarded += stats.guarded[i];
}

static void process_end(struct process *p)
{
	for (unsigned i = 0; i < p->world->plan.users; i++)
		user_forget(&p->users[i]);
	process_count(p);
	p->gate.dead = p->users_gate.dead = true;
	p->machine->process = NULL;
}

void process_crash(struct process *p, bool silent)
{
	world_say(p->world, "member %u crashes", p->machine->number + 1);
	process_end(p);
	vdisk_io_crash(&p->disk);
	vnet_down(&p->host, silent);
	machine_boot_later(p->machine,
			   dice_between(&p->world->for_faults, 1, DOWN_MAX_US));
}

static void free_closed(void *ctx, uint64_t arg)
{
	struct process *p = ctx;

	(void)arg;
	for (unsigned i = 0; i < p->world->plan.users; i++)
		if (p->users[i].state != USER_IDLE)
			world_violation(p->world, "callback",
					"member %u, user %u: a callback didn't "
					"come before the node was closed",
					p->machine->number + 1, i + 1);
	process_end(p);
	vnet_down(&p->host, false);
	node_free(p->node);
	machine_boot_later(
		p->machine,
		p->world->phase != PHASE_CHAOS
			? 1
			: dice_between(&p->world->for_faults, 1, 500000));
}

static void node_closed(void *arg, bool clean)
{
	struct process *p = arg;

	if (p->zombie)
		return;
	world_say(p->world, "member %u has closed", p->machine->number + 1);
	if (!clean && !p->failed)
		world_violation(p->world, "close",
				"member %u didn't close cleanly",
				p->machine->number + 1);
	agenda_add(&p->world->agenda, world_now(p->world), &p->gate,
		   free_closed, p, 0);
}

void process_close(struct process *p)
{
	if (p->closing)
		return;
	world_say(p->world, "member %u closes", p->machine->number + 1);
	p->closing = true;
	for (unsigned i = 0; i < p->world->plan.users; i++)
		user_forget(&p->users[i]);
	node_close(p->node, CLOSE_US, node_closed, p);
	process_poke(p);
}
