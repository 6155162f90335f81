/* struct env of the real machine, and what its connections report. */
#include "host/clock.h"
#include "host/internal.h"

#include <errno.h>
#include <sys/random.h>

#define US_PER_MS 1000

static void clocks(struct env *env, struct clocks *now)
{
	(void)env;
	clocks_read(now);
}

/* getrandom can't fail once host_open has tried it. */
static void random_bytes(struct env *env, void *bytes, size_t len)
{
	char *to = bytes;

	(void)env;
	while (len > 0) {
		ssize_t n = getrandom(to, len, 0);
		if (n < 0)
			continue;
		to += n;
		len -= (size_t)n;
	}
}

static void on_wake(uv_timer_t *timer)
{
	(void)timer; /* the turn comes before the next poll, as always */
}

/* Absolute, so that it is right however long ago libuv has read its clock,
 * which is the same one. */
static void wake(struct env *env, uint64_t monotonic_us)
{
	struct host *host = host_of(env);
	uint64_t now_ms = uv_now(host->loop);

	if (monotonic_us == UINT64_MAX) {
		uv_timer_stop(&host->wake);
		return;
	}
	uint64_t at_ms =
		monotonic_us / US_PER_MS + (monotonic_us % US_PER_MS != 0);
	uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;

	/* A turn too early does no harm. */
	if (wait_ms > STORAGE_TIMER_MAX_MS)
		wait_ms = STORAGE_TIMER_MAX_MS;
	uv_timer_start(&host->wake, on_wake, wait_ms, 0);
}

static struct conn *env_connect(struct env *env, const char *address,
				void *owner)
{
	return net_connect(&host_of(env)->net, address, owner);
}

static void env_conn_own(struct env *env, struct conn *conn, void *owner)
{
	(void)env;
	conn_own(conn, owner);
}

static void env_conn_write(struct env *env, struct conn *conn,
			   const uint8_t *bytes, size_t len)
{
	(void)env;
	conn_write(conn, bytes, len);
}

static size_t env_conn_queued(struct env *env, const struct conn *conn)
{
	(void)env;
	return conn_queued(conn);
}

static void env_conn_close(struct env *env, struct conn *conn)
{
	(void)env;
	conn_close(conn);
}

void env_fill(struct host *host)
{
	host->env = (struct env){
		.clocks = clocks,
		.random = random_bytes,
		.wake = wake,
		.connect = env_connect,
		.conn_own = env_conn_own,
		.conn_write = env_conn_write,
		.conn_queued = env_conn_queued,
		.conn_close = env_conn_close,
	};
}

static void incoming(void *arg, struct conn *conn)
{
	struct host *host = arg;

	node_conn_incoming(host->node, conn);
}

static void connected(void *arg, void *owner)
{
	struct host *host = arg;

	node_conn_connected(host->node, owner);
}

static void data(void *arg, void *owner, const uint8_t *bytes, size_t len)
{
	struct host *host = arg;

	node_conn_data(host->node, owner, bytes, len);
}

static void closed(void *arg, void *owner)
{
	struct host *host = arg;

	node_conn_closed(host->node, owner);
}

const struct net_calls host_net_calls = {
	.incoming = incoming,
	.connected = connected,
	.data = data,
	.closed = closed,
};
