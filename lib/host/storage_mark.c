/* How far the log has been acknowledged: the file `mark-1`.
 *
 * raft_uv takes a damaged end of the log for a write that a crash has cut
 * short, and starts without it. So the index of the last entry that is known to
 * be on the disk is written here after each append, without waiting for the
 * disk: after the end of a process it is exact, after the end of the machine it
 * may be an older one. At the start the log must reach it.
 *
 * It must never be too high. Where the log is cut on purpose, it is lowered
 * first, durably. */
#include "host/storage_internal.h"

#include "host/fail.h"
#include "host/file.h"
#include "host/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "holdfast mark 1\n"
#define MARK_FILE "mark-1"
#define SPOILT UINT64_MAX

/* All have one length, so that each is written over the one before. */
static size_t encode(uint64_t index, char *text)
{
	snprintf(text, FILE_BYTES_MAX - SEAL_BYTES,
		 FORMAT "index %020" PRIu64 "\n", index);
	return seal(text);
}

static bool decode(uint64_t *index, const char *text, size_t len)
{
	char copy[FILE_BYTES_MAX + 1], again[FILE_BYTES_MAX + 1];

	if (len > FILE_BYTES_MAX || !seal_valid(text, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	return sscanf(copy, FORMAT "index %" SCNu64 "\n", index) == 1 &&
	       encode(*index, again) == len && memcmp(again, text, len) == 0;
}

static int make(const struct storage *storage, char *error)
{
	char text[FILE_BYTES_MAX];
	size_t len = encode(0, text);
	int rc = file_replace(storage->dir->fd, MARK_FILE, text, len);

	return rc < 0 ? fail_system(error, -rc, "writing " MARK_FILE) : 0;
}

int storage_mark_open(struct storage *storage, char *error)
{
	char text[FILE_BYTES_MAX];
	int dirfd = storage->dir->fd;
	int rc = storage->votes.next.term == 0 ? make(storage, error) : 0;

	if (rc < 0)
		return rc;
	int len = file_read(dirfd, MARK_FILE, text, sizeof(text));
	if (len < 0 && len != -EFBIG && len != -ENOENT)
		return fail_system(error, -len, "reading " MARK_FILE);
	if (len < 0 || !decode(&storage->mark, text, (size_t)len))
		return fail(error, HF_ECORRUPT,
			    "%s, which says how far the log was acknowledged, "
			    "is damaged or missing. Restore the whole "
			    "directory, or replace the member",
			    MARK_FILE);
	storage->mark_fd =
		openat(dirfd, MARK_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (storage->mark_fd < 0)
		return fail_system(error, errno, "opening " MARK_FILE);
	return 0;
}

void storage_mark_close(struct storage *storage)
{
	if (storage->mark_fd >= 0)
		close(storage->mark_fd);
	storage->mark_fd = -1;
}

static bool write_mark(struct storage *storage, uint64_t index)
{
	char text[FILE_BYTES_MAX];
	size_t len = encode(index, text);

	if (pwrite(storage->mark_fd, text, len, 0) != (ssize_t)len)
		return false;
	storage->mark = index;
	return true;
}

/* One that can't be written stays lower, which is safe. */
void storage_mark_raise(struct storage *storage, uint64_t index)
{
	if (index > storage->mark)
		write_mark(storage, index);
}

int storage_mark_lower(struct storage *storage, uint64_t index)
{
	if (index >= storage->mark)
		return 0;
	if (write_mark(storage, index) && fdatasync(storage->mark_fd) == 0)
		return 0;
	snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
		 "cannot write " MARK_FILE ": %s", strerror(errno));
	return RAFT_IOERR;
}

void storage_mark_spoilt(struct storage *storage)
{
	if (write_mark(storage, SPOILT))
		fdatasync(storage->mark_fd);
}

int storage_mark_check(struct storage *storage, uint64_t last)
{
	if (last >= storage->mark)
		return 0;
	if (storage->mark == SPOILT)
		snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
			 "the log in group-1 couldn't be cut, and goes on with "
			 "entries of another. Replace the member");
	else
		snprintf(storage->io.errmsg, sizeof(storage->io.errmsg),
			 "the log in group-1 ends with entry %" PRIu64
			 ", but entries up to %" PRIu64
			 " were acknowledged: files are damaged or missing. "
			 "Restore "
			 "the whole directory, or replace the member",
			 last, storage->mark);
	return RAFT_CORRUPT;
}
