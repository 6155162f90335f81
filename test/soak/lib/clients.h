/* The load of one member: churners, which take a lock and give it back, again
 * and again, and keepers, which hold theirs until the end. All of them are
 * asynchronous requests; their callbacks run on the node's thread. */
#ifndef SOAK_CLIENTS_H
#define SOAK_CLIENTS_H

#include "journal.h"

#include <holdfast.h>
#include <pthread.h>
#include <stdbool.h>

struct clients;

struct client {
	struct hf_lock lock;
	struct clients *all;
	unsigned number; /* of the client, in its member */
	unsigned name;
	unsigned seed;
	uint64_t token; /* of the lock while it is held */
};

struct clients {
	struct hf_node *node;
	struct journal *journal;
	unsigned member;
	struct client churners[SOAK_CHURNERS];
	struct client keepers[SOAK_KEEPERS];
	atomic_bool stopping;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned
		running; /* clients with a request under way; under the mutex */
};

void clients_start(struct clients *c, struct hf_node *node,
		   struct journal *journal, unsigned member);
/* Let all requests end, then give back what the keepers hold. */
void clients_drain(struct clients *c);
/* Ask the leader again for what the keepers hold. */
void clients_validate(struct clients *c);

#endif
