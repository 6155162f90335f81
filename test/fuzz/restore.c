/* Records of any kind and number into a fresh core: it refuses them, or has a
 * state that is sound, images to the same records and stays sound whatever is
 * asked of it next. */
#include "codec/crc.h"
#include "fuzz/lib/asserts.h"
#include "fuzz/lib/state.h"
#include "fuzz/lib/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct image_copy a = { 0 };

	/* Those before a damaged one are tried as well. */
	state_decode(&a, bytes, len);
	struct core *core = state_restore(&a, true);
	if (core)
		state_check_sound(core, &a, crc32c(0, bytes, len));
	core_destroy(core);
	image_copy_free(&a);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	state_sample_records(b, r);
}
