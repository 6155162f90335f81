#include "node/lease.h"

#define PPM UINT64_C(1000000)

void lease_begin(struct lease *l, uint64_t session)
{
	atomic_fetch_add(&l->version, 1);
	atomic_store(&l->session, session);
	atomic_store(&l->boottime, 0);
	atomic_store(&l->raw, 0);
	atomic_fetch_add(&l->version, 1);
}

void lease_end(struct lease *l)
{
	lease_begin(l, 0);
}

/* Cluster time stood at `stamp` or before when the operation was sent, and runs
 * at most (1 + rho) times as fast as real time; ours may run (1 + rho) times
 * too slow. So the deadline isn't reached for (deadline - stamp)(1 - 2 rho) of
 * our time, counted from the sending. (C. Gray, D. Cheriton, "Leases", SOSP
 * 1989, section 5, with the drift of both clocks taken off.) */
void lease_extend(struct lease *l, const struct clocks *sent, uint64_t stamp,
		  uint64_t deadline, uint32_t drift_ppm, uint64_t margin_us)
{
	uint64_t span = deadline > stamp ? deadline - stamp : 0;
	uint64_t lost = span / PPM * 2 * drift_ppm +
			span % PPM * 2 * drift_ppm / PPM + 1 + margin_us;
	uint64_t life = span > lost ? span - lost : 0;
	uint64_t boottime = sent->boottime + life, raw = sent->raw + life;

	/* The ends of two acknowledgements must not be mixed: each is sound
	 * only with its own. */
	if (boottime < atomic_load(&l->boottime) || raw < atomic_load(&l->raw))
		return;
	atomic_fetch_add(&l->version, 1);
	atomic_store(&l->boottime, boottime);
	atomic_store(&l->raw, raw);
	atomic_fetch_add(&l->version, 1);
}

static uint64_t left_until(uint64_t end, uint64_t now)
{
	return end > now ? end - now : 0;
}

uint64_t lease_left(const struct lease *l, uint64_t session,
		    const struct clocks *now)
{
	uint64_t version, id, boottime, raw;

	do {
		version = atomic_load(&l->version);
		id = atomic_load(&l->session);
		boottime = atomic_load(&l->boottime);
		raw = atomic_load(&l->raw);
	} while (version & 1 || version != atomic_load(&l->version));
	if (id != session || session == 0)
		return 0;
	boottime = left_until(boottime, now->boottime);
	raw = left_until(raw, now->raw);
	return boottime < raw ? boottime : raw;
}
