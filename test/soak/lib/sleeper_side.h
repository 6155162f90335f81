/* What the other thread of a sleeper does: see enum sleeper_state. */
#ifndef SOAK_SLEEPER_SIDE_H
#define SOAK_SLEEPER_SIDE_H

#include "belief.h"
#include "resource.h"
#include "sleeper.h"

#include <pthread.h>

#define LOSSES_MAX 8192

struct sleeper {
	struct hf_node *node;
	uint64_t id;
	struct beliefs *beliefs;
	int resource;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* Tokens of which it was told that they are lost; under the mutex. */
	uint64_t lost[LOSSES_MAX];
	unsigned lost_len;
};

struct side {
	struct sleeper *sleeper;
	enum sleeper_state state;
	unsigned number;       /* of the side's lock */
	struct hf_lock *first; /* the lock under which the process stands */
	struct hf_lock lock;
	atomic_bool over;  /* it is awake: come to an end */
	atomic_bool awake; /* and the first look is done */
	unsigned wrong;
	uint64_t token; /* SLEEPER_GRANTED: what came while it was stopped */
	pthread_t thread;
	bool running;
};

/* Write under the mutex: answers on one socket must not be mixed. */
int sleeper_write(struct sleeper *s, unsigned lock, uint64_t token);
/* How often the loss of this token was told; waits for the first time. */
unsigned sleeper_losses(struct sleeper *s, uint64_t token);
void sleeper_name(char *name, size_t size, unsigned lock);

bool side_begin(struct side *side);
void side_end(struct side *side);

#endif
