/* Why no acknowledged maximum is forgotten.
 *
 * Generation G is written to copy G % 2, which is synced, and then to the other
 * copy, which is synced too; only then has the store succeeded. The next one,
 * G + 1, begins with the copy that was written last.
 *
 * 1. A crash while the first copy is written leaves it old, new or torn. The
 *    other one is whole and has the maximum before, which is right: the new one
 *    was not acknowledged. A crash while the other copy is written: the first
 *    one has the new maximum. Taking that fences nobody wrongly, because the
 *    cluster has granted its token.
 * 2. Damage to one copy at rest: the other one has the same maximum. This is
 *    why both are written each time. With writes that only alternate, a damaged
 *    newest copy would look like a torn write, and the one before it would let
 *    older tokens in again.
 * 3. Where one copy is bad, that one is written first: the next generation is
 *    the one after the good copy's, or the one after that. The good one is
 * never written while it is alone.
 * 4. Where both are whole but differ, the larger generation G counts, and is
 *    written again before anybody relies on it: copy G % 2 may be in the page
 *    cache only, if a process was killed before its sync, or that failed. If it
 *    is on the disk already, writing the same bytes can't tear it.
 * 5. After a failed sync the kernel may take a page for clean while the disk
 *    has something else, or a part. Who finds both copies equal in the page
 *    cache can't see whether the second sync had failed, but the first had not:
 *    the second copy is written after it. So copy G % 2 is durable, and the
 *    next store begins with the other one: note 1 holds. (Damage to copy G % 2
 *    on top of that failure, which one process was told of, is beyond two
 *    copies.)
 * 6. Both bad, or one generation with two contents, or a maximum that fell: no
 *    crash does that, and nobody can tell what was seen. It is refused.
 *
 * The file is made whole before it gets its name, and never changes its length.
 * So an empty or a short file is damage, not a new one; and a full disk doesn't
 * stop a store, but on file systems that write to a new place each time. */
#include "host/guard_copies.h"

#include "host/fail.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A part counts as a failure: it may be the disk's end. */
static int write_at(int fd, const uint8_t *bytes, size_t len, off_t at)
{
	ssize_t n;

	do
		n = pwrite(fd, bytes, len, at);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && n != (ssize_t)len)
		errno = ENOSPC;
	return n == (ssize_t)len ? 0 : HF_EIO;
}

static int sync_data(int fd)
{
	int rc;

	/* EINTR can't be a failed write: nothing was reported. */
	do
		rc = fdatasync(fd);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? HF_EIO : 0;
}

static int write_copy(int fd, unsigned copy, const uint8_t *record)
{
	int rc = write_at(fd, record, GUARD_RECORD_BYTES,
			  (off_t)copy * GUARD_COPY_SPACING);

	return rc ? rc : sync_data(fd);
}

/* Zeros to the end, so that no block is left to be found later. */
int guard_copies_make(int fd)
{
	const struct guard_record r = { .generation = 1 };
	uint8_t bytes[GUARD_FILE_BYTES] = { 0 };

	guard_record_encode(&r, bytes);
	guard_record_encode(&r, bytes + GUARD_COPY_SPACING);
	int rc = write_at(fd, bytes, sizeof(bytes), 0);
	return rc == 0 && fsync(fd) < 0 ? HF_EIO : rc;
}

static int write_both(struct guard_copies *c, int fd)
{
	unsigned first = (unsigned)(c->next % 2);
	uint8_t bytes[GUARD_RECORD_BYTES];

	c->record.generation = c->next++;
	guard_record_encode(&c->record, bytes);
	int rc = write_copy(fd, first, bytes);
	if (rc == 0)
		rc = write_copy(fd, !first, bytes);
	c->settled = rc == 0;
	return rc;
}

int guard_copies_settle(struct guard_copies *c, int fd)
{
	return c->settled ? 0 : write_both(c, fd);
}

int guard_copies_store(struct guard_copies *c, int fd,
		       const struct hf_guard *seen)
{
	/* Else it could be another content of the same generation. */
	assert(c->settled);
	c->record.seen = *seen;
	return write_both(c, fd);
}

static bool equal(const struct hf_guard *a, const struct hf_guard *b)
{
	return a->newest == b->newest &&
	       a->newest_exclusive == b->newest_exclusive;
}

static bool fell(const struct hf_guard *from, const struct hf_guard *to)
{
	return to->newest < from->newest ||
	       to->newest_exclusive < from->newest_exclusive;
}

/* Of two good copies: don't they contradict each other? */
static bool compare(struct guard_copies *c, const struct guard_record *r)
{
	unsigned newer = r[1].generation > r[0].generation;

	c->record = r[newer];
	c->settled = r[0].generation == r[1].generation;
	c->next = c->record.generation + c->settled;
	return c->settled ? equal(&r[0].seen, &r[1].seen)
			  : !fell(&r[!newer].seen, &r[newer].seen);
}

static void take_good(struct guard_copies *c, const struct guard_record *r,
		      unsigned good)
{
	c->record = r[good];
	c->settled = false;
	c->next = c->record.generation + 1;
	c->next += c->next % 2 == good;
}

static int judge(struct guard_copies *c, const struct guard_record *r,
		 const enum guard_verdict *v, const char *name, char *error)
{
	if (v[0] == GUARD_NEWER || v[1] == GUARD_NEWER)
		return fail(error, HF_ECORRUPT,
			    "%s has a format that this library (%s) doesn't "
			    "know; it is older than the file",
			    name, hf_version());
	if (v[0] == GUARD_STRANGE && v[1] == GUARD_STRANGE)
		return fail(error, HF_ECORRUPT, "%s is no guard's file", name);
	if (v[0] != GUARD_VALID && v[1] != GUARD_VALID)
		return fail(error, HF_ECORRUPT,
			    "both copies in %s are damaged; the tokens it has "
			    "seen are lost",
			    name);
	if (v[0] == GUARD_VALID && v[1] == GUARD_VALID)
		return compare(c, r) ? 0
				     : fail(error, HF_ECORRUPT,
					    "the copies in %s contradict each "
					    "other",
					    name);
	take_good(c, r, v[1] == GUARD_VALID);
	return 0;
}

int guard_copies_load(struct guard_copies *c, int fd, const char *name,
		      char *error)
{
	uint8_t bytes[GUARD_RECORD_BYTES];
	struct guard_record r[2];
	enum guard_verdict v[2];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_system(error, errno, "cannot look at %s", name);
	if (st.st_size != GUARD_FILE_BYTES)
		return fail(error, HF_ECORRUPT,
			    "%s has %lld bytes; a guard's file has %d", name,
			    (long long)st.st_size, GUARD_FILE_BYTES);
	for (int i = 0; i < 2; i++) {
		ssize_t n = pread(fd, bytes, sizeof(bytes),
				  (off_t)i * GUARD_COPY_SPACING);
		/* A sector that can't be read is a bad copy like any other. */
		v[i] = n == sizeof(bytes) ? guard_record_decode(&r[i], bytes)
					  : GUARD_DAMAGED;
	}
	return judge(c, r, v, name, error);
}
