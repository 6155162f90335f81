/* The turns of the loop, and its end.
 *
 * One turn, and only one, for each time that the loop looks for events, just
 * before it waits again: so all that was readable has been handed over (a
 * leader that was paused relies on it), libuv's timers and raft_uv's have run,
 * and nothing that follows from them waits for the next event. */
#include "host/internal.h"
#include "host/sigpipe.h"

#include <stdlib.h>

/* How much longer than its own time the node may take to close. */
#define NODE_GRACE_MS 2000
/* For the disk's outstanding work, and for names being looked up. */
#define HANDLES_MS 1000
/* Closing a handle takes one pass of the loop, what that closes another. */
#define CLOSE_PASSES 8

static void on_posted(uv_async_t *posted)
{
	(void)posted; /* a turn follows */
}

static void on_node_closed(void *arg, bool clean)
{
	struct host *host = arg;

	(void)clean; /* the disk shows by itself whether it ends */
	host->node_closed = true;
}

static void on_limit(uv_timer_t *timer);

static void on_storage_closed(void *arg)
{
	(void)arg; /* the loop ends when nothing is left in it */
}

/* The node is over, or was never open. What is left may take a while: timer and
 * disk keep the loop going, and on_limit stops it. */
static void close_handles(struct host *host)
{
	host->phase = PHASE_HANDLES;
	post_end(&host->post);
	listener_close(&host->listener);
	net_close(&host->net);
	uv_close((uv_handle_t *)&host->prepare, NULL);
	uv_close((uv_handle_t *)&host->posted, NULL);
	uv_close((uv_handle_t *)&host->wake, NULL);
	uv_timer_start(&host->limit, on_limit, HANDLES_MS, 0);
	uv_unref((uv_handle_t *)&host->limit);
	if (host->storage)
		storage_close(host->storage, on_storage_closed, host);
}

static void on_limit(uv_timer_t *timer)
{
	struct host *host = timer->data;

	if (host->phase == PHASE_HANDLES) {
		host->late = true;
		uv_stop(host->loop);
		return;
	}
	node_abandon(host->node);
	close_handles(host);
}

void loop_begin_close(struct host *host, uint64_t timeout_us)
{
	if (!host->node) {
		close_handles(host);
		return;
	}
	uint64_t limit_ms = timeout_us / 1000 + NODE_GRACE_MS;

	if (limit_ms > STORAGE_TIMER_MAX_MS)
		limit_ms = STORAGE_TIMER_MAX_MS;
	host->phase = PHASE_NODE;
	uv_timer_start(&host->limit, on_limit, limit_ms, 0);
	node_close(host->node, timeout_us, on_node_closed, host);
}

static void flush(struct host *host)
{
	struct sigpipe held;

	if (host->outer)
		sigpipe_hold(&held);
	net_flush(&host->net);
	if (host->outer)
		sigpipe_release(&held);
}

/* Is there more to do without waiting? */
static bool turn(struct host *host)
{
	host->net.stirred = false;
	post_run(&host->post);
	node_turn(host->node);
	flush(host);
	return host->net.stirred || !post_empty(&host->post);
}

void loop_turn(struct host *host)
{
	bool more = turn(host);

	if (host->node_closed)
		close_handles(host);
	else if (more)
		uv_async_send(&host->posted);
}

static void on_prepare(uv_prepare_t *prepare)
{
	loop_turn(prepare->data);
}

static int init_handles(struct host *host)
{
	uv_loop_t *loop = host->loop;
	int rc = uv_async_init(loop, &host->posted, on_posted);

	if (rc < 0)
		return rc;
	/* These can't fail. */
	uv_timer_init(loop, &host->wake);
	uv_timer_init(loop, &host->limit);
	uv_prepare_init(loop, &host->prepare);
	host->limit.data = host;
	host->prepare.data = host;
	return 0;
}

int loop_open(struct host *host)
{
	int rc = UV_ENOMEM;

	host->loop = malloc(sizeof(*host->loop));
	if (!host->loop)
		return rc;
	rc = uv_loop_init(host->loop);
	if (rc == 0) {
		rc = init_handles(host);
		if (rc < 0)
			uv_loop_close(host->loop);
	}
	if (rc < 0) {
		free(host->loop);
		host->loop = NULL;
	}
	return rc;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void loop_run(struct host *host)
{
	if (host->phase != PHASE_HANDLES)
		uv_prepare_start(&host->prepare, on_prepare);
	uv_run(host->loop, UV_RUN_DEFAULT);
	loop_end(host);
}

void loop_end(struct host *host)
{
	if (host->storage && !storage_closed(host->storage))
		host->may_write = !storage_force(host->storage);
	uv_walk(host->loop, close_handle, NULL);
	for (int i = 0; i < CLOSE_PASSES; i++) {
		uv_run(host->loop, UV_RUN_NOWAIT);
		if (uv_loop_close(host->loop) == 0) {
			free(host->loop);
			host->loop = NULL;
			return;
		}
	}
	/* Something in libuv's thread pool hangs, and comes back to the loop's
	 * memory some day; the disk's work also to its files. */
	host->loop_lost = true;
	host->may_write = host->storage && !storage_closed(host->storage);
}
