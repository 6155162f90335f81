/* A watch of a process, which must be told what the oracle's list of changes
 * says: from its beginning on, in order, none missing and none twice, but for
 * gaps that it is told of and that have a reason. */
#ifndef HF_SIM_WATCHMAN_H
#define HF_SIM_WATCHMAN_H

#include "node/watch.h"
#include "sim/lib/world.h"

struct process;

struct watchman {
	struct process *process;
	unsigned number;
	uint64_t step;
	struct watcher *watcher; /* NULL: none */
	struct watch_options options;
	char name[48];
	uint64_t told; /* up to this index, but for more of the same */
	size_t next;   /* change of the oracle's that may be the next */
	bool stalled;
	uint64_t installed; /* snapshots, when it began or met a gap */
	/* HF_WATCH_NOW: what is, as of `now`; those that were told are taken
	 * out. NULL: that was all. */
	struct change_said *expected;
	size_t expected_len;
	uint64_t now;
};

void watchman_start(struct watchman *m, struct process *p, unsigned number);
/* Its process ends. */
void watchman_forget(struct watchman *m);
/* The faults are over: it listens, and goes on with that. */
void watchman_hurry(struct watchman *m);
/* At the end: it has been told everything. */
void watchman_check(struct watchman *m);
/* What it is told: false, it will hear it later. */
bool watchman_hears(struct watchman *m, const struct hf_change *change);
/* Look on from this index. */
void watchman_seek(struct watchman *m, uint64_t index);

#endif
