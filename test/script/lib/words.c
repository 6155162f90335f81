#include "script/lib/words.h"

#include "core/op.h"
#include "script/lib/text.h"

#include <stdlib.h>
#include <string.h>

struct words words_split(char *line)
{
	const size_t max = sizeof((struct words){ 0 }.word) / sizeof(char *);
	struct words w = { .len = 0 };
	char *word;

	while (w.len < max && (word = text_word(&line)))
		w.word[w.len++] = word;
	return w;
}

const char *words_nth(const struct words *w, const char *key, size_t n)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < w->len; i++) {
		const char *word = w->word[i];

		if (strncmp(word, key, len) != 0 ||
		    (word[len] != '=' && word[len] != '\0') || n-- > 0)
			continue;
		return word[len] == '=' ? word + len + 1 : word;
	}
	return NULL;
}

const char *words_option(const struct words *w, const char *key)
{
	return words_nth(w, key, 0);
}

static uint64_t parse(const char *text)
{
	char *unit;
	uint64_t n = strtoull(text, &unit, 10);

	if (strcmp(text, "forever") == 0)
		return WAIT_FOREVER;
	if (strcmp(unit, "s") == 0)
		return n * 1000000;
	return strcmp(unit, "ms") == 0 ? n * 1000 : n;
}

uint64_t words_number(const struct words *w, const char *key, uint64_t other)
{
	const char *text = words_option(w, key);

	return text ? parse(text) : other;
}

int64_t words_signed(const struct words *w, const char *key, int64_t other)
{
	const char *text = words_option(w, key);

	return text ? strtoll(text, NULL, 10) : other;
}

uint64_t words_number_at(const struct words *w, size_t at)
{
	return at < w->len ? parse(w->word[at]) : 0;
}
