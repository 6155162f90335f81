#include "script/lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void grow(struct text *t, size_t more)
{
	if (t->len + more + 1 <= t->cap)
		return;
	t->cap = 2 * (t->len + more + 1);
	t->bytes = realloc(t->bytes, t->cap);
	if (!t->bytes)
		abort();
}

void text_print(struct text *t, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	grow(t, (size_t)len);
	vsnprintf(t->bytes + t->len, (size_t)len + 1, format, again);
	t->len += (size_t)len;
	va_end(again);
	va_end(args);
}

void text_clear(struct text *t)
{
	t->len = 0;
	if (t->bytes)
		t->bytes[0] = '\0';
}

void text_free(struct text *t)
{
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

bool text_read(struct text *t, const char *path)
{
	FILE *file = fopen(path, "r");
	size_t n;

	text_clear(t);
	if (!file)
		return false;
	do {
		grow(t, 4096);
		n = fread(t->bytes + t->len, 1, 4096, file);
		t->len += n;
		t->bytes[t->len] = '\0';
	} while (n > 0);
	return fclose(file) == 0;
}

bool text_write(const struct text *t, const char *path)
{
	FILE *file = fopen(path, "w");
	bool done;

	if (!file)
		return false;
	done = fwrite(t->bytes, 1, t->len, file) == t->len;
	return fclose(file) == 0 && done;
}

char *text_line(char **at)
{
	char *line = *at, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	*at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

char *text_word(char **at)
{
	char *word = *at + strspn(*at, " \t");
	size_t len = strcspn(word, " \t");

	if (len == 0)
		return NULL;
	*at = word + len + (word[len] != '\0');
	word[len] = '\0';
	return word;
}
