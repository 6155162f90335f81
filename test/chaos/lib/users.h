/* The users of one member: each asks for a lock, writes to what it protects,
 * and gives it back, again and again, by the asynchronous calls.
 *
 * Quick ones go from callback to callback, on the node's thread. Slow ones
 * want the contended locks, cancel, validate, and think while they hold,
 * sometimes beyond the TTL; only the member's main thread starts what they do.
 * They are naive: they write with their token whatever hf_lock_safe_ms says, so
 * that the resource has something to refuse. */
#ifndef CHAOS_USERS_H
#define CHAOS_USERS_H

#include "lib/random.h"
#include "shared.h"

#include <pthread.h>

#define USERS 96
#define USERS_SLOW 32 /* the first of them */

enum user_state {
	USER_IDLE = 0, /* the main thread starts it when it is due */
	USER_ASKING,   /* waits for its lock */
	USER_THINKING, /* holds it; a slow one's next step comes when due */
	USER_CHECKING, /* waits for the answer of a validation */
	USER_RELEASING,
};

struct users;

struct user {
	struct hf_lock lock;
	struct users *all;
	unsigned number;
	_Atomic(int) state;
	struct random random;
	uint64_t due, cancel_at;
	uint64_t validate_called;
	_Atomic(uint32_t) hold; /* its number, while it asks or holds */
};

struct users {
	struct hf_node *node;
	struct shared *shared;
	struct member_memory *memory;
	unsigned member;
	_Atomic(bool) stopping, hasty;
	pthread_mutex_t mutex; /* of the ring of writes, in this process */
	struct user users[USERS];
};

void users_init(struct users *all, struct hf_node *node, struct shared *shared,
		unsigned member);
/* What is due, by the main thread, every few milliseconds. */
void users_tick(struct users *all);
/* How many have a request under way, or a hold. */
unsigned users_busy(const struct users *all);
/* A hold was lost: HF_EVENT_LOST, on the node's thread. */
void users_lost(struct users *all, uint64_t token);
/* When the node is closed: has every request been answered, once? */
void users_check_answered(struct users *all);

#endif
