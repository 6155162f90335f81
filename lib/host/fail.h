/* An error and its text: what is wrong, where, and what to do about it. */
#ifndef HF_HOST_FAIL_H
#define HF_HOST_FAIL_H

#include "holdfast.h"

/* Returns `rc`. `error` gets HF_ERROR_TEXT bytes at most; NULL: no text. */
int fail(char *error, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a failed call of the system: the text ends with that of
 * `number` (an errno), and the result is HF_ENOMEM or HF_EIO. */
int fail_system(char *error, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
