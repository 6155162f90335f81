/* A fuzz target: one function that is given bytes, and must neither crash nor
 * leak nor find a promise broken, whatever they are.
 *
 * Each program of this folder is one target. Linked with libFuzzer it searches
 * for bad bytes; linked with replay.c, which is what `make check` does, it goes
 * through what was found before (corpus/) and through valid samples. */
#ifndef HF_TEST_FUZZ_TARGET_H
#define HF_TEST_FUZZ_TARGET_H

#include "base/buf.h"
#include "lib/random.h"

#define FUZZ_INPUT_MAX 4096 /* bytes of a sample or of a file in corpus/ */
#define FUZZ_SAMPLES 200    /* of each target; the same in all builds */

/* Always 0: the name and the type are libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
/* PROGRAM --samples FOLDER writes the samples there and exits. Called by
 * libFuzzer before all else. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Put a valid sample of the target's input into the empty buffer; what doesn't
 * fit is not used. */
void fuzz_sample(struct buf *b, struct random *r);
/* The n-th: into the buffer, which is cleared. */
void fuzz_sample_nth(struct buf *b, uint64_t n);

/* Says what was broken and ends the process, so that libFuzzer keeps the
 * input. Not an assert: these are never compiled out. */
_Noreturn void fuzz_broken(const char *file, int line, const char *claim);
#define must(claim) \
	((claim) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #claim))

/* A copy in a block of its own, so that a sanitizer sees each step beyond it.
 * Free it. */
uint8_t *fuzz_copy(const uint8_t *bytes, size_t len);
/* Try a copy of the bytes, and again after `mend` has set checksums right. */
void fuzz_try_mended(const uint8_t *bytes, size_t len,
		     void (*attempt)(const uint8_t *bytes, size_t len),
		     void (*mend)(uint8_t *bytes, size_t len));

/* Bytes that the process has allocated now, as far as can be known. */
size_t fuzz_heap(void);

#endif
