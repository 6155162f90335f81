/* The objects of the state machine and what its files ask of each other.
 *
 * The rule that all keep: core_touch comes before any change of an object's
 * record (its fields that record.h shows), so that the image gets the object as
 * it was and the hash follows. README explains the whole. */
#ifndef HF_CORE_STATE_H
#define HF_CORE_STATE_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "core/core.h"
#include "holdfast.h"

#define COUNTER_MAX (UINT64_MAX >> 1) /* tokens and ids are below 2^63 */
#define TIME_MAX (UINT64_C(1) << 62)  /* cluster time stops there */
#define PLACE_TIE (UINT64_C(1) << 63) /* waits, behind sessions and locks */
#define KINDS (RECORD_REQUEST + 1)    /* object kinds are record kinds */
#define POOL_FREE_MAX 4096            /* objects kept for reuse, each pool */
#define SLOTS_MIN 8                   /* of a session's ring, once it has one */
#define ERROR_TEXT 192

/* What all kinds begin with. */
struct object {
	struct list all;        /* in core.all[kind], in order of making */
	struct object *next;    /* while touched: the list; in a pool: too */
	uint64_t digest;        /* what it adds to core.sum; 0: nothing yet */
	struct heap_node timer; /* queued iff it has a deadline, key = it */
	uint32_t epoch;         /* of the last image that has it, or in which
				   it was made */
	uint8_t kind;           /* enum record_kind */
	bool touched;           /* on the touched list, until core_finish */
	bool dead;              /* removed; freed by core_finish */
};

struct peer { /* never removed */
	struct object object;
	struct map_node by_node;
	struct list sessions; /* all that live, oldest first */
	uint64_t node;        /* not 0 */
	uint64_t boot, nth;   /* of the newest session ever opened */
	union {
		struct session *session; /* the newest, NULL if it has ended */
		uint64_t session_id;     /* while restoring */
	};
};

/* The results of the sequence numbers of one session. */
struct window {
	struct slot *ring; /* seq is at seq & (cap - 1); seq 0: free */
	uint32_t cap;      /* 0 or a power of two */
	uint32_t used;     /* slots that aren't free: all in [low, high] */
	uint64_t low;      /* from 1; only rises, to high + 1 at most */
	uint64_t high;     /* highest slot ever; high - low < cap if >= low */
	uint64_t sum;      /* of the digests of the slots */
};

struct session { /* its timer's key is `deadline`, the tie is `id` */
	struct object object;
	struct map_node by_id;
	struct list in_peer;
	struct list requests; /* all of them, by place */
	union {
		struct peer *peer;
		uint64_t node; /* while restoring */
	};
	uint64_t id, boot, nth;
	uint64_t ttl;
	uint64_t deadline; /* above cluster time; only rises */
	uint64_t opened;   /* stamp of the opening entry */
	uint8_t nonce[NONCE_LEN];
	uint32_t flags;
	struct window window;
};

struct lock { /* while delayed: timer's key is `delay_until`, the tie is `id` */
	struct object object;
	struct map_node by_name; /* while restoring: by id */
	struct list holders;     /* HELD requests, by token */
	struct list line;        /* WAITING requests, by place */
	struct lock *next_marked;
	uint64_t id;
	uint64_t delay_until; /* 0, or above cluster time: nobody gets in */
	uint64_t permits;     /* taken by PERMITS holders */
	uint32_t exclusive;   /* holders of that mode: 0 or, alone, 1 */
	uint32_t shared;      /* holders of that mode */
	uint32_t waiting;     /* length of the line */
	uint32_t limit;       /* permits there are; 0: not a semaphore */
	uint16_t name_len;    /* 1..LOCK_NAME_MAX */
	bool marked;          /* to be settled: false between operations */
	uint8_t name[];
};

struct request { /* WAITING with a deadline: timer, tie place | PLACE_TIE */
	struct object object;
	struct list in_lock; /* line, holders, or alone: ENDED */
	struct list in_session;
	struct map_node by_seq;   /* (session, seq): unique */
	struct map_node by_token; /* HELD only */
	union {
		struct session *session;
		uint64_t session_id; /* while restoring */
	};
	union {
		struct lock *lock; /* NULL: ENDED, the lock may be gone */
		uint64_t lock_id;  /* while restoring */
	};
	uint64_t seq, owner;
	uint64_t token; /* HELD; else 0 */
	uint64_t stamp; /* granted or ended then; WAITING: 0 */
	uint64_t index; /* of the entry that did it; WAITING: 0 */
	uint64_t place;
	uint64_t deadline; /* WAITING: 0 is for ever; else 0 */
	uint64_t delay;
	uint32_t permits; /* PERMITS: >= 1, <= lock's limit; else 0 */
	int32_t status;   /* ENDED; else 0 */
	uint8_t state, mode;
};

/* Where objects of one size come from. */
struct pool {
	size_t size;
	struct object *free;
	size_t len;
};

enum {
	POOL_PEER,
	POOL_SESSION,
	POOL_REQUEST,
	POOL_LOCK, /* the first of several, by length of name */
	POOLS = POOL_LOCK + 6
};

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
	struct map peers, sessions, locks, requests, tokens;
	struct heap deadlines;

	struct object *touched;
	struct lock *marked, **marked_end; /* a queue */
	uint64_t sum;                      /* of all objects' digests */
	uint64_t hash;                     /* as of the end of `index` */

	uint64_t known; /* counter before this entry: ids above are not yet
			   anybody's to name */
	const struct output_sink *sink; /* during an apply, may be NULL */

	struct pool pools[POOLS];
	struct slot *scratch; /* for a record's slots: as many as the */
	uint32_t scratch_cap; /* largest ring has */

	uint32_t epoch; /* of the newest image */
	struct image image;
	bool restoring;     /* from core_restore to core_restore_end */
	uint64_t want_hash; /* of the STATE record */

	uint64_t check_every; /* 0: nothing is checked */
	uint64_t applies;     /* since then */
};

static inline struct object *object_of(struct list *all)
{
	return container_of(all, struct object, all);
}

/* The object is the first member of each kind. */
static inline struct peer *as_peer(struct object *o)
{
	return (struct peer *)(void *)o;
}
static inline struct session *as_session(struct object *o)
{
	return (struct session *)(void *)o;
}
static inline struct lock *as_lock(struct object *o)
{
	return (struct lock *)(void *)o;
}
static inline struct request *as_request(struct object *o)
{
	return (struct request *)(void *)o;
}
static inline struct request *in_lock(struct list *l)
{
	return container_of(l, struct request, in_lock);
}
static inline struct request *in_session(struct list *l)
{
	return container_of(l, struct request, in_session);
}

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

int core_pool_reserve(struct core *core, size_t pool, size_t len);
/* All zero; never fails after the reserve. */
struct object *core_pool_take(struct core *core, size_t pool,
			      enum record_kind kind);
size_t core_lock_pool(size_t name_len);
void core_free(struct core *core, struct object *object);

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

/* lock.c */
struct lock *core_lock_find(const struct core *core, const void *name,
			    size_t len);
struct lock *core_lock_make(struct core *core, const void *name, size_t len);
/* Does the request fit beside the holders, whoever is before it? */
bool core_lock_fits(const struct lock *lock, uint32_t limit, enum mode mode,
		    uint32_t permits);
/* No delay runs, and there is a token left to give. */
bool core_lock_open(const struct core *core, const struct lock *lock);
/* The line has a head, and it may go in. */
bool core_lock_admits_head(const struct core *core, const struct lock *lock);
/* Nothing to remember: it goes. */
bool core_lock_idle(const struct lock *lock);
/* Count a request among the holders, or not any more. */
void core_lock_hold(struct lock *lock, struct request *request);
void core_lock_unhold(struct lock *lock, struct request *request);
void core_lock_mark(struct core *core, struct lock *lock);
/* The admission loop, over all marked locks. */
void core_settle(struct core *core);
/* Nobody is let in for so long. */
void core_lock_delay(struct core *core, struct lock *lock, uint64_t delay);

/* request.c */
struct request *core_request_find(const struct core *core, uint64_t session,
				  uint64_t seq);
struct request *core_token_find(const struct core *core, uint64_t token);
uint64_t core_request_hash(const struct core *core, uint64_t session,
			   uint64_t seq);
void core_sequenced(struct core *core, const struct op *op);
void core_cancel(struct core *core, const struct op *op);
/* From WAITING, or new, to HELD. */
void core_grant(struct core *core, struct request *request);
/* From WAITING to ENDED. Marks, doesn't settle. */
void core_end_wait(struct core *core, struct request *request, int status);
/* Whatever its state; cleanly. Marks its lock, doesn't settle. */
void core_request_remove(struct core *core, struct request *request);

/* limits.c */
void core_limits_first(struct limits *limits);
bool core_limits_valid(const struct limits *limits);
void core_limits_change(struct core *core, const struct op *op);

/* record.c: `slots` false leaves out a session's. */
void core_record(const struct core *core, struct object *object,
		 struct record *r, bool slots);
void core_record_state(const struct core *core, struct record *r);

/* restore.c: while restoring only */
struct lock *core_lock_by_id(const struct core *core, uint64_t id);

/* image.c: the object is about to change or to go. */
void core_image_give(struct core *core, struct object *object);
void core_image_pass(struct core *core, struct object *object);

/* check.c: 0, or HF_ECORRUPT and a complaint. */
int core_check_object(struct core *core, struct object *object);

#endif
