#include "evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PATH_LEN 512

/* Milliseconds since the mix began; "-": it never was. */
static void print_time(FILE *file, const struct world *w, uint64_t us)
{
	if (us == 0)
		fprintf(file, " %10s", "-");
	else
		fprintf(file, " %10.3f",
			((double)us - (double)w->began_at) / 1000);
}

static void print_hold(FILE *file, const struct world *w, unsigned number,
		       const struct hold *hold)
{
	static const char *const modes[] = { "exclusive", "shared", "permits" };

	fprintf(file, "%6u %2u %3u %-9s %8" PRIu64, hold->name, number + 1,
		hold->boot, modes[hold->mode % 3], (uint64_t)hold->token);
	print_time(file, w, hold->called);
	print_time(file, w, hold->granted);
	print_time(file, w, hold->certain_until);
	print_time(file, w, hold->lost);
	print_time(file, w, hold->release_called);
	print_time(file, w, hold->release_answered);
	fprintf(file, " %5d %5d\n", hold->rc, hold->release_rc);
}

static void print_ends(FILE *file, const struct world *w, unsigned number)
{
	const struct member_memory *m = &w->shared->members[number];

	for (uint32_t boot = 1; boot <= m->boot && boot < BOOTS_MAX; boot++) {
		fprintf(file, "# member %u, boot %u, ended", number + 1, boot);
		print_time(file, w, m->ended[boot]);
		fprintf(file, "\n");
	}
}

void evidence_write(const struct world *w)
{
	const char *folder = getenv("B");
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/chaos-%s.txt",
		 folder && *folder ? folder : ".", w->mix->name);
	FILE *file = fopen(path, "we");
	if (!file) {
		fprintf(stderr, "chaos: %s can't be written\n", path);
		return;
	}
	fprintf(file, "# name member boot mode token called granted "
		      "certain-until lost release answered rc release-rc\n");
	for (unsigned i = 0; i < w->mix->members; i++) {
		const struct member_memory *m = &w->shared->members[i];
		uint32_t len = shared_holds(m);
		print_ends(file, w, i);
		for (uint32_t k = 0; k < len; k++)
			print_hold(file, w, i, &m->holds[k]);
	}
	fclose(file);
	fprintf(stderr, "chaos: all that the users were told is in %s\n", path);
}
