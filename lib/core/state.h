/* The state, and what the files of the state machine ask of each other.
 *
 * The rule that all keep: core_touch comes before any change of an object's
 * record (its fields that record.h shows), so that the image gets the object as
 * it was and the hash follows. README explains the whole. */
#ifndef HF_CORE_STATE_H
#define HF_CORE_STATE_H

#include "core/object.h"

/* An image that is being taken. */
struct image {
	struct image_sink sink; /* put NULL: none is being taken */
	uint64_t left;          /* objects not given yet */
	uint8_t kind;           /* where the walk is: in core.all[kind], */
	struct list *at;        /* at this object or at the list's end */
};

struct core {
	const struct mem *mem;
	int poison; /* 0, or why nothing is done any more */
	char error[ERROR_TEXT];

	uint64_t now, term, skew, wall, index;
	uint64_t counter, arrivals;
	struct limits limits;

	struct list all[KINDS]; /* every object, in order of making */
	uint64_t len[KINDS];
	uint64_t holds, waits; /* of len[RECORD_REQUEST]; the rest ended */
	uint64_t held_parts, waiting_parts;
	uint64_t values; /* of len[RECORD_VALUE]: those that are there */
	uint64_t bytes;  /* of all of them */
	struct map peers, sessions, locks, requests, tokens, owners, values_by;
	struct heap deadlines;

	struct object *touched;
	struct lock *marked, **marked_end; /* a queue */
	struct list all_owners;
	struct owner *suspects; /* got a hold while waiting elsewhere */
	struct blob *blobs, **blobs_end; /* reserved, in order of operations */
	struct blob *blob;               /* this operation's, or NULL */
	uint64_t sum;                    /* of all objects' digests */
	uint64_t hash;                   /* as of the end of `index` */

	uint64_t known; /* counter before this entry: ids above are not yet
			   anybody's to name */
	const struct output_sink *sink; /* during an apply, may be NULL */

	struct pool pools[POOLS];
	struct slot *scratch; /* for a record's slots: as many as the */
	uint32_t scratch_cap; /* largest ring has */
	struct record_part *scratch_parts; /* PARTS_MAX of them */
	uint64_t searches;                 /* for deadlocks, so far */

	uint32_t epoch; /* of the newest image */
	struct image image;
	bool restoring;     /* from core_restore to core_restore_end */
	uint64_t want_hash; /* of the STATE record */

	uint64_t check_every; /* 0: nothing is checked */
	uint64_t applies;     /* since then */
};

/* core.c */

/* Poison the core: each % of `text` becomes one of the numbers. Returns rc. */
int core_fail(struct core *core, int rc, const char *text, uint64_t a,
	      uint64_t b);
/* The text only: core_check's complaint, which poisons nothing by itself. */
int core_complain(struct core *core, const char *text, uint64_t a, uint64_t b);
/* Fill in the index and give it to the sink. */
void core_emit(struct core *core, struct output *output);
void core_answer(struct core *core, const struct op *op, int status);

/* object.c */
void core_touch(struct core *core, struct object *object);
/* Make known a new object, whose fields are set: it is touched. */
void core_add(struct core *core, struct object *object);
/* It must be out of all maps and lists of other objects. */
void core_remove(struct core *core, struct object *object);
/* The end of an apply: free the dead, bring the hash up to date. */
void core_finish(struct core *core);
void core_set_timer(struct core *core, struct object *object, uint64_t deadline,
		    uint64_t tie);
void core_free(struct core *core, struct object *object);

/* pool.c */
void core_pools_init(struct core *core);
void core_pools_free(struct core *core);
int core_pool_reserve(struct core *core, size_t pool, size_t len);
/* All zero; never fails after the reserve. */
void *core_pool_take(struct core *core, size_t pool);
void core_pool_give(struct core *core, size_t pool, void *item);
size_t core_pool_of_name(size_t name_len); /* from 0 */
size_t core_pool_of_parts(size_t parts_len);
size_t core_pool_of(const struct object *object);
/* An object of this kind, from that pool. */
struct object *core_take(struct core *core, size_t pool, enum record_kind kind);
struct blob *core_blob_new(struct core *core, const uint8_t *bytes, size_t len);
/* Put by bytes for an operation of the entry: HF_ENOMEM or 0. */
int core_blob_reserve(struct core *core, const uint8_t *bytes, size_t len);
struct blob *core_blob_take(struct core *core); /* the operation's; or NULL */
void core_blob_free(struct core *core, struct blob *blob);
/* Begin and end an operation that has, or hasn't, bytes put by. */
void core_blob_begin(struct core *core, const struct op *op);
void core_blob_end(struct core *core);
const uint8_t *core_op_bytes(const struct op *op, size_t *len);

/* reserve.c: room for all that the entry could need, or HF_ENOMEM. */
int core_reserve(struct core *core, const struct entry *entry);

/* hash.c */
uint64_t core_digest(struct object *object);
uint64_t core_slot_digest(const struct slot *slot);
uint64_t core_state_digest(const struct core *core);

/* time.c */
void core_step(struct core *core, const struct entry *entry);
/* End all that is due, then settle. */
void core_expire_due(struct core *core);

/* session.c */
struct peer *core_peer_find(const struct core *core, uint64_t node);
struct session *core_session_find(const struct core *core, uint64_t id);
/* The one that `op` names, if it is its node's to name, else NULL. */
struct session *core_session_of(const struct core *core, const struct op *op);
void core_open(struct core *core, const struct op *op);
void core_renew(struct core *core, const struct op *op);
void core_close(struct core *core, const struct op *op);
/* Take away all that is the session's. Marks, doesn't settle. */
void core_session_end(struct core *core, struct session *session, bool failed);

/* window.c: the caller touches the session before a change. */
int core_window_reserve(struct core *core, struct window *w, uint64_t seq,
			uint64_t window_max);
const struct slot *core_window_find(const struct window *w, uint64_t seq);
void core_window_raise(struct window *w, uint64_t low);
/* Store a result in a free slot, or in place of the former one. */
void core_window_put(struct window *w, const struct slot *slot);
/* All slots in order of seq, into `to`: how many. */
size_t core_window_list(const struct window *w, struct slot *to);

/* sequence.c */
void core_sequenced(struct core *core, const struct op *op);
void core_cancel(struct core *core, const struct op *op);

/* lock.c */
struct lock *core_lock_find(const struct core *core, const void *name,
			    size_t len);
struct lock *core_lock_make(struct core *core, const void *name, size_t len);
/* No delay runs, and there are tokens left to give. */
bool core_lock_open(const struct core *core, const struct lock *lock);
/* Nothing to remember: it goes. */
bool core_lock_idle(const struct lock *lock);
size_t core_lock_waiting(const struct lock *lock);
/* Count a part among the holders, or not any more. */
void core_lock_hold(struct core *core, struct part *part);
void core_lock_unhold(struct core *core, struct part *part);
void core_lock_mark(struct core *core, struct lock *lock);
void core_lock_vanish(struct core *core, struct lock *lock);
/* Nobody is let in for so long. */
void core_lock_delay(struct core *core, struct lock *lock, uint64_t delay);
/* Say what has become of a hold, to nobody in particular. */
void core_tell_hold(struct core *core, const struct request *request,
		    enum change change, int status);

/* line.c */
struct rank_weight core_weight(enum mode mode, uint32_t permits);
/* Does it fit where `before` is taken already? */
bool core_fits(uint32_t limit, struct rank_weight before, enum mode mode,
	       uint32_t permits);
/* Does nobody who holds nothing fit there? */
bool core_full(uint32_t limit, struct rank_weight before);
/* What is in the way of a conversion doesn't include its own hold. */
struct rank_weight core_without_own(const struct part *part,
				    struct rank_weight before);
/* May a request that waits go in, all parts of it? */
bool core_admissible(const struct core *core, const struct request *request);
/* Of a barrier that has a line: may the first `limit` go in? */
bool core_barrier_opens(const struct core *core, const struct lock *lock);
void core_line_join(struct core *core, struct request *request);
void core_line_leave(struct core *core, struct request *request);
/* What those ask for who would stand before a new one. */
struct rank_weight core_line_ahead(const struct lock *lock, bool conversion,
				   int priority);
/* A grant, and what is said of it. */
void core_let_in(struct core *core, struct request *request);
/* Where somebody of this priority would stand, from 1. */
size_t core_line_place(const struct lock *lock, int priority);
/* The admission loop, over all marked locks. */
void core_settle(struct core *core);

/* request.c */
struct request *core_request_find(const struct core *core, uint64_t session,
				  uint64_t seq);
/* The part of a hold that has this token. */
struct part *core_token_find(const struct core *core, uint64_t token);
/* The hold of that session, or NULL. */
struct request *core_hold_of(const struct core *core,
			     const struct session *session, uint64_t token);
uint64_t core_request_hash(const struct core *core, uint64_t session,
			   uint64_t seq);
/* A new one, in no state yet, with `parts_len` empty parts. */
struct request *core_request_make(struct core *core, struct session *session,
				  const struct op *op, size_t parts_len);
struct extra *core_extra(struct core *core, struct request *request);
/* From new to WAITING; WAIT_FOREVER, or 0: without a deadline. */
void core_begin_wait(struct core *core, struct request *request, uint64_t wait);
/* From WAITING, or new, to HELD. */
void core_grant(struct core *core, struct request *request);
/* From WAITING to ENDED; `token`: its result. Marks, doesn't settle. */
void core_end_wait(struct core *core, struct request *request, int status,
		   uint64_t token);
/* From HELD to ENDED, as a failure. Marks, doesn't settle. */
void core_end_hold(struct core *core, struct request *request, int status);
/* Whatever its state; `status`: why, if it is a hold. Marks its locks, doesn't
 * settle. */
void core_request_remove(struct core *core, struct request *request,
			 int status);
/* When the hold ends by its own terms, 0: it doesn't. */
uint64_t core_hold_deadline(const struct request *request);
void core_request_timer(struct core *core, struct request *request);
/* The session's owner of this id (not 0), made if need be. */
struct owner *core_owner_get(struct core *core, struct session *session,
			     uint64_t id);
void core_owner_join(struct request *request, struct owner *owner);
/* Does this wait count in the search for deadlocks? */
bool core_waits_for_locks(const struct request *request);

/* acquire.c */
void core_acquire(struct core *core, struct session *session,
		  const struct op *op, struct slot *result);
/* The number-th lock of an acquire. */
struct op_part core_op_part(const struct op *op, size_t number);

/* convert.c */
/* 0: up, 1: down; or why it can't be. `hold` is what `from` names, or NULL. */
int core_judge_conversion(const struct op *op, const struct request *hold);
void core_convert_down(struct core *core, struct request *hold,
		       const struct op *op);
/* The hold that the request had so far goes; what it had passes on. */
void core_convert_up(struct core *core, struct request *request);
/* A LEAVE: the hold ends; true: and the caller waits for others. */
bool core_leave(struct core *core, struct session *session,
		struct request *hold, const struct op *op);
int core_hand_over(struct core *core, struct request *hold, uint64_t to);

/* revoke.c */
int core_revoke(struct core *core, const struct op *op);
int core_announce(struct core *core, const struct session *session,
		  const struct op *op);
int core_permits(struct core *core, const struct op *op);
void core_extend(struct core *core, const struct op *op);
void core_noted(struct core *core, const struct op *op);
/* Tell the session of its revocations again. */
void core_tell_notices(struct core *core, const struct session *session);
void core_notice_moved(struct extra *extra); /* to another request */
void core_notice_end(struct core *core, struct extra *extra);

/* deadlock.c */
/* Would the request, which waits, wait for ever? Then it has been said who is
 * in the way. */
bool core_deadlocked(struct core *core, struct request *request);
/* Say who waits to go up already. */
void core_tell_upgrader(struct core *core, const struct op *op,
			const struct lock *lock);
/* The same for all who wait for a lock whose limit has been lowered. */
bool core_line_deadlocked(struct core *core, struct lock *lock,
			  const struct op *op);
/* Owners who got something while they wait elsewhere: end what can't come true.
 * true: something was ended. */
void core_suspect(struct core *core, struct owner *owner);
bool core_end_suspects(struct core *core);

/* value.c */
struct value *core_value_find(const struct core *core, const void *name,
			      size_t len);
void core_value_change(struct core *core, struct session *session,
		       const struct op *op, struct slot *result);
void core_await(struct core *core, struct session *session, const struct op *op,
		struct slot *result);
/* WAITING at its value, while restoring too. */
void core_await_join(struct value *value, struct extra *extra);
/* Nobody waits there for what is so. */
bool core_value_settled(const struct value *value);
/* Its session has ended. */
void core_value_drop(struct core *core, struct value *value);
/* Leave the value that it waits for. */
void core_await_leave(struct core *core, struct request *request);

/* limits.c */
void core_limits_first(struct limits *limits);
bool core_limits_valid(const struct limits *limits);
void core_limits_change(struct core *core, const struct op *op);

/* record.c: `slots` false leaves out a session's. `core` NULL: neither slots
 * nor further parts, which core_digest takes from the object. */
void core_record(const struct core *core, struct object *object,
		 struct record *r, bool slots);
void core_record_state(const struct core *core, struct record *r);

/* restore.c: while restoring only */
struct lock *core_lock_by_id(const struct core *core, uint64_t id);
struct value *core_value_by_id(const struct core *core, uint64_t id);

/* image.c: the object is about to change or to go. */
void core_image_give(struct core *core, struct object *object);
void core_image_pass(struct core *core, struct object *object);

/* check.c: 0, or HF_ECORRUPT and a complaint. */
int core_check_object(struct core *core, struct object *object);

#endif
