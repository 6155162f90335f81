/* One cluster of `pause`, and one round in it: two members that hold a lock
 * each are stopped before a write, until others have taken their locks and
 * written.
 */
#ifndef SOAK_LANE_H
#define SOAK_LANE_H

#include "child.h"
#include "place.h"
#include "sleeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define LANE_MEMBERS 5
#define LANE_VICTIMS 2
#define LANE_LOCKS (LANE_VICTIMS + 1) /* one for each victim, one beside */

struct lane {
	unsigned number, seed;
	volatile sig_atomic_t *interrupted;
	char addresses[LANE_MEMBERS][PLACE_ADDRESS_LEN];
	struct child members[LANE_MEMBERS];
	pthread_t thread;
	void *data; /* the program's */
};

/* What members need to know of the program. */
struct lane_place {
	const char *dir;
	int beliefs_fd;
	const int *ends; /* of the resource, one for each member of each lane */
};

/* One of the two that are stopped, and who comes after it. */
struct victim {
	struct child *child, *heir;
	unsigned lock;
	enum sleeper_state state;
	bool leads;
	bool granted; /* it was given another lock while it was stopped */
	uint64_t token;
	uint64_t heir_token; /* 0: it wasn't certain, or couldn't write */
	bool heir_refused;   /* it was certain, and its write was refused */
	uint64_t stopped_us, continued_us;
	struct woke woke;
};

struct round {
	struct victim victims[LANE_VICTIMS];
	struct child *third; /* who has to do with the lock beside */
};

/* Start the members. */
bool lane_begin(struct lane *l, unsigned number, const struct lane_place *p);
void lane_end(struct lane *l);
/* False: the cluster can't go on; stderr says why. */
bool lane_round(struct lane *l, struct round *r);

#endif
