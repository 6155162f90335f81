/* The stage of a drill: three members with a job each, the roads between them,
 * and a timeline of what they tell, printed as it happens.
 *
 * The rule: whatever is told is held against doc/guarantees.md at once; what
 * can't be is a surprise, and stands in the timeline as one. */
#ifndef SOAK_SCENE_H
#define SOAK_SCENE_H

#include "actor.h"
#include "child.h"
#include "place.h"
#include "relay.h"
#include "resource.h"

#include <signal.h>

#define SCENE_LINES_MAX 256
#define SCENE_TEXT_MAX 160
#define SCENE_WAIT_MS 20000 /* for what must come */

struct line {
	uint64_t at_us;
	char text[SCENE_TEXT_MAX];
};

/* The lease of one job. */
struct lease {
	int holder; /* -1: not known */
	uint64_t token;
	int first_holder; /* when the drill began */
	uint64_t first_token;
	uint64_t lost_token; /* the last of which a loss was told */
	uint64_t zero_us;    /* since when nobody is certain of it; 0: somebody
				is */
	uint64_t gap_us;     /* the longest time for which nobody was */
	uint64_t passed_us;  /* from the drill's begin until another got it */
	bool gone;           /* its holder's process is, or has lost it */
};

struct scene {
	char dir[PLACE_DIR_LEN];
	char addresses[ACTOR_MEMBERS][PLACE_ADDRESS_LEN];
	struct relays relays;
	struct relay *roads[ACTOR_MEMBERS][ACTOR_MEMBERS]; /* lower, higher */
	struct resource resource;
	struct board *board;
	int board_fd;
	struct child members[ACTOR_MEMBERS];
	enum hf_session_state states[ACTOR_MEMBERS];
	int leader; /* -1: none known */
	uint64_t term;
	struct lease leases[ACTOR_JOBS];
	unsigned may_lose;      /* members whose leases may be lost, as bits */
	unsigned stale_refused; /* in this drill */
	unsigned woke;
	unsigned surprises;
	uint64_t continued_us; /* the one that was stopped; 0: none was */
	uint64_t begin_us;     /* the timeline's 0 */
	struct line lines[SCENE_LINES_MAX];
	unsigned lines_len;
	volatile sig_atomic_t *interrupted;
	bool broken; /* nothing more can be learnt */
};

extern const char *const job_names[ACTOR_JOBS];

bool scene_open(struct scene *s);
void scene_close(struct scene *s);

/* Each member leads its own job and waits for those of the others. */
bool scene_settle(struct scene *s);
/* The timeline begins now, quietly. */
void scene_begin(struct scene *s, unsigned may_lose);

/* Print what is told for so long, or until `done`, which must come. */
void scene_go_on(struct scene *s, unsigned ms);
bool scene_until(struct scene *s, const char *what,
		 bool (*done)(const struct scene *s, int member), int member);
void scene_say(struct scene *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void scene_surprise(struct scene *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void scene_flush(struct scene *s); /* print all that is known */

bool scene_start(struct scene *s, int member);
void scene_want_all(struct scene *s, int member);
void scene_cut(struct scene *s, int member, bool cut);

/* One line that a member has told (scene_told.c). */
void scene_told(struct scene *s, int member, const char *line);
/* As scene_say, of another moment than now. */
void scene_line(struct scene *s, uint64_t at_us, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
