#include "host/clock.h"

#include <time.h>

#define US_PER_S UINT64_C(1000000)

static uint64_t microseconds(clockid_t clock)
{
	struct timespec t = { 0, 0 };

	/* Can't fail: Linux has had all of them since 2.6.39. */
	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

void clocks_read(struct clocks *now)
{
	now->monotonic = microseconds(CLOCK_MONOTONIC);
	now->raw = microseconds(CLOCK_MONOTONIC_RAW);
	now->boottime = microseconds(CLOCK_BOOTTIME);
	now->wall = microseconds(CLOCK_REALTIME);
}
