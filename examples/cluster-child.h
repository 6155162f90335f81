/* The conductor's end of a member: a process of its own, and the lines that
 * pass between the two (cluster-worker.c says which).
 *
 * The rule: only processes that were started here are ever signalled, by their
 * ids, and each is waited for; if the conductor dies, the kernel kills them. */
#ifndef CLUSTER_CHILD_H
#define CLUSTER_CHILD_H

#include "cluster-resource.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LINE_LEN_MAX 512
#define ADDRESS_LEN 32

struct child {
	pid_t pid; /* 0: none */
	FILE *to;
	int from;
	bool stopped, asked; /* asked: its status is on the way */
	bool idle;           /* its threads have ended */
	bool ended;          /* it closed its end */
	char line[LINE_LEN_MAX];
	size_t line_len;
	/* What it said last. */
	uint64_t leader, term, written, refused;
	int session, lingering_lock;
	uint64_t lingering_token; /* 0: not lingering */
	char claims[DEMO_LOCKS][LINE_LEN_MAX];
};

static inline const char *child_state(const struct child *c)
{
	static const char *const states[] = { "no session", "safe", "jeopardy",
					      "unsure", "lost" };

	if (!c->pid)
		return "killed";
	if (c->stopped)
		return "stopped";
	return states[c->session >= 0 && c->session <= 4 ? c->session : 0];
}

static inline void child_exec(char *const *arguments, int to, int from)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(to, STDIN_FILENO) < 0 || dup2(from, STDOUT_FILENO) < 0)
		_exit(127);
	execv(arguments[0], arguments);
	perror(arguments[0]);
	_exit(127);
}

static inline bool child_start(struct child *c, char *const *arguments)
{
	int to[2], from[2];

	*c = (struct child){ 0 };
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		return false;
	c->to = fdopen(to[1], "w");
	c->from = from[0];
	c->pid = fork();
	if (c->pid == 0)
		child_exec(arguments, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	return c->pid > 0 && c->to;
}

static inline void child_say(struct child *c, const char *line)
{
	fputs(line, c->to);
	fflush(c->to);
}

/* Returns once it stands still. */
static inline bool child_stop(struct child *c)
{
	int status = 0;

	c->stopped = kill(c->pid, SIGSTOP) == 0 &&
		     waitpid(c->pid, &status, WUNTRACED) == c->pid &&
		     WIFSTOPPED(status);
	return c->stopped;
}

static inline void child_continue(struct child *c)
{
	c->stopped = false;
	kill(c->pid, SIGCONT);
}

/* Wait for its end, after a signal or its last word. */
static inline void child_reap(struct child *c)
{
	waitpid(c->pid, NULL, 0);
	fclose(c->to);
	close(c->from);
	*c = (struct child){ 0 };
}

static inline void child_line(struct child *c, const char *line)
{
	struct child said = { 0 };
	int lock = 0, len = 0;

	if (sscanf(line, "lock %d%n", &lock, &len) == 1 && lock >= 0 &&
	    lock < DEMO_LOCKS) {
		strcpy(c->claims[lock], line + len);
		return;
	}
	if (strcmp(line, "idle") == 0)
		c->idle = true;
	sscanf(line, "lingering %d %" SCNu64, &c->lingering_lock,
	       &c->lingering_token);
	if (sscanf(line,
		   "member %" SCNu64 " %" SCNu64 " %d %" SCNu64 " %" SCNu64,
		   &said.leader, &said.term, &said.session, &said.written,
		   &said.refused) != 5)
		return;
	c->leader = said.leader;
	c->term = said.term;
	c->session = said.session;
	c->written = said.written;
	c->refused = said.refused;
	c->asked = false;
}

/* Take what it has said. Blocks if that is nothing. */
static inline void child_read(struct child *c)
{
	char bytes[4096];
	ssize_t len = read(c->from, bytes, sizeof(bytes));

	c->ended = len <= 0;
	for (ssize_t i = 0; i < len; i++) {
		if (bytes[i] != '\n' && c->line_len < LINE_LEN_MAX - 1) {
			c->line[c->line_len++] = bytes[i];
			continue;
		}
		c->line[c->line_len] = '\0';
		c->line_len = 0;
		child_line(c, c->line);
	}
}

/* The one that says so of itself; of two, the one of the later term. */
static inline struct child *children_leader(struct child *children)
{
	struct child *found = NULL;

	for (int i = 0; i < DEMO_MEMBERS; i++) {
		struct child *c = &children[i];

		if (c->pid && !c->stopped && c->leader == (uint64_t)i + 1 &&
		    (!found || c->term > found->term))
			found = c;
	}
	return found;
}

/* Ports that are free now: bound all at once, so that they differ. */
static inline bool free_addresses(char (*addresses)[ADDRESS_LEN], int len)
{
	int fds[DEMO_MEMBERS];
	int opened = 0;
	bool found = len <= DEMO_MEMBERS;

	for (int i = 0; found && i < len; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET };
		socklen_t at_len = sizeof(at);

		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		opened++;
		found = bind(fds[i], (struct sockaddr *)&at, at_len) == 0 &&
			getsockname(fds[i], (struct sockaddr *)&at, &at_len) ==
				0;
		snprintf(addresses[i], ADDRESS_LEN, "127.0.0.1:%u",
			 ntohs(at.sin_port));
	}
	for (int i = 0; i < opened; i++)
		close(fds[i]);
	return found;
}

#endif
