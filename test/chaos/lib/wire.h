/* The wire between the members: a thread that carries packets from one TUN
 * device to another, each link (from, to) by rules of its own.
 *
 * The rules may be changed at any time by another thread. What is on its way
 * when a link is cut is lost with it. */
#ifndef CHAOS_WIRE_H
#define CHAOS_WIRE_H

#include "lib/random.h"
#include "netns.h"
#include "shared.h"

#include <pthread.h>

#define MILLION 1000000

struct link_rules { /* all zero: a perfect link */
	_Atomic(bool) cut;
	_Atomic(uint32_t) loss_ppm, duplicate_ppm;
	_Atomic(uint32_t) corrupt_ppm, forge_ppm; /* of those with payload */
	_Atomic(uint32_t) delay_us, jitter_us;
	_Atomic(uint32_t) bytes_per_s; /* 0: no limit */
	_Atomic(uint32_t) resets;      /* so many to be forged */
};

enum wire_count { /* what was done to packets */
		  WIRE_CARRIED,
		  WIRE_CUT,
		  WIRE_LOST,
		  WIRE_DUPLICATED,
		  WIRE_DELAYED,
		  WIRE_REORDERED,
		  WIRE_CLOGGED,
		  WIRE_CORRUPTED,
		  WIRE_FORGED,
		  WIRE_RESET,
		  WIRE_COUNTS
};

struct packet {
	uint64_t due, order; /* the first to come, of those due at once */
	unsigned from, to;
	size_t len;
	uint8_t bytes[];
};

#define WIRE_PACKETS_MAX 16384 /* on their way; more are lost */

struct wire {
	struct netns ends[MEMBERS_MAX];
	struct link_rules links[MEMBERS_MAX][MEMBERS_MAX];
	_Atomic(uint64_t) counts[WIRE_COUNTS];
	/* The thread's. */
	pthread_t thread;
	_Atomic(bool) stopping;
	struct random random;
	uint64_t busy_until[MEMBERS_MAX][MEMBERS_MAX];
	uint64_t latest_due[MEMBERS_MAX][MEMBERS_MAX];
	uint64_t orders;
	size_t heap_len;
	struct packet *heap[WIRE_PACKETS_MAX];
};

/* All namespaces, and the thread. 0, or -1 with the reason in `error`. */
int wire_start(struct wire *wire, uint64_t seed, char *error, size_t error_len);
void wire_stop(struct wire *wire);
/* Perfect links again; the counts are left. */
void wire_heal(struct wire *wire);

#endif
