/* Snapshot images: what reads whole is written again, and reads as the same
 * records; what a core takes of it is a sound state.
 *
 * The second try has right checksums, and the third the count of records that
 * there are. */
#include "codec/image.h"
#include "codec/crc.h"
#include "fuzz/lib/asserts.h"
#include "fuzz/lib/mend.h"
#include "fuzz/lib/state.h"
#include "fuzz/lib/target.h"

#include <stdlib.h>

static int put(void *ctx, const struct record *r)
{
	image_copy_put(ctx, r);
	return 0;
}

static void check_again(const struct image_copy *a)
{
	struct image_writer w = { 0 };
	struct image_copy again = { 0 };
	struct buf image = { 0 };

	for (size_t i = 0; i < a->len; i++)
		image_put(&w, &a->records[i]);
	must(image_finish(&w) == 0);
	for (size_t i = 0; i < w.pieces_len; i++)
		buf_put(&image, w.pieces[i].base, w.pieces[i].len);
	must(!image.failed);
	must(image_read(image.base, image.len, put, &again) == 0);
	must(image_copy_same(a, &again));
	image_writer_free(&w);
	image_copy_free(&again);
	buf_free(&image);
}

/* How many records were read. */
static size_t try_image(const uint8_t *bytes, size_t len)
{
	struct image_copy a = { 0 };
	int rc = image_read(bytes, len, put, &a);
	size_t records = a.len;

	must(rc == 0 || rc == HF_ECORRUPT);
	if (rc == 0) {
		check_again(&a);
		struct core *core = state_restore(&a, true);
		if (core)
			state_check_sound(core, &a, crc32c(0, bytes, len));
		core_destroy(core);
	}
	image_copy_free(&a);
	return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = fuzz_copy(bytes, len);

	try_image(copy, len);
	mend_image(copy, len, UINT64_MAX);
	size_t records = try_image(copy, len);
	mend_image(copy, len, records);
	try_image(copy, len);
	free(copy);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	state_sample_image(b, r);
}
