/* The memory that the program and its members share: what the users were told,
 * what they write to the resource, and what the program asks of them.
 *
 * The rule: a member writes down what it is about to ask before it asks, and
 * what it was answered before it does anything else. A process that is killed
 * loses nothing that stands here. Times are CLOCK_MONOTONIC in microseconds,
 * which all processes of a machine share. */
#ifndef CHAOS_SHARED_H
#define CHAOS_SHARED_H

#include <holdfast.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMBERS_MAX 5
#define HOLDS_MAX (1u << 19) /* acquisitions of a member in one mix */
#define BOOTS_MAX 1024       /* starts of a member in one mix */
#define WRITES_MAX 8192      /* that wait for the resource; a power of two */
#define UNTIL_ENDED UINT64_MAX
#define PENDING 1 /* no answer yet; answers are 0 or negative */
#define TEXT_LEN 256

/* Locks that all members want at once come first; then those which any user
 * takes now and then. */
#define NAMES_CONTENDED 12
#define NAMES 600
#define NAME_LEN 320
/* Of the contended ones, these are semaphores. */
#define NAMES_PERMITS_FROM 9
#define PERMITS_LIMIT 3

#define TTL_MS 1000
#define ELECTION_MS 300
#define DELAY_MS 200 /* of some locks, after a failure */
/* Once the faults have ended, everything must go on within this time: what
 * doc/guarantees.md promises, and ten elections. */
#define RECOVERY_MS (TTL_MS + DELAY_MS + 1000 + 10 * ELECTION_MS)

/* One acquisition, from its call to the answer of its release. */
struct hold {
	uint16_t name;
	uint8_t mode, permits;
	uint32_t boot;
	_Atomic(uint64_t) called, granted, token;
	_Atomic(uint64_t) certain_until;  /* by hf_lock_safe_ms */
	_Atomic(uint64_t) release_called; /* 0: it wasn't */
	_Atomic(uint64_t) release_answered;
	_Atomic(uint64_t) lost; /* when HF_EVENT_LOST came; 0: it didn't */
	_Atomic(int32_t) rc, release_rc;
	_Atomic(uint32_t) answers, release_answers;
};

/* A write to the fenced resource, on its way there. */
struct write {
	uint32_t hold;
	uint64_t token, sent;
};

enum phase {
	PHASE_STARTING = 0,
	PHASE_OPEN = 1,
	PHASE_DRAINED = 2, /* no request is under way */
	PHASE_EMPTY = 3,   /* and its replica shows no hold and no wait */
};

/* HASTEN: who holds thinks no longer than a moment. */
enum command { RUN = 0, HASTEN = 1, DRAIN = 2, CHECK = 3, QUIT = 4 };

/* Statuses with which a member ends. */
enum member_end {
	END_WELL = 0,
	END_FAILED = 3, /* HF_EVENT_FAILED: its disk */
	END_REFUSED = 4 /* hf_open: see `text` and `rc` */
};

/* What the disk's calls of a member shall do next: see disk_calls.c. */
struct disk_orders {
	_Atomic(int) number;            /* the errno */
	_Atomic(uint32_t) fail_submit;  /* so many io_submit */
	_Atomic(uint32_t) fail_written; /* so many completions of one */
	_Atomic(uint32_t) fail_sync;
	_Atomic(uint32_t) fail_write;
	_Atomic(uint32_t) slow_ms; /* the next so many calls take this long */
	_Atomic(uint32_t) slow_calls;
	_Atomic(uint32_t) failed, slowed; /* how often it was done */
};

struct member_memory {
	_Atomic(int) command, phase;
	_Atomic(uint32_t) boot;
	_Atomic(int) rc; /* of hf_open */
	_Atomic(uint64_t) leader, term;
	_Atomic(uint64_t) grants, releases, refusals, validations;
	_Atomic(uint64_t) sessions_lost, made_safe, clock_jumps;
	_Atomic(uint64_t) elections; /* terms whose leader it was told */
	/* What its replica shows; once the users have stopped, that is to be
	 * nothing. */
	_Atomic(uint64_t) shown_applied, shown_holds, shown_waits;
	/* When a boot's holds ceased to be anybody's to vouch for: a moment
	 * before it was killed or closed. */
	_Atomic(uint64_t) ended[BOOTS_MAX];
	struct disk_orders disk;
	char text[TEXT_LEN]; /* why it was refused, or failed */
	_Atomic(uint32_t) writes_head, writes_tail;
	struct write writes[WRITES_MAX];
	_Atomic(uint32_t) holds_len;
	struct hold holds[HOLDS_MAX];
};

struct shared {
	_Atomic(uint64_t) violations;
	_Atomic(uint64_t) newest_grant[NAMES_CONTENDED]; /* when */
	struct member_memory members[MEMBERS_MAX];
};

/* All zero. NULL: no memory; `*fd` is for the members' shared_map. */
struct shared *shared_make(int *fd);
struct shared *shared_map(int fd);
void shared_free(struct shared *shared, int fd);

uint64_t now_us(void);
void nap_us(uint64_t us);
/* `largest` becomes at least `value`. */
void raise_to(_Atomic(uint64_t) *largest, uint64_t value);

/* How many of the acquisitions are there to be read. */
uint32_t shared_holds(const struct member_memory *member);
/* A hold counts as certain until this; what its process couldn't vouch for any
 * more, and what came after its release, isn't in it. */
uint64_t hold_certain_until(const struct member_memory *member,
			    const struct hold *hold);

/* Say it on stderr, and count it. */
__attribute__((format(printf, 2, 3))) void violation(struct shared *shared,
						     const char *format, ...);

#endif
