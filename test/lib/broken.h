/* One small state, all of its objects at hand, to break one at a time. */
#ifndef HF_TEST_BROKEN_H
#define HF_TEST_BROKEN_H

#include "core/state.h"
#include "lib/machine.h"

#include <check.h>
#include <string.h>

#define LONG (1000 * SECOND)

/* What is broken: all of one small state. */
struct parts {
	struct core *core;
	struct peer *peer;
	struct session *session, *other;
	struct lock *a, *s, *d, *b; /* held with a line; a semaphore; delayed; a
				       barrier that two have entered */
	struct request *hold, *wait, *ended, *permits, *shared, *up, *both;
	struct request *in, *out, *await;
	struct value *bytes, *counter, *waited;
};

struct parts broken_fill(struct machine *m);
/* The digests follow, so that a claim about the broken part is what fails. */
void broken_rehash(struct core *core);

/* Break one field, expect the complaint, mend it. */
#define NOTICED(field, value, text)                                            \
	do {                                                                   \
		__typeof__(p.field) was_ = p.field;                            \
		p.field = (value);                                             \
		broken_rehash(p.core);                                         \
		ck_assert_msg(core_check(p.core) == HF_ECORRUPT,               \
			      "%s = %s wasn't noticed", #field, #value);       \
		ck_assert_msg(strstr(core_error(p.core), text), "%s = %s: %s", \
			      #field, #value, core_error(p.core));             \
		p.field = was_;                                                \
		broken_rehash(p.core);                                         \
		ck_assert_int_eq(core_check(p.core), 0);                       \
	} while (0)

#endif
