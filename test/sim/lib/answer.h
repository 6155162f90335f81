/* What a user was told must be so, as the oracle knows it; and it is told each
 * thing once. */
#ifndef HF_SIM_ANSWER_H
#define HF_SIM_ANSWER_H

#include "sim/lib/user.h"

/* A request whose callback is due: its argument, never used again, so that a
 * callback that comes twice is told from that of the next request. */
struct ticket {
	struct user *user;
	enum user_state state; /* of its user, as long as it is due */
	bool over;
	bool apart; /* a release has overtaken it: its end is due before that's
		     */
};

struct ticket *ticket_new(struct user *u, enum user_state state);
/* Its callback has come: false, it wasn't due, or nobody is there to hear it.
 */
bool ticket_take(struct ticket *t, int rc);

/* A release begins: what is asked for the hold ends before it. */
void answer_set_apart(struct user *u);

/* It was granted, or released, or validated, as its belief's record says. */
void answer_granted(struct user *u);
void answer_released(struct user *u, int rc);
void answer_validated(struct user *u, int rc);
/* A hand-over was refused; it is out of a barrier. */
void answer_kept(struct user *u, int rc);
void answer_left(struct user *u, int rc);
/* What it asked for its hold has ended so. */
void answer_errand(struct user *u, const char *what, int rc);
void answer_conversion(struct user *u, int rc);
void answer_converted(struct user *u);
void answer_refused(struct user *u, uint64_t session, int rc);
/* An acquisition begins; it has ended, neither too early nor too late. */
void answer_deadline(struct user *u);
/* Its end is due now. */
void answer_due(struct user *u);
void answer_in_time(struct user *u, int rc);

void answer_wrong(struct user *u, const char *checker, const char *what,
		  int rc);

#endif
