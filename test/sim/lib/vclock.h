/* A clock that runs wrong, by so many millionths, against the true time of the
 * simulation. Its rate may change; it never goes back by itself. */
#ifndef HF_SIM_VCLOCK_H
#define HF_SIM_VCLOCK_H

#include <stdint.h>

struct vclock {
	uint64_t since, value; /* showed `value` at the true time `since` */
	int64_t ppm;           /* faster than true time */
};

static inline uint64_t vclock_at(const struct vclock *c, uint64_t now)
{
	int64_t passed = now > c->since ? (int64_t)(now - c->since) : 0;

	return c->value + (uint64_t)(passed + passed * c->ppm / 1000000);
}

static inline void vclock_rate(struct vclock *c, uint64_t now, int64_t ppm)
{
	*c = (struct vclock){ now, vclock_at(c, now), ppm };
}

/* It stands still for so long from now on. */
static inline void vclock_stop(struct vclock *c, uint64_t now, uint64_t us)
{
	*c = (struct vclock){ now + us, vclock_at(c, now), c->ppm };
}

/* The first true time, from `now` on, at which the clock shows `value`. */
static inline uint64_t vclock_when(const struct vclock *c, uint64_t now,
				   uint64_t value)
{
	uint64_t shows = vclock_at(c, now);

	if (shows >= value)
		return now;
	if (now < c->since)
		now = c->since;
	uint64_t left = value - shows;
	if (left > UINT64_C(1) << 40)
		return UINT64_MAX;
	uint64_t at = now + left * 1000000 / (uint64_t)(1000000 + c->ppm);
	while (vclock_at(c, at) < value)
		at++;
	return at;
}

#endif
