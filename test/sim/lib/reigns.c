/* See reigns.h. */
#include "sim/lib/reigns.h"

#include <stdbool.h>

void reigns_next(struct reigns *r, struct counters *counters, unsigned leader,
		 uint64_t term, uint64_t now, uint64_t expired, uint64_t ttl_us)
{
	bool brief = r->leader && now - r->since < ttl_us;

	if (term < r->term)
		return; /* it is late to notice */
	counters->short_reigns += brief;
	if (leader == r->leader || !brief || r->expired != expired) {
		r->quick = 0;
		r->expired = expired;
	}
	if (leader != r->leader)
		r->quick++;
	if (r->quick == REIGNS) {
		counters->three_leaders++;
		r->quick = 0;
	}
	r->term = term;
	r->leader = leader;
	r->since = now;
}
