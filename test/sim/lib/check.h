/* What must be true of a process whenever it has run. */
#ifndef HF_SIM_CHECK_H
#define HF_SIM_CHECK_H

#include "sim/lib/process.h"

/* Its state agrees with the others'; the oracle has then applied what it has,
 * and can say whether what it is about to tell is so. */
void check_state(struct process *p);
/* Its state agrees with the others', its leadership and its certain holds stand
 * beside no other. */
void check_process(struct process *p);
/* After a turn: what it has told its users of its session. */
void check_told(struct process *p);
/* A hold has just been believed, or its lease has grown. */
void check_belief(struct process *p, const struct belief *b);
/* The cluster has ended a session. */
void check_session_ended(void *world, uint64_t node, uint64_t session,
			 bool expired);
/* The cluster has ended a hold whose time was over, or that was taken. */
void check_hold_ended(void *world, uint64_t node, uint64_t session,
		      uint64_t token);
/* A node tells of a revocation. */
void check_revoked(struct process *p, const struct hf_event *event);
/* The cluster has granted what a user of this node asked for. */
void check_granted(void *world, uint64_t node, uint64_t identity);
/* At the end: what all users were told. */
void check_histories(struct world *w);

#endif
