/* For the examples that run by themselves: three processes of this machine that
 * form a cluster, and the parent that starts, kills and judges them. A program
 * of your own needs what member_open does.
 *
 * The rule: only processes that were started here are ever signalled, and each
 * is waited for; if the parent dies, the kernel kills them. Each stays a member
 * until all have done their part, since two of three make the majority. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "alone.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MEMBERS 3
#define TTL_MS 1500 /* short, for an example: a death is noticed sooner */
/* Below those that the kernel gives to outgoing connections. */
#define PORT_MIN 20000
#define PORT_MAX 31999

struct cluster_shared {
	atomic_uint done; /* processes that have done their part */
	atomic_uint over; /* all may leave */
};

struct cluster {
	char dir[DIR_LEN];
	char addresses[MEMBERS][32];
	pid_t pids[MEMBERS];           /* 0: doesn't run */
	struct cluster_shared *shared; /* by all these processes */
	void *board;                   /* this too, the example's; zeroed */
	uint32_t ttl_ms;
	hf_event_cb on_event; /* its `arg` is the board */
};

/* What a member does; its exit status. */
typedef int (*member_run)(struct hf_node *node, unsigned id, void *board);

static inline bool port_is_free(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bool is_free =
		fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return is_free;
}

/* Others look for ports at the same time, and begin elsewhere. */
static inline void cluster_addresses(struct cluster *c)
{
	unsigned range = PORT_MAX - PORT_MIN + 1;
	unsigned port = (unsigned)getpid() * 64 % range;

	for (int i = 0; i < MEMBERS; i++) {
		do
			port = (port + 1) % range;
		while (!port_is_free(PORT_MIN + port));
		snprintf(c->addresses[i], sizeof(c->addresses[i]),
			 "127.0.0.1:%u", PORT_MIN + port);
	}
}

static inline void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* A disk that fails, for instance: it is good to hear why. */
static inline void say_failed(struct hf_node *node,
			      const struct hf_event *event, void *arg)
{
	(void)node, (void)arg;
	if (event->type == HF_EVENT_FAILED)
		fprintf(stderr, "%s: %s\n", hf_strerror(event->rc),
			event->text);
}

static inline bool cluster_begin(struct cluster *c, size_t board_size)
{
	*c = (struct cluster){ .ttl_ms = TTL_MS, .on_event = say_failed };
	c->shared = shared_memory(sizeof(*c->shared));
	c->board = shared_memory(board_size);
	cluster_addresses(c);
	if (c->shared && c->board && dir_make(c->dir))
		return true;
	perror("cluster");
	return false;
}

static inline int member_open(const struct cluster *c, unsigned id,
			      struct hf_node **node)
{
	struct hf_options options = { .size = sizeof(options), .id = id };
	struct hf_member members[MEMBERS];
	char dir[DIR_LEN + 16], error[HF_ERROR_TEXT];

	for (unsigned i = 0; i < MEMBERS; i++)
		members[i] = (struct hf_member){ i + 1, c->addresses[i] };
	snprintf(dir, sizeof(dir), "%s/member-%u", c->dir, id);
	options.dir = dir;
	options.members = members;
	options.members_len = MEMBERS;
	options.ttl_ms = c->ttl_ms;
	options.on_event = c->on_event;
	options.arg = c->board;
	int rc = hf_open(node, &options, error);
	if (rc != 0)
		fprintf(stderr, "%s\n", error);
	return rc;
}

static inline int member_main(const struct cluster *c, unsigned id,
			      member_run run)
{
	struct hf_node *node;
	int status = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (member_open(c, id, &node) != 0)
		return 1;
	status = run(node, id, c->board);
	c->shared->done++;
	while (c->shared->over == 0)
		nap_ms(STEP_MS);
	hf_close(node, 300);
	return status;
}

/* A node doesn't survive a fork, so its process is forked before it opens it.
 */
static inline bool member_start(struct cluster *c, unsigned id, member_run run)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(member_main(c, id, run));
	c->pids[id - 1] = pid > 0 ? pid : 0;
	return pid > 0;
}

static inline bool cluster_start(struct cluster *c, member_run run)
{
	bool started = true;

	for (unsigned id = 1; id <= MEMBERS; id++)
		started = started && member_start(c, id, run);
	return started;
}

/* As a crash would end it. */
static inline void member_kill(struct cluster *c, unsigned id)
{
	kill(c->pids[id - 1], SIGKILL);
	waitpid(c->pids[id - 1], NULL, 0);
	c->pids[id - 1] = 0;
}

/* Its exit status; -1: it didn't end in time, and was killed. */
static inline int member_wait(pid_t pid)
{
	int status = 0;

	for (unsigned waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		nap_ms(STEP_MS);
	}
	fprintf(stderr, "process %d doesn't end\n", (int)pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* Wait until all that still run have done their part, and have ended; true if
 * `well`, and each says so. */
static inline bool cluster_end(struct cluster *c, bool well)
{
	unsigned running = 0;

	for (int i = 0; i < MEMBERS; i++)
		running += c->pids[i] > 0;
	well = well && wait_for(&c->shared->done, running);
	c->shared->over = 1;
	for (int i = 0; i < MEMBERS; i++) {
		if (c->pids[i] == 0)
			continue;
		if (!well)
			kill(c->pids[i], SIGKILL);
		well = member_wait(c->pids[i]) == 0 && well;
	}
	dir_remove(c->dir);
	return well;
}

#endif
