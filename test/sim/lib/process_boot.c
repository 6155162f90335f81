/* A process begins: its node is opened with what the seed says, and must refuse
 * a disk that is damaged. See process.h. */
#include "sim/lib/process.h"

#include <stdlib.h>

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
		.ring_bytes = plan->ring_bytes,
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
	int rc = node_open(&p->node, &config, &p->env, &p->disk.io,
			   &process_calls, p, error);
	return rc ? rc : node_start(p->node, error);
}

/* It must refuse a damaged disk, and may be stopped by one that fails. */
static bool refused(struct process *p, int rc, const char *error)
{
	struct machine *m = p->machine;
	struct world *w = m->world;

	if (m->damaged && rc != HF_ECORRUPT && !process_starved_to_death(p, rc))
		world_violation(w, "damage",
				"member %u starts with damage to "
				"%s: %d",
				m->number + 1, m->damaged, rc);
	if (!rc)
		return false;
	if (!m->damaged && !p->disk.failed && !process_starved_to_death(p, rc))
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

/* Who was suspended and died is awake when it boots. */
static void end_sleep(struct machine *m)
{
	uint64_t now = machine_tick(m);

	if (m->wakes_at <= now)
		return;
	m->slept -= m->wakes_at - now;
	m->wakes_at = now;
	vclock_stop(&m->monotonic, now, 0);
	vclock_stop(&m->raw, now, 0);
}

void process_boot(struct machine *m)
{
	struct process *p = calloc(1, sizeof(*p));
	char error[HF_ERROR_TEXT] = "";

	if (!p)
		abort();
	end_sleep(m);
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
	process_connect(p);
	int rc = open_node(p, error);
	if (refused(p, rc, error))
		return;
	vnet_up(&p->host);
	p->first_index = core_index(node_core(p->node));
	for (unsigned i = 0; i < PROCESS_USERS; i++)
		user_start(&p->users[i], p, i);
	for (unsigned i = 0; i < p->world->plan.clerks; i++)
		clerk_start(&p->clerks[i], p);
	for (unsigned i = 0; i < p->world->plan.watchmen; i++)
		watchman_start(&p->watchmen[i], p, i);
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
