#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void sleep_ms(uint32_t ms)
{
	const struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	/* Not exit: a child has no business with its parent's buffers. */
	fflush(stdout);
	_exit(1);
}

void *share(size_t len)
{
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return memory;
}

pid_t spawn(void)
{
	const pid_t parent = getpid();
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* it ended before we could ask */
	return 0;
}

void print_row(const char *name, unsigned concurrency, double ops,
	       const struct hist *hist)
{
	printf("%s\t%u\t%.1f\t%.1f\t%.1f\n", name, concurrency, ops,
	       hist_us(hist, 0.5), hist_us(hist, 0.99));
	fflush(stdout);
}

double number_argument(const char *what, const char *text, double most)
{
	char *end;
	const double number = strtod(text, &end);

	if (end == text || *end || !(number > 0 && number <= most))
		die("%s is \"%s\"; above 0 and at most %g is right", what, text,
		    most);
	return number;
}
