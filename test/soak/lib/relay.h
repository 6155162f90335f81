/* The roads between members: each pair's connection passes through this
 * process, which can hold up all that goes over it. Nothing is lost or changed;
 * what was held comes late, as after a real partition. Needs no privileges. */
#ifndef SOAK_RELAY_H
#define SOAK_RELAY_H

#include "place.h"

#include <pthread.h>
#include <stdatomic.h>

#define RELAYS_MAX 8
#define RELAY_WAYS_MAX 16 /* connections of a relay at one time */
#define RELAY_BYTES_MAX 16384

/* One direction of a connection, and what waits to be sent on. */
struct flow {
	size_t len, sent;
	char bytes[RELAY_BYTES_MAX];
};

struct way { /* all zero: free */
	int from, to;
	struct flow forth, back;
};

struct relay {
	char address[PLACE_ADDRESS_LEN]; /* where it listens */
	char target[PLACE_ADDRESS_LEN];
	int listener;
	atomic_bool cut;
	struct way ways[RELAY_WAYS_MAX];
};

struct relays { /* all zero: none */
	struct relay all[RELAYS_MAX];
	unsigned len;
	atomic_bool over;
	pthread_t thread;
	bool running;
};

/* NULL: errno says why. Only before relays_begin. */
struct relay *relays_add(struct relays *r, const char *target);
bool relays_begin(struct relays *r);
void relays_end(struct relays *r);

#endif
