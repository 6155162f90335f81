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
	RECORD_REQUEST = 5
};

enum request_state {
	REQUEST_WAITING = 1,
	REQUEST_HELD = 2,
	REQUEST_ENDED = 3 /* kept until its node has seen `status` */
};

/* The kept result of a sequenced operation. */
struct slot {
	uint64_t seq; /* 0: free */
	int32_t status;
	uint64_t token, stamp;
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
			uint32_t limit;       /* permits; 0: not a semaphore */
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
		} request;
	};
};

#endif
