/* The member's copy of term and vote: what is read is written the same way, and
 * reading the file finds what reading the bytes does. */
#include "fuzz/lib/folder.h"
#include "fuzz/lib/mend.h"
#include "fuzz/lib/target.h"
#include "lib/samples.h"

#include "holdfast.h"
#include "host/file.h"
#include "host/vote.h"

#include <string.h>

static void check_file(const uint8_t *bytes, size_t len, bool valid)
{
	struct vote_record record;
	char error[HF_ERROR_TEXT];
	int folder = folder_open();

	folder_write(folder, "vote-1", bytes, len);
	must(vote_load(&record, folder, error) == (valid ? 1 : HF_ECORRUPT));
	folder_close(folder);
}

static void try_vote(const uint8_t *bytes, size_t len)
{
	struct vote_record record;
	char again[FILE_BYTES_MAX + 1];
	bool valid = vote_decode(&record, (const char *)bytes, len);

	if (valid) {
		must(vote_encode(&record, again) == len);
		must(memcmp(again, bytes, len) == 0);
		must(vote_judge(&record, &record.next) == VOTE_EQUAL);
	}
	check_file(bytes, len, valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_try_mended(bytes, len, try_vote, mend_text);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	struct vote_record record = { { random_width(r), random_width(r) },
				      { random_width(r), random_width(r) },
				      random_below(r, 2) };
	char text[FILE_BYTES_MAX + 1];

	buf_put(b, text, vote_encode(&record, text));
}
