/* Shared by the files storage*.c. */
#ifndef HF_HOST_STORAGE_INTERNAL_H
#define HF_HOST_STORAGE_INTERNAL_H

#include "base/list.h"
#include "host/storage.h"
#include "host/vote.h"

#include <limits.h>

struct storage {
	struct raft_io io;    /* first: raft_uv's struct is ours */
	struct raft_io inner; /* raft_uv's functions, as they were */
	struct raft_uv_transport transport;
	uv_loop_t *loop;
	const struct dir *dir;
	char path[DIR_PATH_MAX + 16];
	struct vote_record votes;
	struct list writes; /* of struct storage_write: not yet called back */
	int mark_fd;
	uint64_t mark;       /* as in mark-1 */
	uint64_t next_index; /* of the entry that would be appended next */
	uint64_t cuts;       /* how often the log was cut */
	uint64_t cut_at;     /* where, if raft_uv may not have done it; 0 */
	bool silent, closing, closed;
	bool write_failed;    /* a write's end is known: it failed */
	bool doomed;          /* raft_uv can't go on, and doesn't say so */
	raft_io_tick_cb tick; /* libraft's */
	bool tick_late, tick_due;
	raft_io_close_cb raft_closed; /* libraft's, where it closed the io */
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

static inline struct storage *storage_of(struct raft_io *io)
{
	return (struct storage *)(void *)io;
}

/* raft_uv's waiting time after an error, 49 days. Never:
 * after a failed write 0.22.1 starts the wrong timer, whose callback takes its
 * struct uv for a segment and writes over memory (uvAliveSegmentWriteCb). The
 * timer shows that there was an error, of which nothing else may. */
#define STORAGE_RETRY_MS UINT_MAX

/* storage_vote.c: replace load, bootstrap, set_term and set_vote. */
void storage_guard_votes(struct storage *storage);
/* Read our record; clear away a first log whose making was cut short. */
int storage_load_votes(struct storage *storage, char *error);
void storage_drop_snapshot(
	struct raft_snapshot *snapshot); /* and what it holds */

/* storage_spare.c: an optimisation; what it can't do stays. */
void storage_drop_spares(const struct storage *storage);

/* storage_tidy.c: finish what a crash has interrupted. */
int storage_tidy(const struct storage *storage, char *error);
/* Is it certain that entry `index` of a former log is still there? */
bool storage_uncut(const struct storage *storage, uint64_t index);

/* storage_scan.c: refuse open segments that raft_uv would take for ended by a
 * crash, though they are damaged. */
int storage_scan(const struct storage *storage, char *error);

/* storage_mark.c */
int storage_mark_open(struct storage *storage, char *error);
void storage_mark_close(struct storage *storage);
/* Entries up to `index` are on the disk. */
void storage_mark_raise(struct storage *storage, uint64_t index);
/* Those behind it are going to be cut off. 0, or libraft's error. */
int storage_mark_lower(struct storage *storage, uint64_t index);
/* What is on the disk is no log: never start from it. */
void storage_mark_spoilt(struct storage *storage);
/* The log that was loaded ends with `last`: 0, or RAFT_CORRUPT. */
int storage_mark_check(struct storage *storage, uint64_t last);

/* storage_write.c: replace start, append, truncate, snapshot_put and
 * snapshot_get. */
void storage_guard_writes(struct storage *storage);
/* Look at raft_uv's last error, which the next write wipes away. */
void storage_note_failure(struct storage *storage);
/* Is there one that may still be on its way to the disk? */
bool storage_writing(const struct storage *storage);
void storage_free_writes(struct storage *storage);

#endif
