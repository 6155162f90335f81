/* A cluster of three processes on loopback, a member in each, and a conductor
 * who holds no node: it sends orders through pipes; each member does one at a
 * time and answers. All options of the members are the defaults. */
#ifndef HF_BENCH_TEAM_H
#define HF_BENCH_TEAM_H

#include "bench.h"
#include "holdfast.h"

#define TEAM_LEN 3

enum team_order {
	ORDER_STATUS = 0,
	ORDER_END = 1,
	ORDER_OWN = 2 /* the program's own, and above */
};

/* What each field means is up to the order. */
struct order {
	unsigned what;
	unsigned count;
	uint64_t begin_ns, end_ns;
};

struct answer {
	int rc;
	uint64_t ns;
	/* of ORDER_STATUS */
	uint64_t leader, term, applied;
	bool ready; /* its session is safe, and all members are linked */
};

struct member {
	struct hf_node *node;
	unsigned index; /* from 0; its id is one more */
	void *shared;   /* the team's */
};

/* Runs in a member's process, on its main thread. */
typedef void (*team_work)(struct member *member, const struct order *order,
			  struct answer *answer);

struct team {
	/* Set these before team_gather. */
	const char *dir;
	team_work work;
	void *shared; /* the program's own, as from share() */
	/* Then these are set. */
	char address[TEAM_LEN][32];
	struct {
		pid_t pid;
		int orders, answers; /* pipes; only while pid is not 0 */
	} child[TEAM_LEN];
	/* As of the last team_ready. */
	unsigned leader; /* index */
	uint64_t term;
};

/* Start all members, and wait until they are a cluster. */
void team_gather(struct team *team);
/* Close all members. */
void team_dismiss(struct team *team);

/* Wait until everybody is linked to everybody and sees the same leader. */
void team_ready(struct team *team);

void team_order(const struct team *team, unsigned i, const struct order *order);
void team_answer(const struct team *team, unsigned i, struct answer *answer);

/* SIGKILL, and a new process with the same folder. */
void team_kill(struct team *team, unsigned i);
void team_start(struct team *team, unsigned i);

#endif
