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
#include "sim/lib/once.h"
#include "sim/lib/vdisk.h"

struct oracle_counts {
	uint64_t entries, ops;
	uint64_t duplicates; /* operations that were in the log before */
	uint64_t waits;      /* acquires that had to wait */
	uint64_t granted_after_waiting;
	uint64_t waits_ended; /* by their deadline */
	uint64_t sessions_opened, sessions_expired, sessions_ended;
	uint64_t cancels_of_holds; /* a cancel came after the grant */
	uint64_t grants;           /* of any kind, each counted once */
};

#define ORACLE_NAMES_MAX 64
#define APPLY_GRANTS_MAX 4096 /* by one entry */

struct oracle {
	struct core *core;
	struct op_array ops;
	uint64_t next;    /* index to apply */
	uint64_t *hashes; /* by index; 0: none */
	size_t hashes_cap;
	struct once once;
	struct oracle_grant {
		uint64_t node, session, seq, token;
	} grants[APPLY_GRANTS_MAX]; /* by the entry that is applied */
	size_t grants_len;
	struct oracle_counts counts;
	struct rules rules;
	struct oracle_name {
		const char *text;
		size_t len;
	} names[ORACLE_NAMES_MAX]; /* of locks whose lines are looked at */
	size_t names_len;
	uint64_t first_stamp; /* cluster time after the first entry with one */
	/* A session has ended, `expired` or otherwise; may be NULL. */
	void (*session_ended)(void *ctx, uint64_t node, uint64_t session,
			      bool expired);
	/* A request has been granted; may be NULL. */
	void (*granted)(void *ctx, uint64_t node, uint64_t owner);
	void *ctx;
};

void oracle_init(struct oracle *o);
/* A member has applied up to `index` and has this hash. */
struct wrong oracle_follow(struct oracle *o, struct vdisk *const *disks,
			   size_t disks_len, uint64_t index, uint64_t hash);
/* Has it refused what this owner asked for as held? */
bool oracle_refused(const struct oracle *o, uint64_t session, uint64_t owner);
/* Does the session live, does it have this hold, as of now? */
bool oracle_session(const struct oracle *o, uint64_t session);
bool oracle_hold(const struct oracle *o, uint64_t session, uint64_t token);
void oracle_free(struct oracle *o);

#endif
