/* A member of `pause`: a process that takes locks as it is told, and comes to
 * stand just before a write, where it is stopped.
 *
 * It obeys lines, and answers each with one:
 * leader		 leader ID
 * take LOCK		 took TOKEN SAFE_MS RC	(RC of the write)
 * give LOCK		 gave RC
 * who LOCK		 who ID CLAIMS: who holds it (0: nobody), how many do
 *			 or wait
 * brink LOCK STATE SIDE brink TOKEN, once it stands before its write; then,
 *			 when it was stopped and continued:
 *			 woke and the fields of struct woke
 * quit */
#ifndef SOAK_SLEEPER_H
#define SOAK_SLEEPER_H

#include <stdbool.h>
#include <stdint.h>

#define SLEEPER_TTL_MS 500
#define SLEEPER_WAIT_MS 30000 /* for what must come */

/* What another thread of the process does with another lock, while the process
 * stands before its write under the first. */
enum sleeper_state {
	SLEEPER_WRITING,    /* nothing */
	SLEEPER_WAITING,    /* waits for it, in vain */
	SLEEPER_GRANTED,    /* waits for it, and gets it while stopped */
	SLEEPER_VALIDATING, /* asks the leader about the first, on and on */
	SLEEPER_CHURNING,   /* takes it and gives it back, on and on */
	SLEEPER_STATES
};

struct woke {
	uint64_t token;
	uint64_t woke_us;  /* when it began to look again */
	uint64_t gap_ms;   /* how long it was away, by its own clock */
	uint32_t last_ms;  /* hf_lock_safe_ms before the stop */
	uint32_t first_ms; /* the first look on waking */
	int write_rc;      /* of the write that came after it */
	int validate_rc;   /* of a question asked after that */
	int unlock_rc;
	unsigned losses;     /* how often it was told of the loss */
	unsigned inside;     /* 1: it was stopped within a look */
	unsigned side_wrong; /* what the other thread saw that may not be */
	uint64_t side_token; /* granted while it was stopped */
};

/* The line that begins with "woke", and back. */
int woke_print(char *line, int size, const struct woke *w);
bool woke_scan(const char *line, struct woke *w);

/* Arguments: id, descriptor of the beliefs, end of the resource, directory,
 * addresses of all. Returns the exit status. */
int sleeper_main(int argc, char **argv);

#endif
