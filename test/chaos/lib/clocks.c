#include "clocks.h"

#include "disks.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_OURS 5
#define ENTRY_LEN (DISK_PATH_LEN + 32)

static bool find_library(char *path)
{
	static const char *const patterns[] = {
		"/usr/lib/*/faketime/libfaketime.so.1",
		"/usr/lib*/faketime/libfaketime.so.1",
		"/usr/local/lib/faketime/libfaketime.so.1",
	};
	bool found = false;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		glob_t g;
		if (glob(patterns[i], 0, NULL, &g) != 0)
			continue;
		if (!found)
			snprintf(path, DISK_PATH_LEN, "%s", g.gl_pathv[0]);
		found = true;
		globfree(&g);
	}
	return found;
}

static char *entry(const char *name, const char *value)
{
	char *text = malloc(ENTRY_LEN);

	if (text)
		snprintf(text, ENTRY_LEN, "%s=%s", name, value);
	return text;
}

static size_t count(char **entries)
{
	size_t n = 0;

	while (entries[n])
		n++;
	return n;
}

char **clocks_environment(unsigned number, bool fake)
{
	extern char **environ;
	char library[DISK_PATH_LEN], file[DISK_PATH_LEN];
	size_t len = 0, theirs = count(environ);

	if (fake && (!find_library(library) || !clocks_set(number, 0)))
		return NULL;
	char **all = calloc(theirs + ENTRIES_OURS + 1, sizeof(*all));
	if (!all)
		return NULL;
	for (size_t i = 0; i < theirs; i++)
		if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0)
			all[len++] = strdup(environ[i]);
	if (fake) {
		disk_clock_file(file, number);
		all[len++] = entry("LD_PRELOAD", library);
		all[len++] = entry("FAKETIME_TIMESTAMP_FILE", file);
		all[len++] = entry("FAKETIME_NO_CACHE", "1");
		all[len++] = entry("FAKETIME_DONT_FAKE_MONOTONIC", "1");
		/* It comes before the sanitizer's library, if there is one. */
		all[len++] = entry("ASAN_OPTIONS", "verify_asan_link_order=0");
	}
	return all;
}

void clocks_environment_free(char **environment)
{
	if (!environment)
		return;
	for (char **e = environment; *e; e++)
		free(*e);
	free(environment);
}

/* Replaced whole: a member reads it at any moment. */
bool clocks_set(unsigned number, int seconds)
{
	char path[DISK_PATH_LEN], made[DISK_PATH_LEN + 8], text[32];
	int len = snprintf(text, sizeof(text), "%+d\n", seconds);

	disk_clock_file(path, number);
	snprintf(made, sizeof(made), "%s.new", path);
	int fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool set = write(fd, text, (size_t)len) == len;
	close(fd);
	return set && rename(made, path) == 0;
}
