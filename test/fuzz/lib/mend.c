/* See mend.h. Numbers of formats are written out here once more, so that a
 * change of one by accident shows. */
#include "fuzz/lib/mend.h"

#include "codec/crc.h"
#include "codec/field.h"

#include <stdio.h>

#define ENTRY_HEAD 72
#define FRAME_HEAD 24
#define IMAGE_HEAD 48
#define CHUNK_HEAD 16
#define SEAL 16

void mend_entry(uint8_t *bytes, size_t len)
{
	if (len < ENTRY_HEAD)
		return;
	size_t ops_bytes = load32(bytes + 12);
	if ((ENTRY_HEAD + ops_bytes + 7) / 8 != len / 8)
		put32(bytes + 12, (uint32_t)(len - ENTRY_HEAD));
	uint32_t crc = crc32c(0, bytes, 4);
	put32(bytes + 4, crc32c(crc, bytes + 8, len - 8));
}

void mend_frames(uint8_t *bytes, size_t len)
{
	while (len >= FRAME_HEAD) {
		size_t payload = load32(bytes + 12);

		if (payload <= len - FRAME_HEAD)
			put32(bytes + 16,
			      crc32c(0, bytes + FRAME_HEAD, payload));
		put32(bytes + 20, crc32c(0, bytes, 20));
		if (payload > len - FRAME_HEAD)
			return;
		bytes += FRAME_HEAD + payload;
		len -= FRAME_HEAD + payload;
	}
}

static uint32_t mend_chunks(uint8_t *at, size_t len)
{
	uint32_t chunks = 0;

	for (; len >= CHUNK_HEAD; chunks++) {
		size_t packed = load32(at + 4);

		if (packed > len - CHUNK_HEAD) {
			packed = len - CHUNK_HEAD;
			put32(at + 4, (uint32_t)packed);
		}
		put32(at + 8, chunks);
		uint32_t crc = crc32c(0, at, 12);
		put32(at + 12, crc32c(crc, at + CHUNK_HEAD, packed));
		at += CHUNK_HEAD + packed;
		len -= CHUNK_HEAD + packed;
	}
	return chunks;
}

void mend_image(uint8_t *bytes, size_t len, uint64_t records)
{
	if (len < IMAGE_HEAD)
		return;
	put32(bytes + 12, mend_chunks(bytes + IMAGE_HEAD, len - IMAGE_HEAD));
	put64(bytes + 24, records);
	put64(bytes + 32, len);
	put32(bytes + 44, crc32c(0, bytes, 44));
}

void mend_text(uint8_t *bytes, size_t len)
{
	char line[SEAL + 1];

	if (len < SEAL)
		return;
	snprintf(line, sizeof(line), "crc32c %08x\n",
		 crc32c(0, bytes, len - SEAL));
	memcpy(bytes + len - SEAL, line, SEAL);
}
