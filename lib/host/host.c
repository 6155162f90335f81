/* The life of a host. All of libuv, raft_uv and the node happens on its thread,
 * opening and closing included. */
#include "host/clock.h"
#include "host/fail.h"
#include "host/internal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const struct hf_member *own_member(const struct host_config *config)
{
	for (size_t i = 0; i < config->members_len; i++)
		if (config->members[i].id == config->id)
			return &config->members[i];
	return NULL;
}

static int open_network(struct host *host)
{
	const struct host_config *config = host->config;
	const struct hf_member *self = own_member(config);

	if (net_init(&host->net, host->loop, &host_net_calls, host,
		     !config->plain_tcp) < 0)
		return fail(host->error, HF_ENOMEM, "out of memory");
	if (!self)
		return 0;
	return listener_open(&host->listener, &host->net, self->address,
			     host->error);
}

static int copy_members(struct host *host)
{
	const struct host_config *config = host->config;
	size_t n = config->members_len;

	host->members = calloc(n + 1, sizeof(*host->members));
	if (!host->members)
		return HF_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char *address = strdup(config->members[i].address);

		if (!address)
			return HF_ENOMEM;
		host->members[i] =
			(struct repl_member){ config->members[i].id, address };
		host->members_len++;
	}
	if (n > 0)
		return 0;
	host->members[0] = (struct repl_member){ config->id, strdup("-") };
	host->members_len = 1;
	return host->members[0].address ? 0 : HF_ENOMEM;
}

static void free_members(struct host *host)
{
	for (size_t i = 0; i < host->members_len; i++)
		free((void *)(uintptr_t)host->members[i].address);
	free(host->members);
}

static int open_node(struct host *host)
{
	const struct host_config *config = host->config;
	struct node_config node = config->node;
	char unused[HF_ERROR_TEXT];
	char *error = host->error ? host->error : unused;

	node.cluster = node_digest(config->cluster);
	node.incarnation = host->dir.incarnation;
	node.boot = host->dir.boot;
	node.former_dead = host->dir.former_dead;
	node.repl.id = config->id;
	node.repl.members = host->members;
	node.repl.members_len = host->members_len;
	int rc = node_open(&host->node, &node, &host->env,
			   storage_io(host->storage), &config->calls,
			   config->arg, error);
	return rc == 0 ? node_start(host->node, error) : rc;
}

static int open_all(struct host *host)
{
	int rc = open_network(host);

	if (rc == 0 && copy_members(host) < 0)
		rc = fail(host->error, HF_ENOMEM, "out of memory");
	if (rc == 0)
		rc = storage_open(&host->storage, host->loop, &host->dir,
				  host->config->segment_bytes, host->error);
	return rc == 0 ? open_node(host) : rc;
}

/* That the host is open, or why not; later, that it is closed. */
static void tell(struct host *host, int rc)
{
	pthread_mutex_lock(&host->mutex);
	host->rc = rc;
	host->told = true;
	pthread_cond_signal(&host->tell);
	pthread_mutex_unlock(&host->mutex);
}

static int await(struct host *host)
{
	pthread_mutex_lock(&host->mutex);
	while (!host->told)
		pthread_cond_wait(&host->tell, &host->mutex);
	int rc = host->rc;
	host->told = false;
	pthread_mutex_unlock(&host->mutex);
	return rc;
}

static void free_parts(struct host *host)
{
	bool ended = !host->storage || storage_closed(host->storage);

	/* What hangs in the thread pool may still read what it was given. */
	if (!host->loop_lost || ended) {
		if (!host->node || host->node_closed)
			node_free(host->node);
		storage_free(host->storage);
		free_members(host);
	}
	net_free(&host->net);
}

/* In the thread that is the loop's. After an error the loop is closed. */
static int open_here(struct host *host)
{
	atomic_store(&host->self, pthread_self());
	int rc = loop_open(host);
	if (rc < 0)
		return fail(host->error, rc == UV_ENOMEM ? HF_ENOMEM : HF_EIO,
			    "cannot start a loop: %s", uv_strerror(rc));
	rc = open_all(host);
	if (rc == 0 && host->outer)
		rc = embed_begin(host);
	if (rc < 0) {
		loop_begin_close(host, 0);
		loop_run(host);
	}
	return rc;
}

static void *thread_main(void *arg)
{
	struct host *host = arg;
	int rc = open_here(host);

	tell(host, rc);
	if (rc < 0)
		return NULL;
	loop_run(host);
	host->closed(host->closed_arg);
	return NULL;
}

/* With all signals blocked, so that the process's handlers run on its own
 * threads, and a peer's end doesn't raise SIGPIPE; but not those that a thread
 * brings on itself, which must stay visible to debuggers. */
static int start_thread(struct host *host)
{
	sigset_t blocked, before;

	sigfillset(&blocked);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGFPE);
	sigdelset(&blocked, SIGILL);
	sigdelset(&blocked, SIGTRAP);
	sigdelset(&blocked, SIGABRT);
	sigdelset(&blocked, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	int number = pthread_create(&host->thread, NULL, thread_main, host);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	host->has_thread = number == 0;
	if (number == 0)
		pthread_setname_np(host->thread, "holdfast");
	return number;
}

static int run(struct host *host)
{
	if (host->outer)
		return open_here(host);
	int number = start_thread(host);
	if (number != 0)
		return fail_system(host->error, number,
				   "cannot start a thread");
	return await(host);
}

static int open_dir(struct host *host)
{
	const struct host_config *config = host->config;
	struct dir_want want = { .path = config->dir,
				 .cluster = node_digest(config->cluster),
				 .cluster_name = config->cluster,
				 .node = config->id,
				 .adopt = config->adopt };
	char byte;

	if (getrandom(&byte, 1, 0) != 1)
		return fail_system(host->error, errno, "no random numbers");
	return dir_open(&host->dir, &want, host->error);
}

static struct host *host_new(const struct host_config *config, char *error)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->config = config;
	host->error = error;
	host->outer = config->loop;
	host->dir.fd = host->dir.lock = -1;
	pthread_mutex_init(&host->mutex, NULL);
	pthread_cond_init(&host->tell, NULL);
	post_init(&host->post, &host->posted);
	list_init(&host->net.conns);
	list_init(&host->net.dirty);
	env_fill(host);
	fork_mark(host);
	return host;
}

static void end_thread(struct host *host)
{
	if (!host->has_thread)
		return;
	if (pthread_equal(host->thread, pthread_self()))
		pthread_detach(host->thread);
	else
		pthread_join(host->thread, NULL);
}

void host_free(struct host *host)
{
	end_thread(host);
	free_parts(host);
	if (host->may_write)
		dir_keep_locked(&host->dir);
	dir_close(&host->dir);
	fork_unmark(host);
	post_free(&host->post);
	pthread_cond_destroy(&host->tell);
	pthread_mutex_destroy(&host->mutex);
	/* Handles are in it, which a lost loop still knows. */
	if (!host->loop_lost)
		free(host);
}

int host_open(struct host **out, const struct host_config *config, char *error)
{
	struct host *host = host_new(config, error);

	*out = host;
	if (!host)
		return fail(error, HF_ENOMEM, "out of memory");
	int rc = open_dir(host);
	if (rc == 0)
		rc = run(host);
	if (rc == 0)
		return 0;
	*out = NULL;
	host_free(host);
	return rc;
}

int host_post(struct host *host, struct hf_task *task)
{
	return post_put(&host->post, task, !host_on_thread(host));
}

struct node *host_node(struct host *host)
{
	return host->node;
}

bool host_would_block(const struct host *host)
{
	return pthread_equal(atomic_load(&host->self), pthread_self());
}

bool host_on_thread(const struct host *host)
{
	return host_would_block(host) && (!host->outer || host->in_turn);
}

int host_enter(struct host *host)
{
	if (host->phase == PHASE_HANDLES)
		return HF_ECLOSED;
	uv_async_send(&host->posted);
	return 0;
}

void host_clocks(const struct host *host, struct clocks *now)
{
	(void)host;
	clocks_read(now);
}

uint16_t host_port(const struct host *host)
{
	return host->listener.port;
}

static void close_task(struct hf_task *task)
{
	struct host *host = container_of(task, struct host, closing);

	loop_begin_close(host, host->close_timeout_us);
}

void host_close_start(struct host *host, uint64_t timeout_us,
		      void (*closed)(void *arg), void *arg)
{
	host->closing.run = close_task;
	host->close_timeout_us = timeout_us;
	host->closed = closed;
	host->closed_arg = arg;
	host_post(host, &host->closing);
}

static void tell_closed(void *arg)
{
	tell(arg, 0);
}

void host_close(struct host *host, uint64_t timeout_us)
{
	if (!host || host_forked(host))
		return;
	host_close_start(host, timeout_us, tell_closed, host);
	await(host);
	host_free(host);
}
