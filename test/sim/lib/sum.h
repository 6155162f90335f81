/* Counters that are only added to: each is the sum of what was added, with some
 * of what may have been, each once. */
#ifndef HF_SIM_SUM_H
#define HF_SIM_SUM_H

#include "sim/lib/world.h"

/* At the end, of all of them. */
void sum_check_all(struct world *w);
/* Do some of these add up to it? */
bool sum_of_some(const int64_t *of, size_t len, int64_t sum);

#endif
