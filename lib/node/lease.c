#include "node/lease.h"

#define PPM UINT64_C(1000000)

/* Cluster time stood at `stamp` or before when the operation was sent, and runs
 * at most (1 + rho) times as fast as real time; ours may run (1 + rho) times
 * too slow. So the deadline isn't reached for (deadline - stamp)(1 - 2 rho) of
 * our time, counted from the sending. (C. Gray, D. Cheriton, "Leases", SOSP
 * 1989, section 5, with the drift of both clocks taken off.) */
struct bound bound_of(const struct clocks *sent, uint64_t stamp,
		      uint64_t deadline, struct caution c)
{
	uint64_t span = deadline > stamp ? deadline - stamp : 0;
	uint64_t lost = span / PPM * 2 * c.drift_ppm +
			span % PPM * 2 * c.drift_ppm / PPM + 1 + c.margin_us;
	uint64_t life = span > lost ? span - lost : 0;

	return (struct bound){ sent->boottime + life, sent->raw + life };
}

void bound_raise(struct bound *b, struct bound other)
{
	if (other.boottime >= b->boottime && other.raw >= b->raw)
		*b = other;
}

void bound_lower(struct bound *b, struct bound other)
{
	if (other.boottime < b->boottime)
		b->boottime = other.boottime;
	if (other.raw < b->raw)
		b->raw = other.raw;
}

static uint64_t left_until(uint64_t end, uint64_t now)
{
	return end > now ? end - now : 0;
}

uint64_t bound_left(const struct bound *b, const struct clocks *now)
{
	uint64_t boottime = left_until(b->boottime, now->boottime);
	uint64_t raw = left_until(b->raw, now->raw);

	return boottime < raw ? boottime : raw;
}

void bound_store(uint64_t to[2], struct bound b)
{
	__atomic_store_n(&to[0], b.boottime, __ATOMIC_SEQ_CST);
	__atomic_store_n(&to[1], b.raw, __ATOMIC_SEQ_CST);
}

struct bound bound_load(const uint64_t from[2])
{
	return (struct bound){ __atomic_load_n(&from[0], __ATOMIC_SEQ_CST),
			       __atomic_load_n(&from[1], __ATOMIC_SEQ_CST) };
}

void anchors_add(struct anchors *a, const struct clocks *sent, uint64_t stamp)
{
	size_t i = a->len++ % ANCHORS;

	a->ring[i].sent = *sent;
	a->ring[i].stamp = stamp;
}

struct bound anchors_bound(const struct anchors *a, uint64_t deadline,
			   struct caution caution)
{
	struct bound b = { 0 };

	for (size_t i = 0; i < ANCHORS && i < a->len; i++)
		bound_raise(&b, bound_of(&a->ring[i].sent, a->ring[i].stamp,
					 deadline, caution));
	return b;
}

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

void lease_extend(struct lease *l, const struct clocks *sent, uint64_t stamp,
		  uint64_t deadline, struct caution caution)
{
	struct bound now = { atomic_load(&l->boottime), atomic_load(&l->raw) };
	struct bound b = now;

	bound_raise(&b, bound_of(sent, stamp, deadline, caution));
	if (b.boottime == now.boottime && b.raw == now.raw)
		return;
	atomic_fetch_add(&l->version, 1);
	atomic_store(&l->boottime, b.boottime);
	atomic_store(&l->raw, b.raw);
	atomic_fetch_add(&l->version, 1);
}

uint64_t lease_left(const struct lease *l, uint64_t session,
		    const struct clocks *now)
{
	uint64_t version, id;
	struct bound b;

	do {
		version = atomic_load(&l->version);
		id = atomic_load(&l->session);
		b.boottime = atomic_load(&l->boottime);
		b.raw = atomic_load(&l->raw);
	} while (version & 1 || version != atomic_load(&l->version));
	if (id != session || session == 0)
		return 0;
	return bound_left(&b, now);
}
