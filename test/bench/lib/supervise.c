/* Three layers of processes, so that nothing is ever left behind: this one, the
 * conductor, and what that starts. Each is killed by the kernel when it loses
 * its parent; this one adopts and awaits those whom the conductor leaves, so
 * that nobody writes any more when the folder is removed. */
#include "bench.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *stat, int flag,
		      struct FTW *walk)
{
	(void)stat;
	(void)flag;
	(void)walk;
	return remove(path);
}

/* Wait until the conductor has ended, or the time, or somebody's patience. */
static int watch(pid_t conductor, const sigset_t *signals, uint32_t secs_max)
{
	const uint64_t end = now_ns() + (uint64_t)secs_max * 1000000000;
	const struct timespec step = { .tv_sec = 1 };
	int status = 0, got = 0;

	while (waitpid(conductor, &status, WNOHANG) == 0) {
		const bool late = now_ns() > end;

		if (late)
			fprintf(stderr, "bench: not done in %u seconds\n",
				secs_max);
		if (late || got == SIGINT || got == SIGTERM) {
			kill(conductor, SIGKILL);
			waitpid(conductor, &status, 0);
			break;
		}
		got = sigtimedwait(signals, NULL, &step);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void block(sigset_t *signals, sigset_t *before)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, signals, before);
	signal(SIGPIPE, SIG_IGN);
}

int supervise(const char *parent, uint32_t secs_max,
	      void (*conduct)(const char *dir, void *arg), void *arg)
{
	char dir[PATH_MAX];
	sigset_t signals, before;
	pid_t conductor;
	int status;

	snprintf(dir, sizeof(dir), "%s/holdfast-bench-XXXXXX", parent);
	if (!mkdtemp(dir))
		die("%s: %s", dir, strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	block(&signals, &before);
	conductor = spawn();
	if (conductor == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		conduct(dir, arg);
		_exit(0);
	}
	status = watch(conductor, &signals, secs_max);
	while (waitpid(-1, NULL, 0) > 0)
		;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return status;
}
