/* The judgement of a mix: what its users were told, against what may be true.
 *
 * Some is judged as it happens (users.c, resource.c, crew.c). Here: is there an
 * order of all grants and releases that explains every answer (lib/history.h);
 * was no hold certain beside another that it conflicts with. */
#ifndef CHAOS_VERDICT_H
#define CHAOS_VERDICT_H

#include "shared.h"

struct verdict {
	uint64_t grants;         /* that were told */
	uint64_t longest_gap_us; /* between two of them */
};

void verdict_reach(struct verdict *verdict, struct shared *shared,
		   unsigned members);

#endif
