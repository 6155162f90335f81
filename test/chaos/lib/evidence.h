/* What the users were told, as a text, for whom has to find out what was
 * wrong. */
#ifndef CHAOS_EVIDENCE_H
#define CHAOS_EVIDENCE_H

#include "world.h"

/* All acquisitions of the mix, a line each, in the build folder ($B) or the
 * current one. Says on stderr where. */
void evidence_write(const struct world *world);

#endif
