/* What a lock protects: it refuses writes of a token older than one it has
 * seen. A write is on its way for a while, also when its writer is dead or has
 * lost the lock meanwhile. */
#ifndef HF_SIM_RESOURCE_H
#define HF_SIM_RESOURCE_H

#include "sim/lib/world.h"

/* `certain`: the writer is, at this moment; the write then arrives at once and
 * must be accepted. */
void resource_write(struct world *w, const struct hold_record *r, bool certain,
		    uint64_t delay_us);

#endif
