/* A test program is a list of START_TESTs and one SUITE(...) naming them.
 *
 * It runs them all, or those whose names contain one of its arguments, prints
 * each failure with its place, and ends with the line "N passed, M failed". */
#ifndef HF_TEST_SUITE_H
#define HF_TEST_SUITE_H

#include <check.h>
#include <stddef.h>

/* Returns the program's exit status. */
int suite_main(int argc, char **argv, const TTest *const *tests, size_t len);

#define SUITE(...)                                                 \
	int main(int argc, char **argv)                            \
	{                                                          \
		const TTest *tests[] = { __VA_ARGS__ };            \
		return suite_main(argc, argv, tests,               \
				  sizeof(tests) / sizeof(*tests)); \
	}

#endif
