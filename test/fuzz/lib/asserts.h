/* For a program whose part of test/lib asserts with check, which isn't running
 * there: its claims are promises too. Included once, by the program itself: in
 * the archive this would be every test's. */
#ifndef HF_TEST_FUZZ_ASSERTS_H
#define HF_TEST_FUZZ_ASSERTS_H

#include "fuzz/lib/target.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>

CK_DLL_EXP void CK_EXPORT _mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

CK_DLL_EXP void CK_EXPORT _ck_assert_failed(const char *file, int line,
					    const char *claim, const char *text,
					    ...)
{
	char told[200];
	va_list args;

	va_start(args, text);
	vsnprintf(told, sizeof(told), text ? text : claim, args);
	va_end(args);
	fuzz_broken(file, line, told);
}

#endif
