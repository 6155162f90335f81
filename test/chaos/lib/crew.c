#include "crew.h"

#include "clocks.h"
#include "disks.h"
#include "member.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_US 100000
#define DISK_RESTART_US 300000

bool crew_init(struct crew *crew, bool clocks)
{
	for (unsigned i = 0; i < crew->members; i++) {
		crew->environment[i] = clocks_environment(i, clocks);
		if (!crew->environment[i])
			return false;
	}
	return true;
}

void crew_free(struct crew *crew)
{
	for (unsigned i = 0; i < crew->members; i++)
		clocks_environment_free(crew->environment[i]);
}

/* In the child: only what is allowed between fork and exec. */
static void become_member(const struct crew *crew, unsigned number,
			  char *const argv[])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* the program ends it */
	if (setns(crew->wire->ends[number].fd, CLONE_NEWNET) == 0 &&
	    fcntl(crew->shared_fd, F_SETFD, 0) == 0)
		execve("/proc/self/exe", argv, crew->environment[number]);
	_exit(127);
}

bool crew_start(struct crew *crew, unsigned number)
{
	struct process *p = &crew->processes[number];
	struct member_memory *m = &crew->shared->members[number];
	char me[12], members[12], fd[12], dir[DISK_PATH_LEN];
	char *argv[] = { "chaos", "member", me, members, fd, dir, NULL };

	if (m->boot + 1 >= BOOTS_MAX)
		return false;
	snprintf(me, sizeof(me), "%u", number);
	snprintf(members, sizeof(members), "%u", crew->members);
	snprintf(fd, sizeof(fd), "%d", crew->shared_fd);
	disk_member_dir(dir, number);
	m->boot++;
	m->phase = PHASE_STARTING;
	m->leader = 0;
	p->stopped = p->down = false;
	p->start_at = UNTIL_ENDED;
	p->pid = fork();
	if (p->pid == 0)
		become_member(crew, number, argv);
	return p->pid > 0;
}

static void forget(struct crew *crew, unsigned number)
{
	struct member_memory *m = &crew->shared->members[number];

	crew->processes[number].pid = 0;
	crew->processes[number].stopped = false;
	m->phase = PHASE_STARTING;
	m->leader = 0;
}

void crew_stop(struct crew *crew, unsigned number)
{
	struct process *p = &crew->processes[number];

	if (p->pid > 0 && kill(p->pid, SIGSTOP) == 0)
		p->stopped = true;
}

void crew_continue(struct crew *crew, unsigned number)
{
	struct process *p = &crew->processes[number];

	if (p->pid > 0 && p->stopped)
		kill(p->pid, SIGCONT);
	p->stopped = false;
}

static void judge_end(struct crew *crew, unsigned number, int status)
{
	struct process *p = &crew->processes[number];
	struct member_memory *m = &crew->shared->members[number];
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code == END_WELL && m->command == QUIT)
		return;
	if (WIFSIGNALED(status)) {
		violation(crew->shared, "member %u was ended by signal %d, %s",
			  number + 1, WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	} else if (code == END_FAILED && p->disk_is_bad) {
		crew->failures++;
	} else if (code == END_REFUSED && p->disk_is_bad &&
		   m->rc != HF_ECORRUPT && m->rc != HF_EIDENTITY) {
		crew->refusals++;
	} else {
		violation(crew->shared,
			  "member %u ended with status %d; hf_open: %d; %s",
			  number + 1, code, m->rc, m->text);
	}
}

void crew_kill(struct crew *crew, unsigned number)
{
	struct process *p = &crew->processes[number];
	struct member_memory *m = &crew->shared->members[number];
	int status = SIGKILL;

	p->down = true;
	if (p->pid == 0)
		return;
	if (!m->ended[m->boot])
		m->ended[m->boot] = now_us();
	kill(p->pid, SIGKILL);
	waitpid(p->pid, &status, 0);
	/* It may have ended by itself before. */
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		judge_end(crew, number, status);
	forget(crew, number);
}

static void notice(struct crew *crew, unsigned number)
{
	struct process *p = &crew->processes[number];
	struct member_memory *m = &crew->shared->members[number];
	int status;

	if (p->pid == 0 || waitpid(p->pid, &status, WNOHANG) != p->pid)
		return;
	if (!m->ended[m->boot])
		m->ended[m->boot] = now_us();
	judge_end(crew, number, status);
	p->start_at =
		now_us() + (p->disk_is_bad ? DISK_RESTART_US : RESTART_US);
	forget(crew, number);
}

void crew_supervise(struct crew *crew)
{
	for (unsigned i = 0; i < crew->members; i++) {
		struct process *p = &crew->processes[i];
		notice(crew, i);
		if (p->pid == 0 && !p->down && now_us() >= p->start_at &&
		    crew->shared->members[i].command != QUIT)
			crew_start(crew, i);
	}
}

void crew_end(struct crew *crew)
{
	for (unsigned i = 0; i < crew->members; i++)
		crew_kill(crew, i);
}

bool crew_runs(const struct crew *crew, unsigned number)
{
	const struct process *p = &crew->processes[number];

	return p->pid > 0 && !p->stopped &&
	       crew->shared->members[number].phase != PHASE_STARTING;
}

int crew_leader(const struct crew *crew)
{
	uint64_t term = 0;
	int leader = -1;

	for (unsigned i = 0; i < crew->members; i++) {
		struct member_memory *m = &crew->shared->members[i];
		if (!crew_runs(crew, i) || m->leader == 0 || m->term < term)
			continue;
		term = m->term;
		leader = (int)m->leader - 1;
	}
	return leader;
}
