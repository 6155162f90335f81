/* Values, counters and those who wait for them, kept once more from what the
 * log asks and what is said of it: each write once, by the version expected,
 * while the guard is held; waits end when it is so, and only then. */
#ifndef HF_SIM_LEDGER_H
#define HF_SIM_LEDGER_H

#include "sim/lib/lines.h"

#define LEDGER_NAMES_MAX 16
#define LEDGER_DROPS_MAX 256 /* by one entry */

struct ledger_value { /* all zero: it isn't there */
	uint64_t version, session;
	bool counter;
	int64_t number;
	uint64_t bytes; /* a digest */
};

struct ledger_change { /* what it was from then on */
	uint64_t at;   /* true time */
	unsigned name;
	struct ledger_value value;
};

struct ledger_wait {
	uint64_t session, seq;
	unsigned name;
	enum condition condition;
	int64_t number;
	bool due; /* it has come true */
};

struct ledger { /* zero, and its names: nothing yet */
	const struct line_name *names;
	size_t names_len;
	uint64_t time; /* true, as of the entry that is applied */
	struct ledger_value values[LEDGER_NAMES_MAX];
	uint64_t newest[LEDGER_NAMES_MAX]; /* version that ever was */
	struct ledger_change *changes;     /* all, in order */
	size_t changes_len, changes_cap;
	struct ledger_wait *waits;
	size_t waits_len, waits_cap;
	/* The change that the next answer must be about. */
	bool pending, touched;
	uint64_t drops[LEDGER_DROPS_MAX]; /* sessions whose values went */
	size_t drops_len;
	unsigned name;
	struct ledger_value before;
	struct wrong wrong; /* the first */
	uint64_t guarded, guard_refused, won, versions_refused;
	uint64_t dropped; /* with their sessions */
	uint64_t awaited, repeated;
};

void ledger_said(struct ledger *l, const struct said *s);
/* After an entry. */
void ledger_end(struct ledger *l, const struct core *core);

/* Is it as somebody waits for? */
bool ledger_so(const struct ledger_value *v, enum condition condition,
	       int64_t number);

/* ledger_was.c: was this so at some time since `from`: that the value had this
 * version; that it wasn't there; that the counter became `number`? */
bool ledger_had(const struct ledger *l, unsigned name, uint64_t version,
		uint64_t from);
bool ledger_counted(const struct ledger *l, unsigned name, int64_t number,
		    uint64_t from);
bool ledger_true(const struct ledger *l, unsigned name,
		 enum condition condition, int64_t number, uint64_t from);
void ledger_free(struct ledger *l);

#endif
