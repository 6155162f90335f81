#include "lib/through.h"

#include "codec/image.h"

#include <check.h>

static void put(void *ctx, const struct record *r)
{
	image_put(ctx, r);
}

static int take(void *ctx, const struct record *r)
{
	return core_restore(ctx, r);
}

int through_codec(struct core *from, struct core *to)
{
	struct image_writer w = { .mem = NULL };
	const struct image_sink sink = { put, &w };
	struct buf bytes = { .base = NULL };
	int rc;

	ck_assert_int_eq(core_image_begin(from, &sink), 0);
	while (!core_image_step(from, 1000))
		;
	ck_assert_int_eq(image_finish(&w), 0);
	for (size_t i = 0; i < w.pieces_len; i++)
		buf_put(&bytes, w.pieces[i].base, w.pieces[i].len);
	rc = image_read(bytes.base, bytes.len, take, to);
	if (rc == 0)
		rc = core_restore_end(to);
	buf_free(&bytes);
	image_writer_free(&w);
	return rc;
}
