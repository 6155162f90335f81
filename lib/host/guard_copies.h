/* The two copies of a guard's record in its file.
 *
 * The rule: whatever was stored successfully is in both copies on the disk, and
 * only one copy is written at a time; so either copy alone tells it, whatever
 * made the other one unreadable. The caller excludes everybody else from load
 * to the end of store. */
#ifndef HF_HOST_GUARD_COPIES_H
#define HF_HOST_GUARD_COPIES_H

#include "codec/guard_record.h"

#define GUARD_COPY_SPACING 4096 /* they share no sector and no page */
#define GUARD_FILE_BYTES (2 * GUARD_COPY_SPACING)

struct guard_copies {
	struct guard_record record; /* the newest */
	uint64_t next;              /* the generation to write next */
	/* Both copies are good and equal. If not, `record` may not be durable,
	 * and nothing may rely on it before guard_copies_settle. */
	bool settled;
};

/* Fill a new file: nothing seen. 0 or HF_EIO; errno says why. */
int guard_copies_make(int fd);
/* 0, HF_EIO or HF_ECORRUPT with a text (`error` may be NULL) that calls the
 * file `name`. */
int guard_copies_load(struct guard_copies *c, int fd, const char *name,
		      char *error);
/* Both are durable when they return 0. HF_EIO: errno says why; a load may find
 * either maximum, and `c` must be loaded anew. */
int guard_copies_settle(struct guard_copies *c, int fd);
/* `c` is settled. */
int guard_copies_store(struct guard_copies *c, int fd,
		       const struct hf_guard *seen);

#endif
