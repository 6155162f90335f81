/* Processes of this program's own kind, and the lines that pass between.
 *
 * The rule: only processes that were started here are ever signalled, by their
 * ids, and each is waited for; if the starter dies, the kernel kills them. A
 * child reads lines on its standard input and answers on its standard output.
 */
#ifndef SOAK_CHILD_H
#define SOAK_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILD_LINE_MAX 512
#define CHILD_ARGUMENTS_MAX 24

struct child { /* all zero: none */
	pid_t pid;
	int to, from;
	char buffer[CHILD_LINE_MAX]; /* heard, not yet a whole line */
	size_t buffer_len;
};

/* Run this program again with the words of `arguments`, up to a NULL, after its
 * name. False: errno says why. */
bool child_start(struct child *c, const char *const *arguments);

/* False: it has ended. */
bool child_say(struct child *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The next line it says, without its end. False: it has ended, or says nothing
 * for that long. */
bool child_hear(struct child *c, char line[CHILD_LINE_MAX], int timeout_ms);

bool child_stop(struct child *c); /* SIGSTOP; returns once it stands still */
void child_continue(struct child *c);
/* SIGKILL, if it is there. False: it had ended before, by itself. */
bool child_kill(struct child *c);
/* Wait for its end. False: it doesn't come, or its status isn't 0. */
bool child_reap(struct child *c, int timeout_ms);

#endif
