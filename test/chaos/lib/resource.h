/* What the locks protect: a store that takes a write only with a token that is
 * not older than those it has seen. A thread of the program, which no fault
 * reaches, takes the members' writes as they come.
 *
 * The rule: a write that is refused must have been stale. Refusing one whose
 * hold is certain at that moment means that two conflicting holds existed. None
 * that is stale is let in. */
#ifndef CHAOS_RESOURCE_H
#define CHAOS_RESOURCE_H

#include "shared.h"

#include <pthread.h>

struct newest { /* the largest tokens that were let in */
	uint64_t any, exclusive;
};

struct resource {
	struct shared *shared;
	unsigned members;
	pthread_t thread;
	_Atomic(bool) stopping;
	struct hf_guard guards[NAMES];
	struct newest newest[NAMES];
	/* Refused, it was stale when it was sent, or was overtaken: the hold
	 * was released while it was on its way. */
	_Atomic(uint64_t) accepted, stale, overtaken;
};

/* `resource` has its first two fields set, and else is zero. */
bool resource_start(struct resource *resource);
/* Once what was written has been taken. */
void resource_stop(struct resource *resource);

#endif
