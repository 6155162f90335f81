/* A guard in a file: who may look at it when, and what it stands on.
 *
 * The rule: from load to store one thread of one process has the file. Threads
 * that share a handle exclude each other by `busy`; handles do so by flock,
 * which goes by open files, so that the kernel frees what a dead process had. A
 * forked child shares its parent's open file, and with it the flock: it may not
 * use the handle. */
#ifndef HF_API_GUARD_FILE_H
#define HF_API_GUARD_FILE_H

#include "host/guard_copies.h"

#include <pthread.h>
#include <sys/types.h>

struct hf_guard_file {
	pthread_mutex_t mutex; /* of the next three */
	pthread_cond_t free;
	bool busy;
	pthread_t owner;            /* while busy; the rest is this thread's */
	struct guard_copies copies; /* as of the last look */
	int dir, fd;
	pid_t pid;
	bool failed; /* a store has; see note 5 of guard_copies.c */
	char name[]; /* in `dir` */
};

/* Wait until nobody else has it: 0, HF_ETIMEDOUT, HF_EIO; HF_EINVAL: this
 * thread has it already. */
int guard_enter(struct hf_guard_file *g, uint32_t timeout_ms);
void guard_leave(struct hf_guard_file *g);
/* Read what it has seen, and finish what somebody has left half-way. `error`
 * may be NULL. */
int guard_look(struct hf_guard_file *g, char *error);

#endif
