/* The stages of a mix, one after the other. False: it isn't worth going on;
 * what was wrong counts as a violation, or the program was interrupted. */
#ifndef CHAOS_STAGES_H
#define CHAOS_STAGES_H

#include "world.h"

/* All members are up and grant. */
bool stage_begin(struct world *world);
/* Faults until then, and until so many operations have been done, but each act
 * once at least. */
bool stage_faults(struct world *world, uint64_t end, uint64_t operations);
/* No more faults: every member grants again, and every contended lock passes
 * on, within RECOVERY_MS. */
bool stage_recover(struct world *world);
/* The users stop; then no member shows a hold or a wait, and all end well. */
bool stage_rest(struct world *world);

/* Grants and releases that were told so far. */
uint64_t world_operations(const struct world *world);
/* Terms with a leader, as the member knows that was told of most. */
uint64_t world_elections(const struct world *world);

#endif
