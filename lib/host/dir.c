#include "host/dir.h"

#include "host/fail.h"
#include "host/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_FILE "lock"
#define IDENTITY_FILE "identity"
#define GROUP "group-1"

static int find(struct dir *dir, const char *path, char *error)
{
	if (mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
		return fail_system(error, errno,
				   "cannot make the directory %s (its parent "
				   "must exist)",
				   path);
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0 && errno == ENOTDIR)
		return fail(error, HF_EINVAL, "%s is not a directory", path);
	if (dir->fd < 0)
		return fail_system(error, errno, "cannot open %s", path);

	char *absolute = realpath(path, NULL);
	if (!absolute)
		return fail_system(error, errno, "cannot resolve %s", path);
	size_t len = strlen(absolute);
	if (len <= DIR_PATH_MAX)
		memcpy(dir->path, absolute, len + 1);
	free(absolute);
	if (len > DIR_PATH_MAX)
		return fail(error, HF_EINVAL,
			    "the directory's absolute path has %zu bytes, more "
			    "than %d",
			    len, DIR_PATH_MAX);
	return 0;
}

static int check_file_system(const struct dir *dir, char *error)
{
	unsigned long type;

	if (place_file_system(dir->fd, &type))
		return 0;
	return fail(error, HF_EFILESYSTEM,
		    "%s is on a file system of type 0x%lx, which isn't known "
		    "to lock and to write as a lock service needs; use a local "
		    "one, such as ext4, xfs or btrfs",
		    dir->path, type);
}

static int in_use(const struct dir *dir, char *error)
{
	char pid[16] = "";
	ssize_t n =
		dir->lock < 0 ? 0 : pread(dir->lock, pid, sizeof(pid) - 1, 0);

	if (n > 0)
		pid[strspn(pid, "0123456789")] = 0;
	return fail(error, HF_EINUSE, "%s is in use by %s%s", dir->path,
		    *pid ? "process " : "another process", pid);
}

/* Both the file and the directory itself are locked: the file could be removed
 * and made anew by someone who tidies up, the directory can't while we hold its
 * inode. */
static int lock(struct dir *dir, char *error)
{
	char pid[16];

	dir->lock = openat(dir->fd, LOCK_FILE,
			   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			   S_IRUSR | S_IWUSR);
	if (dir->lock < 0)
		return fail_system(error, errno, "cannot write to %s",
				   dir->path);
	if (flock(dir->fd, LOCK_EX | LOCK_NB) < 0 ||
	    flock(dir->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? in_use(dir, error)
			       : fail_system(error, errno, "cannot lock %s",
					     dir->path);
	/* Only for the text of in_use. */
	int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(dir->lock, 0) < 0 ||
	    pwrite(dir->lock, pid, (size_t)len, 0) != len)
		return fail_system(error, errno ? errno : ENOSPC,
				   "cannot write to %s", dir->path);
	return 0;
}

/* Does it hold a log already, or a vote? */
static bool has_data(const struct dir *dir)
{
	struct stat st;
	bool found = false;

	if (fstatat(dir->fd, "vote-1", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	int fd = openat(dir->fd, GROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *group = fd < 0 ? NULL : fdopendir(fd);
	if (!group)
		return fd >= 0 || errno != ENOENT;
	for (struct dirent *e = readdir(group); e && !found; e = readdir(group))
		found = strcmp(e->d_name, ".") != 0 &&
			strcmp(e->d_name, "..") != 0;
	closedir(group);
	return found;
}

/* A new directory's name is durable only once its parent is. */
static int sync_parent(const struct dir *dir, char *error)
{
	int fd = openat(dir->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A parent that we may not read: the whole file system, then. */
	int rc = fd < 0 ? syncfs(dir->fd) : fsync(fd);
	int number = errno;

	if (fd >= 0)
		close(fd);
	return rc < 0 ? fail_system(error, number,
				    "cannot sync the parent of "
				    "%s",
				    dir->path)
		      : 0;
}

static int begin(const struct dir *dir, struct identity *identity,
		 const struct dir_want *want, char *error)
{
	if (has_data(dir))
		return fail(error, HF_ECORRUPT,
			    "%s holds a log, but its file %s is missing: "
			    "restore it, or replace the member",
			    dir->path, IDENTITY_FILE);
	*identity = (struct identity){ .cluster = want->cluster,
				       .node = want->node,
				       .incarnation = 1 };
	identity_name(identity, want->cluster_name);
	return sync_parent(dir, error);
}

/* 1: read; 0: there is none. */
static int load(const struct dir *dir, struct identity *identity, char *error)
{
	char text[FILE_BYTES_MAX];
	int len = file_read(dir->fd, IDENTITY_FILE, text, sizeof(text));

	if (len == -ENOENT)
		return 0;
	if (len < 0 && len != -EFBIG)
		return fail_system(error, -len, "cannot read %s/%s", dir->path,
				   IDENTITY_FILE);
	if (len < 0 || !identity_decode(identity, text, (size_t)len))
		return fail(error, HF_ECORRUPT,
			    "%s/%s is damaged: restore it, or replace the "
			    "member",
			    dir->path, IDENTITY_FILE);
	return 1;
}

static int check_owner(const struct dir *dir, const struct identity *identity,
		       const struct dir_want *want, char *error)
{
	if (identity->cluster != want->cluster)
		return fail(error, HF_EIDENTITY,
			    "%s belongs to the cluster '%s', not to '%.64s'",
			    dir->path, identity->name, want->cluster_name);
	if (identity->node != want->node)
		return fail(error, HF_EIDENTITY,
			    "%s belongs to member %" PRIu64
			    ", not to member %" PRIu64,
			    dir->path, identity->node, want->node);
	return 0;
}

static int check_place(const struct dir *dir, const struct place *was,
		       const struct place *is, bool adopt, char *error)
{
	if (place_same(was, is) || adopt)
		return 0;
	const char *what = was->inode != is->inode     ? "directory"
			   : was->volume != is->volume ? "file system"
						       : "machine";
	return fail(error, HF_EIDENTITY,
		    "%s was copied or moved: it was made in another %s. If its "
		    "former owner is dead for good, open it with `adopt`",
		    dir->path, what);
}

static int identify(struct dir *dir, const struct dir_want *want, char *error)
{
	struct identity identity;
	struct place here;
	char text[FILE_BYTES_MAX];
	int found = load(dir, &identity, error);

	if (found < 0)
		return found;
	int rc = place_of(&here, dir->fd);
	if (rc < 0)
		return fail_system(error, -rc, "cannot inspect %s", dir->path);
	if (want->place)
		here = *want->place;
	if (found) {
		rc = check_owner(dir, &identity, want, error);
		if (rc == 0)
			rc = check_place(dir, &identity.place, &here,
					 want->adopt, error);
	} else {
		rc = begin(dir, &identity, want, error);
	}
	if (rc < 0)
		return rc;

	/* A lock held here says nothing of a process on another machine, nor
	 * of one that has another copy open. */
	dir->former_dead =
		!found || (place_same(&identity.place, &here) &&
			   place_one_machine(&identity.place, &here));
	identity.place = here;
	dir->boot = ++identity.boot;
	dir->incarnation = identity.incarnation;
	rc = file_replace(dir->fd, IDENTITY_FILE, text,
			  identity_encode(&identity, text));
	return rc < 0 ? fail_system(error, -rc, "cannot write %s/%s", dir->path,
				    IDENTITY_FILE)
		      : 0;
}

int dir_open(struct dir *dir, const struct dir_want *want, char *error)
{
	*dir = (struct dir){ .fd = -1, .lock = -1 };
	int rc = find(dir, want->path, error);

	if (rc == 0)
		rc = check_file_system(dir, error);
	if (rc == 0)
		rc = lock(dir, error);
	if (rc == 0)
		rc = identify(dir, want, error);
	if (rc < 0)
		dir_close(dir);
	return rc;
}

int dir_group(const struct dir *dir, char *error)
{
	if (mkdirat(dir->fd, GROUP, S_IRWXU) == 0) {
		if (fsync(dir->fd) == 0)
			return 0;
	} else if (errno == EEXIST) {
		return 0;
	}
	return fail_system(error, errno, "cannot make %s/%s", dir->path, GROUP);
}

/* Closing alone would leave the lock with a forked child. A failed dir_open has
 * no lock, and must not take away that of the one who has it: flock belongs to
 * the open file, so it can't. */
static void give_back(int *fd)
{
	if (*fd < 0)
		return;
	flock(*fd, LOCK_UN);
	close(*fd);
	*fd = -1;
}

void dir_close(struct dir *dir)
{
	give_back(&dir->lock);
	give_back(&dir->fd);
}

void dir_keep_locked(struct dir *dir)
{
	dir->fd = dir->lock = -1;
}
