/* Checksums set right.
 *
 * Behind a checksum a fuzzer finds nothing but wrong checksums. So a target is
 * run with the bytes as they are, and again with a copy whose checksums, and
 * what else only repeats itself, fit the rest. */
#ifndef HF_TEST_FUZZ_MEND_H
#define HF_TEST_FUZZ_MEND_H

#include <stddef.h>
#include <stdint.h>

void mend_entry(uint8_t *bytes, size_t len);
/* Frame by frame, as far as lengths can be followed. */
void mend_frames(uint8_t *bytes, size_t len);
/* Chunk by chunk; `records` is what the head shall say. */
void mend_image(uint8_t *bytes, size_t len, uint64_t records);
/* The last line of a sealed text. */
void mend_text(uint8_t *bytes, size_t len);

#endif
