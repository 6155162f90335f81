#include "lib/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER
#endif
#endif
#if defined(THREAD_SANITIZER) || defined(__SANITIZE_THREAD__)
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0"; /* tests fork members of threads */
}

/* A number of a descriptor that one host's thread pool gave back and another
 * host's loop got: libuv isn't instrumented, and what orders the two isn't seen
 * (unit/host_watch, one run in five). It is about numbers, never memory. */
__attribute__((visibility("default"))) const char *
__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race_top:epoll_ctl\n";
}

/* libuv closes descriptors by syscall(2), which the sanitizer doesn't see: it
 * takes a number that another thread uses next for the same descriptor, and
 * reports a race. Seen by the libraries; a test may have one of its own. */
__attribute__((weak, visibility("default"))) long syscall(long number, ...)
{
	long (*real)(long, ...);
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_close)
		return close((int)a[0]);
	real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#endif

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
