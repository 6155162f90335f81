/* A second state machine, naive on purpose, to compare the real one with.
 *
 * It is written from lib/core/README and shares no code with lib/core: arrays,
 * linear searches, no hash tables, no heap, no digests. Its bounds fit small
 * random streams only. */
#ifndef HF_TEST_MODEL_H
#define HF_TEST_MODEL_H

#include "core/core.h"

enum {
	MODEL_PEERS = 16,
	MODEL_SESSIONS = 64,
	MODEL_SLOTS = 128, /* of a session */
	MODEL_LOCKS = 64,
	MODEL_REQUESTS = 512,
	MODEL_OUTPUTS = 4096,
	MODEL_NAME = 16
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
	uint32_t limit;
};

struct model_request {        /* in the order of their places */
	struct record record; /* REQUEST */
	char name[MODEL_NAME];
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
	struct model_request requests[MODEL_REQUESTS];
	size_t peers_len, sessions_len, locks_len, requests_len;
	char affected[MODEL_REQUESTS][MODEL_NAME]; /* to be settled, in order */
	size_t affected_len;
	struct output outputs[MODEL_OUTPUTS]; /* of the last apply */
	size_t outputs_len;
};

void model_init(struct model *m);
void model_apply(struct model *m, uint64_t index, const struct entry *entry);
/* NULL, or in what the state of the core differs. */
const char *model_differs(const struct model *m, const struct core *core);

struct model_session *model_session(struct model *m, uint64_t id);

#endif
