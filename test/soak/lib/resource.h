/* What the locks protect, in the process that started the members: a value
 * behind a guard for each lock. Members write through a socket.
 *
 * The rule: one thread does one write after the other, so that the check of the
 * token and the write that it admits are one step, whatever is stopped or
 * killed meanwhile. */
#ifndef SOAK_RESOURCE_H
#define SOAK_RESOURCE_H

#include <holdfast.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define RESOURCE_LOCKS_MAX 64
#define RESOURCE_WRITERS_MAX 64

struct resource { /* all zero: not begun */
	struct hf_guard guards[RESOURCE_LOCKS_MAX];
	_Atomic(uint64_t) written, refused;
	int fds[RESOURCE_WRITERS_MAX];  /* the resource's ends */
	int ends[RESOURCE_WRITERS_MAX]; /* the writers', which outlive exec */
	unsigned writers_len;
	int wake[2];
	pthread_t thread;
	bool running;
};

bool resource_begin(struct resource *r, unsigned writers);
void resource_end(struct resource *r);

/* In the writer's process: 0, or HF_EFENCED; HF_EIO if the resource is gone. */
int resource_write(int end, uint32_t lock, uint64_t token);

#endif
