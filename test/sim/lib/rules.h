/* Rules of lib/core and lib/repl that one entry after the other must keep, seen
 * from outside: what ends together is taken away before somebody is let in; a
 * lock whose holder failed is barred for its delay; a session isn't ended by
 * the entry that renews it. */
#ifndef HF_SIM_RULES_H
#define HF_SIM_RULES_H

#include "sim/lib/said.h"

struct rules_hold { /* one with a lock delay */
	uint64_t token, session, lock, delay;
};

struct rules_bar {
	uint64_t lock, until; /* cluster time */
	bool sure;            /* else it may have been given back just before */
};

#define RULES_ENDED_MAX 64 /* sessions, by one entry */
#define RULES_FAILED_MAX 1024

struct rules { /* all zero: nothing seen yet */
	struct rules_hold *holds;
	size_t holds_len, holds_cap;
	struct rules_bar *bars;
	size_t bars_len, bars_cap;
	/* Of the entry that is applied: */
	const struct entry *entry;
	struct rules_ended {
		uint64_t session;
		bool expired; /* before any operation */
	} ended[RULES_ENDED_MAX];
	size_t ended_len;
	struct rules_failed { /* holds that ended by themselves */
		uint64_t token;
		bool first; /* before any operation */
	} failed[RULES_FAILED_MAX];
	size_t failed_len;
	bool answered, granted;
	bool vanished; /* a hold, with its session, that it had just granted */
	struct wrong wrong;
	uint64_t delays; /* that barred a lock */
};

void rules_begin(struct rules *r, const struct entry *entry);
/* True: a session has ended by its deadline. */
bool rules_output(struct rules *r, const struct output *output);
/* What it has granted, as the core has it now. */
void rules_grant(struct rules *r, const struct core *core,
		 const struct record *hold);
/* The hold isn't in the core any more. */
void rules_vanished(struct rules *r, uint64_t session, uint64_t token);
struct wrong rules_end(struct rules *r, const struct core *core);
/* A lock as it is now: only a failure may bar it. */
struct wrong rules_delay(struct rules *r, const struct core *core,
			 const struct record *lock);

void rules_free(struct rules *r);

#endif
