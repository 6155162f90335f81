/* Processes killed under load, again and again; nothing that was acknowledged
 * may be lost.
 *
 * soak [RESTARTS], default 100. Each restart: at least a thousand operations
 * are acknowledged; then one, two or all of three members are killed at any
 * moment, and started again, some to be killed once more while they start. The
 * ones that lived ask the leader for all that they hold; the ones that were
 * started again must show, in their own replica, all that was acknowledged to
 * anybody (lib/member.c). In between, tokens of each name must rise, and no
 * release be answered as of something lost (lib/clients.c). At the end nothing
 * is held.
 *
 * The program runs itself as the members: "soak member ...". It ends with
 * "soak: R restarts, N acknowledged, L lost". */
#include "lib/journal.h"
#include "lib/member.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RESTARTS 100
#define OPERATIONS_BETWEEN 1000
#define ANSWER_MS (4 * SOAK_WAIT_MS)
#define LOAD_DELAY_MS 200 /* at most, from enough load to the kill */
#define DOWN_MS 500       /* at most, from the kill to the start */
#define STARTING_MS 300   /* at most, from a start to a second kill */
#define PROGRESS_EVERY 10
#define DIR_LEN 256

struct child {
	pid_t pid; /* 0: none */
	int to, from;
};

struct soak {
	char dir[DIR_LEN];
	char dirs[SOAK_MEMBERS][DIR_LEN + 16];
	char addresses[SOAK_MEMBERS][32];
	struct child children[SOAK_MEMBERS];
	int journal_fd;
	struct journal *journal;
	bool failed;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void nap_us(unsigned us)
{
	nanosleep(&(struct timespec){ .tv_sec = us / 1000000,
				      .tv_nsec = us % 1000000 * 1000 },
		  NULL);
}

static void nap_up_to_ms(unsigned ms)
{
	nap_us((unsigned)rand() % (ms * 1000));
}

static bool fail(struct soak *s, const char *what, int member)
{
	if (!interrupted)
		fprintf(stderr, "soak: member %d: %s\n", member + 1, what);
	s->failed = true;
	return false;
}

static void exec_member(struct soak *s, int i, int to, int from)
{
	char number[12], journal[12];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	snprintf(number, sizeof(number), "%d", i);
	snprintf(journal, sizeof(journal), "%d", s->journal_fd);
	if (dup2(to, STDIN_FILENO) >= 0 && dup2(from, STDOUT_FILENO) >= 0 &&
	    fcntl(s->journal_fd, F_SETFD, 0) == 0)
		execl("/proc/self/exe", "soak", "member", number, journal,
		      s->dirs[i], s->addresses[0], s->addresses[1],
		      s->addresses[2], (char *)NULL);
	_exit(127);
}

static bool start(struct soak *s, int i)
{
	struct child *c = &s->children[i];
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		return fail(s, strerror(errno), i);
	c->to = to[1];
	c->from = from[0];
	c->pid = fork();
	if (c->pid == 0)
		exec_member(s, i, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	return c->pid > 0 || fail(s, strerror(errno), i);
}

static void reap(struct soak *s, int i)
{
	struct child *c = &s->children[i];

	waitpid(c->pid, NULL, 0);
	close(c->to);
	close(c->from);
	c->pid = 0;
	/* Its session, and so what it held, is none of a living one. */
	for (int k = 0; k < SOAK_KEEPERS; k++)
		s->journal->kept[i][k] = 0;
}

static void kill_member(struct soak *s, int i)
{
	kill(s->children[i].pid, SIGKILL);
	reap(s, i);
}

static bool say(struct soak *s, int i, const char *line)
{
	ssize_t len = (ssize_t)strlen(line);

	return write(s->children[i].to, line, (size_t)len) == len ||
	       fail(s, "has ended", i);
}

/* Wait for "done". */
static bool hear(struct soak *s, int i)
{
	struct pollfd at = { .fd = s->children[i].from, .events = POLLIN };
	char line[16];

	if (poll(&at, 1, ANSWER_MS) != 1)
		return fail(s, "doesn't answer", i);
	return read(at.fd, line, sizeof(line)) > 0 || fail(s, "has ended", i);
}

/* Say the one thing to those in the set, the other to the rest; hear all. */
static bool ask_all(struct soak *s, unsigned set, const char *in_set,
		    const char *others)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (!say(s, i, set >> i & 1 ? in_set : others))
			return false;
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (!hear(s, i))
			return false;
	return true;
}

static bool under_load(struct soak *s)
{
	uint64_t enough = s->journal->acknowledged + OPERATIONS_BETWEEN;
	uint64_t end = now_ms() + ANSWER_MS;

	while (s->journal->acknowledged < enough) {
		if (now_ms() > end || interrupted)
			return fail(s, "all stand still", -1);
		nap_us(1000);
	}
	nap_up_to_ms(LOAD_DELAY_MS);
	return true;
}

/* Seven times in ten one, twice two, once all. */
static unsigned choose_set(void)
{
	unsigned one = 1u << (unsigned)rand() % SOAK_MEMBERS;
	unsigned all = (1u << SOAK_MEMBERS) - 1;

	switch (rand() % 10) {
	case 0:
		return all;
	case 1:
	case 2:
		return all & ~one;
	default:
		return one;
	}
}

static bool kill_and_start(struct soak *s, unsigned set)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (set >> i & 1)
			kill_member(s, i);
	nap_up_to_ms(DOWN_MS);
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (set >> i & 1 && !start(s, i))
			return false;
	return true;
}

static bool restart(struct soak *s)
{
	unsigned set = choose_set();

	if (!under_load(s) || !kill_and_start(s, set))
		return false;
	if (rand() % 5 == 0) {
		nap_up_to_ms(STARTING_MS);
		if (!kill_and_start(s, set))
			return false;
	}
	return ask_all(s, set, "verify\n", "validate\n");
}

static bool run(struct soak *s, unsigned restarts, unsigned *done)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (!start(s, i))
			return false;
	while (*done < restarts && s->journal->lost == 0) {
		if (!restart(s))
			return false;
		if (++*done % PROGRESS_EVERY == 0)
			printf("%u restarts, %" PRIu64 " acknowledged, %" PRIu64
			       " asked again\n",
			       *done, s->journal->acknowledged,
			       s->journal->asked_again);
	}
	return ask_all(s, 0, "", "drain\n") && ask_all(s, 0, "", "empty\n");
}

/* No process is left behind. */
static void end(struct soak *s, bool kindly)
{
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (s->children[i].pid && (!kindly || !say(s, i, "quit\n")))
			kill(s->children[i].pid, SIGKILL);
	for (int i = 0; i < SOAK_MEMBERS; i++)
		if (s->children[i].pid)
			reap(s, i);
}

static bool find_address(char *address, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bool found = bind(fd, (struct sockaddr *)&at, len) == 0 &&
		     getsockname(fd, (struct sockaddr *)&at, &len) == 0;
	snprintf(address, size, "127.0.0.1:%u", ntohs(at.sin_port));
	close(fd);
	return found;
}

static bool prepare(struct soak *s)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s->dir, sizeof(s->dir), "%s/holdfast-soak-XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(s->dir))
		return false;
	for (int i = 0; i < SOAK_MEMBERS; i++) {
		snprintf(s->dirs[i], sizeof(s->dirs[i]), "%s/member-%d", s->dir,
			 i + 1);
		if (!find_address(s->addresses[i], sizeof(s->addresses[i])))
			return false;
	}
	s->journal_fd = memfd_create("journal", MFD_CLOEXEC);
	if (s->journal_fd < 0 ||
	    ftruncate(s->journal_fd, sizeof(struct journal)) != 0)
		return false;
	s->journal = mmap(NULL, sizeof(struct journal), PROT_READ | PROT_WRITE,
			  MAP_SHARED, s->journal_fd, 0);
	return s->journal != MAP_FAILED;
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = interrupt };
	struct soak s = { 0 };
	unsigned done = 0;

	if (argc > 1 && strcmp(argv[1], "member") == 0)
		return member_main(argc - 1, argv + 1);
	unsigned restarts = argc > 1 ? (unsigned)atoi(argv[1]) : RESTARTS;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!prepare(&s)) {
		perror("soak");
		return 1;
	}
	srand((unsigned)now_ms());
	bool ran = run(&s, restarts, &done);
	end(&s, ran);
	uint64_t lost = s.journal->lost;
	if (ran && lost == 0)
		nftw(s.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	else
		fprintf(stderr, "soak: the members' directories are in %s\n",
			s.dir);
	printf("soak: %u restarts, %" PRIu64 " acknowledged, %" PRIu64
	       " lost\n",
	       done, s.journal->acknowledged, lost);
	return ran && done == restarts && lost == 0 ? 0 : 1;
}
