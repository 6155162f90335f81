/* What is going to happen, in virtual microseconds.
 *
 * Events run in the order of their times, those of equal times in the order in
 * which they were added: nothing else decides, so that a seed repeats. An event
 * may stand behind a gate, which belongs to a process: a dead one drops it, one
 * that is shut (a paused process) puts it off. The hash runs over all that
 * happened: two runs with one hash were the same run. */
#ifndef HF_SIM_AGENDA_H
#define HF_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gate { /* all zero: open */
	bool dead;
	uint64_t shut_until;
};

typedef void (*event_run)(void *ctx, uint64_t arg);

struct event {
	uint64_t at, order;
	const struct gate *gate;  /* may be NULL */
	const struct gate *waits; /* it is put off until this one opens */
	event_run run;
	void *ctx;
	uint64_t arg;
};

struct agenda { /* all zero: empty, at time 0 */
	uint64_t now;
	uint64_t hash, ran;
	uint64_t orders;
	struct event *heap;
	size_t len, cap;
};

/* A time that has passed means now. */
void agenda_add(struct agenda *a, uint64_t at, const struct gate *gate,
		event_run run, void *ctx, uint64_t arg);
/* Put off until this gate, which is shut, opens; it happens then even if the
 * gate is dead. */
void agenda_put_off(struct agenda *a, const struct gate *gate, event_run run,
		    void *ctx, uint64_t arg);
/* Open a gate before its time: what it has put off happens now. */
void agenda_open(struct agenda *a, struct gate *gate);
/* Run the next event; false: there is none before `until`. */
bool agenda_step(struct agenda *a, uint64_t until);
void agenda_free(struct agenda *a);

/* Let something that happened count in the hash. */
static inline void agenda_note(struct agenda *a, uint64_t what)
{
	a->hash = (a->hash ^ what) * UINT64_C(0xff51afd7ed558ccd);
	a->hash ^= a->hash >> 29;
}

void agenda_note_bytes(struct agenda *a, const void *bytes, size_t len);

#endif
