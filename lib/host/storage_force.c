/* The last resort, after a failed disk: raft_uv's close never completes.
 *
 * When the kernel refuses a write at once, raft_uv 0.22 forgets the segment
 * that it was for: its file, its eventfd and its asynchronous context stay
 * open. The eventfd is found through its handle in the loop, the file by its
 * name. The context (one of the system's fs.aio-max-nr) is lost until the
 * process ends. */
#include "host/storage_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The loop has no polled descriptors but raft_uv's. One that is closing already
 * is its own business. */
static void close_eventfd(uv_handle_t *handle, void *arg)
{
	int fd;

	(void)arg;
	if (handle->type != UV_POLL || uv_is_closing(handle))
		return;
	bool found = uv_fileno(handle, &fd) == 0;
	uv_close(handle, NULL);
	if (found)
		close(fd);
}

/* Only raft_uv opens these for writing only. */
static bool is_segment(int fd, const char *group, const char *path)
{
	size_t len = strlen(group);

	return strncmp(path, group, len) == 0 &&
	       strncmp(path + len, "/open-", 6) == 0 &&
	       (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

static void close_segments(const struct storage *storage)
{
	char path[sizeof(storage->path) + 64];
	DIR *fds = opendir("/proc/self/fd");

	if (!fds)
		return;
	for (struct dirent *e = readdir(fds); e; e = readdir(fds)) {
		int fd = atoi(e->d_name);
		ssize_t len = readlinkat(dirfd(fds), e->d_name, path,
					 sizeof(path) - 1);
		if (len <= 0)
			continue;
		path[len] = 0;
		if (is_segment(fd, storage->path, path))
			close(fd);
	}
	closedir(fds);
}

bool storage_force(struct storage *storage)
{
	storage->silent = true;
	/* raft_uv's handles look at libraft's struct through this. */
	storage->io.data = NULL;
	storage_note_failure(storage);
	uv_walk(storage->loop, close_eventfd, NULL);
	close_segments(storage);
	return !storage_writing(storage);
}
