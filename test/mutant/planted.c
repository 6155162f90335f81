/* See planted.h. The only state is what the environment says of the process,
 * and whether word was left. */
#include "base/planted.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {
	"none",
#define X(name) #name,
#include "base/planted_names.h"
#undef X
};

static struct {
	enum planted_bug bug;
	bool told;
} planted;

/* Before main, so that the simulator needs no option for it. */
__attribute__((constructor)) static void planted_init(void)
{
	const char *name = getenv("PLANTED");

	if (!name)
		return;
	for (int i = 0; i < PLANTED_BUGS; i++)
		if (strcmp(names[i], name) == 0)
			planted.bug = (enum planted_bug)i;
	if (planted.bug)
		return;
	fprintf(stderr, "no bug is planted by the name of %s\n", name);
	exit(2);
}

bool planted_on(enum planted_bug bug)
{
	return planted.bug == bug;
}

/* One byte for each process that gets there: a file outlives one that dies. */
bool planted_reach(void)
{
	const char *file = getenv("PLANTED_REACHED");

	if (planted.told)
		return true;
	planted.told = true;
	int fd = file ? open(file, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	if (fd >= 0) {
		if (write(fd, "x", 1) != 1)
			abort();
		close(fd);
	}
	return true;
}
