/* The switches of planted bugs.
 *
 * `run` compiles this into a copy of the sources, in front of every file, when
 * it has put the patches of this folder into it. The shipped sources know
 * nothing of it. At most one bug is on in a process: the one that the
 * environment's PLANTED names. */
#ifndef HF_TEST_PLANTED_H
#define HF_TEST_PLANTED_H

#include <stdbool.h>

enum planted_bug {
	PLANTED_none,
/* X(name), one for each name that a patch uses; `run` makes it. */
#define X(name) PLANTED_##name,
#include "base/planted_names.h"
#undef X
	PLANTED_BUGS
};

/* Is this bug on? Asked only where it matters, so that the answer yes says that
 * it was reached: "condition && PLANTED(name)". */
#define PLANTED(name) (planted_on(PLANTED_##name) && planted_reach())
/* The same, without counting as reached. */
#define PLANTED_QUIETLY(name) planted_on(PLANTED_##name)

bool planted_on(enum planted_bug bug);
/* Leave word for `run`. True. */
bool planted_reach(void);

#endif
