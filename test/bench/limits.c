/* What the machine allows: no cluster on this disk and this loopback can be
 * faster than its writes and its messages.
 *
 *	limits DIR SECS
 *
 * append: a durable 4 KiB write into the next block of a file that was
 * allocated, but never written, as raft's log does it, by one process and by as
 * many as a cluster has members; overwrite: the same into blocks that were
 * written before; rtt: 64 bytes to another process and back over TCP. */
#include "lib/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEMBERS 3
#define BLOCK 4096
#define MESSAGE 64
#define FILE_LEN (64 << 20)
#define SECS_MAX 60
#define READY_SECS 30 /* to make the files */

struct writer {
	const char *path;
	void *block;
	bool append; /* else overwrite */
	int fd;
	off_t offset;
};

static void fill(int fd, void *block)
{
	for (off_t offset = 0; offset < FILE_LEN; offset += BLOCK)
		if (pwrite(fd, block, BLOCK, offset) != BLOCK)
			die("fill: %s", strerror(errno));
}

/* A new file: never written, or written all over. */
static void writer_open(struct writer *w)
{
	int fd = open(w->path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die("%s: %s", w->path, strerror(errno));
	if (w->append && posix_fallocate(fd, 0, FILE_LEN))
		die("%s: cannot allocate %d bytes", w->path, FILE_LEN);
	if (!w->append)
		fill(fd, w->block);
	if (fsync(fd))
		die("%s: %s", w->path, strerror(errno));
	close(fd);
	w->fd = open(w->path, O_RDWR | O_DIRECT | O_DSYNC);
	if (w->fd < 0)
		die("%s: %s: BENCH_DIR must be on a file system with O_DIRECT",
		    w->path, strerror(errno));
	w->offset = 0;
}

static void writer_rewind(struct writer *w)
{
	if (w->append) {
		close(w->fd);
		unlink(w->path);
		writer_open(w);
	}
	w->offset = 0;
}

/* Write until `secs` have passed; the time for new files is not counted. */
static void writer_run(struct writer *w, double secs, struct hist *hist)
{
	uint64_t end = now_ns() + (uint64_t)(secs * 1e9);
	uint64_t from = now_ns(), to;

	while (from < end) {
		if (pwrite(w->fd, w->block, BLOCK, w->offset) != BLOCK)
			die("%s: %s", w->path, strerror(errno));
		to = now_ns();
		hist_add(hist, to - from);
		w->offset += BLOCK;
		if (w->offset >= FILE_LEN) {
			writer_rewind(w);
			end += now_ns() - to;
			to = now_ns();
		}
		from = to;
	}
}

/* Shared by the writers of one measurement, so that all begin at once. */
struct stage {
	sem_t ready, go;
	struct hist hist[MEMBERS];
};

static void write_child(struct stage *stage, const char *dir, unsigned i,
			bool append, double secs)
{
	char path[PATH_MAX];
	struct writer w = { .path = path, .append = append };

	snprintf(path, sizeof(path), "%s/limit-%u", dir, i);
	if (posix_memalign(&w.block, BLOCK, BLOCK))
		die("out of memory");
	memset(w.block, 7, BLOCK);
	writer_open(&w);
	sem_post(&stage->ready);
	sem_wait(&stage->go);
	writer_run(&w, secs, &stage->hist[i]);
	unlink(path);
	_exit(0);
}

static void raise_curtain(struct stage *stage, unsigned writers)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += READY_SECS;
	for (unsigned i = 0; i < writers; i++)
		if (sem_timedwait(&stage->ready, &until))
			die("a writer didn't get ready");
	for (unsigned i = 0; i < writers; i++)
		sem_post(&stage->go);
}

static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		die("a child failed");
}

static void measure_disk(const char *name, const char *dir, unsigned writers,
			 bool append, double secs)
{
	struct stage *stage = share(sizeof(*stage));
	struct hist *all = &stage->hist[0];
	pid_t pids[MEMBERS];

	sem_init(&stage->ready, 1, 0);
	sem_init(&stage->go, 1, 0);
	for (unsigned i = 0; i < writers; i++) {
		pids[i] = spawn();
		if (pids[i] == 0)
			write_child(stage, dir, i, append, secs);
	}
	raise_curtain(stage, writers);
	for (unsigned i = 0; i < writers; i++)
		wait_for(pids[i]);
	for (unsigned i = 1; i < writers; i++)
		hist_merge(all, &stage->hist[i]);
	print_row(name, writers, (double)all->n / secs, all);
}

static bool read_message(int fd, char *message)
{
	size_t got = 0;

	while (got < MESSAGE) {
		ssize_t n = read(fd, message + got, MESSAGE - got);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

static void no_delay(int fd)
{
	const int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		die("TCP_NODELAY: %s", strerror(errno));
}

static int listen_on(struct sockaddr_in *address)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*address);

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)address, len) ||
	    listen(fd, 1) || getsockname(fd, (struct sockaddr *)address, &len))
		die("listen: %s", strerror(errno));
	return fd;
}

static void echo_child(int listener)
{
	const int fd = accept(listener, NULL, NULL);
	char message[MESSAGE];

	if (fd < 0)
		die("accept: %s", strerror(errno));
	no_delay(fd);
	while (read_message(fd, message))
		if (write(fd, message, MESSAGE) != MESSAGE)
			_exit(1);
	_exit(0);
}

static void ask_echo(int fd, double secs, struct hist *hist)
{
	const uint64_t end = now_ns() + (uint64_t)(secs * 1e9);
	char message[MESSAGE] = { 0 };
	uint64_t from = now_ns(), to;

	for (; from < end; from = to) {
		if (write(fd, message, MESSAGE) != MESSAGE ||
		    !read_message(fd, message))
			die("echo: %s", strerror(errno));
		to = now_ns();
		hist_add(hist, to - from);
	}
}

static void measure_rtt(double secs)
{
	struct sockaddr_in address = { 0 };
	const int listener = listen_on(&address);
	struct hist *hist = share(sizeof(*hist));
	const pid_t echo = spawn();

	if (echo == 0)
		echo_child(listener);
	/* Made only now, so that the child has no copy that keeps it open. */
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	no_delay(fd);
	ask_echo(fd, secs, hist);
	close(fd);
	close(listener);
	wait_for(echo);
	print_row("rtt", 1, (double)hist->n / secs, hist);
}

static void conduct(const char *dir, void *arg)
{
	const double secs = *(const double *)arg;

	measure_disk("append", dir, 1, true, secs);
	measure_disk("append", dir, MEMBERS, true, secs);
	measure_disk("overwrite", dir, 1, false, secs);
	measure_disk("overwrite", dir, MEMBERS, false, secs);
	measure_rtt(secs);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: limits DIR SECS");
	double secs = number_argument("SECS", argv[2], SECS_MAX);

	return supervise(argv[1], (uint32_t)(120 + 5 * secs), conduct, &secs);
}
