/* When a hold ends by itself: its limit, its own lease, and what revocations
 * leave of it. All in cluster time, from the operations and their answers. */
#ifndef HF_SIM_TERMS_H
#define HF_SIM_TERMS_H

#include "sim/lib/said.h"

#include <stddef.h>

struct term { /* of a hold */
	uint64_t token, session;
	uint64_t hold_until, lease, lease_until; /* 0: none */
	bool revoked, noted;
	uint64_t at;       /* taken away then */
	uint64_t noted_at; /* or then, once it is noted */
	bool told;         /* since the last answer */
};

struct revocation_said {
	uint64_t root; /* the first token of the hold's, before conversions */
	uint64_t by, reason;
	bool told; /* to the holder */
};

struct terms { /* all zero: nothing yet */
	struct term *items;
	size_t len, cap;
	struct revocation_said *said;
	size_t said_len, said_cap;
	struct wrong wrong; /* the first */
	uint64_t revocations, taken, expired, notes;
};

void terms_said(struct terms *t, const struct said *s, uint64_t root);
/* A conversion has given the hold another token. */
void terms_moved(struct terms *t, uint64_t from, uint64_t token);
/* What was granted by this entry; `from`: the hold that it was; 0: none. */
void terms_granted(struct terms *t, const struct record *hold, uint64_t from);
/* After an entry: nothing is held beyond its time. */
void terms_end(struct terms *t, const struct core *core);
/* The holder is told of a revocation of this hold: false: there was none such
 * that it hasn't been told of. */
bool terms_tell(struct terms *t, uint64_t root, uint64_t by, uint64_t reason);
void terms_free(struct terms *t);

uint64_t terms_digest(const void *bytes, size_t len);

#endif
