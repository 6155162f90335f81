/* The main program of a target without libFuzzer.
 *
 * usage: PROGRAM                   its corpus, and the valid samples
 *        PROGRAM FILE...           these inputs
 *        PROGRAM --samples FOLDER  write the samples there
 *
 * It is in an archive, so that libFuzzer's main program takes its place where
 * there is one. */
#include "fuzz/lib/target.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES_MAX 512
#define VARIANTS 8 /* of each sample */
#define CORPUS "test/fuzz/corpus"

static void run(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = fuzz_copy(bytes, len);

	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static _Noreturn void stop(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void run_file(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "rb");

	if (!file)
		stop(path);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	/* The last line of a log tells which input it was. */
	fprintf(stderr, "%s\n", path);
	run(bytes, len);
}

static size_t run_corpus(const char *name)
{
	char path[PATH_BYTES_MAX];
	size_t files = 0;

	snprintf(path, sizeof(path), CORPUS "/%s", name);
	DIR *dir = opendir(path);
	if (!dir)
		stop(path);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), CORPUS "/%s/%s", name, e->d_name);
		run_file(path);
		files++;
	}
	closedir(dir);
	return files;
}

/* And what a fuzzer would try first: other bytes in one place. */
static void run_variants(struct buf *b, unsigned n)
{
	static const uint8_t near[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	struct random r = { n };

	for (unsigned i = 0; i < VARIANTS && b->len > 0; i++) {
		uint8_t *at = b->base + random_below(&r, b->len), was = *at;

		if (i % 2)
			*at = near[random_below(&r, sizeof(near))];
		else
			*at = (uint8_t)(was ^ 1u << random_below(&r, 8));
		fprintf(stderr, "sample %u variant %u\n", n, i);
		run(b->base, b->len);
		*at = was;
	}
}

static void run_samples(void)
{
	struct buf b = { 0 };

	for (unsigned n = 0; n < FUZZ_SAMPLES; n++) {
		fuzz_sample_nth(&b, n);
		fprintf(stderr, "sample %u\n", n);
		run(b.base, b.len);
		run_variants(&b, n);
	}
	buf_free(&b);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc > 1)
		return EXIT_SUCCESS;
	run_samples();
	/* An empty folder would be a test of nothing. */
	return run_corpus(slash ? slash + 1 : argv[0]) > 0 ? EXIT_SUCCESS
							   : EXIT_FAILURE;
}
