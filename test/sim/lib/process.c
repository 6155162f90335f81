/* See process.h. */
#include "sim/lib/process.h"
#include "sim/lib/check.h"
#include "sim/lib/check_raft.h"

#include <stdlib.h>

#define CLOSE_US 1000000
#define DOWN_MAX_US 3000000 /* between a crash and the next boot */
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

/* The turn that comes may have waited; the last one does after `slow_until`. */
static void have_waited(struct process *p)
{
	if (world_now(p->world) < p->slow_until + p->turn_waits)
		p->pauses++;
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
	have_waited(p);
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

bool process_starved_to_death(const struct process *p, int rc)
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

	if (!p->disk.failed && !process_starved_to_death(p, event->rc))
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
	check_state(p);
	agenda_note(&p->world->agenda, event->type);
	if (event->type == HF_EVENT_SESSION)
		session_changed(p, event->session);
	else if (event->type == HF_EVENT_FAILED)
		on_failed(p, event);
	else if (event->type == HF_EVENT_REVOKED)
		check_revoked(p, event);
}

static const struct vdisk_calls disk_calls = { process_effect, disk_ran,
					       disk_broken };
static const struct vnet_calls net_calls = { net_incoming, net_connected,
					     net_data, net_closed };
const struct node_calls process_calls = { on_event };

void process_connect(struct process *p)
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

static void forget_users(struct process *p)
{
	for (unsigned i = 0; i < p->world->plan.users; i++)
		user_forget(&p->users[i]);
}

static void process_end(struct process *p)
{
	forget_users(p);
	for (unsigned i = 0; i < p->world->plan.clerks; i++)
		clerk_forget(&p->clerks[i]);
	for (unsigned i = 0; i < p->world->plan.watchmen; i++)
		watchman_forget(&p->watchmen[i]);
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
	for (unsigned i = 0; i < p->world->plan.clerks; i++)
		if (clerk_busy(&p->clerks[i]))
			world_violation(
				p->world, "callback",
				"member %u, clerk %u: a callback didn't "
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
	forget_users(p);
	node_close(p->node, CLOSE_US, node_closed, p);
	process_poke(p);
}
