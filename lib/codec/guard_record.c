/* 8 bytes of magic, the format (u32), 4 zero bytes, generation, newest and
 * newest_exclusive (u64 each), 20 zero bytes, and the checksum of all before it
 * (u32); little-endian. Magic, format and checksum stay where they are in every
 * format to come, so that a newer one is told from damage. */
#include "codec/guard_record.h"

#include "codec/crc.h"
#include "codec/field.h"

#define FORMAT 1
#define FORMAT_AT 8
#define FIELDS_AT 16
#define SUM_AT (GUARD_RECORD_BYTES - 4)

static const uint8_t magic[] = { 'h', 'f', 'g', 'u', 'a', 'r', 'd', '\n' };

void guard_record_encode(const struct guard_record *r, uint8_t *bytes)
{
	uint8_t *to;

	memset(bytes, 0, GUARD_RECORD_BYTES);
	put32(put_bytes(bytes, magic, sizeof(magic)), FORMAT);
	to = put64(bytes + FIELDS_AT, r->generation);
	to = put64(to, r->seen.newest);
	put64(to, r->seen.newest_exclusive);
	put32(bytes + SUM_AT, crc32c(0, bytes, SUM_AT));
}

enum guard_verdict guard_record_decode(struct guard_record *r,
				       const uint8_t *bytes)
{
	uint8_t again[GUARD_RECORD_BYTES];

	if (memcmp(bytes, magic, sizeof(magic)) != 0)
		return GUARD_STRANGE;
	if (load32(bytes + SUM_AT) != crc32c(0, bytes, SUM_AT))
		return GUARD_DAMAGED;
	if (load32(bytes + FORMAT_AT) != FORMAT)
		return GUARD_NEWER;
	r->generation = load64(bytes + FIELDS_AT);
	r->seen.newest = load64(bytes + FIELDS_AT + 8);
	r->seen.newest_exclusive = load64(bytes + FIELDS_AT + 16);
	guard_record_encode(r, again);
	if (memcmp(bytes, again, sizeof(again)) != 0 || r->generation == 0 ||
	    r->seen.newest > NUMBER_MAX ||
	    r->seen.newest_exclusive > r->seen.newest)
		return GUARD_DAMAGED;
	return GUARD_VALID;
}
