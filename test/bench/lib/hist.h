/* A histogram of latencies in nanoseconds that loses less than half a percent.
 *
 * 256 buckets to each power of two, so its memory is fixed, it can lie in
 * memory that processes share, and adding two of them gives exactly the
 * histogram of all their samples. Percentiles of percentiles would not. */
#ifndef HF_BENCH_HIST_H
#define HF_BENCH_HIST_H

#include <stdint.h>

#define HIST_BITS 8
#define HIST_SHIFT_MAX 32 /* about 37 minutes; longer ones count as that */
#define HIST_LEN ((HIST_SHIFT_MAX + 2) << HIST_BITS)

struct hist { /* all zero: empty */
	uint64_t n;
	uint64_t count[HIST_LEN];
};

void hist_add(struct hist *hist, uint64_t ns);
void hist_merge(struct hist *into, const struct hist *from);

/* The smallest latency that this share of the samples doesn't exceed, in
 * microseconds; 0 without samples. */
double hist_us(const struct hist *hist, double share);

#endif
