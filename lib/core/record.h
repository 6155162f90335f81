/* The state as a list of flat records: what a snapshot image is made of, and
 * what tests print. A record names other objects by id, never by pointer. */
#ifndef HF_CORE_RECORD_H
#define HF_CORE_RECORD_H

#include "core/op.h"

enum record_kind {
	RECORD_STATE = 1, /* exactly one, the first */
	RECORD_PEER = 2,  /* what is remembered of a node for ever */
	RECORD_SESSION = 3,
	RECORD_LOCK = 4,
	RECORD_REQUEST = 5,
	RECORD_VALUE = 6
};

enum request_state {
	REQUEST_WAITING = 1,
	REQUEST_HELD = 2,
	REQUEST_ENDED = 3 /* kept until its node has seen `status` */
};

enum lock_flag {
	LOCK_BARRIER = 1, /* a place to meet, not a lock */
	LOCK_PINNED = 2   /* its limit was set: it stays, held or not */
};

/* The kept result of a sequenced operation. */
struct slot {
	uint64_t seq; /* 0: free */
	int32_t status;
	uint64_t token, stamp;
};

/* A further lock of a request; its token is the request's and its place. */
struct record_part {
	uint64_t lock;
	enum mode mode;
	uint32_t permits;
};

struct record {
	enum record_kind kind;
	union {
		struct {
			uint64_t now;     /* cluster time */
			uint64_t term;    /* largest of any entry applied */
			uint64_t skew;    /* that term's stamps are so far ahead
					     of cluster time: steps cut off */
			uint64_t wall;    /* largest informational wall time */
			uint64_t index;   /* of the last entry applied */
			uint64_t counter; /* last token or session id given */
			uint64_t arrivals; /* last place in any line given */
			uint64_t hash;     /* of all of the state at `index` */
			uint16_t version;
			struct limits limits;
		} state;
		struct {
			uint64_t node, boot, nth; /* newest session opened */
			uint64_t session;         /* alive, or 0 */
		} peer;
		struct {
			uint64_t id, node, boot, nth, ttl, deadline;
			uint64_t opened; /* stamp of the opening entry */
			uint8_t nonce[NONCE_LEN];
			uint32_t flags;
			uint64_t low;
			const struct slot *slots; /* none of them free */
			size_t slots_len;
		} session;
		struct {
			uint64_t id;
			const uint8_t *name;
			size_t name_len;
			uint32_t limit; /* permits, or who come to a barrier;
					   0: neither */
			uint32_t flags; /* enum lock_flag */
			uint64_t delay_until; /* cluster time; 0: none */
		} lock;
		struct {
			uint64_t session, seq, owner, lock;
			enum request_state state;
			enum mode mode;
			uint32_t permits;
			uint64_t token;    /* HELD */
			uint64_t stamp;    /* granted or ended then */
			uint64_t index;    /* of the entry that did it */
			uint64_t place;    /* in all lines; never given twice */
			uint64_t deadline; /* WAITING: 0 or when it times out */
			uint64_t delay;    /* lock delay after a failure, us */
			int32_t status;    /* ENDED */
			int32_t priority;
			const struct record_part
				*more; /* locks but the first */
			size_t more_len;
			/* What most don't have. */
			uint64_t hold, lease;             /* us, as asked */
			uint64_t hold_until, lease_until; /* HELD; 0: none */
			uint64_t from; /* WAITING: a conversion */
			const uint8_t *shown;
			size_t shown_len;
			struct {
				uint64_t at; /* taken then; 0: not revoked */
				uint64_t noted_at; /* then, once it is noted */
				uint64_t by;       /* node */
				bool noted;
				const uint8_t *reason;
				size_t reason_len;
			} revoke;
			/* A wait for a value: `lock` is then 0. */
			uint64_t value;
			enum condition condition;
			int64_t number;
		} request;
		struct {
			uint64_t id;
			const uint8_t *name;
			size_t name_len;
			uint64_t
				version; /* 0: it isn't there, but waited for */
			uint64_t session; /* goes with it; 0: stays */
			bool counter;     /* it is `number`, else `bytes` */
			int64_t number;
			const uint8_t *bytes;
			size_t bytes_len;
		} value;
	};
};

#endif
