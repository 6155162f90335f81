/* One more replica, which knows what the truth is.
 *
 * It applies each committed entry when the first member has applied it, and
 * takes it from the disks: so it sees that a majority of these has the entry.
 * Every member must have its hash at every index. What its core says became of
 * a session or a hold is what the users must have been told; and what the core
 * says is looked at by those who keep the same once more: rules, lines, terms,
 * ledger, tangle. */
#ifndef HF_SIM_ORACLE_H
#define HF_SIM_ORACLE_H

#include "codec/entry.h"
#include "sim/lib/changes.h"
#include "sim/lib/ledger.h"
#include "sim/lib/once.h"
#include "sim/lib/rules.h"
#include "sim/lib/terms.h"
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
	uint64_t conversions, in_place, handed_over, barriers, left;
	uint64_t several;                    /* grants of several locks */
	uint64_t deadlocks, deadlocks_later; /* refused; ended as waits */
	uint64_t deadlocks_of_limits;
};

#define ORACLE_NAMES_MAX LINES_LOCKS_MAX
#define APPLY_GRANTS_MAX 4096 /* by one entry */
#define APPLY_HANDED_MAX 64

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
	uint64_t handed[APPLY_HANDED_MAX];
	size_t handed_len;
	struct oracle_grant let_in; /* the last one, since the last answer */
	struct entry decoded;
	const struct entry *entry; /* that is applied, or NULL */
	size_t answered;           /* operations of the entry */
	struct oracle_counts counts;
	struct rules rules;
	struct terms terms;
	struct ledger ledger;
	struct changes changes;
	struct lines before, now, meanwhile;
	struct line_name names[ORACLE_NAMES_MAX]; /* of locks that are looked
						     at */
	size_t names_len;
	uint64_t first_stamp; /* cluster time after the first entry with one */
	struct pairs from; /* conversions, by seq: the hold that they change */
	struct pairs next_token, roots,
		converted;   /* of holds that were converted */
	struct pairs limits; /* of its lock when a hold began, and 1 */
	struct pairs ends;   /* how a hold ended by itself: -status */
	struct pairs leaves; /* of barriers, by seq: the lock and 1 */
	/* A session has ended, `expired` or otherwise; may be NULL. */
	void (*session_ended)(void *ctx, uint64_t node, uint64_t session,
			      bool expired);
	/* A hold has ended by itself; may be NULL. */
	void (*hold_ended)(void *ctx, uint64_t node, uint64_t session,
			   uint64_t token);
	/* A request has been granted; may be NULL. */
	void (*granted)(void *ctx, uint64_t node, uint64_t identity);
	void *ctx;
};

void oracle_init(struct oracle *o);
/* A member has applied up to `index` and has this hash. */
struct wrong oracle_follow(struct oracle *o, struct vdisk *const *disks,
			   size_t disks_len, uint64_t index, uint64_t hash);
/* Has it refused what this one asked for, with this error? */
bool oracle_refused(const struct oracle *o, uint64_t session, uint64_t identity,
		    int status);
/* Does the session live, does it have this hold, converted perhaps, as of now?
 */
bool oracle_session(const struct oracle *o, uint64_t session);
bool oracle_hold(const struct oracle *o, uint64_t session, uint64_t token);
/* The hold that it was before conversions; how it ended by itself, or 0; the
 * limit of its lock when it was granted. */
uint64_t oracle_root(const struct oracle *o, uint64_t token);
int oracle_end(const struct oracle *o, uint64_t token);
/* How what this one was granted has ended by itself, or 0. */
int oracle_fate(const struct oracle *o, uint64_t session, uint64_t identity);
uint32_t oracle_limit(const struct oracle *o, uint64_t token);
/* At the end: is somebody in a deadlock? */
struct wrong oracle_tangle(struct oracle *o);
void oracle_free(struct oracle *o);

/* oracle_say.c: what the core says while it applies an entry. */
void oracle_say(void *oracle, const struct output *output);
void oracle_wrong(struct oracle *o, struct wrong wrong);

#endif
