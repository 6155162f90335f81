/* Errors that tests have seen come out of the library, written down for the
 * check test/lib/errors: a line "CODE FUNCTION TEST" each, in $B/test/seen, B
 * being the build folder.
 *
 * The rule: a code is written down only where a function has returned it. The
 * macros call the function themselves and take its name from that call; a test
 * can't name one that it doesn't call, nor a code that didn't come. */
#ifndef HF_TEST_SEEN_H
#define HF_TEST_SEEN_H

#include "holdfast.h"

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>

/* The call must return this error. */
#define expect_error(code, function, ...)                              \
	ck_assert_msg(is_error(code, function, __VA_ARGS__), "%s: %s", \
		      #function, "returned another than " #code)
/* Does it? For callbacks and other processes, where a test can't fail. */
#define is_error(code, function, ...) \
	seen_error(#code, code, #function, function(__VA_ARGS__))

bool seen_error(const char *name, int code, const char *function, int rc);

/* An asynchronous request whose result is written down as hf_lock_start's. */
struct seen_lock {
	struct hf_lock lock;
	int rc; /* of its callback, once `called` */
	atomic_bool called;
};

int seen_lock_start(struct hf_node *node, struct seen_lock *s, const char *name,
		    uint32_t timeout_ms);
#define expect_result(code, s)                                               \
	ck_assert_msg((s)->called &&seen_error(#code, code, "hf_lock_start", \
					       (s)->rc),                     \
		      "the result is another than " #code ": %s",            \
		      hf_strerror((s)->rc))

/* The options' on_event, with a struct seen_failure as `arg`. */
struct seen_failure {
	int rc; /* of HF_EVENT_FAILED, once `told` */
	atomic_bool told;
};

void seen_on_event(struct hf_node *node, const struct hf_event *event,
		   void *arg);
#define expect_failure(code, s)                                              \
	ck_assert_msg((s)->told &&seen_error(#code, code, "HF_EVENT_FAILED", \
					     (s)->rc),                       \
		      "the event is another than " #code ": %s",             \
		      hf_strerror((s)->rc))

/* A watch's gap, with the struct hf_change that told it. */
#define expect_gap(code, change)                                       \
	ck_assert_msg((change)->type == HF_CHANGE_GAP &&               \
			      seen_error(#code, code, "HF_CHANGE_GAP", \
					 (change)->rc),                \
		      "the change is no gap of " #code)

#endif
