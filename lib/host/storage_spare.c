/* Segments that were prepared and never written: dropped before raft_uv reads
 * each of them whole, 64 MiB of zeros, only to drop it as well. That took most
 * of a restart, and until then the member's former session holds its locks.
 *
 * A file system that knows no holes says that there is data everywhere; then
 * the files stay, and raft_uv decides. */
#include "host/storage_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OPEN_SEGMENT "open-"

static bool is_unwritten(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool unwritten;

	if (fd < 0)
		return false;
	unwritten = lseek(fd, 0, SEEK_DATA) < 0 && errno == ENXIO;
	close(fd);
	return unwritten;
}

void storage_drop_spares(const struct storage *storage)
{
	int fd = openat(storage->dir->fd, "group-1",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *group = fd < 0 ? NULL : fdopendir(fd);

	if (!group) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e = readdir(group); e; e = readdir(group))
		if (strncmp(e->d_name, OPEN_SEGMENT, strlen(OPEN_SEGMENT)) ==
			    0 &&
		    is_unwritten(fd, e->d_name))
			unlinkat(fd, e->d_name, 0);
	closedir(group);
}
