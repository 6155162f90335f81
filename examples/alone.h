/* For the examples that run by themselves: a cluster of one in a temporary
 * directory, bounded waits, and lines that say what is so. A program of your
 * own needs none of it.
 *
 * The rule: an example doesn't measure time; it waits for what must come, at
 * most WAIT_MS, and fails if it doesn't. */
#ifndef ALONE_H
#define ALONE_H

#include <holdfast.h>

#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 20000 /* patience, also on a slow machine */
#define STEP_MS 5     /* between two looks */
#define DIR_LEN 256

static inline void nap_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000,
				      .tv_nsec = (long)(ms % 1000) * 1000000 },
		  NULL);
}

/* Wait until another thread or process has raised a number so far. */
static inline bool wait_for(const atomic_uint *number, unsigned least)
{
	for (unsigned waited = 0; *number < least; waited += STEP_MS) {
		if (waited >= WAIT_MS)
			return false;
		nap_ms(STEP_MS);
	}
	return true;
}

/* Wait until so many hold a lock or wait for it. */
static inline bool wait_for_claims(struct hf_node *node, const char *name,
				   size_t claims)
{
	size_t total = 0;

	for (unsigned waited = 0; waited < WAIT_MS; waited += STEP_MS) {
		hf_lock_status(node, name, strlen(name), NULL, 0, &total);
		if (total == claims)
			return true;
		nap_ms(STEP_MS);
	}
	return false;
}

/* Say what is claimed, and whether it is so. */
__attribute__((format(printf, 2, 3))) static inline bool
say(bool so, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	printf("%s%s\n", so ? "" : "NOT SO: ", line);
	return so;
}

/* Say what was asked and what came of it; is that what should come? */
static inline bool expect(int rc, int wanted, const char *what)
{
	return say(rc == wanted, "%s: %s", what,
		   rc == 0 ? "yes" : hf_strerror(rc));
}

static inline int remove_one(const char *path, const struct stat *status,
			     int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

/* Below TMPDIR, or where temporary files are on disk, which those in /tmp need
 * not be. `dir` gets DIR_LEN bytes at most. */
static inline bool dir_make(char *dir)
{
	const char *tmp = getenv("TMPDIR");

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(dir, DIR_LEN, "%s/holdfast-XXXXXX",
		 tmp && *tmp ? tmp : "/var/tmp");
	return mkdtemp(dir) != NULL;
}

static inline void dir_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A cluster of one. NULL: standard error says why. */
static inline struct hf_node *alone_open(char *dir)
{
	struct hf_options options = { .size = sizeof(options), .dir = dir };
	struct hf_node *node = NULL;
	char error[HF_ERROR_TEXT];

	if (!dir_make(dir))
		perror(dir);
	else if (hf_open(&node, &options, error) != 0)
		fprintf(stderr, "%s\n", error);
	return node;
}

static inline void alone_close(struct hf_node *node, const char *dir)
{
	hf_close(node, 1000);
	dir_remove(dir);
}

#endif
