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
