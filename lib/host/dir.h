/* A member's directory: created, locked, and known to be this member's own.
 *
 * Who has it open knows that no other process writes to it, and that the
 * process which had it open before is dead, unless `former_dead` is false. */
#ifndef HF_HOST_DIR_H
#define HF_HOST_DIR_H

#include "host/place.h"

#include <stdbool.h>
#include <stdint.h>

/* raft_uv holds 1,024 bytes for a path, a file's name and what is between. */
#define DIR_PATH_MAX 880

struct dir { /* all zero is not empty: file descriptors */
	char path[DIR_PATH_MAX + 1]; /* absolute: the process may chdir */
	int fd, lock;
	uint64_t boot, incarnation;
	bool former_dead;
};

struct dir_want {
	const char *path;
	uint64_t cluster; /* digest of cluster_name */
	const char *cluster_name;
	uint64_t node;
	bool adopt;                /* take over a directory from elsewhere */
	const struct place *place; /* for tests; NULL: look */
};

/* The boot counter has been raised durably when it returns 0. Errors:
 * HF_EINVAL, HF_EIO, HF_ENOMEM, HF_EFILESYSTEM, HF_EINUSE, HF_ECORRUPT,
 * HF_EIDENTITY. */
int dir_open(struct dir *dir, const struct dir_want *want, char *error);
/* Make the group's directory if it's missing. */
int dir_group(const struct dir *dir, char *error);
/* Gives the lock back, also where a forked child still has its descriptor. */
void dir_close(struct dir *dir);
/* Forget it, but keep its lock until this process ends. */
void dir_keep_locked(struct dir *dir);

#endif
