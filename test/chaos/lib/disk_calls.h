/* Errors of a member's disk, made by calls that stand before those of the C
 * library: the program defines them itself, so that libraft and libuv, which
 * find their symbols in it first, call these. They do as the orders in the
 * shared memory say, and else what they are asked to. */
#ifndef CHAOS_DISK_CALLS_H
#define CHAOS_DISK_CALLS_H

#include "shared.h"

/* Whose orders this process obeys; nobody's before. */
void disk_calls_obey(struct disk_orders *orders);

#endif
