/* The members' wall clocks, which libfaketime makes jump. Their monotonic
 * clocks stay the machine's. */
#ifndef CHAOS_CLOCKS_H
#define CHAOS_CLOCKS_H

#include <stdbool.h>

/* What the member is run with: ours, and libfaketime's if `fake`. NULL: the
 * library isn't here, or no memory. */
char **clocks_environment(unsigned number, bool fake);
void clocks_environment_free(char **environment);

/* Set it off the machine's clock by so much. */
bool clocks_set(unsigned number, int seconds);

#endif
