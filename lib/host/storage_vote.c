/* Term and vote, written twice.
 *
 * raft_uv keeps them in two files without a checksum, and takes the older one
 * where the newer is short. A member that forgets its vote may vote twice in
 * one term, and two leaders of one term follow. So each step is made durable in
 * a record of ours first, then in raft_uv's files; at the next start these must
 * hold what they held before the step or after it, and are brought up to it. */
#include "host/storage_internal.h"

#include "host/fail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Make the step from what raft_uv holds to `next` durable in our record. */
static int record_step(struct storage *storage, struct vote next, bool forming)
{
	struct vote_record record = { .settled = storage->votes.next,
				      .next = next,
				      .forming = forming };
	int rc = vote_store(&record, storage->dir->fd);

	if (rc < 0) {
		snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
			 "cannot write vote-1: %s", strerror(-rc));
		return RAFT_IOERR;
	}
	storage->votes = record;
	return 0;
}

static int set_term(struct raft_io *io, raft_term term)
{
	struct storage *storage = storage_of(io);
	int rc = record_step(storage, (struct vote){ .term = term }, false);

	return rc == 0 ? storage->inner.set_term(io, term) : rc;
}

static int set_vote(struct raft_io *io, raft_id candidate)
{
	struct storage *storage = storage_of(io);
	struct vote next = { storage->votes.next.term, candidate };
	int rc = record_step(storage, next, false);

	return rc == 0 ? storage->inner.set_vote(io, candidate) : rc;
}

/* raft_uv writes term 1, then the first segment, and refuses to do it again: a
 * crash between the two would leave a member without a configuration for ever.
 * Our record says that the log is being made, and storage_load_votes clears
 * away what there is of it. */
static int bootstrap(struct raft_io *io, const struct raft_configuration *conf)
{
	struct storage *storage = storage_of(io);
	struct vote first = { .term = 1 };

	if (storage->votes.next.term != 0) {
		snprintf(io->errmsg, sizeof(io->errmsg),
			 "the member has a term already");
		return RAFT_CANTBOOTSTRAP;
	}
	int rc = record_step(storage, first, true);
	if (rc == 0)
		rc = storage->inner.bootstrap(io, conf);
	return rc == 0 ? record_step(storage, first, false) : rc;
}

void storage_drop_snapshot(struct raft_snapshot *snapshot)
{
	if (!snapshot)
		return;
	raft_configuration_close(&snapshot->configuration);
	for (unsigned i = 0; i < snapshot->n_bufs; i++)
		raft_free(snapshot->bufs[i].base);
	raft_free(snapshot->bufs);
	raft_free(snapshot);
}

/* Entries of one batch share its memory, and are neighbours. */
static void drop_entries(struct raft_entry *entries, size_t n)
{
	void *last = NULL;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].batch != last)
			raft_free(entries[i].batch);
		last = entries[i].batch;
	}
	raft_free(entries);
}

/* Bring raft_uv's files to where our record is: what it holds differs in one
 * step, which is one write. */
static int catch_up(struct storage *storage, const struct vote *found)
{
	const struct vote *next = &storage->votes.next;
	int rc = 0;

	if (found->term != next->term)
		rc = storage->inner.set_term(&storage->io, next->term);
	if (rc == 0 && next->candidate != 0)
		rc = storage->inner.set_vote(&storage->io, next->candidate);
	return rc;
}

static int reconcile(struct storage *storage, const struct vote *found)
{
	const struct vote_record *votes = &storage->votes;

	switch (vote_judge(votes, found)) {
	case VOTE_EQUAL:
		return 0;
	case VOTE_BEHIND:
		return catch_up(storage, found);
	case VOTE_DAMAGED:
		break;
	}
	snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
		 "group-1/metadata1 and 2 hold term %" PRIu64
		 " and vote %" PRIu64 ", vote-1 holds %" PRIu64 " and %" PRIu64
		 ": files are damaged or missing. Restore the whole directory, "
		 "or replace the member",
		 found->term, found->candidate, votes->next.term,
		 votes->next.candidate);
	return RAFT_CORRUPT;
}

static int check_log(struct storage *storage,
		     const struct raft_snapshot *snapshot, size_t n)
{
	/* Every member's log begins with the configuration that bootstrap
	 * wrote, and a snapshot takes the place of what goes. */
	if (storage->votes.next.term == 0 || n > 0 || snapshot)
		return 0;
	snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
		 "the log's files in group-1 are missing. Restore the whole "
		 "directory, or replace the member");
	return RAFT_CORRUPT;
}

static int load(struct raft_io *io, raft_term *term, raft_id *candidate,
		struct raft_snapshot **snapshot, raft_index *start,
		struct raft_entry **entries, size_t *n)
{
	struct storage *storage = storage_of(io);
	int rc = storage->inner.load(io, term, candidate, snapshot, start,
				     entries, n);

	if (rc != 0)
		return rc;
	rc = reconcile(storage, &(struct vote){ *term, *candidate });
	if (rc == 0)
		rc = check_log(storage, *snapshot, *n);
	if (rc == 0)
		rc = storage_mark_check(storage, *start + *n - 1);
	if (rc != 0) {
		storage_drop_snapshot(*snapshot);
		drop_entries(*entries, *n);
		*snapshot = NULL;
		*entries = NULL;
		*n = 0;
		return rc;
	}
	storage->next_index = *start + *n;
	*term = storage->votes.next.term;
	*candidate = storage->votes.next.candidate;
	return 0;
}

void storage_guard_votes(struct storage *storage)
{
	storage->io.load = load;
	storage->io.bootstrap = bootstrap;
	storage->io.set_term = set_term;
	storage->io.set_vote = set_vote;
}

/* Calls for each file of the group's directory, until it answers other than 0.
 */
static int for_each_file(struct storage *storage,
			 int (*call)(int dirfd, const char *name))
{
	int fd = openat(storage->dir->fd, "group-1",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *group = fd < 0 ? NULL : fdopendir(fd);
	int rc = group ? 0 : -errno;

	if (!group)
		return rc;
	for (struct dirent *e = readdir(group); e && rc == 0;
	     e = readdir(group))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = call(fd, e->d_name);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	closedir(group);
	return rc;
}

static int remove_file(int dirfd, const char *name)
{
	return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
}

/* raft_uv makes and removes one to try the file system. */
static int is_data(int dirfd, const char *name)
{
	(void)dirfd;
	return strcmp(name, ".probe") != 0;
}

static int clear_first_log(struct storage *storage, char *error)
{
	int rc = for_each_file(storage, remove_file);

	storage->votes = (struct vote_record){ 0 };
	if (rc == 0)
		rc = vote_store(&storage->votes, storage->dir->fd);
	return rc < 0 ? fail_system(error, -rc, "cannot clear %s",
				    storage->path)
		      : 0;
}

int storage_load_votes(struct storage *storage, char *error)
{
	int rc = vote_load(&storage->votes, storage->dir->fd, error);

	if (rc < 0)
		return rc;
	if (storage->votes.forming)
		return clear_first_log(storage, error);
	if (storage->votes.next.term != 0)
		return 0;
	/* bootstrap relies on this: it would mark a log as one to be cleared.
	 */
	rc = for_each_file(storage, is_data);
	if (rc < 0)
		return fail_system(error, -rc, "cannot read %s", storage->path);
	return rc == 0 ? 0
		       : fail(error, HF_ECORRUPT,
			      "%s holds a log, but vote-1 beside it, which "
			      "holds the member's term and vote, is missing. "
			      "Restore the whole directory, or replace the "
			      "member",
			      storage->path);
}
