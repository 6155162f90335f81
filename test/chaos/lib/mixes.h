/* The mixes of faults, and how one is run: a fresh cluster under load, faults
 * for a while, their end, recovery within a stated bound, then rest, when
 * nothing may be held any more. */
#ifndef CHAOS_MIXES_H
#define CHAOS_MIXES_H

#include "world.h"

#define MIXES 8

extern const struct mix mixes[MIXES];

struct run {
	struct wire *wire;
	const volatile sig_atomic_t *interrupted;
	bool verbose;
	uint64_t seed;
	uint64_t operations; /* at least so many in a mix */
	uint64_t faults_ms;  /* and faults for so long */
	/* Results. */
	uint64_t done, violations;
};

/* False: it couldn't be run, and the reason is in `error`, or it was
 * interrupted. Prints its line. */
bool mix_run(const struct mix *mix, struct run *run, char *error,
	     size_t error_len);

#endif
