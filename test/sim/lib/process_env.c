/* The struct env of a process: the clocks of its machine, the simulated
 * network, and the point at which each effect on the world may be the last. */
#include "sim/lib/process.h"

#include <string.h>

static struct process *of(struct env *env)
{
	return container_of(env, struct process, env);
}

/* Something that others could see is about to happen. */
bool process_effect(void *ctx)
{
	struct process *p = ctx;

	if (p->crash_after && --p->crash_after == 0)
		p->zombie = true;
	return !p->zombie && !p->gate.dead;
}

/* All clocks of a machine move on at the same moments. */
static uint64_t shown(const struct machine *m, const struct vclock *c)
{
	return vclock_at(c, machine_tick(m));
}

static uint64_t left_to_sleep(const struct machine *m)
{
	uint64_t now = machine_tick(m);

	return m->wakes_at > now ? m->wakes_at - now : 0;
}

static void env_read_clocks(struct env *env, struct clocks *now)
{
	const struct machine *m = of(env)->machine;
	uint64_t at = world_now(m->world);

	now->monotonic = shown(m, &m->monotonic);
	now->raw = shown(m, &m->raw);
	now->boottime = now->monotonic + m->slept - left_to_sleep(m);
	now->wall = vclock_at(&m->wall, at);
}

static void env_draw(struct env *env, void *bytes, size_t len)
{
	uint8_t *to = bytes;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t v = random_next(&of(env)->random);
		memcpy(to + i, &v, len - i < 8 ? len - i : 8);
	}
}

static void env_wake(struct env *env, uint64_t monotonic_us)
{
	struct process *p = of(env);
	uint64_t now = world_now(p->world);
	uint64_t grain = p->world->plan.grain_us;
	uint64_t at = vclock_when(&p->machine->monotonic, now, monotonic_us);

	if (at < UINT64_MAX - grain)
		at += (grain - (at + machine_phase(p->machine)) % grain) %
		      grain;
	if (at != UINT64_MAX)
		process_turn_at(p, at + process_turn_delay(p));
}

static struct conn *env_connect(struct env *env, const char *address,
				void *owner)
{
	struct process *p = of(env);
	struct world *w = p->world;

	for (unsigned i = 0; i < w->plan.members; i++)
		if (strcmp(w->machines[i].address, address) == 0)
			return process_effect(p)
				       ? vnet_connect(&p->host, i, owner)
				       : NULL;
	world_violation(w, "world", "a connection to nowhere: %s", address);
	return NULL;
}

static void env_conn_own(struct env *env, struct conn *conn, void *owner)
{
	(void)env;
	vnet_own(conn, owner);
}

static void env_conn_write(struct env *env, struct conn *conn,
			   const uint8_t *bytes, size_t len)
{
	struct process *p = of(env);

	if (p->mute)
		world_violation(p->world, "failed",
				"member %u speaks though it has failed",
				p->machine->number + 1);
	if (process_effect(p))
		vnet_write(conn, bytes, len);
}

static size_t env_conn_queued(struct env *env, const struct conn *conn)
{
	(void)env;
	return vnet_queued(conn);
}

static void env_conn_close(struct env *env, struct conn *conn)
{
	(void)env;
	vnet_close(conn);
}

void process_env(struct process *p)
{
	p->env = (struct env){ .clocks = env_read_clocks,
			       .random = env_draw,
			       .wake = env_wake,
			       .connect = env_connect,
			       .conn_own = env_conn_own,
			       .conn_write = env_conn_write,
			       .conn_queued = env_conn_queued,
			       .conn_close = env_conn_close };
}

uint64_t process_certain(const struct process *p, uint64_t session)
{
	struct clocks now;

	/* Beyond the bound of the clocks nobody is. */
	if (p->gate.dead || p->world->plan.beyond_bound)
		return 0;
	env_read_clocks((struct env *)(uintptr_t)&p->env, &now);
	return lease_left(node_lease(p->node), session, &now);
}
