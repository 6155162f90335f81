/* Operations made of choices, by a crowd of nodes that share few sessions,
 * names, owners and numbers, so that they meet: retries, stale numbers, foreign
 * sessions and tokens, limits that change. */
#ifndef HF_TEST_FUZZ_CROWD_H
#define HF_TEST_FUZZ_CROWD_H

#include "core/op.h"
#include "fuzz/lib/choices.h"

enum {
	CROWD_NODES = 5,
	CROWD_SESSIONS = 16,
	CROWD_OPS = 8,
	CROWD_PARTS = 3,    /* locks of one request */
	CROWD_NAME_MAX = 12 /* bytes of a lock's name */
};

struct crowd { /* all zero: at its beginning */
	uint64_t now, term, serial, opens;
	struct {
		uint64_t id, node, seq;
	} sessions[CROWD_SESSIONS]; /* the newest ones; id 0: none yet */
	uint64_t sessions_len;
	uint64_t token;    /* the newest; or version */
	uint64_t noted_at; /* of the newest revocation */
	struct op ops[CROWD_OPS];
	struct op_part parts[CROWD_OPS][CROWD_PARTS];
	size_t made; /* of the parts */
};

/* `sound`: only what a decoder lets pass. */
struct op crowd_op(struct crowd *w, struct reader *c, bool sound);
/* crowd_op.c: what only this kind has. */
void crowd_make(struct crowd *w, struct reader *c, struct op *op, bool sound);
bool crowd_sequenced(enum op_kind kind);
/* An entry of up to CROWD_OPS, which live in the crowd until the next one. */
struct entry crowd_entry(struct crowd *w, struct reader *c, bool sound);
/* There is such a session, which has used its sequence numbers up to `seq`. */
void crowd_meet(struct crowd *w, uint64_t session, uint64_t node, uint64_t seq);
/* Learn ids from an output. */
void crowd_hear(struct crowd *w, const struct output *o);

#endif
