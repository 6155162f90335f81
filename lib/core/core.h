/* The replicated state machine: sessions, locks, lines, tokens, cluster time.
 *
 * Pure: no clock, no I/O, no randomness; the same entries give the same state
 * and the same outputs on every member. README in this folder explains it. */
#ifndef HF_CORE_CORE_H
#define HF_CORE_CORE_H

#include "base/mem.h"
#include "core/record.h"

struct core;

/* Outputs of an apply, in order; NULL where nobody is to be told. They are
 * called inside core_apply, must not call the core, and need no memory of it.
 */
struct output_sink {
	void (*emit)(void *ctx, const struct output *output);
	void *ctx;
};

/* `seed` is for hash tables only. `mem` and what it points to must outlive the
 * core. NULL: out of memory. */
struct core *core_create(const struct mem *mem, uint64_t seed);
void core_destroy(struct core *core);

/* Apply an entry at `index`, which must be above the last one. After any error
 * the core is poisoned: it answers the same error to everything that changes or
 * images it. HF_ENOMEM; HF_ECORRUPT: another semantics version than ours, an
 * index or entry that can't be, or (checked builds) an invariant broken; the
 * reason is core_error. Operations that the rules refuse are no errors. */
int core_apply(struct core *core, uint64_t index, const struct entry *entry,
	       const struct output_sink *sink);
int core_poisoned(const struct core *core); /* 0, or the error */
const char *core_error(const struct core *core);

uint64_t core_now(const struct core *core); /* cluster time */
uint64_t core_wall(const struct core *core);
uint64_t core_index(const struct core *core);
uint64_t core_hash(const struct core *core); /* kept up to date by each apply */
const struct limits *core_limits(const struct core *core);
/* When to propose a tick: the earliest pending deadline, in stamps of the
 * current term (they may be ahead of cluster time; README, N9). UINT64_MAX:
 * none. */
uint64_t core_deadline(const struct core *core);

struct counts {
	uint64_t sessions, locks, holds, waits, values;
};
void core_counts(const struct core *core, struct counts *counts);

/* Looking: records are filled with what is there; pointers in them live until
 * the next change, those to a session's slots and to a request's further parts
 * until the next look. false: there is none. */
bool core_session(const struct core *core, uint64_t session, struct record *r);
bool core_hold(const struct core *core, uint64_t token, struct record *r);
bool core_lock(const struct core *core, const void *name, size_t len,
	       struct record *r);
bool core_value(const struct core *core, const void *name, size_t len,
		struct record *r);
/* Where the request stands that waits: its place (from 1), how many wait, and
 * how long it has taken of late from one grant to the next, 0: not known. Of
 * several lines the one where it stands last. */
bool core_place(const struct core *core, uint64_t session, uint64_t seq,
		uint64_t *place, uint64_t *line, uint64_t *pace_us);

/* Call `visit` for each; stop when it returns false.
 * Of a session: holds, waits and ended requests. Of a lock: holders by token,
 * then waiters in order; lock, mode, permits and token are those of this lock,
 * where a request has several. Sessions: by id. */
typedef bool (*core_visit)(void *ctx, const struct record *r);
void core_visit_session(const struct core *core, uint64_t session,
			core_visit visit, void *ctx);
void core_visit_lock(const struct core *core, const void *name, size_t len,
		     core_visit visit, void *ctx);
void core_visit_sessions(const struct core *core, core_visit visit, void *ctx);
/* All locks; values that are there. Oldest first. */
void core_visit_locks(const struct core *core, core_visit visit, void *ctx);
void core_visit_values(const struct core *core, core_visit visit, void *ctx);

/* One edge of the wait-for graph: `waiter` waits for the lock, in whose way is
 * `blocker`: a hold (`token`), or the one before it in the line (0). */
struct wait_edge {
	struct {
		uint64_t node, session, owner;
	} waiter, blocker;
	uint64_t token;
	const uint8_t *name;
	size_t name_len;
};
typedef bool (*core_wait_visit)(void *ctx, const struct wait_edge *edge);
void core_visit_waits(const struct core *core, core_wait_visit visit,
		      void *ctx);
/* All records in a canonical order (by kind, then by id): for tests. Costs a
 * sort; -1: out of memory. */
int core_visit_all(const struct core *core, core_visit visit, void *ctx);

/* An image of the state as of now, taken in slices while entries are applied in
 * between: an object that is about to change is given to the sink first. The
 * STATE record is given by core_image_begin; other records come in any order.
 * HF_EBUSY: another image is being taken. */
struct image_sink {
	void (*put)(void *ctx, const struct record *r);
	void *ctx;
};
int core_image_begin(struct core *core, const struct image_sink *sink);
/* Give at most `objects` more; true: the image is complete and has ended. Never
 * true once the core is poisoned, which aborts the image. */
bool core_image_step(struct core *core, size_t objects);
void core_image_abort(struct core *core); /* no-op if none is being taken */

/* Build a state from an image's records, in any order but STATE first, into a
 * fresh core. core_restore_end checks every reference and invariant and the
 * hash. HF_ECORRUPT: the records contradict each other; HF_ENOMEM. The core
 * must then be destroyed. */
int core_restore(struct core *core, const struct record *r);
int core_restore_end(struct core *core);

/* Invariants. `every`: after each apply check the objects that it touched, and
 * all objects after each `every`-th; 0 (the default) checks nothing. */
void core_check_every(struct core *core, uint64_t every);
/* Check everything now: 0, or HF_ECORRUPT and core_error. */
int core_check(struct core *core);

#endif
