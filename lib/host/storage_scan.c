/* Is an open segment damaged, or was its last write cut short?
 *
 * raft_uv reads an open segment up to the first batch of entries whose checksum
 * is wrong, and forgets the rest: rightly so after a crash in the middle of a
 * write, but acknowledged entries are lost if the bytes were damaged later. So
 * each open segment is read before raft_uv does.
 *
 * A segment is made of zeros and written from its beginning to its end, one
 * write at a time; a sector is written whole or not at all. Hence a batch that
 * was cut short has a sector of zeros; and behind it there is nothing but what
 * the same write held. Anything else is damage, and so is a log that ends
 * before what was acknowledged (storage_mark.c). */
#include "host/storage_internal.h"

#include "host/fail.h"
#include "host/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* raft_uv keeps two or three. */
#define OPEN_MAX 64
/* Batches in one write: raft_uv joins all appends that wait for the disk, and
 * the watchdog of lib/repl ends a member where they wait for ten seconds. */
#define WRITE_BATCHES_MAX 32768

struct listing {
	unsigned long long open[OPEN_MAX]; /* counters */
	size_t open_len;
	bool too_many;
	uint64_t closed_end; /* last index of the closed segments; 0: none */
	uint64_t snapshot;   /* index of the newest; 0: none */
};

static bool is_whole(const char *name, int consumed)
{
	return consumed > 0 && name[consumed] == 0;
}

static void note_file(struct listing *l, const char *name)
{
	unsigned long long a, b, c;
	int used = 0;

	if (sscanf(name, "open-%llu%n", &a, &used) == 1 &&
	    is_whole(name, used)) {
		if (l->open_len < OPEN_MAX)
			l->open[l->open_len++] = a;
		else
			l->too_many = true;
		return;
	}
	used = 0;
	if (sscanf(name, "%016llu-%016llu%n", &a, &b, &used) == 2 &&
	    is_whole(name, used) && b > l->closed_end)
		l->closed_end = b;
	used = 0;
	if (sscanf(name, "snapshot-%llu-%llu-%llu.meta%n", &a, &b, &c, &used) ==
		    3 &&
	    is_whole(name, used) && b > l->snapshot)
		l->snapshot = b;
}

static int by_counter(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a;
	unsigned long long y = *(const unsigned long long *)b;

	return (x > y) - (x < y);
}

/* The directory's descriptor, or an error. */
static int list(const struct storage *storage, struct listing *l, char *error)
{
	int fd = openat(storage->dir->fd, "group-1",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *group = copy < 0 ? NULL : fdopendir(copy);

	if (!group) {
		int number = errno;
		if (copy >= 0)
			close(copy);
		if (fd >= 0)
			close(fd);
		return fail_system(error, number, "cannot read %s",
				   storage->path);
	}
	for (struct dirent *e = readdir(group); e; e = readdir(group))
		note_file(l, e->d_name);
	closedir(group);
	qsort(l->open, l->open_len, sizeof(*l->open), by_counter);
	return fd;
}

static int damaged(char *error, const char *name, uint64_t at, uint64_t index,
		   const char *why)
{
	return fail(error, HF_ECORRUPT,
		    "group-1/%s is damaged at byte %" PRIu64
		    ": %s. Entries from %" PRIu64 " on would be lost. Restore "
		    "the whole directory, or replace the member",
		    name, at, why, index);
}

struct progress {
	const struct storage *storage;
	struct listing files;
	uint64_t last;     /* index of the last entry so far */
	char ended[32];    /* a segment whose last write was cut short */
	uint64_t ended_at; /* where */
	struct segment *segment;
};

/* What follows the last good batch isn't all zeros. */
static int judge(struct progress *p, const char *name, char *error)
{
	struct segment *s = p->segment;
	bool torn = s->state == SEGMENT_HEADLESS;
	int rc = torn ? 0 : segment_torn(s, &torn);

	if (rc == 0 && !torn)
		return damaged(error, name, s->end, p->last + 1,
			       "a batch was written whole, but its checksum is "
			       "wrong");
	uint64_t good = 0;
	if (rc == 0)
		rc = segment_good_behind(s, WRITE_BATCHES_MAX + 1, &good);
	if (rc < 0)
		return fail_system(error, -rc, "reading group-1/%s", name);
	if (good > WRITE_BATCHES_MAX)
		return damaged(error, name, s->end, p->last + 1,
			       "a batch is bad, but many behind it are good");
	snprintf(p->ended, sizeof(p->ended), "%s", name);
	p->ended_at = s->end;
	return 0;
}

static int shorten(int dirfd, const char *name, uint64_t size, char *error)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 || ftruncate(fd, (off_t)size) < 0 || fsync(fd) < 0
			 ? fail_system(error, errno, "cutting group-1/%s", name)
			 : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Less than the beginning of a batch has room behind the last one: of such
 * zeros raft_uv would free all entries twice. */
static bool has_stub(const struct segment *s)
{
	return s->state == SEGMENT_WHOLE && s->end < s->size &&
	       s->size - s->end < SEGMENT_PREAMBLE;
}

static int scan_open(struct progress *p, int dirfd, const char *name,
		     char *error)
{
	struct segment *s = p->segment;
	int rc = segment_read(s, dirfd, name);

	if (rc == 0 && s->state != SEGMENT_EMPTY && *p->ended)
		rc = damaged(error, p->ended, p->ended_at, p->last + 1,
			     "a batch is bad, but a later segment was begun");
	else if (rc < 0)
		rc = fail_system(error, -rc, "reading group-1/%s", name);
	if (rc == 0)
		p->last += s->entries;
	if (rc == 0 &&
	    (s->state == SEGMENT_BAD_END || s->state == SEGMENT_HEADLESS))
		rc = judge(p, name, error);
	if (rc == 0 && has_stub(s))
		rc = shorten(dirfd, name, s->end, error);
	segment_close(s);
	return rc;
}

/* raft_uv would not only start without them, but cut them off. */
static int check_mark(const struct progress *p, char *error)
{
	uint64_t last =
		p->last > p->files.snapshot ? p->last : p->files.snapshot;

	if (last >= p->storage->mark || !*p->ended)
		return 0;
	return damaged(error, p->ended, p->ended_at, p->last + 1,
		       "a batch is bad that was acknowledged");
}

static int scan_all(struct progress *p, int dirfd, char *error)
{
	struct listing *l = &p->files;
	char name[32];
	int rc = 0;

	p->last = l->closed_end ? l->closed_end : l->snapshot;
	for (size_t i = 0; i < l->open_len && rc == 0; i++) {
		snprintf(name, sizeof(name), "open-%llu", l->open[i]);
		rc = scan_open(p, dirfd, name, error);
	}
	if (rc == 0)
		rc = check_mark(p, error);
	/* raft_uv refuses a segment without a format, but removes an empty one.
	 */
	if (rc == 0 && *p->ended && p->ended_at == 0)
		rc = shorten(dirfd, p->ended, 0, error);
	return rc;
}

int storage_scan(const struct storage *storage, char *error)
{
	struct progress p = { .storage = storage };
	int dirfd = list(storage, &p.files, error);

	if (dirfd < 0)
		return dirfd;
	int rc = 0;
	if (p.files.too_many)
		rc = fail(error, HF_ECORRUPT,
			  "%s has more open segments than raft_uv makes",
			  storage->path);
	else if (p.files.open_len > 0)
		p.segment = segment_new();
	if (rc == 0 && p.files.open_len > 0)
		rc = p.segment ? scan_all(&p, dirfd, error)
			       : fail(error, HF_ENOMEM, "out of memory");
	free(p.segment);
	close(dirfd);
	return rc;
}
