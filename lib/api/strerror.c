#include "holdfast.h"

const char *hf_strerror(int rc)
{
	switch (rc) {
	case HF_OK:
		return "success";
#define X(name, number, text) \
	case name:            \
		return text;
		HF_ERRORS(X)
#undef X
	default:
		return "unknown error";
	}
}

enum hf_outcome hf_outcome(int rc)
{
	if (rc >= 0)
		return HF_OUTCOME_DONE;
	if (rc > -100)
		return HF_OUTCOME_NOTHING;
	if (rc > -200)
		return HF_OUTCOME_REFUSED;
	return HF_OUTCOME_UNKNOWN;
}

const char *hf_version(void)
{
	return HF_VERSION;
}
