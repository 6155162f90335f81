/* A libuv loop of a test's own, for nodes that run inside one. */
#ifndef HF_TEST_INLOOP_H
#define HF_TEST_INLOOP_H

#include <stdbool.h>
#include <uv.h>

/* Run it until `done`; false: not within half a minute. */
bool inloop_until(uv_loop_t *loop, bool (*done)(void *arg), void *arg);
/* Run it for so long. */
void inloop_for(uv_loop_t *loop, uint64_t ms);

#endif
