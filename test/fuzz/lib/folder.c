/* See folder.h. Made with the first use and removed when the process ends,
 * which only a main program could do without something static. */
#include "fuzz/lib/folder.h"
#include "fuzz/lib/target.h"
#include "lib/scratch.h"

#include <fcntl.h>

static char path[SCRATCH_PATH_MAX];

static void remove_it(void)
{
	scratch_remove(path);
}

const char *folder_path(void)
{
	if (!path[0]) {
		scratch_make(path);
		atexit(remove_it);
	}
	return path;
}

int folder_open(void)
{
	int fd = open(folder_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

void folder_write(int folder, const char *name, const void *bytes, size_t len)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	must(fd >= 0);
	must(len == 0 || write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

void folder_close(int folder)
{
	static const char *const names[] = { "identity", "vote-1", "lock",
					     "open-1" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlinkat(folder, names[i], 0);
	close(folder);
}
