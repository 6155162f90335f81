/* Opening a guard's file, and making it: it is whole and durable before it has
 * its name, so that no crash leaves an empty one, which would have forgotten
 * what it had seen. */
#include "api/guard_file.h"

#include "host/fail.h"
#include "host/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Whoever is first wins. */
static int make_file(const char *path, char *error)
{
	char *temporary;
	int rc = 0;

	if (asprintf(&temporary, "%s.new-XXXXXX", path) < 0)
		return HF_ENOMEM;
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		rc = fail_system(error, errno, "cannot make %s", path);
		goto free_name;
	}
	rc = guard_copies_make(fd);
	if (rc == 0 && link(temporary, path) < 0 && errno != EEXIST)
		rc = HF_EIO;
	if (rc)
		rc = fail_system(error, errno, "cannot make %s", path);
	unlink(temporary);
	close(fd);
free_name:
	free(temporary);
	return rc;
}

static void try_file(struct hf_guard_file *g)
{
	/* A pipe or a device must not keep us waiting. */
	g->fd = openat(g->dir, g->name,
		       O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static int open_file(struct hf_guard_file *g, const char *path, char *error)
{
	struct stat st;

	try_file(g);
	if (g->fd < 0 && errno == ENOENT) {
		int rc = make_file(path, error);
		if (rc)
			return rc;
		try_file(g);
	}
	if (g->fd < 0 && (errno == ELOOP || errno == EISDIR))
		return fail(error, HF_EINVAL, "%s is no regular file", path);
	if (g->fd < 0 || fstat(g->fd, &st) < 0)
		return fail_system(error, errno, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return fail(error, HF_EINVAL, "%s is no regular file", path);
	/* Each who opens it: whoever made it may not have come so far. */
	if (fsync(g->dir) < 0)
		return fail_system(error, errno,
				   "cannot sync the directory "
				   "of %s",
				   path);
	return 0;
}

static int open_dir(struct hf_guard_file *g, const char *path, char *error)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	char *dir = slash ? strndup(path, len ? len : 1) : strdup(".");
	unsigned long type;

	if (!dir)
		return HF_ENOMEM;
	g->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (g->dir < 0)
		return fail_system(error, errno,
				   "cannot open the directory "
				   "of %s",
				   path);
	if (!place_file_system(g->dir, &type))
		return fail(error, HF_EFILESYSTEM,
			    "%s is on a file system of type 0x%lx, which isn't "
			    "known to lock and to sync as a guard needs; use a "
			    "local one, such as ext4, xfs or btrfs",
			    path, type);
	return 0;
}

static int check_path(const char *path, char *error)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;

	if (!name || !*name || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return fail(error, HF_EINVAL,
			    "path: \"%s\" names no file; give one for the "
			    "guard alone",
			    path ? path : "(NULL)");
	return 0;
}

static struct hf_guard_file *new_handle(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t size = strlen(name) + 1;
	struct hf_guard_file *g = calloc(1, sizeof(*g) + size);
	pthread_condattr_t attributes;

	if (!g)
		return NULL;
	memcpy(g->name, name, size);
	g->dir = g->fd = -1;
	g->pid = getpid();
	pthread_mutex_init(&g->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&g->free, &attributes);
	pthread_condattr_destroy(&attributes);
	return g;
}

static int open_guard(struct hf_guard_file *g, const char *path, char *error)
{
	int rc = open_dir(g, path, error);

	if (rc == 0)
		rc = open_file(g, path, error);
	if (rc == 0)
		rc = guard_enter(g, HF_FOREVER);
	if (rc)
		return rc;
	rc = guard_look(g, error);
	guard_leave(g);
	return rc;
}

int hf_guard_open(struct hf_guard_file **guard, const char *path, char *error)
{
	char text[HF_ERROR_TEXT] = "";
	struct hf_guard_file *g = NULL;
	int rc = check_path(path, text);

	*guard = NULL;
	if (!rc) {
		g = new_handle(path);
		rc = g ? open_guard(g, path, text) : HF_ENOMEM;
	}
	if (error)
		snprintf(error, HF_ERROR_TEXT, "%s",
			 text[0] ? text : hf_strerror(rc));
	if (rc)
		hf_guard_close(g);
	else
		*guard = g;
	return rc;
}

void hf_guard_close(struct hf_guard_file *guard)
{
	if (!guard)
		return;
	/* In a forked child they may be as other threads had them: destroying
	 * them could wait for those. */
	if (guard->pid == getpid()) {
		pthread_cond_destroy(&guard->free);
		pthread_mutex_destroy(&guard->mutex);
	}
	if (guard->fd >= 0)
		close(guard->fd);
	if (guard->dir >= 0)
		close(guard->dir);
	free(guard);
}
