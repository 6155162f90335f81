/* Golden scripts: stories with the exact output that they must have.
 *
 *	# a comment
 *	command ...
 *	command ...
 *	----
 *	what they print, up to an empty line
 *
 * Blocks share one state from the file's beginning to its end. */
#ifndef HF_TEST_SCRIPT_SCRIPT_H
#define HF_TEST_SCRIPT_SCRIPT_H

#include "script/lib/text.h"

/* Do one command line, which may be cut up, and print to `out`. */
typedef void (*script_command)(void *ctx, char *line, struct text *out);

/* Run a file. With `rewrite` its outputs are replaced by what was printed,
 * otherwise the first that differs ends up in `report`, and the answer is
 * false. */
bool script_run(const char *path, bool rewrite, script_command command,
		void *ctx, struct text *report);

#endif
