/* What a guard's file says, twice: the largest tokens seen, and how many times
 * they were written before. */
#ifndef HF_CODEC_GUARD_RECORD_H
#define HF_CODEC_GUARD_RECORD_H

#include "holdfast.h"

#define GUARD_RECORD_BYTES 64 /* within one sector of any disk */

struct guard_record {
	uint64_t generation; /* 1 or more */
	struct hf_guard seen;
};

enum guard_verdict {
	GUARD_VALID,
	GUARD_DAMAGED, /* torn or altered */
	GUARD_STRANGE, /* it doesn't even begin as a guard's */
	GUARD_NEWER    /* whole, in a format that isn't known here */
};

void guard_record_encode(const struct guard_record *r, uint8_t *bytes);
enum guard_verdict guard_record_decode(struct guard_record *r,
				       const uint8_t *bytes);

#endif
