/* What a lock of the demo protects: a file of critical sections, with a guard
 * at its head; and how it is read back.
 *
 * The rule: the check of the token, the write and the storing of the guard are
 * one step, under flock. A section counts once the head says so, which is
 * written last, so that a writer killed half-way has written nothing. (The file
 * needs to outlive processes only; one that is to outlive a power failure would
 * make the section durable before the head.) */
#ifndef CLUSTER_RESOURCE_H
#define CLUSTER_RESOURCE_H

#include <holdfast.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define DEMO_MEMBERS 3
#define DEMO_LOCKS 5
#define DEMO_WORKERS 4 /* threads of each process */
#define DEMO_TTL_MS 2000

/* One critical section. Times in microseconds of CLOCK_MONOTONIC, which the
 * processes of one machine share. */
struct section {
	uint64_t token;
	uint64_t worker; /* member * 100 + number of its thread */
	uint64_t begin, end;
};

struct resource_head {
	struct hf_guard guard;
	uint64_t sections_len; /* how many follow */
};

static inline uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline void resource_name(char *name, size_t size, int lock)
{
	snprintf(name, size, "lock-%d", lock);
}

/* A descriptor of its own for each thread: flock goes by descriptors. Negative:
 * errno says why. */
static inline int resource_open(const char *dir, int lock)
{
	char path[512];
	char name[24];

	resource_name(name, sizeof(name), lock);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static inline int resource_head(int fd, struct resource_head *head)
{
	*head = (struct resource_head){ 0 };
	ssize_t len = pread(fd, head, sizeof(*head), 0);
	return len == 0 || len == (ssize_t)sizeof(*head) ? 0 : HF_EIO;
}

static inline off_t resource_place(uint64_t section)
{
	return (off_t)(sizeof(struct resource_head) +
		       section * sizeof(struct section));
}

static inline int resource_write(int fd, const struct section *section)
{
	struct resource_head head;
	int rc = resource_head(fd, &head);

	if (rc == 0)
		rc = hf_guard_check(&head.guard, HF_EXCLUSIVE, section->token);
	if (rc != 0)
		return rc;
	off_t place = resource_place(head.sections_len++);
	if (pwrite(fd, section, sizeof(*section), place) !=
		    (ssize_t)sizeof(*section) ||
	    pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return HF_EIO;
	return 0;
}

/* Ends the section at the moment of the write. HF_EFENCED: the resource has
 * seen a newer token and refused. */
static inline int resource_append(int fd, struct section *section)
{
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return HF_EIO;
	section->end = now_us();
	int rc = resource_write(fd, section);
	flock(fd, LOCK_UN);
	return rc;
}

static inline uint64_t resource_sections(const char *dir, int lock)
{
	struct resource_head head = { 0 };
	int fd = resource_open(dir, lock);

	if (fd >= 0) {
		resource_head(fd, &head);
		close(fd);
	}
	return head.sections_len;
}

/* What was read back of all files. */
struct audit {
	uint64_t sections, overlaps, falls; /* falls: tokens that didn't rise */
	uint64_t *ends;                     /* room for ends_len */
	size_t ends_len;
};

/* Add one file. What the guard let in must be in the order of its tokens, each
 * section begun after the one before had ended. */
static inline int audit_add(struct audit *a, int fd)
{
	struct resource_head head;
	struct section s, last = { 0 };
	int rc = resource_head(fd, &head);

	for (uint64_t i = 0; rc == 0 && i < head.sections_len; i++) {
		if (pread(fd, &s, sizeof(s), resource_place(i)) != sizeof(s))
			return HF_EIO;
		a->overlaps += s.begin < last.end;
		a->falls += s.token <= last.token;
		if (a->sections < a->ends_len)
			a->ends[a->sections] = s.end;
		a->sections++;
		last = s;
	}
	return rc;
}

static inline int audit_read(struct audit *a, const char *dir)
{
	int rc = 0;

	for (int i = 0; i < DEMO_LOCKS; i++)
		a->ends_len += resource_sections(dir, i);
	a->ends = calloc(a->ends_len + 1, sizeof(*a->ends));
	if (!a->ends)
		return HF_ENOMEM;
	for (int i = 0; rc == 0 && i < DEMO_LOCKS; i++) {
		int fd = resource_open(dir, i);

		if (fd < 0)
			return HF_EIO;
		rc = audit_add(a, fd);
		close(fd);
	}
	return rc;
}

static inline int audit_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The longest time in which no section ended anywhere. */
static inline uint64_t audit_gap_us(struct audit *a)
{
	uint64_t gap = 0;

	qsort(a->ends, a->sections, sizeof(*a->ends), audit_compare);
	for (uint64_t i = 1; i < a->sections; i++)
		if (a->ends[i] - a->ends[i - 1] > gap)
			gap = a->ends[i] - a->ends[i - 1];
	return gap;
}

#endif
