/* Rules of lib/core and lib/repl that one entry after the other must keep, seen
 * from outside: what ends together is taken away before somebody is let in; a
 * lock whose holder failed is barred for its delay; nobody passes who still
 * waits; a session isn't ended by the entry that renews it. */
#ifndef HF_SIM_RULES_H
#define HF_SIM_RULES_H

#include "core/core.h"

struct wrong {
	const char *checker; /* its short name; NULL: nothing is wrong */
	const char *what;
};

struct rules_hold { /* one with a lock delay */
	uint64_t token, session, lock, delay;
};

struct rules_bar {
	uint64_t lock, until; /* cluster time */
	bool sure;            /* else it may have been given back just before */
};

#define RULES_ENDED_MAX 64 /* sessions, by one entry */

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
void rules_vanished(struct rules *r, uint64_t session);
struct wrong rules_end(struct rules *r, const struct core *core);
/* A lock as it is now: only a failure may bar it. */
struct wrong rules_delay(struct rules *r, const struct core *core,
			 const struct record *lock);

/* Of a lock's line, which must be looked at after each entry. */
struct rules_line {       /* all zero: nobody is in it */
	uint64_t waiting; /* the first place of one who waits; 0: none */
	uint64_t held;    /* the last place of one who holds */
};
void rules_place(struct rules_line *line, const struct record *r);
bool rules_passed(const struct rules_line *line);
struct wrong rules_line(const struct core *core, const void *name, size_t len);

/* What stands in the way of an acquire. */
struct rules_bars {
	const struct op *op;
	uint64_t used; /* permits */
	bool barred;
};
void rules_bars(struct rules_bars *bars, const struct record *r);
/* An acquire is refused as held, just now: is it? */
struct wrong rules_refused(const struct core *core, const struct op *op);
void rules_free(struct rules *r);

#endif
