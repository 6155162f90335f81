/* See sum.h. */
#include "sim/lib/sum.h"

#include <stdlib.h>

#define UNKNOWN_SUM_MAX 100000

bool sum_of_some(const int64_t *of, size_t len, int64_t sum)
{
	uint64_t all = 0;
	size_t base;

	for (size_t i = 0; i < len; i++) {
		all += (uint64_t)llabs(of[i]);
		sum += of[i] < 0 ? -of[i] : 0; /* taken, unless it is left */
	}
	if (sum < 0 || (uint64_t)sum > all || all > UNKNOWN_SUM_MAX)
		return all > UNKNOWN_SUM_MAX;
	bool *can = calloc(all + 1, sizeof(*can));
	if (!can)
		abort();
	can[0] = true;
	for (size_t i = 0; i < len; i++) {
		size_t step = (size_t)llabs(of[i]);
		for (base = all; base >= step; base--)
			can[base] |= can[base - step];
	}
	bool ok = can[sum];
	free(can);
	return ok;
}

void sum_check_all(struct world *w)
{
	for (unsigned i = 0; i < w->plan.values; i++) {
		const struct value_name *v = &w->values[i];
		int64_t number = w->oracle.ledger.values[i].number;
		if (v->sums &&
		    !sum_of_some(v->unknown, v->unknown_len, number - v->added))
			world_violation(w, "sum",
					"counter %u is %lld: %lld were added "
					"for certain, and %zu perhaps",
					i, (long long)number,
					(long long)v->added, v->unknown_len);
	}
}
