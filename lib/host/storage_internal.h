/* Shared by the files storage*.c. */
#ifndef HF_HOST_STORAGE_INTERNAL_H
#define HF_HOST_STORAGE_INTERNAL_H

#include "base/list.h"
#include "host/storage.h"
#include "host/vote.h"

struct storage {
	struct raft_io io;    /* first: raft_uv's struct is ours */
	struct raft_io inner; /* raft_uv's functions, as they were */
	struct raft_uv_transport transport;
	uv_loop_t *loop;
	const struct dir *dir;
	char path[DIR_PATH_MAX + 16];
	struct vote_record votes;
	struct list writes; /* of struct storage_write: not yet called back */
	bool silent, closing, closed;
	bool write_failed;            /* a write's end is known: it failed */
	raft_io_close_cb raft_closed; /* libraft's, where it closed the io */
	void (*on_closed)(void *arg);
	void *on_closed_arg;
};

static inline struct storage *storage_of(struct raft_io *io)
{
	return (struct storage *)(void *)io;
}

/* storage_vote.c: replace load, bootstrap, set_term and set_vote. */
void storage_guard_votes(struct storage *storage);
/* Read our record; clear away a first log whose making was cut short. */
int storage_load_votes(struct storage *storage, char *error);
void storage_drop_snapshot(
	struct raft_snapshot *snapshot); /* and what it holds */

/* storage_spare.c: an optimisation; what it can't do stays. */
void storage_drop_spares(const struct storage *storage);

/* storage_write.c: replace append, snapshot_put and snapshot_get. */
void storage_guard_writes(struct storage *storage);
/* Look at raft_uv's last error, which the next write wipes away. */
void storage_note_failure(struct storage *storage);
/* Is there one that may still be on its way to the disk? */
bool storage_writing(const struct storage *storage);
void storage_free_writes(struct storage *storage);

#endif
