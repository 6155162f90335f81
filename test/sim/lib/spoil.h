/* A world as it is after a run, with one thing wrong in it: for tests that the
 * checkers find it.
 *
 * A run's memory is given up with the process that it has, as in lib/runner. */
#ifndef HF_SIM_SPOIL_H
#define HF_SIM_SPOIL_H

#include "sim/lib/answer.h"
#include "sim/lib/process.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000)
#define NAME_TEXT 32

typedef void (*spoiler)(struct world *w);

static inline void tell_checker(spoiler spoil, unsigned members, int to)
{
	struct options options = { .seed = 1,
				   .members = members,
				   .chaos_us = 3 * SECOND,
				   .calm = true };
	struct world *w = malloc(sizeof(*w));

	if (!w)
		abort();
	world_init(w, &options);
	w->plan.beyond_bound = false;
	world_run(w);
	if (!w->violation[0])
		spoil(w);
	const char *name = w->violation[0] ? w->checker : "none";
	if (write(to, name, strlen(name) + 1) < 0)
		abort();
	_exit(0);
}

/* Who fires; "none" does. */
static inline void caught_by(char name[NAME_TEXT], unsigned members,
			     spoiler spoil)
{
	int pipes[2], status;

	ck_assert_int_eq(pipe(pipes), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		tell_checker(spoil, members, pipes[1]);
	close(pipes[1]);
	memset(name, 0, NAME_TEXT);
	ssize_t n = read(pipes[0], name, NAME_TEXT - 1);
	close(pipes[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(status, 0);
}

#define CAUGHT(members, spoil, checker)          \
	do {                                     \
		char name[NAME_TEXT];            \
		caught_by(name, members, spoil); \
		ck_assert_str_eq(name, checker); \
	} while (0)

static inline struct process *member(struct world *w, unsigned i)
{
	return w->machines[i].process;
}

static inline struct user *some_user(struct world *w)
{
	return &member(w, 0)->users[0];
}

static inline uint64_t session_of(struct world *w, unsigned i)
{
	return node_lease(member(w, i)->node)->session;
}

static inline struct hold_record *believe(struct world *w, unsigned i,
					  uint64_t token)
{
	struct user *u = &member(w, i)->users[0];

	u->state = USER_HOLDING;
	u->parts_len = 1;
	u->lost = 0;
	u->cap[0] = u->cap[1] = UINT64_MAX;
	u->parts[0].record = history_add(&w->history);
	u->parts[0].holder = u;
	u->parts[0].record->session = session_of(w, i);
	u->parts[0].record->token = token;
	beliefs_begin(&w->names[0].beliefs, &u->parts[0]);
	return u->parts[0].record;
}

#endif
