/* A clerk of a process: writes values, counts, waits for what others write,
 * takes holds away from others, and sets limits. One thing at a time; what it
 * is told must be so. */
#ifndef HF_SIM_CLERK_H
#define HF_SIM_CLERK_H

#include "core/op.h"
#include "sim/lib/world.h"

struct process;

struct clerk {
	struct process *process;
	uint64_t step; /* counts planned steps; only the last one counts */
	struct clerk_ask *ask; /* whose callback is due */
};

void clerk_start(struct clerk *c, struct process *p);
/* Its process ends, by a crash perhaps: what it asked for may be so. */
void clerk_forget(struct clerk *c);
bool clerk_busy(const struct clerk *c);

/* --- for clerk.c and clerk_draw.c */

#define CLERK_BYTES_MAX 200

struct clerk_ask { /* never used again, so that a second callback shows */
	struct clerk *clerk;
	struct op op;
	unsigned name;   /* of the value */
	uint64_t called; /* true time */
	bool reads, over;
	uint64_t version; /* that was read */
	uint8_t bytes[CLERK_BYTES_MAX];
	char reason[16];
};

/* Fill in what to ask for. False: there is nothing now. */
bool clerk_draw(struct clerk_ask *a);

#endif
