/* One more replica, which knows what the truth is.
 *
 * It applies each committed entry when the first member has applied it, and
 * takes it from the disks: so it sees that a majority of these has the entry.
 * Every member must have its hash at every index. What its core says became of
 * a session or a hold is what the users must have been told. */
#ifndef HF_SIM_ORACLE_H
#define HF_SIM_ORACLE_H

#include "codec/entry.h"
#include "core/core.h"
#include "sim/lib/vdisk.h"

struct oracle_counts {
	uint64_t entries, ops;
	uint64_t duplicates; /* operations that were in the log before */
	uint64_t waits;      /* acquires that had to wait */
	uint64_t granted_after_waiting;
	uint64_t waits_ended; /* by their deadline */
	uint64_t sessions_opened, sessions_expired;
	uint64_t cancels_of_holds; /* a cancel came after the grant */
};

struct seen { /* a set of (session, seq) */
	uint64_t *keys;
	size_t len, cap;
};

struct oracle {
	struct core *core;
	struct op_array ops;
	uint64_t next;    /* index to apply */
	uint64_t *hashes; /* by index; 0: none */
	size_t hashes_cap;
	struct seen seen;
	struct oracle_counts counts;
	/* A session has ended; may be NULL. */
	void (*session_ended)(void *ctx, uint64_t node, uint64_t session);
	void *ctx;
};

void oracle_init(struct oracle *o);
/* A member has applied up to `index` and has this hash. NULL, or what is
 * wrong. */
const char *oracle_follow(struct oracle *o, struct vdisk *const *disks,
			  size_t disks_len, uint64_t index, uint64_t hash);
/* Does the session live, does it have this hold, as of now? */
bool oracle_session(const struct oracle *o, uint64_t session);
bool oracle_hold(const struct oracle *o, uint64_t session, uint64_t token);
void oracle_free(struct oracle *o);

#endif
