/* The words of a command: some in order, some as key=value. Times are 500us,
 * 20ms, 10s; "forever" is one, too. */
#ifndef HF_TEST_SCRIPT_WORDS_H
#define HF_TEST_SCRIPT_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct words {
	char *word[24];
	size_t len;
};

struct words words_split(char *line);
/* The value of the first key=value, or the bare word itself; NULL: not there.
 * The n-th, from 0. */
const char *words_option(const struct words *w, const char *key);
const char *words_nth(const struct words *w, const char *key, size_t n);
uint64_t words_number(const struct words *w, const char *key, uint64_t other);
int64_t words_signed(const struct words *w, const char *key, int64_t other);
/* The word at a place, if it is a number. */
uint64_t words_number_at(const struct words *w, size_t at);

#endif
