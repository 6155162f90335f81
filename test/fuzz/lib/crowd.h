/* Operations made of choices, by a crowd of nodes that share few sessions,
 * names and numbers, so that they meet: retries, stale numbers, foreign
 * sessions, limits that change. */
#ifndef HF_TEST_FUZZ_CROWD_H
#define HF_TEST_FUZZ_CROWD_H

#include "core/op.h"
#include "fuzz/lib/choices.h"

enum {
	CROWD_NODES = 5,
	CROWD_SESSIONS = 16,
	CROWD_OPS = 8,
	CROWD_NAME_MAX = 12 /* bytes of a lock's name */
};

struct crowd { /* all zero: at its beginning */
	uint64_t now, term, serial, opens;
	struct {
		uint64_t id, node, seq;
	} sessions[CROWD_SESSIONS]; /* the newest ones; id 0: none yet */
	uint64_t sessions_len;
	uint64_t token; /* the newest */
	struct op ops[CROWD_OPS];
};

/* `sound`: only what a decoder lets pass. */
struct op crowd_op(struct crowd *w, struct reader *c, bool sound);
/* An entry of up to CROWD_OPS, which live in the crowd until the next one. */
struct entry crowd_entry(struct crowd *w, struct reader *c, bool sound);
/* There is such a session, which has used its sequence numbers up to `seq`. */
void crowd_meet(struct crowd *w, uint64_t session, uint64_t node, uint64_t seq);
/* Learn ids from an output. */
void crowd_hear(struct crowd *w, const struct output *o);

#endif
