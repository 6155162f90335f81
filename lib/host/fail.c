#include "host/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail(char *error, int rc, const char *format, ...)
{
	va_list args;

	if (!error)
		return rc;
	va_start(args, format);
	vsnprintf(error, HF_ERROR_TEXT, format, args);
	va_end(args);
	return rc;
}

int fail_system(char *error, int number, const char *format, ...)
{
	char why[64];
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error, HF_ERROR_TEXT, format, args);
		va_end(args);
		size_t len = strlen(error);
		snprintf(error + len, HF_ERROR_TEXT - len, ": %s",
			 strerror_r(number, why, sizeof(why)));
	}
	return number == ENOMEM ? HF_ENOMEM : HF_EIO;
}
