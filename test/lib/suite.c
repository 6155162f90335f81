#include "lib/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_LIMIT_S 240 /* a test that hangs, where each is a process */

static bool chosen(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

/* A case for each test, since check reports a failure by its case. */
static void add_test(Suite *suite, const TTest *test)
{
	TCase *tcase = tcase_create(test->name);

	tcase_set_timeout(tcase, TEST_LIMIT_S);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}

static void print_failures(SRunner *runner)
{
	TestResult **failures = srunner_failures(runner);

	for (int i = 0; i < srunner_ntests_failed(runner); i++)
		printf("%s:%d: %s: %s\n", tr_lfile(failures[i]),
		       tr_lno(failures[i]), tr_tcname(failures[i]),
		       tr_msg(failures[i]));
	free(failures);
}

int suite_main(int argc, char **argv, const TTest *const *tests, size_t len)
{
	Suite *suite = suite_create("");
	SRunner *runner = srunner_create(suite);

	for (size_t i = 0; i < len; i++)
		if (chosen(argc, argv, tests[i]->name))
			add_test(suite, tests[i]);
	srunner_run_all(runner, CK_SILENT);
	print_failures(runner);
	int failed = srunner_ntests_failed(runner);
	printf("%d passed, %d failed\n", srunner_ntests_run(runner) - failed,
	       failed);
	srunner_free(runner);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
