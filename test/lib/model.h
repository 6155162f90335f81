/* A second state machine, naive on purpose, to compare the real one with.
 *
 * It is written from lib/core/README and shares no code with lib/core: arrays,
 * linear searches, no hash tables, no heap, no digests. Deadlocks are judged by
 * the search of reduce.h. Its bounds fit small random streams only. */
#ifndef HF_TEST_MODEL_H
#define HF_TEST_MODEL_H

#include "core/core.h"

enum {
	MODEL_PEERS = 16,
	MODEL_SESSIONS = 64,
	MODEL_SLOTS = 128, /* of a session */
	MODEL_LOCKS = 64,
	MODEL_VALUES = 64,
	MODEL_REQUESTS = 512,
	MODEL_PARTS = 4,
	MODEL_OUTPUTS = 4096,
	MODEL_NAME = 16,
	MODEL_BYTES = 48 /* of a value, of what is shown, of a reason */
};

struct model_session {
	uint64_t id, node, boot, nth, ttl, deadline, opened, low, high;
	uint8_t nonce[NONCE_LEN];
	struct slot slots[MODEL_SLOTS];
	size_t slots_len;
};

struct model_lock {
	char name[MODEL_NAME]; /* terminated */
	uint64_t id, delay_until;
	uint32_t limit, flags;
};

struct model_bytes {
	uint8_t at[MODEL_BYTES];
	size_t len;
};

struct model_part {
	char name[MODEL_NAME];
	enum mode mode;
	uint32_t permits, limit; /* as asked */
};

/* In the order of their places. `record` has no pointers; its state is 0 once
 * it has gone, until the operation is over. */
struct model_request {
	struct record record; /* REQUEST */
	struct model_part parts[MODEL_PARTS];
	size_t parts_len;       /* 0: it has ended */
	size_t kept_len;        /* of these modes and permits are kept then */
	char value[MODEL_NAME]; /* waited for, or "" */
	struct model_bytes shown, reason;
};

struct model_value {
	char name[MODEL_NAME];
	uint64_t id, version, session;
	bool counter;
	int64_t number;
	struct model_bytes bytes;
};

struct model_suspect { /* an owner */
	uint64_t session, owner;
};

struct model_peer {
	uint64_t node, boot, nth, session;
};

struct model {
	uint64_t now, term, skew, index, counter, arrivals, known;
	struct limits limits;
	struct model_peer peers[MODEL_PEERS];
	struct model_session sessions[MODEL_SESSIONS];
	struct model_lock locks[MODEL_LOCKS];
	struct model_value values[MODEL_VALUES];
	struct model_request requests[MODEL_REQUESTS];
	size_t peers_len, sessions_len, locks_len, values_len, requests_len;
	char marked[MODEL_REQUESTS][MODEL_NAME]; /* to be settled, in order */
	size_t marked_len;
	struct model_suspect suspects[MODEL_REQUESTS];
	size_t suspects_len;
	struct output outputs[MODEL_OUTPUTS]; /* of the last apply */
	size_t outputs_len;
	/* What the outputs point to. */
	struct model_bytes kept[MODEL_OUTPUTS];
	char names[MODEL_OUTPUTS][MODEL_NAME];
};

void model_init(struct model *m);
void model_apply(struct model *m, uint64_t index, const struct entry *entry);
/* NULL, or in what the state of the core differs. */
const char *model_differs(const struct model *m, const struct core *core);
/* NULL, or in what the outputs of the last apply differ. */
const char *model_outputs_differ(const struct model *m,
				 const struct output *outputs, size_t len);

struct model_session *model_session(struct model *m, uint64_t id);

#endif
