/* The test's side of a peer. */
#include "live/lib/peer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void exec_peer(int fd)
{
	char number[12];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(fd, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", fd);
	execl("/proc/self/exe", "peer", "--peer", number, (char *)NULL);
	_exit(127);
}

/* What a peer needs to know to open its node: the cluster itself, whose
 * pointers it makes anew. */
static void send_cluster(struct peer *p)
{
	ck_assert_int_eq(write(p->fd, p, sizeof(*p)), sizeof(*p));
	ck_assert_int_eq(write(p->fd, p->cluster, sizeof(*p->cluster)),
			 sizeof(*p->cluster));
}

void peer_start(struct peer *p, const struct cluster *c, size_t index,
		uint32_t ttl_ms)
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	*p = (struct peer){ .fd = fds[0],
			    .cluster = c,
			    .index = index,
			    .ttl_ms = ttl_ms ? ttl_ms : LIVE_TTL_MS };
	p->pid = fork();
	ck_assert_int_ge(p->pid, 0);
	if (p->pid == 0) {
		close(fds[0]);
		exec_peer(fds[1]);
	}
	close(fds[1]);
	send_cluster(p);
	peer_do(p, PEER_OPEN, "", 0);
}

void peer_kill(struct peer *p)
{
	if (!p->pid)
		return;
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
	close(p->fd);
	p->pid = 0;
}

void peer_stop(struct peer *p)
{
	int status;

	ck_assert_int_eq(kill(p->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(p->pid, &status, WUNTRACED), p->pid);
	ck_assert(WIFSTOPPED(status));
}

void peer_continue(struct peer *p)
{
	ck_assert_int_eq(kill(p->pid, SIGCONT), 0);
}

void peer_ask(struct peer *p, enum peer_verb verb, const char *name,
	      uint32_t ms)
{
	struct peer_question q = { .verb = verb, .ms = ms };

	snprintf(q.name, sizeof(q.name), "%s", name);
	ck_assert_int_eq(write(p->fd, &q, sizeof(q)), sizeof(q));
}

struct peer_answer peer_take(struct peer *p)
{
	struct peer_answer a;

	ck_assert_msg(read(p->fd, &a, sizeof(a)) == sizeof(a),
		      "peer %zu has ended", p->index + 1);
	return a;
}

uint64_t peer_do(struct peer *p, enum peer_verb verb, const char *name,
		 uint32_t ms)
{
	peer_ask(p, verb, name, ms);
	struct peer_answer a = peer_take(p);

	ck_assert_msg(a.rc == 0, "peer %zu, question %d: %s", p->index + 1,
		      (int)verb, hf_strerror(a.rc));
	return a.value;
}

struct peers {
	struct peer *peers;
	size_t len, leader;
};

static bool has_leader(void *arg)
{
	struct peers *s = arg;

	for (size_t i = 0; i < s->len; i++) {
		struct peer *p = &s->peers[i];

		if (!p->pid || peer_do(p, PEER_LEADER, "", 0) != p->index + 1)
			continue;
		s->leader = i;
		return true;
	}
	return false;
}

size_t peers_leader(struct peer *peers, size_t len)
{
	struct peers s = { peers, len, 0 };

	ck_assert(live_wait(has_leader, &s));
	return s.leader;
}

int live_main(int argc, char **argv, const TTest *const *tests, size_t len)
{
	if (argc == 3 && strcmp(argv[1], "--peer") == 0)
		return peer_main(atoi(argv[2]));
	return suite_main(argc, argv, tests, len);
}
