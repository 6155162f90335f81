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

/* The version of the meaning of entries. An entry of a higher one is not
 * applied: this member stops. */
#define SEMANTICS_VERSION 1

#define WAIT_FOREVER UINT64_MAX
#define DURATION_MAX (UINT64_C(1) << 40) /* us, about 12 days */

enum op_kind {
	OP_OPEN = 1,    /* open a session */
	OP_RENEW = 2,   /* extend its life; never sequenced */
	OP_CLOSE = 3,   /* end it cleanly; never sequenced */
	OP_ACQUIRE = 4, /* sequenced */
	OP_RELEASE = 5, /* sequenced; names a token */
	OP_CANCEL = 6,  /* let the acquire `seq` be undone, whatever became of
			   it; never sequenced, may be repeated */
	OP_LIMITS = 7   /* change the replicated limits */
};

enum mode { MODE_EXCLUSIVE = 0, MODE_SHARED = 1, MODE_PERMITS = 2 };

enum {
	OPEN_MEMBER = 1 /* its directory lock proves the former process dead:
			   the node's former session ends at once */
};

/* Replicated: changed by OP_LIMITS only. The state machine consults these and
 * never a node's options. LIMITS(X) lists them all: name, first value, least,
 * greatest. */
#define LIMITS(X)                                                    \
	X(sessions, 65536, 1, 16777216)                              \
	X(locks, 4194304, 1, 268435456)                              \
	X(requests, 8388608, 1, 268435456) /* holds + waits */       \
	X(line, 1048576, 1, 16777216)      /* waiters of one lock */ \
	X(window, 4096, 1, 65536)          /* sequence numbers */    \
	X(ttl_min_us, 100000, 1000, DURATION_MAX)                    \
	X(ttl_max_us, 86400000000, 1000, DURATION_MAX)               \
	X(delay_max_us, 3600000000, 0, DURATION_MAX)                 \
	X(step_max_us, 60000000, 1000000, DURATION_MAX) /* of time */

struct limits {
#define X(name, first, least, greatest) uint64_t name;
	LIMITS(X)
#undef X
};

#define NONCE_LEN 16
#define LOCK_NAME_MAX 512

struct op {
	enum op_kind kind;
	uint64_t node;    /* who asks; where the answer goes */
	uint64_t session; /* OPEN, LIMITS: 0 */
	uint64_t seq; /* ACQUIRE, RELEASE: place in the session's window, from
			 1; CANCEL: the acquire's; OPEN, RENEW, CLOSE,
			 LIMITS: only echoed in the answer */
	uint64_t low; /* sequenced: answers below it have been received, it
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
			uint64_t owner;
			const uint8_t *name; /* not terminated; the decoder's */
			size_t name_len;     /* 1..LOCK_NAME_MAX */
			enum mode mode;
			uint32_t permits; /* PERMITS: 1..limit; else 0 */
			uint32_t limit;   /* PERMITS: >= 1; else 0 */
			uint64_t wait;    /* us; 0: try; WAIT_FOREVER */
			uint64_t delay;   /* us; lock delay after a failure */
		} acquire;
		struct {
			uint64_t token;
		} release;
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
	OUTPUT_ANSWER = 1,       /* to one operation: `op`, `seq` */
	OUTPUT_GRANTED = 2,      /* a wait ended with a hold: `token` */
	OUTPUT_ENDED = 3,        /* a wait or hold ended otherwise: `status` */
	OUTPUT_SESSION_ENDED = 4 /* all of the session's is gone: `status` */
};

/* Answers to an acquire besides errors (negative) and 0, granted. */
enum { STATUS_WAITING = 1 };

struct output {
	enum output_kind kind;
	enum op_kind op;   /* ANSWER */
	int status;        /* 0, STATUS_WAITING or an hf_error */
	uint64_t node;     /* to whom */
	uint64_t session;  /* OPEN: the new one */
	uint64_t seq;      /* the request's; GRANTED, ENDED: the acquire's */
	uint64_t token;    /* of the hold, 0: none */
	uint64_t stamp;    /* of the entry that first applied the operation */
	uint64_t deadline; /* OPEN, RENEW: the session's, cluster time */
	uint64_t index;    /* of the entry just applied */
};

#endif
