/* An operator who changes the cluster's replicated limits now and then, and
 * puts them back when the faults stop. */
#ifndef HF_SIM_OPERATOR_H
#define HF_SIM_OPERATOR_H

#include "sim/lib/world.h"

void operator_start(struct world *w);
/* Put them back, as soon as somebody leads. */
void operator_restore(struct world *w);
/* Are they as they were? */
bool operator_restored(const struct world *w);

#endif
