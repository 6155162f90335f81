/* What libraft asserts of itself, and what it must know of others. Its asserts
 * are compiled out, so that it goes on with broken state and the harm shows
 * late or never. */
#ifndef HF_SIM_CHECK_RAFT_H
#define HF_SIM_CHECK_RAFT_H

#include "sim/lib/process.h"

void check_raft(struct process *p);

#endif
