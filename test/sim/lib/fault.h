/* Faults that are injected: a table of kinds, each with a function and, from
 * the plan, a rate. */
#ifndef HF_SIM_FAULT_H
#define HF_SIM_FAULT_H

#include "sim/lib/world.h"

/* Plan the first of each kind that the seed has. */
void faults_start(struct world *w);
/* No more of them, and mend everything that they left. */
void faults_stop(struct world *w);

#endif
