/* A state by way of the bytes of its snapshot, as a member gets it that
 * restarts or joins. */
#ifndef HF_TEST_THROUGH_H
#define HF_TEST_THROUGH_H

#include "core/core.h"

/* `to` is fresh; 0 or the error. */
int through_codec(struct core *from, struct core *to);

#endif
