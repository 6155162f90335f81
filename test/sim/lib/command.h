/* The options of a run, as words: the command line's, those of a line in the
 * file of kept seeds, and those of the command that repeats a run. All three
 * are one language, so that what is printed can be pasted. */
#ifndef HF_SIM_COMMAND_H
#define HF_SIM_COMMAND_H

#include "sim/lib/plan.h"

#include <stdio.h>

#define COMMAND_WORDS_MAX 16

struct command {
	struct options options; /* of each run; the seed isn't set */
	uint64_t from, to;      /* seeds */
	unsigned jobs;          /* 0: one a core */
	unsigned limit_s;       /* of real time for a seed; 0: the default */
	bool counters;
	bool stop_at_first; /* violation */
};

/* False: it isn't understood. argv[0] is skipped. What isn't named stays. */
bool command_parse(struct command *c, int argc, char **argv);
/* The same of one line, which is changed. */
bool command_parse_line(struct command *c, char *line);
/* Everything that decides how this seed runs. */
void command_print(FILE *to, const struct options *options);
void command_usage(void);

#endif
