/* What the clients were told, in memory that all processes of the soak share: a
 * process that is killed loses nothing that it had written here.
 *
 * The rule: a client writes down a grant before it does anything else with it,
 * and a release once it was confirmed. So whatever stands here was
 * acknowledged, and must be true for ever after, whoever is killed. */
#ifndef SOAK_JOURNAL_H
#define SOAK_JOURNAL_H

#include <stdatomic.h>
#include <stdint.h>

#define SOAK_MEMBERS 3
#define SOAK_CHURNERS 24 /* clients of a member that take and give back */
#define SOAK_KEEPERS 4   /* locks that a member keeps while it lives */
#define SOAK_CHURN_NAMES 64
#define SOAK_NAMES (SOAK_CHURN_NAMES + SOAK_MEMBERS * SOAK_KEEPERS)
#define SOAK_NAME_LEN 24
#define SOAK_WAIT_MS 60000 /* for what must come */

struct journal_name {
	_Atomic(uint64_t) granted;  /* the largest token acknowledged */
	_Atomic(uint64_t) released; /* the largest whose release was */
};

struct journal {
	struct journal_name names[SOAK_NAMES];
	/* What each keeper holds; 0: not, or not known. */
	_Atomic(uint64_t) kept[SOAK_MEMBERS][SOAK_KEEPERS];
	_Atomic(uint64_t) acknowledged; /* grants and releases */
	_Atomic(uint64_t) asked_again;  /* and found to be as they were */
	_Atomic(uint64_t) lost;
};

void journal_name(char *name, unsigned number);
unsigned journal_keeper_name(unsigned member, unsigned keeper);

/* A grant, certain for `safe_ms` more. */
void journal_granted(struct journal *j, unsigned name, uint64_t token,
		     uint32_t safe_ms);
void journal_released(struct journal *j, unsigned name, uint64_t token);

/* Something that was acknowledged isn't so any more; says what on stderr. */
__attribute__((format(printf, 2, 3))) void
journal_lost(struct journal *j, const char *format, ...);

#endif
