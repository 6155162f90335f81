#include "disks.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

/* Room for the log's segments, 64 MiB each, two of them spare, the snapshots,
 * and what is on its way out. */
#define DISK_OPTIONS "size=640m,mode=755"
#define FILL_STEPS_MAX 100
#define PATHS_IN_IT_LEN 32 /* of what lies in TMPDIR, at most */

static int fail(char *error, size_t error_len, const char *what)
{
	snprintf(error, error_len, "%s: %s", what, strerror(errno));
	return -1;
}

static const char *base(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp ? tmp : "/tmp";
}

static void disk_path(char *path, unsigned number, const char *in_it)
{
	snprintf(path, DISK_PATH_LEN, "%s/member-%u%s", base(), number + 1,
		 in_it);
}

void disk_member_dir(char *path, unsigned number)
{
	disk_path(path, number, "/data");
}

void disk_clock_file(char *path, unsigned number)
{
	snprintf(path, DISK_PATH_LEN, "%s/clock-%u", base(), number + 1);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);
	bool written = fd >= 0 && write(fd, text, (size_t)len) == len;

	if (fd >= 0)
		close(fd);
	return written;
}

static bool enter_users(void)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER) == 0 &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", users) &&
	       write_text("/proc/self/gid_map", groups);
}

/* What others see in the two places stays as it is: our file systems lie above
 * it only here. libfaketime leaves files in the second. */
int disks_enter(char *error, size_t error_len)
{
	if (strlen(base()) + PATHS_IN_IT_LEN > DISK_PATH_LEN) {
		errno = ENAMETOOLONG;
		return fail(error, error_len, "TMPDIR");
	}
	if (geteuid() != 0 && !enter_users())
		return fail(error, error_len,
			    "not root, and no user namespace can be made");
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(error, error_len, "no mount namespace can be made");
	if (mount("chaos", base(), "tmpfs", 0, "mode=755") < 0 ||
	    mount("chaos", "/dev/shm", "tmpfs", 0, "mode=1777") < 0)
		return fail(error, error_len, "no tmpfs can be mounted");
	return 0;
}

int disk_make(unsigned number, char *error, size_t error_len)
{
	char path[DISK_PATH_LEN];

	disk_path(path, number, "");
	umount2(path, MNT_DETACH);
	if ((mkdir(path, 0755) < 0 && errno != EEXIST) ||
	    mount("chaos", path, "tmpfs", 0, DISK_OPTIONS) < 0)
		return fail(error, error_len, "no tmpfs for a member");
	return 0;
}

bool disk_fill(unsigned number)
{
	char path[DISK_PATH_LEN];
	struct statfs fs;
	off_t at = 0;

	disk_path(path, number, "/fill");
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == ENOSPC;
	/* The member writes meanwhile, so what is left changes. */
	for (int i = 0; i < FILL_STEPS_MAX; i++) {
		if (fstatfs(fd, &fs) < 0 || fs.f_bavail == 0)
			break;
		off_t len = (off_t)(fs.f_bavail * (uint64_t)fs.f_bsize);
		if (posix_fallocate(fd, at, len) == 0)
			at += len;
	}
	bool full = fstatfs(fd, &fs) == 0 && fs.f_bavail == 0;
	close(fd);
	return full;
}

void disk_free(unsigned number)
{
	char path[DISK_PATH_LEN];

	disk_path(path, number, "/fill");
	unlink(path);
}

bool disk_read_only(unsigned number, bool on)
{
	char path[DISK_PATH_LEN];

	disk_path(path, number, "");
	return mount(NULL, path, NULL, MS_REMOUNT | (on ? MS_RDONLY : 0),
		     DISK_OPTIONS) == 0;
}
