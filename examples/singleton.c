/* A job that runs in one process of the cluster at a time.
 *
 * Each process waits for the lock; the one that gets it works in steps, and
 * asks hf_lock_safe_ms before each whether there is time for it. What it writes
 * carries the token, so that a process that was paused inside a step can't
 * write over its successor. Kill or stop the one that works: another goes on.
 *
 * In three terminals, with 1, 2 and 3 for N; they may share work.log, which
 * stands for the database that the job writes to:
 *
 * ./singleton N dir.N work.log 1=127.0.0.1:7001 2=127.0.0.1:7002 \
 *	3=127.0.0.1:7003 */
#include <holdfast.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* No step takes longer, or it would have to ask again inside. */
#define STEP_MS 500
/* How long a wait for the lock lasts before it looks for a signal. */
#define WAIT_MS 2000

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* The resource: a file of 32-byte lines, the guard in the first 32 bytes. The
 * check, the write and the storing of the guard are one step under flock. (One
 * that outlives a power failure would also make the write durable, before the
 * guard.) */
static int work_append(int fd, uint64_t token, unsigned step)
{
	struct hf_guard guard = { 0 };
	char line[33];

	snprintf(line, sizeof(line), "%-20" PRIu64 "%11u\n", token, step);
	if (flock(fd, LOCK_EX) != 0)
		return HF_EIO;
	int rc = pread(fd, &guard, sizeof(guard), 0) < 0 ? HF_EIO : 0;
	if (rc == 0)
		rc = hf_guard_check(&guard, HF_EXCLUSIVE, token);
	off_t end = lseek(fd, 0, SEEK_END);
	if (rc == 0 && (pwrite(fd, line, 32, end < 32 ? 32 : end) != 32 ||
			pwrite(fd, &guard, sizeof(guard), 0) < 0))
		rc = HF_EIO;
	flock(fd, LOCK_UN);
	return rc;
}

/* Work while the hold is certain. Returns what ended it: 0 is the signal. */
static int work(struct hf_lock *lock, int fd)
{
	const struct timespec step_time = { .tv_nsec = STEP_MS * 500000 };
	uint64_t token = hf_lock_token(lock);

	printf("working under token %" PRIu64 "\n", token);
	for (unsigned step = 1; !stopped; step++) {
		if (hf_lock_safe_ms(lock) < STEP_MS)
			return HF_ESESSION;  /* lost, or not certain any more */
		nanosleep(&step_time, NULL); /* the work */
		int rc = work_append(fd, token, step);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void run(struct hf_node *node, int fd)
{
	while (!stopped) {
		struct hf_lock lock;
		int rc = hf_lock(node, &lock, "the job", NULL, WAIT_MS);

		if (rc == HF_ETIMEDOUT || rc == HF_ENOLEADER)
			continue;
		if (rc == 0) {
			rc = work(&lock, fd);
			hf_unlock(&lock, WAIT_MS);
		}
		if (rc != 0) {
			printf("not working: %s\n", hf_strerror(rc));
			nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		}
	}
}

/* "1=127.0.0.1:7001"; the address stays in the argument. */
static struct hf_member member(const char *argument)
{
	const char *equals = strchr(argument, '=');

	return (struct hf_member){ .id = strtoull(argument, NULL, 10),
				   .address = equals ? equals + 1 : "" };
}

static int usage(void)
{
	fputs("usage: singleton ID DIRECTORY FILE ID=HOST:PORT...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct hf_member members[HF_MEMBERS_MAX];
	struct hf_options options = { .size = sizeof(options) };
	struct hf_node *node;
	char error[HF_ERROR_TEXT];

	if (argc < 5 || argc - 4 > HF_MEMBERS_MAX)
		return usage();
	for (int i = 4; i < argc; i++)
		members[i - 4] = member(argv[i]);
	options.id = strtoull(argv[1], NULL, 10);
	options.dir = argv[2];
	options.members = members;
	options.members_len = (size_t)argc - 4;
	int fd = open(argv[3], O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0) {
		perror(argv[3]);
		return 1;
	}
	if (hf_open(&node, &options, error) != 0) {
		fprintf(stderr, "%s\n", error);
		close(fd);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	run(node, fd);
	hf_close(node, 5000); /* the lock passes on at once */
	close(fd);
	return 0;
}
