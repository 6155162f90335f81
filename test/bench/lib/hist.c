/* The buckets: latencies below 2^9 ns have one each, and above that each power
 * of two has 2^8, by the value's nine leading bits. */
#include "hist.h"

static unsigned hist_index(uint64_t ns)
{
	const uint64_t end = (uint64_t)2 << (HIST_BITS + HIST_SHIFT_MAX);
	unsigned shift;

	if (ns >= end)
		ns = end - 1;
	if (ns < 1 << HIST_BITS)
		return (unsigned)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - HIST_BITS;
	return (shift << HIST_BITS) + (unsigned)(ns >> shift);
}

/* The middle of a bucket. */
static double hist_value(unsigned index)
{
	uint64_t leading;
	unsigned shift;

	if (index < 2 << HIST_BITS)
		return index;
	shift = (index >> HIST_BITS) - 1;
	leading = index - (shift << HIST_BITS);
	return ((double)leading + 0.5) * (double)((uint64_t)1 << shift);
}

void hist_add(struct hist *hist, uint64_t ns)
{
	hist->count[hist_index(ns)]++;
	hist->n++;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	for (unsigned i = 0; i < HIST_LEN; i++)
		into->count[i] += from->count[i];
	into->n += from->n;
}

double hist_us(const struct hist *hist, double share)
{
	const double want = share * (double)hist->n;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HIST_LEN; i++) {
		seen += hist->count[i];
		if (seen > 0 && (double)seen >= want)
			return hist_value(i) / 1000;
	}
	return 0;
}
