/* The world as the deterministic layers see it.
 *
 * Everything up to lib/node takes time, randomness and connections from here
 * (and its disk from a struct raft_io), so that lib/host can run it on the real
 * machine and test/sim in virtual time. One thread calls all of it, except
 * `clocks`, which any thread may call.
 *
 * Connections are ordered streams of bytes, like TCP's or TLS's. What the world
 * has to report, it reports with the conn_* functions of lib/node/node.h. */
#ifndef HF_BASE_ENV_H
#define HF_BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds, each since its own arbitrary origin; `wall` since 1970. */
struct clocks {
	uint64_t monotonic; /* CLOCK_MONOTONIC */
	uint64_t raw;       /* CLOCK_MONOTONIC_RAW */
	uint64_t boottime;  /* CLOCK_BOOTTIME: includes suspend */
	uint64_t wall;      /* CLOCK_REALTIME: for information only */
};

struct env;
struct conn; /* one connection; the env's */

struct env {
	void (*clocks)(struct env *env, struct clocks *now);
	void (*random)(struct env *env, void *bytes, size_t len);

	/* Call node_turn no later than at this time of the monotonic clock.
	 * Replaces the time asked for before; UINT64_MAX: no need. */
	void (*wake)(struct env *env, uint64_t monotonic_us);

	/* Start to connect. `owner` comes back with each report. NULL: couldn't
	 * start; nothing is reported. Never reports inside the call. */
	struct conn *(*connect)(struct env *env, const char *address,
				void *owner);
	/* Set what comes back with each report of a connection that came in. */
	void (*conn_own)(struct env *env, struct conn *conn, void *owner);
	/* Queue a copy of these bytes, whole frames always. Failures are
	 * reported by node_conn_closed later, never inside the call. */
	void (*conn_write)(struct env *env, struct conn *conn,
			   const uint8_t *bytes, size_t len);
	/* How many bytes are queued that the peer's kernel hasn't taken. */
	size_t (*conn_queued)(struct env *env, const struct conn *conn);
	/* Give it up: nothing is reported afterwards, bytes may be lost. */
	void (*conn_close)(struct env *env, struct conn *conn);
};

static inline void env_clocks(struct env *env, struct clocks *now)
{
	env->clocks(env, now);
}

static inline uint64_t env_random64(struct env *env)
{
	uint64_t r;

	env->random(env, &r, sizeof(r));
	return r;
}

#endif
