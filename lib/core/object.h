/* The objects of the state machine: README, 1, explains them. */
#ifndef HF_CORE_OBJECT_H
#define HF_CORE_OBJECT_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rank.h"
#include "core/core.h"
#include "holdfast.h"

#define COUNTER_MAX (UINT64_MAX >> 1) /* tokens and ids are below 2^63 */
#define TIME_MAX (UINT64_C(1) << 62)  /* cluster time stops there */
#define PLACE_TIE (UINT64_C(1) << 63) /* waits, behind sessions and locks */
#define KINDS (RECORD_VALUE + 1)      /* object kinds are record kinds */
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

/* Bytes that an object has: a value, what a hold shows, a reason. */
struct blob {
	struct blob *next; /* while reserved */
	size_t len;        /* not 0 */
	uint8_t bytes[];
};

struct session { /* its timer's key is `deadline`, the tie is `id` */
	struct object object;
	struct map_node by_id;
	struct list in_peer;
	struct list requests; /* all of them, by place */
	struct list values;   /* that go with it, by version */
	struct list notices;  /* revoked and not noted, by place: extras */
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

/* On whose behalf requests are made: (session, id), id not 0. Lives while it
 * has any. Not replicated, like the line: both follow from the requests. */
struct owner {
	struct list all; /* core.all_owners */
	struct map_node by_key;
	struct session *session;
	uint64_t id;
	struct list requests; /* by place */
	uint32_t waits;       /* of them: WAITING for locks (README, 11) */
	/* deadlock.c's, of the search `mark`. */
	uint32_t left; /* waits that nobody has let in yet */
	uint64_t mark;
	struct owner *next;
	struct owner *next_suspect; /* core.suspects */
	bool suspected;
};

/* What a lock has while somebody waits for it or leaves it. */
struct line {
	struct lock *lock;
	struct rank waiters;     /* parts, WAITING; in the order of admission */
	struct list leavers;     /* parts, WAITING, LEAVE; by place */
	uint64_t paced_at, pace; /* us from grant to grant; 0: not known */
	/* deadlock.c's, of the search `mark`. */
	uint64_t mark;
	struct rank_weight use; /* of those who haven't given up */
	struct part *first;     /* all before it have got in; NULL: none */
	struct line *next, *next_changed;
	bool changed;
};

struct lock { /* while delayed: timer's key is `delay_until`, the tie is `id` */
	struct object object;
	struct map_node by_name; /* while restoring: by id */
	struct list holders;     /* parts, HELD; by token */
	struct line *line;       /* NULL: nobody waits */
	struct lock *next_marked;
	uint64_t id;
	uint64_t delay_until;   /* 0, or above cluster time: nobody gets in */
	struct rank_weight use; /* of the holders */
	uint32_t limit;         /* permits there are; 0: not a semaphore */
	uint16_t name_len;      /* 1..LOCK_NAME_MAX */
	uint8_t flags;          /* enum lock_flag */
	bool marked;            /* to be settled: false between operations */
	uint8_t name[];
};

/* One lock of a request. Its token is the request's plus its number. */
struct part {
	struct request *request;
	union {
		struct lock *lock; /* NULL: ENDED, the lock may be gone */
		uint64_t lock_id;  /* while restoring */
	};
	union {
		struct list in_lock;      /* HELD: holders; LEAVE: leavers */
		struct rank_node in_line; /* WAITING */
	};
	struct map_node by_token; /* HELD only */
	uint32_t permits;         /* PERMITS: 1 or more; else 0 */
	uint8_t mode;
	uint8_t number; /* from 0 */
};

/* What most requests don't have. */
struct extra {
	uint64_t hold, lease;             /* as asked */
	uint64_t hold_until, lease_until; /* HELD; 0: none */
	union {
		struct request *from; /* WAITING: the hold it converts */
		uint64_t from_token;  /* while restoring */
	};
	struct request *conversion; /* HELD: the one that waits to replace it */
	struct blob *shown;
	/* Revocation: at 0, none. */
	uint64_t revoke_at, noted_at, revoke_by;
	struct blob *reason;
	struct list in_notices; /* its session's, until `noted` */
	struct request *request;
	bool noted;
	/* A wait for a value. */
	uint8_t condition;
	int64_t number;
	union {
		struct value *value; /* WAITING */
		uint64_t value_id;   /* while restoring */
	};
	struct heap_node in_value;
};

/* The timer: WAITING its deadline, HELD the earliest of extra's; the tie is
 * place | PLACE_TIE. */
struct request {
	struct object object;
	struct list in_session;
	struct list in_owner;
	struct map_node by_seq; /* (session, seq): unique */
	union {
		struct session *session;
		uint64_t session_id; /* while restoring */
	};
	union {
		struct owner *owner; /* NULL: an owner of its own */
		uint64_t owner_id;   /* while restoring */
	};
	struct extra *extra; /* or NULL */
	uint64_t seq;
	uint64_t token; /* HELD; ENDED with 0: a version; else 0 */
	uint64_t stamp; /* granted or ended then; WAITING: 0 */
	uint64_t index; /* of the entry that did it; WAITING: 0 */
	uint64_t place;
	uint64_t deadline; /* WAITING: 0 is for ever; else 0 */
	uint64_t delay;
	uint64_t mark, gone; /* deadlock.c's: searches that met it, let it in */
	int32_t status;      /* ENDED; else 0 */
	int8_t priority;
	uint8_t state;
	uint8_t parts_len; /* 0: waits, or waited, for a value */
	struct part parts[];
};

struct value {
	struct object object;
	struct map_node by_name; /* while restoring: by id */
	struct list in_session;  /* ephemeral: session.values */
	/* Extras that wait, by condition; first who is the easiest to please.
	 */
	struct heap waiters[AWAIT_AT_LEAST];
	uint64_t id;
	uint64_t version; /* 0: it isn't there */
	union {
		struct session *session; /* goes with it; NULL: stays */
		uint64_t session_id;     /* while restoring */
	};
	struct blob *blob; /* NULL: no bytes, or a counter */
	int64_t number;
	bool counter;
	uint16_t name_len; /* 1..LOCK_NAME_MAX */
	uint8_t name[];
};

/* Where things of one size come from. */
struct pool {
	size_t size;
	void *free; /* begins with the next one's address */
	size_t len;
};

#define NAME_POOLS 6 /* names of up to 16, 32, 64 ... LOCK_NAME_MAX bytes */
#define PART_POOLS 5 /* requests of up to 1, 2, 4, 8, PARTS_MAX parts */

enum {
	POOL_PEER,
	POOL_SESSION,
	POOL_OWNER,
	POOL_LINE,
	POOL_EXTRA,
	POOL_REQUEST, /* the first of several */
	POOL_LOCK = POOL_REQUEST + PART_POOLS,
	POOL_VALUE = POOL_LOCK + NAME_POOLS,
	POOLS = POOL_VALUE + NAME_POOLS
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
static inline struct value *as_value(struct object *o)
{
	return (struct value *)(void *)o;
}
static inline struct part *in_lock(struct list *l)
{
	return container_of(l, struct part, in_lock);
}
static inline struct part *in_line(struct rank_node *n)
{
	return container_of(n, struct part, in_line);
}
static inline struct extra *in_notices(struct list *l)
{
	return container_of(l, struct extra, in_notices);
}
static inline struct extra *in_value(struct heap_node *n)
{
	return container_of(n, struct extra, in_value);
}
static inline struct request *in_session(struct list *l)
{
	return container_of(l, struct request, in_session);
}

#endif
