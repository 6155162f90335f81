/* See script.h. What was printed is put together to a whole file again, which
 * is then compared with the one that was read, or written in its place. */
#include "script/lib/script.h"

#include <stdlib.h>
#include <string.h>

/* Pass over the old output. */
static void skip_output(char **at)
{
	char *line;

	do {
		line = text_line(at);
	} while (line && *line);
}

static void run_line(const char *line, script_command command, void *ctx,
		     struct text *out)
{
	char *copy;

	if (line[0] == '#' || line[0] == '\0')
		return;
	copy = strdup(line);
	if (!copy)
		abort();
	command(ctx, copy, out);
	free(copy);
}

static void run(char *at, script_command command, void *ctx, struct text *whole)
{
	struct text out = { .len = 0 };
	char *line;

	while ((line = text_line(&at))) {
		text_print(whole, "%s\n", line);
		if (strcmp(line, "----") != 0) {
			run_line(line, command, ctx, &out);
			continue;
		}
		skip_output(&at);
		text_print(whole, "%s%s", out.len > 0 ? out.bytes : "ok\n",
			   *at ? "\n" : "");
		text_clear(&out);
	}
	text_free(&out);
}

static void report_difference(const char *path, struct text *want,
			      struct text *have, struct text *report)
{
	char *w = want->bytes, *h = have->bytes;
	size_t number = 1;

	for (;; number++) {
		const char *a = text_line(&w), *b = text_line(&h);

		if (a && b && strcmp(a, b) == 0)
			continue;
		text_print(report, "%s:%zu: wanted: %s\n", path, number,
			   a ? a : "(end)");
		text_print(report, "%s:%zu: printed: %s\n", path, number,
			   b ? b : "(end)");
		return;
	}
}

bool script_run(const char *path, bool rewrite, script_command command,
		void *ctx, struct text *report)
{
	struct text file = { .len = 0 }, want = { .len = 0 };
	struct text whole = { .len = 0 };
	bool same = text_read(&file, path) && text_read(&want, path);

	if (!same)
		text_print(report, "%s: can't be read\n", path);
	if (same) {
		run(file.bytes, command, ctx, &whole);
		same = want.len == whole.len &&
		       memcmp(want.bytes, whole.bytes, want.len) == 0;
	}
	if (!same && whole.len > 0 && rewrite)
		same = text_write(&whole, path);
	else if (!same && whole.len > 0)
		report_difference(path, &want, &whole, report);
	text_free(&file);
	text_free(&want);
	text_free(&whole);
	return same;
}
