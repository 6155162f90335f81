/* A user of a process: takes locks, writes to what they protect, thinks for too
 * long at times, cancels, asks whether it still holds, releases, tries again.
 * habit.h says when; answer.h checks all that it is told. */
#ifndef HF_SIM_USER_H
#define HF_SIM_USER_H

#include "node/node.h"
#include "sim/lib/belief.h"
#include "sim/lib/habit.h"

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
	uint64_t number; /* unique in the process, from 1 */
	enum user_state state;
	bool probe;       /* must get what it asks for */
	bool retries;     /* asks for the same again */
	bool cancel_late; /* its cancel was told that the acquire had ended */
	uint64_t step;    /* counts planned steps; only the last one counts */
	uint64_t asked;   /* acquisitions so far */
	uint64_t owner;   /* of the acquisition, unique in the process */
	struct wish wish;
	enum cancel_habit cancel;
	bool canceled; /* it has tried to */
	unsigned acts_left;
	struct claim *claim;
	struct belief belief; /* and its record, while HOLDING or RELEASING */
	uint32_t lost;
	bool held;           /* by the cluster, when it asked for that */
	uint64_t called;     /* true time of the request */
	uint64_t give_up_at; /* monotonic: latest end of an acquisition */
	uint64_t pauses;     /* of the process, then */
	uint64_t slept;      /* by its machine, until then */
};

void user_start(struct user *u, struct process *p, unsigned number);
/* Take this lock, exclusively, and release it; tell world_probed. */
void user_probe(struct user *u, unsigned name);
/* Finish soon with what it holds, and ask for nothing more. */
void user_hurry(struct user *u);
/* The process gives up its holds, or has died. */
void user_forget(struct user *u);

/* The cluster has granted this to a node: whoever of its users it is may want
 * to cancel just now. */
void user_granted(struct world *w, uint64_t node, uint64_t owner);

#endif
