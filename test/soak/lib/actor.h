/* A member of `drill`: a process with three jobs to do, each under a lease.
 *
 * It obeys the lines "want JOB" and "drop JOB", and ends on any other. While it
 * holds a job's lease it looks at hf_lock_safe_ms again and again, and does the
 * job, a write that carries the token, only while that says so. It tells what
 * happens in lines "TIME KIND A B C" of numbers, TIME in microseconds of
 * now_us. Once a hold is lost it writes a last time with its token, as a
 * program would that hadn't looked. */
#ifndef SOAK_ACTOR_H
#define SOAK_ACTOR_H

#include "belief.h"

#define ACTOR_MEMBERS 3
#define ACTOR_JOBS ACTOR_MEMBERS
#define ACTOR_TTL_MS 2000
#define ACTOR_ELECTION_MS 300

enum told {
	TOLD_SESSION, /* state, safe_ms of what it holds */
	TOLD_LEADER,  /* id, term */
	TOLD_GRANTED, /* job, token, safe_ms */
	TOLD_SAFE,    /* job, token, safe_ms: shrinking */
	TOLD_ZERO,    /* job, token: certain no more; it stops working */
	TOLD_AGAIN,   /* job, token, safe_ms: certain again */
	TOLD_WOKE,    /* job, ms that it was away, safe_ms at the first look */
	TOLD_LOST,    /* job, token */
	TOLD_STALE,   /* job, token, -(result) of the last write */
	TOLD_REFUSED, /* job, token, safe_ms: a write, though certain */
	TOLD_FAILED,  /* -(rc): the member is out */
	TOLD_KINDS
};

/* In memory that all processes of the drill share. */
struct board {
	struct beliefs beliefs;
	/* A lock of no importance is taken and given back by all members, all
	 * the time: when that worked last, and the longest time in which it
	 * worked for nobody. */
	_Atomic(uint64_t) probed_us, gap_us;
	_Atomic(uint64_t) writes;
};

/* Arguments: id, descriptor of the board, end of the resource, directory,
 * addresses of all as seen from here. Returns the exit status. */
int actor_main(int argc, char **argv);

#endif
