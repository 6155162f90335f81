/* A directory of the test's own, and what the process has open. */
#ifndef HF_TEST_SCRATCH_H
#define HF_TEST_SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_PATH_MAX 256

static inline int scratch_unlink(const char *path, const struct stat *st,
				 int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* `path`: SCRATCH_PATH_MAX bytes. Under $TMPDIR or /tmp; it exists. */
static inline void scratch_make(char *path)
{
	const char *under = getenv("TMPDIR");

	snprintf(path, SCRATCH_PATH_MAX, "%s/holdfast-XXXXXX",
		 under ? under : "/tmp");
	if (!mkdtemp(path))
		abort();
}

static inline void scratch_remove(const char *path)
{
	nftw(path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int scratch_entries(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline int scratch_fds(void)
{
	return scratch_entries("/proc/self/fd");
}

/* A thread that was joined is listed for a moment longer: so the least that is
 * seen in many looks. */
static inline int scratch_threads(void)
{
	int least = INT_MAX;

	for (int i = 0; i < 500; i++) {
		int n = scratch_entries("/proc/self/task") - 2;
		least = n < least ? n : least;
		sched_yield();
	}
	return least;
}

/* One that stays makes this hang until the test's own limit. */
static inline void scratch_await_threads(int n)
{
	while (scratch_threads() > n)
		;
}

#endif
