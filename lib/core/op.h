/* What a log entry asks of the state machine, decoded.
 *
 * The numbers of operations, modes and flags are part of the log and of the
 * wire: they never change and are never used again. Fields that a kind doesn't
 * name are zero. */
#ifndef HF_CORE_OP_H
#define HF_CORE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of the meaning of entries. An entry of another one is not
 * applied: this member stops. */
#define SEMANTICS_VERSION 2

#define WAIT_FOREVER UINT64_MAX
#define DURATION_MAX (UINT64_C(1) << 40) /* us, about 12 days */

/* "Sequenced": has a place in its session's window and so takes effect once.
 * All others may be repeated without harm. */
enum op_kind {
	OP_OPEN = 1,     /* open a session */
	OP_RENEW = 2,    /* extend its life */
	OP_CLOSE = 3,    /* end it cleanly */
	OP_ACQUIRE = 4,  /* sequenced */
	OP_RELEASE = 5,  /* sequenced; names a token */
	OP_CANCEL = 6,   /* let the acquire `seq` be undone, whatever became of
			    it */
	OP_LIMITS = 7,   /* change the replicated limits */
	OP_EXTEND = 8,   /* a hold's own lease */
	OP_REVOKE = 9,   /* sequenced: take a hold away from its session */
	OP_NOTED = 10,   /* the holder has heard of the revocation */
	OP_PERMITS = 11, /* sequenced: set how many permits there are */
	OP_PUT = 12,     /* sequenced: write a value */
	OP_DELETE = 13,  /* sequenced: remove a value */
	OP_ADD = 14,     /* sequenced: add to a counter */
	OP_AWAIT = 15,   /* sequenced: wait until a value is as it should be */
	OP_ANNOUNCE = 16 /* sequenced: change what a hold shows */
};

enum mode {
	MODE_EXCLUSIVE = 0,
	MODE_SHARED = 1,
	MODE_PERMITS = 2,
	MODE_BARRIER = 3, /* waits until `limit` do, then all are in */
	MODE_LEAVE = 4    /* out of a barrier: waits until nobody is in */
};

enum {
	OPEN_MEMBER = 1 /* its directory lock proves the former process dead:
			   the node's former session ends at once */
};

enum {
	CANCEL_WAIT = 1 /* a hold that it has become stays: the answer is 0 and
			   its token */
};

enum { PUT_EPHEMERAL = 1 /* goes with the session that wrote it */ };

/* What a value's version must be: */
#define EXPECT_ANY UINT64_MAX /* whatever it is */
#define EXPECT_NONE 0         /* there must be no such value */

enum condition {
	AWAIT_ABSENT = 1,  /* there is no such value */
	AWAIT_PRESENT = 2, /* there is one */
	AWAIT_NEWER = 3,   /* there is one of a version above `number` */
	AWAIT_AT_MOST =
		4, /* the counter is at most `number`; no counter is 0 */
	AWAIT_AT_LEAST = 5
};

/* A counter lies within +- this. Where results are shown as 64-bit numbers
 * without a sign, it is shown with COUNT_BIAS added. */
#define COUNT_MAX (INT64_C(1) << 61)
#define COUNT_BIAS (UINT64_C(1) << 62)

/* What may be waited for: a version is at least 0, a counter has its range. */
static inline bool await_number_valid(enum condition condition, int64_t number)
{
	switch (condition) {
	case AWAIT_ABSENT:
	case AWAIT_PRESENT:
		return number == 0;
	case AWAIT_NEWER:
		return number >= 0;
	case AWAIT_AT_MOST:
	case AWAIT_AT_LEAST:
		return number >= -COUNT_MAX && number <= COUNT_MAX;
	}
	return false;
}

/* Replicated: changed by OP_LIMITS only. The state machine consults these and
 * never a node's options. LIMITS(X) lists them all: name, first value, least,
 * greatest. */
#define LIMITS(X)                                                       \
	X(sessions, 65536, 1, 16777216)                                 \
	X(locks, 4194304, 1, 268435456)                                 \
	X(requests, 8388608, 1, 268435456) /* holds + waits */          \
	X(line, 1048576, 1, 16777216)      /* waiters of one lock */    \
	X(window, 4096, 1, 65536)          /* sequence numbers */       \
	X(ttl_min_us, 100000, 1000, DURATION_MAX)                       \
	X(ttl_max_us, 86400000000, 1000, DURATION_MAX)                  \
	X(delay_max_us, 3600000000, 0, DURATION_MAX)                    \
	X(step_max_us, 60000000, 1000000, DURATION_MAX) /* of time */   \
	X(values, 1048576, 0, 268435456)                                \
	X(value_bytes, 65536, 0, VALUE_MAX)         /* of one value */  \
	X(bytes, 268435456, 0, (UINT64_C(1) << 40)) /* of all values */ \
	X(search, 100000, 0, 1000000000) /* steps of a search for deadlocks */

#define NONCE_LEN 16
#define LOCK_NAME_MAX 512
#define VALUE_MAX 262144 /* bytes of a value, whatever the limits say */
#define SHOWN_MAX 1024   /* bytes that a hold shows */
#define REASON_MAX 128   /* bytes of a revocation's reason */
#define PARTS_MAX 16     /* locks of one request */

struct limits {
#define X(name, first, least, greatest) uint64_t name;
	LIMITS(X)
#undef X
};

/* One lock of a request for several. */
struct op_part {
	const uint8_t *name;
	size_t name_len;
	enum mode mode;
	uint32_t permits, limit;
};

struct op {
	enum op_kind kind;
	uint64_t node;    /* who asks; where the answer goes */
	uint64_t session; /* OPEN, LIMITS: 0 */
	uint64_t seq;     /* sequenced: place in the session's window, from 1;
			     CANCEL: the request's; others: only echoed in the
			     answer */
	uint64_t low;     /* sequenced: answers below it have been received, it
			     only rises. RENEW too. 0: nothing new */
	union {
		struct {
			uint8_t nonce[NONCE_LEN];
			uint64_t boot; /* rises with each process of the node */
			uint64_t nth;  /* rises with each session in one boot */
			uint64_t ttl;  /* us */
			uint32_t flags;
		} open;
		struct {
			uint64_t owner;      /* 0: this request alone is one */
			const uint8_t *name; /* not terminated; the decoder's */
			size_t name_len;     /* 1..LOCK_NAME_MAX */
			enum mode mode;
			uint32_t permits; /* PERMITS: 1..; else 0 */
			uint32_t limit;   /* PERMITS: how many there are, 0:
					     as many as it has; BARRIER: how
					     many come; else 0 */
			uint64_t wait;    /* us; 0: try; WAIT_FOREVER */
			uint64_t delay;   /* us; lock delay after a failure */
			/* All that follows is mostly zero. */
			const struct op_part *more; /* locks besides the first;
						       EXCLUSIVE, SHARED and
						       PERMITS only */
			size_t more_len;
			int32_t priority; /* higher goes first; -128..127 */
			uint32_t line;    /* HF_ELINE if its place, from 1,
					     would be above; 0: any */
			uint64_t hold;  /* us: it may be held so long; 0: any */
			uint64_t lease; /* us: its own, by EXTEND; 0: none */
			uint64_t from;  /* a conversion: the hold (token) whose
					   place it takes; LEAVE: that ends */
			const uint8_t *shown; /* a hold's value: who leads */
			size_t shown_len;     /* ..SHOWN_MAX */
		} acquire;
		struct {
			uint64_t token;
			uint64_t
				to; /* hand over to this node; 0: to the line */
		} release;
		struct {
			uint32_t flags; /* CANCEL_WAIT */
		} cancel;
		struct {
			uint64_t token;
		} extend;
		struct {
			uint64_t token;
			uint64_t noted_at; /* of which revocation: as told */
		} noted;
		struct {
			uint64_t token;
			uint64_t grace; /* us */
			const uint8_t *reason;
			size_t reason_len; /* ..REASON_MAX */
		} revoke;
		struct {
			const uint8_t *name;
			size_t name_len;
			uint32_t limit; /* 0: forget it once nobody holds */
		} permits;
		struct {
			const uint8_t *name;
			size_t name_len;
			const uint8_t *bytes; /* PUT */
			size_t bytes_len;     /* ..VALUE_MAX */
			uint64_t expect;      /* PUT, DELETE: the version, or
						 EXPECT_ANY, EXPECT_NONE */
			uint64_t guard; /* a token of the session that must
					   still hold; 0: none */
			int64_t delta;  /* ADD: within COUNT_MAX */
			uint32_t flags; /* PUT, ADD: PUT_EPHEMERAL */
		} value;                /* PUT, DELETE, ADD */
		struct {
			const uint8_t *name;
			size_t name_len;
			enum condition condition;
			int64_t number;
			uint64_t wait;
		} await;
		struct {
			uint64_t token;
			const uint8_t *shown;
			size_t shown_len;
		} announce;
		struct limits limits;
	};
};

/* A log entry, decoded: a batch of operations under one stamp. */
struct entry {
	uint16_t version;    /* of semantics */
	uint64_t stamp;      /* cluster time, us; 0: doesn't move it */
	uint64_t wall;       /* us since 1970, informational; 0: none */
	uint64_t proposer;   /* node id of the leader that made it */
	uint64_t term;       /* its term then */
	uint64_t serial;     /* counts its entries in that term */
	uint64_t hash_index; /* the proposer's state as of this index ... */
	uint64_t hash;       /* ... had this hash; index 0: not said */
	const struct op *ops;
	size_t ops_len;
};

/* What a member may tell the node `node` after an apply. Facts, each true for
 * ever, in order; later ones about the same request have no lower index. */
enum output_kind {
	OUTPUT_ANSWER = 1,        /* to one operation: `op`, `seq` */
	OUTPUT_GRANTED = 2,       /* a wait ended with a hold: `token` */
	OUTPUT_ENDED = 3,         /* a wait or hold ended otherwise: `status`;
				     0: a LEAVE or AWAIT has come true */
	OUTPUT_SESSION_ENDED = 4, /* all of the session's is gone: `status` */
	OUTPUT_REVOKED = 5,  /* the hold `token` of request `seq` will be taken
				at `deadline` or, once that is noted, at
				`number`; by node `by`; `bytes`: why. Told
				again before each renewal's answer until it is
				noted */
	OUTPUT_DEADLOCK = 6, /* before the refusal of `seq`: among those in the
				way is the wait of owner `number`, session
				`token`, node `by`, for the lock `name` */
	OUTPUT_CHANGED = 7   /* to nobody (node 0): what watches show */
};

enum change {
	CHANGE_HELD = 1,   /* `name` is held: `token`, by session `session` of
			      node `by`; `bytes`: what the hold shows; `seq`:
			      mode */
	CHANGE_SHOWN = 2,  /* the hold shows something else */
	CHANGE_FREED = 3,  /* that hold has ended; `status`: 0 by a release, or
			      why */
	CHANGE_PUT = 4,    /* a value: `token` its version, `bytes` it; `seq` 1:
			      a counter, `number` it (not biased) */
	CHANGE_DELETED = 5 /* `token`: the version that it had; `seq` as
			      before */
};

/* Has it a place in its session's window? */
static inline bool op_sequenced(enum op_kind kind)
{
	switch (kind) {
	case OP_ACQUIRE:
	case OP_RELEASE:
	case OP_REVOKE:
	case OP_PERMITS:
	case OP_PUT:
	case OP_DELETE:
	case OP_ADD:
	case OP_AWAIT:
	case OP_ANNOUNCE:
		return true;
	case OP_OPEN:
	case OP_RENEW:
	case OP_CLOSE:
	case OP_CANCEL:
	case OP_LIMITS:
	case OP_EXTEND:
	case OP_NOTED:
		break;
	}
	return false;
}

/* Answers to an acquire besides errors (negative) and 0, granted. */
enum { STATUS_WAITING = 1 };

struct output {
	enum output_kind kind;
	enum op_kind op;     /* ANSWER */
	enum change change;  /* CHANGED */
	int status;          /* 0, STATUS_WAITING or an hf_error */
	uint64_t node;       /* to whom */
	uint64_t session;    /* OPEN: the new one */
	uint64_t seq;        /* the request's; GRANTED, ENDED: the acquire's */
	uint64_t token;      /* of the hold (that of part n is n more), version
				of a value, biased counter; 0: none */
	uint64_t stamp;      /* of the entry that first applied the operation */
	uint64_t deadline;   /* OPEN, RENEW: the session's; EXTEND, GRANTED and
				the answer to a granted ACQUIRE: the hold's own,
				0: none; REVOKE: when it is taken */
	uint64_t index;      /* of the entry just applied */
	uint64_t by, number; /* the answer to a CANCEL: number 1 says that
				`status` is what has become of it */
	const uint8_t *name, *bytes; /* live during the call */
	size_t name_len, bytes_len;
};

#endif
