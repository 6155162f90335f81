/* Writing to a peer that is gone raises SIGPIPE: fatal to a process that
 * doesn't ignore it. Where a thread isn't ours to set up, the signal is held
 * back while we write, and taken off if one came; others' SIGPIPEs stay. */
#ifndef HF_HOST_SIGPIPE_H
#define HF_HOST_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe {
	bool held;
	sigset_t before; /* the thread's mask */
};

void sigpipe_hold(struct sigpipe *s);
void sigpipe_release(struct sigpipe *s);

#endif
