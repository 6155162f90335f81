/* The machine's clocks. */
#ifndef HF_HOST_CLOCK_H
#define HF_HOST_CLOCK_H

#include "base/env.h"

void clocks_read(struct clocks *now); /* any thread */

#endif
