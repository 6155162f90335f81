/* The file that says whose directory it is: what is read is written the same
 * way, and a directory with any such file opens or is refused. */
#include "fuzz/lib/folder.h"
#include "fuzz/lib/mend.h"
#include "fuzz/lib/target.h"
#include "lib/samples.h"

#include "holdfast.h"
#include "host/dir.h"
#include "host/identity.h"

#include <stdlib.h>
#include <string.h>

static void check_open(const struct dir_want *want, uint64_t boot, int expected)
{
	char error[HF_ERROR_TEXT];
	struct dir dir;
	int rc = dir_open(&dir, want, error);

	must(rc == expected);
	must(rc != 0 || dir.boot == boot + 1);
	dir_close(&dir);
}

/* As its owner would, from where it was made; and as the owner of a copy. */
static void check_directory(const uint8_t *bytes, size_t len,
			    const struct identity *identity)
{
	struct identity none = { 0 };
	bool valid = identity != NULL;
	int folder = folder_open();

	if (!identity)
		identity = &none;
	struct dir_want want = { .path = folder_path(),
				 .cluster = identity->cluster,
				 .cluster_name = "jobs",
				 .node = identity->node };
	folder_write(folder, "identity", bytes, len);
	check_open(&want, 0, valid ? HF_EIDENTITY : HF_ECORRUPT);
	want.adopt = true;
	if (valid)
		check_open(&want, identity->boot, 0);
	want.node++;
	if (valid)
		check_open(&want, 0, HF_EIDENTITY);
	folder_close(folder);
}

static bool try_identity(const uint8_t *bytes, size_t len,
			 struct identity *identity)
{
	char again[FILE_BYTES_MAX + 1];
	bool valid = identity_decode(identity, (const char *)bytes, len);

	if (valid) {
		must(identity_encode(identity, again) == len);
		must(memcmp(again, bytes, len) == 0);
	}
	return valid;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = fuzz_copy(bytes, len);
	struct identity identity;

	/* One directory only: these make each name durable. */
	try_identity(copy, len, &identity);
	mend_text(copy, len);
	bool valid = try_identity(copy, len, &identity);
	check_directory(copy, len, valid ? &identity : NULL);
	free(copy);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	struct identity identity = { .cluster = random_next(r),
				     .node = random_width(r),
				     .incarnation = random_width(r),
				     .boot = random_width(r),
				     .place = { .volume = random_next(r),
						.inode = random_width(r) } };
	char text[FILE_BYTES_MAX + 1];

	identity_name(&identity, random_below(r, 2) ? "jobs" : "two words");
	memcpy(identity.place.machine, "-", 2);
	memcpy(identity.place.kernel, "-", 2);
	if (random_below(r, 2)) {
		memset(identity.place.machine, '0' + (int)random_below(r, 10),
		       PLACE_MACHINE_LEN);
		memset(identity.place.kernel, 'a' + (int)random_below(r, 6),
		       PLACE_KERNEL_LEN);
	}
	buf_put(b, text, identity_encode(&identity, text));
}
