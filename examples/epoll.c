/* A server with an epoll loop of its own: it waits for a lock beside its other
 * descriptors, and answers requests under the lock's token.
 *
 * The node has a thread; its callbacks run in hf_dispatch, where the loop calls
 * it, so that they need no mutex. Here a timer stands for the clients.
 *
 * ./epoll [directory]; it ends after some requests. The directory's default is
 * a new one in $TMPDIR. */
#include <holdfast.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define REQUESTS 5
#define REQUEST_MS 20 /* how long one takes, at most */
#define WAIT_MS 10000

struct server {
	struct hf_node *node;
	struct hf_lock lock;
	struct hf_guard guard; /* a real one is stored with the data */
	int epoll, timer;
	unsigned served;
	bool stopping, closed;
	int rc;
};

static void on_closed(void *arg)
{
	struct server *server = arg;

	server->closed = true; /* node and descriptor are gone */
}

/* The lock passes on at once, as the session is ended. */
static void stop(struct server *server, int rc)
{
	if (server->stopping)
		return;
	server->stopping = true;
	server->rc = rc;
	rc = hf_close_start(server->node, WAIT_MS, on_closed, server);
	if (rc != 0) {
		fprintf(stderr, "closing: %s\n", hf_strerror(rc));
		exit(1);
	}
}

static void on_unlocked(struct hf_lock *lock, int rc)
{
	stop(lock->data, rc);
}

static void on_locked(struct hf_lock *lock, int rc)
{
	if (rc == 0)
		printf("serving under token %" PRIu64 "\n",
		       hf_lock_token(lock));
	else
		stop(lock->data, rc);
}

/* Whatever the lock protects refuses tokens of the past. */
static int serve(struct server *server)
{
	uint64_t token = hf_lock_token(&server->lock);
	int rc;

	if (token == 0) /* not held yet */
		return 0;
	if (hf_lock_safe_ms(&server->lock) < REQUEST_MS)
		return HF_ESESSION;
	rc = hf_guard_check(&server->guard, HF_EXCLUSIVE, token);
	if (rc == 0 && ++server->served == REQUESTS)
		rc = hf_unlock_start(&server->lock, WAIT_MS, on_unlocked);
	return rc;
}

static void on_request(struct server *server)
{
	uint64_t requests;

	if (read(server->timer, &requests, sizeof(requests)) < 0 ||
	    server->stopping || server->served == REQUESTS)
		return;
	int rc = serve(server);
	if (rc != 0)
		stop(server, rc);
}

static int watch(struct server *server, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return fd < 0 ? -1
		      : epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int prepare(struct server *server)
{
	const struct itimerspec often = { { 0, 10000000 }, { 0, 10000000 } };

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (server->epoll < 0 || watch(server, server->timer) < 0 ||
	    watch(server, hf_fd(server->node)) < 0 ||
	    timerfd_settime(server->timer, 0, &often, NULL) < 0)
		return HF_EIO;
	server->lock.data = server;
	return hf_lock_start(server->node, &server->lock, "service", 7, NULL,
			     WAIT_MS, on_locked);
}

static int run(struct server *server)
{
	struct epoll_event event;

	while (!server->closed) {
		int n = epoll_wait(server->epoll, &event, 1, -1);

		if (n < 0)
			return HF_EIO;
		if (event.data.fd == server->timer)
			on_request(server);
		else
			n = hf_dispatch(server->node);
		if (n < 0)
			return n;
	}
	return server->rc;
}

static const char *temporary(char *path, size_t size)
{
	const char *under = getenv("TMPDIR");

	snprintf(path, size, "%s/epoll-XXXXXX", under ? under : "/tmp");
	return mkdtemp(path);
}

int main(int argc, char **argv)
{
	struct hf_options options = { .size = sizeof(options),
				      .dispatch = true };
	char path[256], error[HF_ERROR_TEXT];
	struct server server = { .node = NULL };

	options.dir = argc > 1 ? argv[1] : temporary(path, sizeof(path));
	if (hf_open(&server.node, &options, error) != 0) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	int rc = prepare(&server);
	if (rc == 0)
		rc = run(&server);
	if (!server.closed)
		hf_close(server.node, WAIT_MS);
	close(server.timer);
	close(server.epoll);
	if (rc != 0)
		fprintf(stderr, "epoll: %s\n", hf_strerror(rc));
	else
		printf("epoll: %u requests, the lock is free\n", server.served);
	return rc != 0;
}
