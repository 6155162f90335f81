/* The members as processes: started in their network namespaces, killed,
 * stopped, and started again when they end by themselves.
 *
 * A member may end only as it was asked to, or because its disk failed while
 * the disk was made to fail. Anything else is a violation. */
#ifndef CHAOS_CREW_H
#define CHAOS_CREW_H

#include "shared.h"
#include "wire.h"

#include <sys/types.h>

struct process {
	pid_t pid;         /* 0: none */
	bool stopped;      /* by SIGSTOP */
	bool down;         /* not to be started again until crew_start */
	bool disk_is_bad;  /* it may fail now */
	uint64_t start_at; /* when to start it again */
};

struct crew {
	unsigned members;
	struct shared *shared;
	int shared_fd;
	const struct wire *wire;
	char **environment[MEMBERS_MAX];
	struct process processes[MEMBERS_MAX];
	unsigned failures, refusals; /* of disks; ended by themselves */
};

/* `clocks`: the members read the wall clock through libfaketime. False: it
 * can't be found. */
bool crew_init(struct crew *crew, bool clocks);
void crew_free(struct crew *crew);

bool crew_start(struct crew *crew, unsigned number);
void crew_kill(struct crew *crew, unsigned number);
void crew_stop(struct crew *crew, unsigned number);
void crew_continue(struct crew *crew, unsigned number);
/* Notice who has ended, and start again who shall run. */
void crew_supervise(struct crew *crew);
/* Nobody is left. */
void crew_end(struct crew *crew);

/* Is it open and not stopped? */
bool crew_runs(const struct crew *crew, unsigned number);
/* As the member with the newest term says; -1: nobody knows. */
int crew_leader(const struct crew *crew);

#endif
