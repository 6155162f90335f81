/* The end of a run, once the faults have stopped: users give back what they
 * hold, and each lock must be taken once more within TTL + lock delay + 1 s +
 * ten election timeouts. Then nothing may be left. */
#ifndef HF_SIM_ENDING_H
#define HF_SIM_ENDING_H

#include "sim/lib/world.h"

/* Faults have just stopped. */
void ending_begin(struct world *w);
/* The time for recovery is over. */
void ending_recovered(struct world *w);
/* Has everybody done with everything? */
bool ending_idle(const struct world *w);
/* They should have. */
void ending_check_idle(struct world *w);
/* Has every member heard what the others have? */
bool ending_caught_up(const struct world *w);
void ending_check(struct world *w);

#endif
