#include "holdfast.h"

int hf_guard_check(struct hf_guard *guard, enum hf_mode mode, uint64_t token)
{
	uint64_t least;

	if (!guard || token == 0 || token > INT64_MAX ||
	    (mode != HF_EXCLUSIVE && mode != HF_SHARED))
		return HF_EINVAL;
	least = mode == HF_EXCLUSIVE ? guard->newest : guard->newest_exclusive;
	if (token < least)
		return HF_EFENCED;
	if (token > guard->newest)
		guard->newest = token;
	if (mode == HF_EXCLUSIVE)
		guard->newest_exclusive = token;
	return 0;
}
