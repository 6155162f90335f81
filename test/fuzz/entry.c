/* Log entries: what decodes encodes to the same bytes, and the state machine
 * takes it, or says that it can't. */
#include "fuzz/lib/bounds.h"
#include "fuzz/lib/mend.h"
#include "fuzz/lib/target.h"
#include "lib/samples.h"

#include "codec/entry.h"
#include "core/core.h"
#include "holdfast.h"

#include <stdlib.h>
#include <string.h>

static void check_again(const uint8_t *bytes, size_t len,
			const struct entry *entry)
{
	struct buf ops = { 0 };

	for (size_t i = 0; i < entry->ops_len; i++) {
		bounds_op(&entry->ops[i]);
		op_encode(&ops, &entry->ops[i]);
	}
	must(entry_bytes(ops.len) == len);
	uint8_t *again = malloc(len);
	must(again);
	entry_encode(again, entry, ops.base, ops.len);
	must(memcmp(again, bytes, len) == 0);
	free(again);
	buf_free(&ops);
}

static void check_apply(const struct entry *entry)
{
	static const struct mem mem;
	struct core *core = core_create(&mem, 1);

	must(core);
	core_check_every(core, 1);
	int rc = core_apply(core, 7, entry, NULL);
	must(rc == 0 || entry->version != SEMANTICS_VERSION);
	core_destroy(core);
}

static void try_entry(const uint8_t *bytes, size_t len)
{
	struct op_array ops = { 0 };
	struct entry entry;
	int rc = entry_decode(bytes, len, &ops, &entry);

	must(rc == 0 || rc == HF_ECORRUPT);
	must(ops.cap <= 64 || ops.cap <= 2 * len);
	must(ops.parts_cap <= 64 || ops.parts_cap <= 2 * len);
	if (rc == 0 && entry.version == SEMANTICS_VERSION)
		check_again(bytes, len, &entry);
	if (rc == 0)
		check_apply(&entry);
	op_array_free(&ops);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	fuzz_try_mended(bytes, len, try_entry, mend_entry);
	return 0;
}

void fuzz_sample(struct buf *b, struct random *r)
{
	struct entry head = { .version = SEMANTICS_VERSION,
			      .stamp = sample_number(r) >> 2,
			      .wall = sample_number(r),
			      .proposer = sample_id(r),
			      .term = sample_id(r),
			      .serial = random_width(r) };
	struct buf ops = { 0 };

	head.ops_len = random_below(r, 4);
	for (size_t i = 0; i < head.ops_len; i++) {
		struct op op = sample_any_op(r);

		op_encode(&ops, &op);
	}
	if (random_below(r, 2)) {
		head.hash_index = sample_id(r);
		head.hash = random_next(r);
	}
	uint8_t *to = buf_reserve(b, entry_bytes(ops.len));
	must(to);
	entry_encode(to, &head, ops.base, ops.len);
	b->len = entry_bytes(ops.len);
	buf_free(&ops);
}
