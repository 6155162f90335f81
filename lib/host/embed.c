/* A host inside a loop of its caller's.
 *
 * It keeps the loop that it would run in a thread of its own, with every handle
 * of its own and of raft_uv's in it. The caller's loop has two handles of it: a
 * descriptor that is readable when the inner loop has events, and a timer for
 * the next of its timers. So neither can walk over, stop or end what is the
 * other's, and a disk that never ends its work keeps memory of the inner loop
 * only.
 *
 * When the caller's loop tells, the inner one is run without waiting, so that
 * all that is readable has been handed over, and a turn follows. */
#include "host/fail.h"
#include "host/internal.h"
#include "host/sigpipe.h"

/* Since 1.44 uv_backend_timeout says when descriptors are to be watched that
 * the kernel hasn't been told of. */
#define UV_LEAST ((1u << 16) | (44u << 8))
/* What follows at once from one pass is done in the next; then others have
 * their turn in the caller's loop. */
#define PASSES_MAX 4

static void on_outer_closed(uv_handle_t *handle)
{
	struct host *host = handle->data;

	if (--host->outer_handles == 0)
		host->closed(host->closed_arg);
}

/* The inner loop's descriptor must not be watched any more when it closes. */
static void leave(struct host *host)
{
	uv_close((uv_handle_t *)&host->outer_poll, on_outer_closed);
	uv_close((uv_handle_t *)&host->outer_timer, on_outer_closed);
	loop_end(host);
}

static bool run_inner(struct host *host)
{
	struct sigpipe held;

	sigpipe_hold(&held);
	bool alive = uv_run(host->loop, UV_RUN_NOWAIT) != 0;
	sigpipe_release(&held);
	return alive;
}

/* Is there more to do without waiting? */
static bool pass(struct host *host)
{
	bool alive = run_inner(host);

	if (host->phase == PHASE_HANDLES) {
		host->finished = !alive || host->late;
	} else {
		storage_tick(host->storage);
		loop_turn(host);
	}
	return !host->finished && uv_backend_timeout(host->loop) == 0;
}

static void on_time(uv_timer_t *timer);

/* Absolute, since each loop has read its clock at another time. Never 0: libuv
 * might run nothing but timers. */
static void arm(struct host *host)
{
	int wait_ms = uv_backend_timeout(host->loop);

	if (wait_ms < 0) {
		uv_timer_stop(&host->outer_timer);
		return;
	}
	uint64_t at = uv_now(host->loop) + (uint64_t)wait_ms;
	uint64_t now = uv_now(host->outer);
	uv_timer_start(&host->outer_timer, on_time, at > now ? at - now : 1, 0);
}

/* A child of fork that runs a copy of its parent's loop has no part in this. */
static bool stranded(struct host *host)
{
	if (!host_forked(host))
		return false;
	uv_poll_stop(&host->outer_poll);
	uv_timer_stop(&host->outer_timer);
	return true;
}

static void drive(struct host *host)
{
	if (stranded(host))
		return;
	host->in_turn = true;
	for (int i = 0; i < PASSES_MAX && pass(host); i++)
		;
	host->in_turn = false;
	if (host->finished)
		leave(host);
	else
		arm(host);
}

static void on_time(uv_timer_t *timer)
{
	drive(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	drive(poll->data);
}

int embed_begin(struct host *host)
{
	if (uv_version() < UV_LEAST)
		return fail(host->error, HF_EINVAL,
			    "the option loop needs libuv 1.44; this is %s",
			    uv_version_string());
	int rc = uv_poll_init(host->outer, &host->outer_poll,
			      uv_backend_fd(host->loop));
	if (rc < 0)
		return fail(host->error, HF_EIO,
			    "the loop given can't watch another: %s",
			    uv_strerror(rc));
	uv_timer_init(host->outer, &host->outer_timer);
	host->outer_poll.data = host->outer_timer.data = host;
	host->outer_handles = 2;
	storage_tick_late(host->storage);
	uv_poll_start(&host->outer_poll, UV_READABLE, on_readable);
	uv_timer_start(&host->outer_timer, on_time, 0, 0);
	return 0;
}
