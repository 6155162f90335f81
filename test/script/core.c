/* Runs the golden scripts of the state machine, every file of test/script/core,
 * each a test. With REWRITE=1 in the environment the scripts get the outputs
 * that they print; look at the difference then. An argument chooses by name. */
#include "script/lib/script.h"
#include "script/lib/story.h"

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPTS "test/script/core/*.txt"

static void run_script(const char *path)
{
	struct story *story = malloc(sizeof(*story));
	struct text report = { .len = 0 };
	bool same;

	ck_assert_ptr_nonnull(story);
	story_init(story);
	same = script_run(path, getenv("REWRITE") != NULL, story_command, story,
			  &report);
	ck_assert_msg(same, "\n%s", report.bytes);
	text_free(&report);
	story_end(story);
	free(story);
}

START_TEST(the_script_prints_what_it_says)
{
	glob_t files;

	ck_assert_int_eq(glob(SCRIPTS, 0, NULL, &files), 0);
	ck_assert_int_lt(_i, (int)files.gl_pathc);
	run_script(files.gl_pathv[_i]);
	globfree(&files);
}
END_TEST

static void add_scripts(TCase *tcase, const char *chosen)
{
	glob_t files;

	if (glob(SCRIPTS, 0, NULL, &files))
		return;
	for (int i = 0; i < (int)files.gl_pathc; i++) {
		if (!chosen || strstr(files.gl_pathv[i], chosen))
			tcase_add_loop_test(tcase,
					    the_script_prints_what_it_says, i,
					    i + 1);
	}
	globfree(&files);
}

static void print_failures(SRunner *runner)
{
	TestResult **failures = srunner_failures(runner);

	for (int i = 0; i < srunner_ntests_failed(runner); i++)
		printf("%s\n", tr_msg(failures[i]));
	free(failures);
}

/* Not by SUITE: here a test is a file, not a function. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("");
	SRunner *runner = srunner_create(suite);
	TCase *tcase = tcase_create("");
	int run, failed;

	add_scripts(tcase, argc > 1 ? argv[1] : NULL);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	print_failures(runner);
	run = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	printf("%d passed, %d failed\n", run - failed, failed);
	srunner_free(runner);
	return run == 0 || failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
