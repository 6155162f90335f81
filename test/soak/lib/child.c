#include "child.h"

#include "place.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REAP_NAP_US 5000

static void exec_self(const char *const *arguments, int to, int from)
{
	char *words[CHILD_ARGUMENTS_MAX + 2] = { "self" };

	for (int i = 0; i < CHILD_ARGUMENTS_MAX && arguments[i]; i++)
		words[i + 1] = (char *)(size_t)arguments[i];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(to, STDIN_FILENO) >= 0 && dup2(from, STDOUT_FILENO) >= 0)
		execv("/proc/self/exe", words);
	_exit(127);
}

bool child_start(struct child *c, const char *const *arguments)
{
	int to[2], from[2];

	*c = (struct child){ 0 };
	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		return false;
	c->to = to[1];
	c->from = from[0];
	c->pid = fork();
	if (c->pid == 0)
		exec_self(arguments, to[0], from[1]);
	close(to[0]);
	close(from[1]);
	return c->pid > 0;
}

bool child_say(struct child *c, const char *format, ...)
{
	char line[CHILD_LINE_MAX];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return c->pid && write(c->to, line, (size_t)len) == len;
}

static bool take_line(struct child *c, char line[CHILD_LINE_MAX])
{
	char *end = memchr(c->buffer, '\n', c->buffer_len);

	if (!end)
		return false;
	size_t len = (size_t)(end - c->buffer);
	memcpy(line, c->buffer, len);
	line[len] = '\0';
	c->buffer_len -= len + 1;
	memmove(c->buffer, end + 1, c->buffer_len);
	return true;
}

bool child_hear(struct child *c, char line[CHILD_LINE_MAX], int timeout_ms)
{
	uint64_t end = now_ms() + (uint64_t)timeout_ms;
	struct pollfd at = { .fd = c->from, .events = POLLIN };

	while (!take_line(c, line)) {
		size_t room = sizeof(c->buffer) - c->buffer_len;
		uint64_t now = now_ms();

		if (now > end || poll(&at, 1, (int)(end - now)) != 1)
			return false;
		ssize_t len = read(c->from, c->buffer + c->buffer_len, room);
		if (len <= 0)
			return false;
		c->buffer_len += (size_t)len;
	}
	return true;
}

bool child_stop(struct child *c)
{
	int status = 0;

	return kill(c->pid, SIGSTOP) == 0 &&
	       waitpid(c->pid, &status, WUNTRACED) == c->pid &&
	       WIFSTOPPED(status);
}

void child_continue(struct child *c)
{
	kill(c->pid, SIGCONT);
}

static void child_free(struct child *c)
{
	close(c->to);
	close(c->from);
	*c = (struct child){ 0 };
}

bool child_kill(struct child *c)
{
	int status = 0;

	if (!c->pid)
		return true;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, &status, 0);
	child_free(c);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

bool child_reap(struct child *c, int timeout_ms)
{
	uint64_t end = now_ms() + (uint64_t)timeout_ms;
	int status = 0;

	while (waitpid(c->pid, &status, WNOHANG) != c->pid) {
		if (now_ms() > end)
			return false;
		nap_us(REAP_NAP_US);
	}
	child_free(c);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
