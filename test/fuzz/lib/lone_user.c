/* What the node's own user does meanwhile; see lone.h. */
#include "fuzz/lib/lone.h"
#include "fuzz/lib/target.h"

static size_t slot_of(const struct lone *l, const struct claim *claim)
{
	for (size_t i = 0; i < LONE_CLAIMS; i++)
		if (l->claims[i] == claim)
			return i;
	return LONE_CLAIMS;
}

static void on_acquired(void *arg, struct claim *claim, int rc)
{
	struct lone *l = arg;
	size_t i = slot_of(l, claim);

	must(l->callbacks_due-- > 0 && i < LONE_CLAIMS);
	l->claim_held[i] = rc == 0;
	if (rc != 0)
		l->claims[i] = NULL;
}

void lone_acquire(struct lone *l, struct reader *c)
{
	static const uint64_t timeouts[] = { 0, 1000, 1000000, UINT64_MAX };
	struct acquire_options options = { .name = "abc" };
	size_t i = slot_of(l, NULL);

	options.name_len = 1 + choose(c, 3);
	options.mode = (enum hf_mode)choose(c, 3);
	if (options.mode == HF_PERMITS) {
		options.limit = 2;
		options.permits = 1;
	}
	options.timeout_us = timeouts[choose(c, 4)];
	if (i == LONE_CLAIMS)
		return;
	l->claim_held[i] = false;
	if (node_acquire(l->node, &options, on_acquired, l, &l->claims[i]) == 0)
		l->callbacks_due++;
}

static void on_released(void *arg, struct claim *claim, int rc)
{
	struct lone *l = arg;

	(void)claim;
	must(l->callbacks_due-- > 0 && rc <= 0);
}

/* Or cancel, where it isn't held yet. */
void lone_release(struct lone *l, struct reader *c)
{
	size_t i = choose(c, LONE_CLAIMS);
	struct claim *claim = l->claims[i];

	if (!claim)
		return;
	if (!l->claim_held[i]) {
		node_cancel(l->node, claim);
		return;
	}
	l->claims[i] = NULL;
	l->callbacks_due++;
	node_release(l->node, claim, 1000 * (uint64_t)choose_byte(c),
		     on_released, l);
}

static void on_validated(void *arg, struct claim *claim, int rc)
{
	struct lone *l = arg;

	(void)claim;
	must(l->callbacks_due-- > 0 && rc <= 0);
}

void lone_validate(struct lone *l, struct reader *c)
{
	size_t i = choose(c, LONE_CLAIMS);

	if (!l->claims[i] || !l->claim_held[i])
		return;
	l->callbacks_due++;
	node_validate(l->node, l->claims[i], 1000 * (uint64_t)choose_byte(c),
		      on_validated, l);
}
