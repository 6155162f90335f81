/* What a crash leaves in raft_uv's folder, and raft_uv can't read.
 *
 * It cuts the log by writing a shorter copy of a closed segment before removing
 * the longer one, and refuses to start from both. It installs a snapshot before
 * removing the log that it replaces, passes over what is left of that at the
 * first start, and takes it for the beginning of the log at the next: then
 * entries get wrong indexes. So both are finished here, as raft_uv would have
 * done. Both had closed all segments before, and wrote no other: where there is
 * an open one, nothing is touched. */
#include "host/storage_internal.h"

#include "host/fail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of more raft_uv decides. */
#define CLOSED_MAX 4096
#define NAME_BYTES 64

struct closed {
	unsigned long long first, end;
};

struct folder {
	int fd;
	bool open;                   /* it has an open segment */
	unsigned long long snapshot; /* index of the newest; 0: none */
	size_t len;                  /* CLOSED_MAX: perhaps more */
	struct closed closed[CLOSED_MAX];
};

/* As raft_uv counts them: with both files, the second not empty. */
static void note_snapshot(struct folder *f, const char *name)
{
	unsigned long long term, index, time;
	char data[NAME_BYTES], again[NAME_BYTES];
	struct stat st;

	if (sscanf(name, "snapshot-%llu-%llu-%llu.meta", &term, &index,
		   &time) != 3)
		return;
	snprintf(data, sizeof(data), "snapshot-%llu-%llu-%llu", term, index,
		 time);
	snprintf(again, sizeof(again), "%.57s.meta", data);
	if (strcmp(name, again) == 0 && index > f->snapshot &&
	    fstatat(f->fd, data, &st, 0) == 0 && st.st_size > 0)
		f->snapshot = index;
}

static void closed_name(const struct closed *c, char *name)
{
	snprintf(name, NAME_BYTES, "%016llu-%016llu", c->first, c->end);
}

static void note_file(struct folder *f, const char *name)
{
	char again[NAME_BYTES];
	struct closed c;

	f->open = f->open || strncmp(name, "open-", 5) == 0;
	note_snapshot(f, name);
	if (f->len == CLOSED_MAX ||
	    sscanf(name, "%llu-%llu", &c.first, &c.end) != 2)
		return;
	closed_name(&c, again);
	if (strcmp(name, again) == 0)
		f->closed[f->len++] = c;
}

static int by_index(const void *a, const void *b)
{
	const struct closed *x = a, *y = b;

	if (x->first != y->first)
		return x->first > y->first ? 1 : -1;
	return (x->end > y->end) - (x->end < y->end);
}

/* The last first: what is left after a crash is seen for what it is. */
static int remove_from(struct folder *f, size_t keep)
{
	char name[NAME_BYTES];

	while (f->len > keep) {
		closed_name(&f->closed[f->len - 1], name);
		if (unlinkat(f->fd, name, 0) < 0)
			return -errno;
		f->len--;
	}
	return fsync(f->fd) < 0 ? -errno : 0;
}

/* The mark was lowered before: a higher one shows that it is something else. */
static int finish_cut(struct folder *f, uint64_t mark)
{
	for (size_t i = 0; i + 1 < f->len; i++)
		if (f->closed[i].first == f->closed[i + 1].first)
			return f->closed[i].end >= mark ? remove_from(f, i + 1)
							: 0;
	return 0;
}

static int tidy(struct folder *f, uint64_t mark)
{
	if (f->open || f->len == 0 || f->len == CLOSED_MAX)
		return 0;
	qsort(f->closed, f->len, sizeof(*f->closed), by_index);
	if (f->closed[f->len - 1].end < f->snapshot)
		return remove_from(f, 0);
	return finish_cut(f, mark);
}

static int read_folder(struct folder *f)
{
	int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir) {
		int number = errno;
		if (copy >= 0)
			close(copy);
		return -number;
	}
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		note_file(f, e->d_name);
	closedir(dir);
	return 0;
}

static void folder_close(struct folder *f)
{
	if (f && f->fd >= 0)
		close(f->fd);
	free(f);
}

/* 0, or a negative errno. */
static int folder_open(struct folder **out, const struct storage *storage)
{
	struct folder *f = calloc(1, sizeof(*f));

	*out = f;
	if (!f)
		return -ENOMEM;
	f->fd = openat(storage->dir->fd, "group-1",
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->fd < 0 ? -errno : read_folder(f);
}

bool storage_uncut(const struct storage *storage, uint64_t index)
{
	struct folder *f;
	bool uncut = false;

	if (folder_open(&f, storage) == 0)
		for (size_t i = 0; i < f->len; i++)
			uncut = uncut || (f->closed[i].first < index &&
					  f->closed[i].end >= index);
	folder_close(f);
	return uncut;
}

int storage_tidy(const struct storage *storage, char *error)
{
	struct folder *f;
	int rc = folder_open(&f, storage);

	if (rc == 0)
		rc = tidy(f, storage->mark);
	folder_close(f);
	return rc < 0 ? fail_system(error, -rc, "tidying %s", storage->path)
		      : 0;
}
