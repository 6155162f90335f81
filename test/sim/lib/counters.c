/* See counters.h. */
#include "sim/lib/counters.h"

#include <stdio.h>

static const char *const texts[] = {
#define X(field, text) text,
	COUNTERS(X)
#undef X
};

static const char *const fault_texts[] = {
#define X(field, text) text,
	FAULTS(X)
#undef X
};

static void values(const struct counters *c, uint64_t *to)
{
#define X(field, text) *to++ = c->field;
	COUNTERS(X)
#undef X
}

void counters_add(struct counters *sum, const struct counters *more)
{
#define X(field, text) sum->field += more->field;
	COUNTERS(X)
#undef X
	for (int i = 0; i < FAULT_KINDS; i++)
		sum->faults[i] += more->faults[i];
}

uint64_t counters_faults(const struct counters *c, unsigned *kinds)
{
	uint64_t total = 0;

	*kinds = 0;
	for (int i = 0; i < FAULT_KINDS; i++) {
		total += c->faults[i];
		*kinds += c->faults[i] > 0;
	}
	return total;
}

static bool is_short(const char *what, uint64_t value, uint64_t in_thousand,
		     uint64_t seeds)
{
	uint64_t least = in_thousand * seeds / 1000;

	least = least ? least : 1;
	if (value >= least)
		return false;
	printf("too few: %s: %llu, at least %llu\n", what,
	       (unsigned long long)value, (unsigned long long)least);
	return true;
}

bool counters_short(const struct counters *c, uint64_t seeds)
{
	bool some = false;

#define X(field, least) some |= is_short(#field, c->field, least, seeds);
	MINIMA(X)
#undef X
	return some;
}

bool counters_short_of_faults(const struct counters *c, uint64_t seeds)
{
	bool some = false;

	for (int i = 0; i < FAULT_KINDS; i++)
		some |= is_short(fault_texts[i], c->faults[i], FAULT_MINIMUM,
				 seeds);
	return some;
}

void counters_print(const struct counters *c)
{
	uint64_t v[sizeof(texts) / sizeof(*texts)];

	values(c, v);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		printf("%12llu %s\n", (unsigned long long)v[i], texts[i]);
	printf("faults:\n");
	for (int i = 0; i < FAULT_KINDS; i++)
		printf("%12llu %s\n", (unsigned long long)c->faults[i],
		       fault_texts[i]);
}
