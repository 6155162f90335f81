/* What all targets use; see target.h. */
#include "fuzz/lib/target.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES_MAX 512

/* The sanitizer's, where there is one: it replaces the allocator. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

_Noreturn void fuzz_broken(const char *file, int line, const char *claim)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, claim);
	abort();
}

uint8_t *fuzz_copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	must(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

void fuzz_try_mended(const uint8_t *bytes, size_t len,
		     void (*attempt)(const uint8_t *bytes, size_t len),
		     void (*mend)(uint8_t *bytes, size_t len))
{
	uint8_t *copy = fuzz_copy(bytes, len);

	attempt(copy, len);
	mend(copy, len);
	attempt(copy, len);
	free(copy);
}

size_t fuzz_heap(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

void fuzz_sample_nth(struct buf *b, uint64_t n)
{
	struct random r = { n };

	buf_clear(b);
	fuzz_sample(b, &r);
	must(!b->failed);
}

static void write_file(const char *path, const struct buf *b)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(b->base, 1, b->len, file) != b->len ||
	    fclose(file) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void write_samples(const char *folder)
{
	char path[PATH_BYTES_MAX];
	struct buf b = { 0 };

	for (unsigned n = 0; n < FUZZ_SAMPLES; n++) {
		fuzz_sample_nth(&b, n);
		if (b.len > FUZZ_INPUT_MAX)
			continue;
		snprintf(path, sizeof(path), "%s/sample-%u", folder, n);
		write_file(path, &b);
	}
	buf_free(&b);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc == 3 && strcmp((*argv)[1], "--samples") == 0) {
		write_samples((*argv)[2]);
		exit(EXIT_SUCCESS);
	}
	return 0;
}
