/* How soon to ask again, where nothing came or there was no room. */
#include "node/internal.h"

int node_why_late(const struct node *n)
{
	if (n->route.attached)
		return HF_ETIMEDOUT;
	return n->keeper.id || !n->keeper.refusal ? HF_ENOLEADER
						  : n->keeper.refusal;
}

void node_busy(struct node *n, uint64_t us)
{
	n->busy_us = jitter(n, us < BUSY_MAX_US ? us : BUSY_MAX_US);
}

uint64_t node_retry_us(struct node *n, unsigned attempt)
{
	uint64_t us = n->busy_us > 2 * n->srtt_us ? n->busy_us : 2 * n->srtt_us;

	if (us < AGAIN_MIN_US)
		us = AGAIN_MIN_US;
	while (attempt-- > 0 && us < BUSY_MAX_US)
		us *= 2;
	return jitter(n, us < BUSY_MAX_US ? us : BUSY_MAX_US);
}
