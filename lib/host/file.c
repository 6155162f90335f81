#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LEN 32 /* of such a file */

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_durably(int dirfd, const char *name, const void *bytes,
			 size_t len)
{
	int fd = openat(dirfd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			S_IRUSR | S_IWUSR);

	if (fd < 0)
		return -errno;
	int rc = write_all(fd, bytes, len);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	/* Some file systems tell of a failed write only here. */
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

int file_replace(int dirfd, const char *name, const void *bytes, size_t len)
{
	char temporary[NAME_MAX_LEN];

	snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	int rc = write_durably(dirfd, temporary, bytes, len);
	if (rc < 0)
		return rc;
	if (renameat(dirfd, temporary, dirfd, name) < 0 || fsync(dirfd) < 0)
		return -errno;
	return 0;
}

int file_read(int dirfd, const char *name, void *bytes, size_t cap)
{
	uint8_t *to = bytes, beyond;
	size_t len = 0;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	int rc = 0;
	while (rc == 0) {
		ssize_t n = len < cap ? read(fd, to + len, cap - len)
				      : read(fd, &beyond, 1);
		if (n < 0)
			rc = errno == EINTR ? 0 : -errno;
		else if (n == 0)
			break;
		else if (len == cap)
			rc = -EFBIG;
		else
			len += (size_t)n;
	}
	close(fd);
	return rc < 0 ? rc : (int)len;
}
