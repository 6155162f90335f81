#include "report.h"

#include "evidence.h"
#include "stages.h"
#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>

#define FULL_RUN_MS 20000 /* minima are those of so much, or more */

const char *const fault_texts[FAULTS] = {
#define X(name, text, minimum) [FAULT_##name] = (text),
	FAULTS_ACTS(X) FAULTS_BESIDE(X)
#undef X
};

static const uint64_t minima[FAULTS] = {
#define X(name, text, minimum) [FAULT_##name] = (minimum),
	FAULTS_ACTS(X) FAULTS_BESIDE(X)
#undef X
};

static uint64_t minimum(enum fault fault, uint64_t faults_ms)
{
	uint64_t n = minima[fault];

	if (faults_ms < FULL_RUN_MS)
		n = n * faults_ms / FULL_RUN_MS;
	return n ? n : 1;
}

static void expect(struct world *w, bool come, const char *what)
{
	if (!come)
		violation(w->shared, "%s: nothing is shown without %s",
			  w->mix->name, what);
}

static void check_not_vacuous(struct world *w, const struct run *run)
{
	for (unsigned f = 0; f < FAULTS; f++)
		if (world_has(w, f))
			expect(w, w->done[f] >= minimum(f, run->faults_ms),
			       fault_texts[f]);
	expect(w, world_operations(w) >= run->operations, "more operations");
	if (w->mix->elections)
		expect(w, world_elections(w) > 1, "a change of leaders");
	if (w->mix->stale_writes)
		expect(w, w->resource.stale > 0, "stale writes");
	if (w->mix->disk_failures)
		expect(w, w->crew.failures > 0 && w->crew.refusals > 0,
		       "members that fail and refuse to start");
}

static void print_faults(const struct world *w)
{
	const char *between = "";

	for (unsigned f = 0; f < FAULTS; f++) {
		if (!world_has(w, f))
			continue;
		printf("%s%" PRIu64 " %s", between, w->done[f], fault_texts[f]);
		between = ", ";
	}
	printf("\n");
}

static void print_results(const struct world *w, const struct verdict *v)
{
	uint64_t validations = 0, lost = 0, safe_again = 0;

	for (unsigned i = 0; i < w->mix->members; i++) {
		validations += w->shared->members[i].validations;
		lost += w->shared->members[i].sessions_lost;
		safe_again += w->shared->members[i].made_safe;
	}
	printf("  %" PRIu64 " grants, %" PRIu64 " validations, %" PRIu64
	       " leaders, %" PRIu64 " sessions lost, %" PRIu64
	       " unsure and safe again\n",
	       v->grants, validations, world_elections(w), lost, safe_again);
	printf("  %" PRIu64 " writes accepted, %" PRIu64
	       " stale ones refused, %" PRIu64 " overtaken\n"
	       "  %u members failed, %u refused to start\n",
	       (uint64_t)w->resource.accepted, (uint64_t)w->resource.stale,
	       (uint64_t)w->resource.overtaken, w->crew.failures,
	       w->crew.refusals);
	printf("  longest time without a grant %.1f s; recovered in %.1f s\n",
	       (double)v->longest_gap_us / 1e6, (double)w->recovered_us / 1e6);
}

uint64_t report(struct world *w, const struct run *run, bool whole)
{
	struct verdict v;

	verdict_reach(&v, w->shared, w->mix->members);
	if (whole && w->shared->violations == 0)
		check_not_vacuous(w, run);
	else if (w->shared->violations == 0)
		violation(w->shared, "%s: it couldn't be carried out",
			  w->mix->name);
	uint64_t operations = world_operations(w);
	printf("%s: %u members, %" PRIu64 " operations, %" PRIu64
	       " violations\n  ",
	       w->mix->name, w->mix->members, operations,
	       (uint64_t)w->shared->violations);
	print_faults(w);
	print_results(w, &v);
	if (w->shared->violations > 0)
		evidence_write(w);
	return operations;
}
