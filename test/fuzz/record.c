/* Records of an image: what decodes encodes to the same bytes. */
#include "codec/record.h"
#include "fuzz/lib/bounds.h"
#include "fuzz/lib/target.h"
#include "lib/samples.h"

#include "holdfast.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct record_room room = { 0 };
	struct buf again = { 0 };
	struct record record;

	while (reader_left(&r) > 0) {
		const uint8_t *from = r.at;
		int rc = record_decode(&r, &room, &record);

		must(rc == 0 || rc == HF_ECORRUPT);
		if (rc != 0)
			break;
		bounds_record(&record);
		buf_clear(&again);
		record_encode(&again, &record);
		must(again.len == (size_t)(r.at - from));
		must(again.len <= RECORD_BYTES_MAX);
		must(memcmp(again.base, from, again.len) == 0);
	}
	must(room.slots_cap <= 64 || room.slots_cap <= 2 * len);
	record_room_free(&room);
	buf_free(&again);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	for (uint64_t n = 1 + random_below(r, 2); n > 0; n--) {
		enum record_kind kind = (enum record_kind)(
			RECORD_STATE + random_below(r, RECORD_VALUE));
		struct record record = sample_record(r, kind);

		record_encode(b, &record);
	}
}
