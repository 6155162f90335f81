/* A cluster of one node in virtual time: for tests of lib/node that need no
 * network. It leads, has a session, and serves itself. */
#ifndef HF_TEST_SINGLE_H
#define HF_TEST_SINGLE_H

#include "lib/fakeio.h"
#include "node/internal.h"

#define SINGLE_EVENTS 256

struct single {
	struct fake fake; /* for its disk's sake */
	struct env env;
	struct mem mem;
	size_t starved; /* allocations of so many bytes fail; 0: none */
	struct node *node;
	uint64_t wake; /* when it wants the next turn */
	uint64_t turns;
	struct hf_event events[SINGLE_EVENTS];
	size_t events_len;
	size_t quiet_at; /* so many events, and the node is made quiet; 0: never
			  */
	bool closed;
};

void single_open(struct single *s);
/* Let this much time pass. */
void single_run(struct single *s, uint64_t us);
/* One turn, now. */
void single_turn(struct single *s);
/* How many events of this type it was told. */
size_t single_told(const struct single *s, enum hf_event_type type);
/* An acquisition of "name <number>": the hold; it must be granted. */
struct claim *single_hold(struct single *s, unsigned number);
void single_close(struct single *s);

#endif
