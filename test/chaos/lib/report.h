/* The line of a mix, and whether its faults happened at all. */
#ifndef CHAOS_REPORT_H
#define CHAOS_REPORT_H

#include "mixes.h"

/* Judges what the users were told, and prints. `whole`: all stages were gone
 * through. Returns the operations. */
uint64_t report(struct world *world, const struct run *run, bool whole);

#endif
