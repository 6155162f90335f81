/* The replicated limits. The rule: the state machine consults these, and never
 * an option of a node or a constant of a build. */
#include "core/state.h"

void core_limits_first(struct limits *limits)
{
#define X(name, first, least, greatest) limits->name = first;
	LIMITS(X)
#undef X
}

bool core_limits_valid(const struct limits *limits)
{
	const struct {
		uint64_t value, least, greatest;
	} all[] = {
#define X(name, first, least, greatest) { limits->name, least, greatest },
		LIMITS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i].value < all[i].least ||
		    all[i].value > all[i].greatest)
			return false;
	}
	return limits->ttl_min_us <= limits->ttl_max_us;
}

/* Lowered below what is in use they end nothing. */
void core_limits_change(struct core *core, const struct op *op)
{
	if (!core_limits_valid(&op->limits)) {
		core_answer(core, op, HF_ELIMIT);
		return;
	}
	core->limits = op->limits;
	core_answer(core, op, 0);
}
