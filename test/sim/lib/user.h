/* A user of a process: takes locks, writes to what they protect, thinks for too
 * long at times, cancels, asks whether it still holds, releases. It checks
 * everything that it is told against the oracle. */
#ifndef HF_SIM_USER_H
#define HF_SIM_USER_H

#include "node/node.h"
#include "sim/lib/belief.h"

enum user_state {
	USER_IDLE,
	USER_ASKING,     /* its acquisition's callback is due */
	USER_HOLDING,    /* none is due */
	USER_VALIDATING, /* as HOLDING, with a callback due */
	USER_RELEASING   /* its release's callback is due */
};

struct process;

struct user {
	struct process *process;
	uint64_t number; /* unique in the process; the owner of its requests */
	enum user_state state;
	bool probe;    /* must get what it asks for */
	uint64_t step; /* counts planned steps; only the last one counts */
	unsigned name; /* of the lock it deals with */
	enum hf_mode mode;
	uint32_t permits;
	unsigned acts_left;
	struct claim *claim;
	struct belief belief; /* and its record, while HOLDING or RELEASING */
	uint32_t lost;
	uint64_t called;     /* true time of the request */
	uint64_t give_up_at; /* monotonic: latest end of an acquisition */
	uint64_t pauses;     /* of the process, then */
};

void user_start(struct user *u, struct process *p, unsigned number);
/* Take this lock, exclusively, until `timeout_us` from now, and release it;
 * tell world_probed. */
void user_probe(struct user *u, unsigned name, uint64_t timeout_us);
/* Finish soon with what it holds. */
void user_hurry(struct user *u);
/* The process gives up its holds, or has died. */
void user_forget(struct user *u);

#endif
