/* A growing text to print to, and lines taken from a text. */
#ifndef HF_TEST_SCRIPT_TEXT_H
#define HF_TEST_SCRIPT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {        /* all zero: empty */
	char *bytes; /* terminated, or NULL */
	size_t len, cap;
};

__attribute__((format(printf, 2, 3))) void text_print(struct text *t,
						      const char *format, ...);
void text_clear(struct text *t); /* keeps the memory */
void text_free(struct text *t);
bool text_read(struct text *t, const char *path);
bool text_write(const struct text *t, const char *path);

/* Take the next line off `*at`, without its end: the line, cut off in place, or
 * NULL at the end of the text. */
char *text_line(char **at);
/* The next word of a line, cut off in place, or NULL. */
char *text_word(char **at);

#endif
